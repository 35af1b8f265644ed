/* SPDX-License-Identifier: Apache-2.0 */
/* Plans, executed: what the container then sees. By the mount API and without it. Needs root. */
#include "mount_fixture.h"

#include <sys/statfs.h>
#include <sys/xattr.h>

#define DEFAULT_MOUNTS                                                                             \
	PROC, "tmpfs /dev tmpfs nosuid,strictatime,mode=755,size=65536k",                          \
		"devpts /dev/pts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",  \
		"tmpfs /dev/shm shm nosuid,noexec,nodev,mode=1777,size=65536k",                    \
		"mqueue /dev/mqueue mqueue nosuid,noexec,nodev",                                   \
		"sysfs /sys sysfs nosuid,noexec,nodev,ro",                                         \
		"cgroup /sys/fs/cgroup cgroup nosuid,noexec,nodev,relatime,ro"

#define DEFAULT_PATHS                                                                              \
	",\"maskedPaths\":[\"/proc/acpi\",\"/proc/keys\",\"/proc/timer_list\","                    \
	"\"/proc/no-such-thing\",\"/proc/self/no/such/thing\",\"/sys/firmware\"],"                 \
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/sys\",\"/proc/no-such-thing\"]"

#define CONTAINER(...) (&(const struct container){ __VA_ARGS__ })

/*
 * The default configuration
 */

static void check_node(const char *path, unsigned int major_nr, unsigned int minor_nr)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK(st.st_rdev == makedev(major_nr, minor_nr));
	CHECK((st.st_mode & 07777) == 0666);
	CHECK(st.st_uid == 0 && st.st_gid == 0);
}

static void check_link(const char *path, const char *want)
{
	char text[256];
	ssize_t len = readlink(path, text, sizeof(text) - 1);

	CHECK(len >= 0);
	text[len] = '\0';
	if (strcmp(text, want) != 0)
		give_up("'%s' leads to '%s', should to '%s'", path, text, want);
}

static void check_devices(void)
{
	check_node("/dev/null", 1, 3);
	check_node("/dev/zero", 1, 5);
	check_node("/dev/full", 1, 7);
	check_node("/dev/tty", 5, 0);
	check_node("/dev/random", 1, 8);
	check_node("/dev/urandom", 1, 9);
	check_link("/dev/fd", "/proc/self/fd");
	check_link("/dev/stdin", "/proc/self/fd/0");
	check_link("/dev/stdout", "/proc/self/fd/1");
	check_link("/dev/stderr", "/proc/self/fd/2");
	check_link("/dev/ptmx", "pts/ptmx");
}

static void check_restricted(void)
{
	struct stat st;

	CHECK(stat("/proc/keys", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(st.st_rdev == makedev(1, 3));
	CHECK(stat("/proc/timer_list", &st) == 0 && st.st_rdev == makedev(1, 3));
	check_mount("/sys/firmware", "tmpfs", "ro,nosuid,nodev,noexec,relatime");
	check_mount("/proc/acpi", "tmpfs", "ro,nosuid,nodev,noexec,relatime");
	CHECK(stat("/sys/firmware", &st) == 0);
	CHECK(write_error("/sys/firmware") == EROFS);
	check_mount("/proc/sys", "proc", "ro,relatime");
	check_mount("/proc/bus", "proc", "ro,relatime");
	CHECK(open("/proc/sys/kernel/hostname", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
}

static void inside_default(struct mount_context *ctx UNUSED)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	struct stat st;
	char cwd[64];

	check_mount("/proc", "proc", "rw,relatime");
	check_mount("/dev", "tmpfs", "rw,nosuid");
	check_mount("/dev/pts", "devpts", "rw,nosuid,noexec,relatime");
	check_mount("/dev/shm", "tmpfs", "rw,nosuid,nodev,noexec,relatime");
	check_mount("/dev/mqueue", "mqueue", "rw,nosuid,nodev,noexec,relatime");
	check_mount("/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime");
	CHECK(mountinfo_list_has(mount_at("/dev").super_options, "size=65536k"));
	CHECK(mountinfo_list_has(mount_at("/dev/pts").super_options, "ptmxmode=666"));
	CHECK(stat("/dev/shm", &st) == 0 && (st.st_mode & 07777) == 01777);
	CHECK(stat("/dev/pts", &st) == 0 && (st.st_mode & 07777) == 0755);
	check_devices();
	check_restricted();
	CHECK(write_error("/") == EROFS);
	CHECK(write_error("/tmp") == EROFS);
	CHECK(write_error("/dev/shm") == 0);
	CHECK(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/") == 0);
	/* Of the host nothing is left: every mount is below the new root. */
	CHECK(mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo") == 0);
	for (size_t i = 0; i < mounts.n; i++) {
		CHECK(mounts.v[i].shared == 0);
		CHECK(strcmp(mounts.v[i].source, "stage") != 0);
	}
	CHECK(access(top, F_OK) < 0);
	CHECK(umask(0) == 022);
}

static void test_default(unsigned int disable)
{
	assert_runs(CONTAINER(.mounts = { DEFAULT_MOUNTS }, .linux_ = DEFAULT_PATHS,
			      .namespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
			      .disable = disable, .readonly = true, .inside = inside_default));
	/* The image has got mount points, and nothing else. */
	assert_true(exists("rootfs/sys"));
	assert_false(exists("rootfs/dev/null"));
	assert_false(exists("rootfs/dev/pts"));
}

/*
 * cgroup v1
 */

static void inside_cgroup_v1(struct mount_context *ctx)
{
	bool own_ns = ctx->plan->facts.has_cgroup_ns;

	check_mount("/sys/fs/cgroup", "tmpfs", "ro,nosuid,nodev,noexec,relatime");
	for (size_t i = 0; i < ctx->cgroup->n_v1; i++) {
		const struct mount_cgroup_hierarchy *h = &ctx->cgroup->v1[i];
		auto_free char *path = path_join("/sys/fs/cgroup", path_basename(h->mount_point));

		check_mount(path, "cgroup", "ro,nosuid,nodev,noexec,relatime");
		CHECK(own_ns || strcmp(mount_at(path).root, "/") == 0);
		CHECK(write_error(path) == EROFS);
	}
}

static void test_cgroup_v1(unsigned int disable)
{
	struct fixture_cgroups cgroups;

	find_cgroups(&cgroups);
	cgroups_done(&cgroups);
	if (cgroups.is_v2 || cgroups.facts.n_v1 == 0) {
		print_message("no v1 hierarchy on this host\n");
		skip();
	}
	assert_runs(CONTAINER(.mounts = { DEFAULT_MOUNTS },
			      .namespaces = CLONE_NEWNET | CLONE_NEWIPC, .disable = disable,
			      .inside = inside_cgroup_v1));
	assert_runs(CONTAINER(.mounts = { DEFAULT_MOUNTS }, .disable = disable,
			      .namespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWCGROUP,
			      .inside = inside_cgroup_v1));
}

/* A hierarchy of two controllers, as other hosts have it: a directory and two symlinks. */
static void mounted_merged(struct mount_context *ctx)
{
	struct err err = ERR_INIT;
	const struct mount_cgroup_hierarchy merged[] = {
		{ "/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct", "/etc" },
		{ "/sys/fs/cgroup/systemd", "name=systemd", "/etc" },
	};
	const struct mount_cgroup_facts facts = { .v1 = merged, .n_v1 = 2 };

	ctx->cgroup = &facts;
	STEP(mount_exec_all(ctx, &err));
	CHECK(ctx->plan->n_ops == 2);
}

static void inside_merged(struct mount_context *ctx UNUSED)
{
	check_link("/cg/cpu", "cpu,cpuacct");
	check_link("/cg/cpuacct", "cpu,cpuacct");
	CHECK(access("/cg/name=systemd", F_OK) < 0);
	CHECK(access("/cg/cpu/hostname", F_OK) == 0);
	CHECK(access("/cg/systemd/hostname", F_OK) == 0);
}

static void test_cgroup_merged(void **state UNUSED)
{
	struct fixture_cgroups cgroups;

	find_cgroups(&cgroups);
	cgroups_done(&cgroups);
	if (cgroups.is_v2 || cgroups.facts.n_v1 == 0)
		skip();
	assert_runs(CONTAINER(.mounts = { PROC, "cgroup /cg cgroup ro" }, .without_devices = true,
			      .mounted = mounted_merged, .inside = inside_merged));
}

/*
 * cgroup v2, also of a hybrid host
 */

static void inside_cgroup_v2(struct mount_context *ctx UNUSED)
{
	check_mount("/sys/fs/cgroup", "cgroup2", "ro,nosuid,nodev,noexec,relatime");
	CHECK(access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0);
}

static void test_cgroup_v2(unsigned int disable)
{
	struct fixture_cgroups cgroups;
	bool none;

	find_cgroups(&cgroups);
	none = !cgroups.facts.v2_mount_point;
	cgroups_done(&cgroups);
	if (none)
		skip();
	assert_runs(CONTAINER(.mounts = { DEFAULT_MOUNTS }, .disable = disable, .cgroup_v2 = true,
			      .namespaces = CLONE_NEWNET | CLONE_NEWIPC,
			      .inside = inside_cgroup_v2));
	assert_runs(CONTAINER(.mounts = { DEFAULT_MOUNTS }, .disable = disable, .cgroup_v2 = true,
			      .namespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWCGROUP,
			      .inside = inside_cgroup_v2));
}

/*
 * Binds
 */

static void host_binds(void)
{
	auto_free char *nested = xasprintf("%s/host/dir/nested", top);
	auto_free char *flagged = xasprintf("%s/host/flagged", top);

	CHECK(mount("tmpfs", nested, "tmpfs", 0, NULL) == 0);
	CHECK(mount("tmpfs", flagged, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, NULL) == 0);
}

static void make_bind_sources(void)
{
	make_dir("host/dir/nested");
	make_dir("host/flagged");
	make_file("host/dir/file", "in dir");
	make_file("host/file", "a file");
}

static void inside_binds(struct mount_context *ctx UNUSED)
{
	struct stat st;

	check_content("/data/dir/file", "in dir");
	CHECK(write_error("/data/dir") == 0);
	CHECK(is_mounted("/data/dir/nested"));
	check_content("/flat/file", "in dir");
	CHECK(!is_mounted("/flat/nested"));
	check_content("/etc/config", "a file");
	CHECK(stat("/etc/config", &st) == 0 && S_ISREG(st.st_mode));
	check_content("/ro/file", "in dir");
	CHECK(write_error("/ro") == EROFS);
	CHECK(write_error("/ro/nested") == 0);
	check_mount("/inherited", "tmpfs", "rw,nosuid,nodev,noatime");
	/* Named flags replace inherited ones, but for access times. */
	check_mount("/replaced", "tmpfs", "ro,noatime");
	check_mount("/cleared", "tmpfs", "rw,noexec,noatime");
	check_mount("/strict", "tmpfs", "rw,nodev");
}

static void test_binds(unsigned int disable)
{
	make_bind_sources();
	assert_runs(
		CONTAINER(.mounts = { PROC, "bind /data/dir host/dir rbind",
				      "bind /flat host/dir bind", "bind /etc/config host/file bind",
				      "bind /ro host/dir rbind,ro",
				      "bind /inherited host/flagged rbind,rprivate",
				      "bind /replaced host/flagged rbind,ro",
				      "bind /cleared host/flagged rbind,suid,noexec,atime",
				      "bind /strict host/flagged bind,strictatime,nodev" },
			  .disable = disable, .host = host_binds, .inside = inside_binds));
}

static void inside_recursive(struct mount_context *ctx UNUSED)
{
	CHECK(write_error("/rro") == EROFS);
	CHECK(write_error("/rro/nested") == EROFS);
	check_mount("/many/nested", "tmpfs", "rw,nosuid,nodev,noexec,noatime");
	check_mount("/strict/nested", "tmpfs", "rw");
}

#define RECURSIVE_MOUNTS                                                                           \
	PROC, "bind /rro host/dir rbind,rro",                                                      \
		"bind /many host/dir rbind,rnosuid,rnodev,rnoexec,rnoatime",                       \
		"bind /strict host/dir rbind,rstrictatime"

static void test_recursive_attributes(void **state UNUSED)
{
	make_bind_sources();
	assert_runs(CONTAINER(.mounts = { RECURSIVE_MOUNTS }, .host = host_binds,
			      .inside = inside_recursive));
	assert_fails(CONTAINER(.mounts = { RECURSIVE_MOUNTS }, .host = host_binds,
			       .disable = MODE_NO_SETATTR),
		     "mount '/rro': recursive mount options (rro and the like) need Linux 5.12");
}

static void inside_symlinks(struct mount_context *ctx UNUSED)
{
	check_link("/copied", "../outside/target");
	check_link("/etc/same", "../outside/target");
	check_content("/copied-file", "a file");
	CHECK(is_mounted("/copied-file"));
	check_content("/real/behind", "a file");
	CHECK(!is_mounted("/dst-link"));
}

static void test_symlink_options(unsigned int disable)
{
	make_file("host/file", "a file");
	make_link("../outside/target", "host/link");
	make_link("file", "host/link-to-file");
	make_dir("rootfs/real");
	make_file("rootfs/real/behind", "");
	make_link("/real/behind", "rootfs/dst-link");
	make_link("../outside/target", "rootfs/etc/same");
	make_file("rootfs/in-the-way", "x");
	assert_runs(CONTAINER(.mounts = { PROC, "bind /copied host/link bind,copy-symlink",
					  "bind /etc/same host/link bind,copy-symlink",
					  "bind /copied-file host/file bind,copy-symlink",
					  "bind /dst-link host/file bind" },
			      .disable = disable, .inside = inside_symlinks));
	assert_fails(CONTAINER(.mounts = { "bind /in-the-way host/link bind,copy-symlink" },
			       .disable = disable),
		     "mount '/in-the-way': create symlink: something else is there");
}

static void inside_nofollow(struct mount_context *ctx UNUSED)
{
	struct stat st;

	/* The symlink itself is covered by a file. */
	CHECK(lstat("/dst-link", &st) == 0 && S_ISREG(st.st_mode));
	check_content("/dst-link", "a file");
	check_content("/real/behind", "");
	/* The source is the symlink, not what it leads to. */
	check_link("/src-link", "file");
}

static void test_nofollow(void **state UNUSED)
{
	make_file("host/file", "a file");
	make_link("file", "host/link-to-file");
	make_dir("rootfs/real");
	make_file("rootfs/real/behind", "");
	make_link("/real/behind", "rootfs/dst-link");
	make_link("anywhere", "rootfs/src-link");
	assert_runs(CONTAINER(.mounts = { PROC, "bind /dst-link host/file bind,dest-nofollow",
					  "bind /src-link host/link-to-file "
					  "bind,src-nofollow,dest-nofollow" },
			      .inside = inside_nofollow));
}

/*
 * Propagation
 */

static void check_propagation(const char *path, bool shared, bool slave, bool unbindable)
{
	struct mountinfo_entry e = mount_at(path);

	if (!!e.shared != shared || !!e.master != slave || e.unbindable != unbindable)
		give_up("'%s': shared %d, master %d, unbindable %d", path, e.shared, e.master,
			e.unbindable);
}

/* A namespace that plays the host's: the container's is a copy of it. */
static int host_ns_fd = -EBADF;

static void host_all_shared(void)
{
	CHECK(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0);
	host_ns_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	CHECK(host_ns_fd >= 0 && unshare(CLONE_NEWNS) == 0);
}

static void host_shared(void)
{
	auto_free char *dir = xasprintf("%s/host/dir", top);

	host_binds();
	CHECK(mount(dir, dir, NULL, MS_BIND | MS_REC, NULL) == 0);
	host_all_shared();
}

/* How many mounts of the container's root the host sees; leaves the container. */
static size_t mounts_seen_by_host(void)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	auto_free char *rootfs = xasprintf("%s/rootfs", top);
	size_t n = 0;

	CHECK(setns(host_ns_fd, CLONE_NEWNS) == 0);
	CHECK(mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo") == 0);
	for (size_t i = 0; i < mounts.n; i++)
		n += path_is_below(mounts.v[i].mount_point, rootfs);
	return n;
}

static void inside_propagation(struct mount_context *ctx UNUSED)
{
	check_propagation("/default", false, true, false);
	check_propagation("/private", false, false, false);
	check_propagation("/private/nested", false, true, false);
	check_propagation("/rprivate/nested", false, false, false);
	check_propagation("/slave", false, true, false);
	check_propagation("/rshared", true, true, false);
	check_propagation("/rshared/nested", true, true, false);
	check_propagation("/unbindable", false, false, true);
	check_propagation("/runbindable/nested", false, false, true);
	check_propagation("/two", true, true, false);
	check_propagation("/fs", true, false, false);
	check_propagation("/", false, true, false);
	CHECK(mounts_seen_by_host() == 0);
}

static void test_propagation(unsigned int disable)
{
	make_bind_sources();
	assert_runs(CONTAINER(.linux_ = disable ? ",\"rootfsPropagation\":\"rslave\"" : "",
			      .mounts = { PROC, "bind /default host/dir rbind",
					  "bind /private host/dir rbind,private",
					  "bind /rprivate host/dir rbind,rprivate",
					  "bind /slave host/dir rbind,rslave",
					  "bind /rshared host/dir rbind,rshared",
					  "bind /unbindable host/dir rbind,unbindable",
					  "bind /runbindable host/dir rbind,runbindable",
					  "bind /two host/dir rbind,rslave,shared",
					  "tmpfs /fs - shared" },
			      .disable = disable, .host = host_shared,
			      .inside = inside_propagation));
}

static void inside_root_shared(struct mount_context *ctx UNUSED)
{
	check_propagation("/", true, false, false);
	/* The mount below the root was made private for the pivot, so these are new peers. */
	CHECK(mounts_seen_by_host() == 0);
}

static void inside_root_slave(struct mount_context *ctx UNUSED)
{
	check_propagation("/", false, true, false);
	CHECK(mounts_seen_by_host() == 0);
}

static void inside_root_private(struct mount_context *ctx UNUSED)
{
	check_propagation("/", false, false, false);
	CHECK(mounts_seen_by_host() == 0);
}

static void inside_root_unbindable(struct mount_context *ctx UNUSED)
{
	check_propagation("/", false, false, true);
	CHECK(mounts_seen_by_host() == 0);
}

static void test_root_propagation(unsigned int disable)
{
	static const struct {
		const char *linux_;
		void (*inside)(struct mount_context *ctx);
	} cases[] = {
		{ "", inside_root_slave },
		{ ",\"rootfsPropagation\":\"shared\"", inside_root_shared },
		{ ",\"rootfsPropagation\":\"rshared\"", inside_root_shared },
		{ ",\"rootfsPropagation\":\"slave\"", inside_root_slave },
		{ ",\"rootfsPropagation\":\"rslave\"", inside_root_slave },
		{ ",\"rootfsPropagation\":\"private\"", inside_root_private },
		{ ",\"rootfsPropagation\":\"rprivate\"", inside_root_private },
		{ ",\"rootfsPropagation\":\"unbindable\"", inside_root_unbindable },
		{ ",\"rootfsPropagation\":\"runbindable\"", inside_root_unbindable },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_runs(CONTAINER(.mounts = { PROC }, .linux_ = cases[i].linux_,
				      .disable = disable, .host = host_all_shared,
				      .inside = cases[i].inside));
}

/*
 * File systems
 */

static void inside_tmpfs(struct mount_context *ctx UNUSED)
{
	struct stat st;

	CHECK(stat("/inherit", &st) == 0 && (st.st_mode & 07777) == 01751);
	CHECK(stat("/given", &st) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(stat("/fresh", &st) == 0 && (st.st_mode & 07777) == 01777);
	check_mount("/ro", "tmpfs", "ro,nosuid,relatime");
	CHECK(write_error("/ro") == EROFS);
	CHECK(access("/ro/below", F_OK) == 0);
	CHECK(mountinfo_list_has(mount_at("/given").super_options, "size=64k"));
	CHECK(strcmp(mount_at("/given").source, "name") == 0);
}

static void test_tmpfs(unsigned int disable)
{
	make_dir("rootfs/inherit");
	assert_int_equal(fchmodat(top_fd, "rootfs/inherit", 01751, 0), 0);
	make_dir("rootfs/given");
	make_file("host/file", "");
	assert_runs(
		CONTAINER(.mounts = { PROC, "tmpfs /inherit - rw",
				      "tmpfs /given name mode=700,size=64k", "tmpfs /fresh",
				      "tmpfs /ro - ro,nosuid", "bind /ro/below host/file bind" },
			  .disable = disable, .inside = inside_tmpfs));
}

static void inside_copyup(struct mount_context *ctx UNUSED)
{
	char value[8];
	struct stat st;

	check_mount("/var", "tmpfs", "rw,relatime");
	check_content("/var/file", "content");
	CHECK(stat("/var/file", &st) == 0);
	CHECK((st.st_mode & 07777) == 04750 && st.st_uid == 7 && st.st_gid == 8);
	CHECK(st.st_mtim.tv_sec == 1000000000);
	check_content("/var/sub/deep/file", "deep");
	CHECK(stat("/var/sub", &st) == 0 && (st.st_mode & 07777) == 02700 && st.st_uid == 9);
	check_link("/var/link", "file");
	CHECK(lstat("/var/link", &st) == 0 && st.st_uid == 5);
	CHECK(lstat("/var/fifo", &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid == 6);
	CHECK(stat("/var/sparse", &st) == 0 && st.st_size == 1 << 30 && st.st_blocks < 1000);
	CHECK(getxattr("/var/file", "trusted.floe", value, sizeof(value)) == 3);
	CHECK(memcmp(value, "abc", 3) == 0);
	CHECK(stat("/var", &st) == 0 && (st.st_mode & 07777) == 0711);
}

static void make_copyup_source(void)
{
	const struct timespec times[] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	auto_close int fd = -EBADF;

	make_dir("rootfs/var/sub/deep");
	make_file("rootfs/var/file", "content");
	make_file("rootfs/var/sub/deep/file", "deep");
	make_file("rootfs/var/sparse", "");
	make_link("file", "rootfs/var/link");
	assert_int_equal(fchownat(top_fd, "rootfs/var/link", 5, 0, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(mknodat(top_fd, "rootfs/var/fifo", S_IFIFO | 0600, 0), 0);
	assert_int_equal(fchownat(top_fd, "rootfs/var/fifo", 6, 0, 0), 0);
	assert_int_equal(fchownat(top_fd, "rootfs/var/file", 7, 8, 0), 0);
	assert_int_equal(fchmodat(top_fd, "rootfs/var/file", 04750, 0), 0);
	assert_int_equal(fchownat(top_fd, "rootfs/var/sub", 9, 0, 0), 0);
	assert_int_equal(fchmodat(top_fd, "rootfs/var/sub", 02700, 0), 0);
	assert_int_equal(fchmodat(top_fd, "rootfs/var", 0711, 0), 0);
	fd = openat(top_fd, "rootfs/var/file", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fsetxattr(fd, "trusted.floe", "abc", 3, 0), 0);
	assert_int_equal(futimens(fd, times), 0);
	close_fd(&fd);
	fd = openat(top_fd, "rootfs/var/sparse", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
}

static void test_tmpcopyup(unsigned int disable)
{
	make_copyup_source();
	assert_runs(CONTAINER(.mounts = { PROC, "tmpfs /var - tmpcopyup" }, .disable = disable,
			      .inside = inside_copyup));
	make_file("rootfs/var/z-large", "");
	{
		auto_close int fd = openat(top_fd, "rootfs/var/z-large", O_WRONLY | O_CLOEXEC);
		static const char block[8192];

		for (int i = 0; i < 16; i++)
			assert_int_equal(io_write_all(fd, block, sizeof(block)), 0);
	}
	assert_fails(CONTAINER(.mounts = { "tmpfs /var - tmpcopyup,size=64k" }, .disable = disable),
		     "mount '/var': copy what is below (tmpcopyup): copy 'z-large': no space left");
}

static void inside_overlay(struct mount_context *ctx UNUSED)
{
	check_content("/merged/one", "1");
	check_content("/merged/two", "2");
	check_content("/many/one", "1");
}

/* Layers with long names need more than fsconfig(2) takes. */
static void test_overlay(unsigned int disable)
{
	static const char *const layers[] = { "a", "b", "c", "d", "e", "f" };
	auto_strbuf struct strbuf many = STRBUF_INIT;
	auto_free char *two = NULL;
	auto_free char *seven = NULL;

	make_dir("host/lower-1");
	make_file("host/lower-1/one", "1");
	make_dir("host/lower-2");
	make_file("host/lower-2/two", "2");
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		auto_free char *name =
			xasprintf("host/a-layer-with-quite-a-long-name-so-that-six-are-too-much-%s",
				  layers[i]);

		make_dir(name);
		strbuf_addf(&many, "%s/%s:", top, name);
	}
	strbuf_addf(&many, "%s/host/lower-1", top);
	assert_true(many.len > 256);
	two = xasprintf("overlay /merged overlay lowerdir=%s/host/lower-1:%s/host/lower-2", top,
			top);
	seven = xasprintf("overlay /many overlay lowerdir=%s", many.buf);
	assert_runs(CONTAINER(.mounts = { PROC, two, seven }, .disable = disable,
			      .inside = inside_overlay));
}

static void inside_remount(struct mount_context *ctx UNUSED)
{
	check_mount("/t", "tmpfs", "ro,nosuid,relatime");
	check_mount("/b", "tmpfs", "ro,noexec,relatime");
	CHECK(write_error("/t") == EROFS);
	CHECK(mountinfo_list_has(mount_at("/t").super_options, "size=128k"));
	CHECK(write_error("/tmp") == 0);
}

static void test_remount(unsigned int disable)
{
	make_dir("rootfs/plain");
	make_bind_sources();
	assert_runs(
		CONTAINER(.mounts = { PROC, "tmpfs /t", "tmpfs /t - remount,ro,nosuid,size=128k",
				      "bind /b host/flagged bind",
				      "bind /b none bind,remount,ro,relatime,noexec" },
			  .disable = disable, .host = host_binds, .inside = inside_remount));
	assert_fails(CONTAINER(.mounts = { "tmpfs /plain - remount,ro" }, .disable = disable),
		     "mount '/plain': change what is mounted there (is it a mount?): invalid"
		     " argument");
}

/*
 * Other ways in
 */

static void inside_no_pivot(struct mount_context *ctx UNUSED)
{
	check_devices();
	check_restricted();
	CHECK(write_error("/") == EROFS);
	CHECK(access(top, F_OK) < 0);
	CHECK(chdir("..") == 0 && access("etc", F_OK) == 0 && access(top + 1, F_OK) < 0);
}

static void test_no_pivot(unsigned int disable)
{
	assert_runs(CONTAINER(.mounts = { DEFAULT_MOUNTS }, .linux_ = DEFAULT_PATHS,
			      .namespaces = CLONE_NEWNET | CLONE_NEWIPC, .disable = disable,
			      .readonly = true, .no_pivot = true, .inside = inside_no_pivot));
	assert_fails(CONTAINER(.mounts = { PROC }, .linux_ = ",\"rootfsPropagation\":\"rprivate\"",
			       .disable = disable, .no_pivot = true),
		     "linux.rootfsPropagation cannot be private without pivot_root; drop it or"
		     " --no-pivot");
}

static void test_make_targets(unsigned int disable)
{
	make_bind_sources();
	make_link("/etc", "rootfs/link");
	assert_runs(CONTAINER(.mounts = { PROC, "bind /a/dir host/dir rbind",
					  "bind /a/file host/file bind",
					  "bind /link/conf/file host/file bind",
					  "bind /a/dir/nested/x host/file bind", "tmpfs /t",
					  "tmpfs /t/below", "cgroup /cg/x" },
			      .disable = disable, .host = host_binds, .make_targets = true));
	assert_true(exists("rootfs/a/dir"));
	assert_true(exists("rootfs/a/file"));
	assert_true(exists("rootfs/etc/conf/file"));
	assert_false(exists("rootfs/a/dir/nested"));
	assert_true(exists("rootfs/t"));
	assert_false(exists("rootfs/t/below"));
	assert_false(exists("rootfs/cg"));
}

/*
 * Errors
 */

static void test_errors(unsigned int disable)
{
	bool old = disable & KERNEL_MOUNT_API;

	make_file("rootfs/etc/file", "");
	make_dir("host/dir");
	make_file("host/file", "");
	assert_fails(CONTAINER(.mounts = { "strangefs /x" }, .disable = disable),
		     "mount '/x': this kernel has no file system of type 'strangefs': no such"
		     " device");
	assert_fails(CONTAINER(.mounts = { "tmpfs /x - strange=1" }, .disable = disable),
		     old ? "mount '/x': create file system of type 'tmpfs': invalid argument" :
			   "mount '/x': create file system of type 'tmpfs': tmpfs: Unknown"
			   " parameter 'strange': invalid argument");
	assert_fails(CONTAINER(.mounts = { "tmpfs /etc/file" }, .disable = disable),
		     "mount '/etc/file': open target directory in the root file system: not a"
		     " directory");
	assert_fails(CONTAINER(.mounts = { "bind /etc/file host/dir bind" }, .disable = disable),
		     "mount '/etc/file': attach to target: the source is a directory, the target is"
		     " not: ");
	assert_fails(CONTAINER(.mounts = { "bind /x host/none bind" }, .disable = disable),
		     "mount '/x': open source '/tmp/floe-test-");
	assert_fails(CONTAINER(.mounts = { "bind /etc/file/x host/file bind" }, .disable = disable),
		     "mount '/etc/file/x': open target in the root file system: not a directory");
}

DEFINE_MODES(test_default)
DEFINE_MODES(test_cgroup_v1)
DEFINE_MODES(test_cgroup_v2)
DEFINE_MODES(test_binds)
DEFINE_MODES(test_symlink_options)
DEFINE_MODES(test_propagation)
DEFINE_MODES(test_root_propagation)
DEFINE_MODES(test_tmpfs)
DEFINE_MODES(test_tmpcopyup)
DEFINE_MODES(test_overlay)
DEFINE_MODES(test_remount)
DEFINE_MODES(test_no_pivot)
DEFINE_MODES(test_make_targets)
DEFINE_MODES(test_errors)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_MODES(test_default),
		RUN_MODES(test_cgroup_v1),
		RUN_MODES(test_cgroup_v2),
		cmocka_unit_test_setup(test_cgroup_merged, fixture_reset),
		RUN_MODES(test_binds),
		cmocka_unit_test_setup(test_recursive_attributes, fixture_reset),
		RUN_MODES(test_symlink_options),
		cmocka_unit_test_setup(test_nofollow, fixture_reset),
		RUN_MODES(test_propagation),
		RUN_MODES(test_root_propagation),
		RUN_MODES(test_tmpfs),
		RUN_MODES(test_tmpcopyup),
		RUN_MODES(test_overlay),
		RUN_MODES(test_remount),
		RUN_MODES(test_no_pivot),
		RUN_MODES(test_make_targets),
		RUN_MODES(test_errors),
	};

	if (geteuid() != 0) {
		print_message("needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
