/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images, and neighbours with access to the same tree, that try to lead mounts, devices and masks out
 * of the root file system. What is asked each time: is every new mount below the root, is the host's
 * directory as it was, does the container see what it should? Needs root.
 */
#include "mount_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#define RACE_RUNS 50

#define CONTAINER(...) (&(const struct container){ __VA_ARGS__ })

#define DEV "tmpfs /dev - nosuid,mode=755"
#define PTS "devpts /dev/pts - newinstance,ptmxmode=0666"

static struct mountinfo before = MOUNTINFO_INIT;

static void remember_mounts(void)
{
	CHECK(mountinfo_read(&before, AT_FDCWD, "/proc/self/mountinfo") == 0);
}

/* All that came since then is below the root. */
static void check_mounts_inside(struct mount_context *ctx UNUSED)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	auto_free char *rootfs = xasprintf("%s/rootfs", top);

	CHECK(mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo") == 0);
	for (size_t i = 0; i < mounts.n; i++)
		if (!mountinfo_find_id(&before, mounts.v[i].id) &&
		    !path_is_below(mounts.v[i].mount_point, rootfs))
			give_up("a mount got out to '%s'", mounts.v[i].mount_point);
}

/* Nothing was made in the host's directory. */
static void assert_host_untouched(void)
{
	auto_close int fd = fd_open_at(top_fd, "host", O_RDONLY | O_DIRECTORY, 0);
	auto_closedir DIR *dir = fdopendir(fd_dup(fd));
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "data") != 0 &&
		    strcmp(entry->d_name, "precious") != 0)
			fail_msg("'%s' was made outside", entry->d_name);
}

static void make_host(void)
{
	make_dir("host/data");
	make_file("host/data/file", "data");
	make_file("host/precious", "precious");
}

/*
 * Symlinks that lie still
 */

static void inside_links(struct mount_context *ctx UNUSED)
{
	auto_free char *deep = xasprintf("%s/host/by-absolute", top);

	CHECK(is_mounted(deep));
	CHECK(is_mounted("/host/by-dots"));
	CHECK(is_mounted("/dots"));
	CHECK(is_mounted("/nowhere/yet"));
	CHECK(is_mounted("/nofile"));
	check_content("/nofile", "data");
	check_content("/etc/target", "data");
}

static void test_links(unsigned int disable)
{
	auto_free char *host = xasprintf("%s/host", top);

	make_host();
	make_link(host, "rootfs/absolute");
	make_link("../../../../../host", "rootfs/etc/dots");
	make_link("nowhere/yet", "rootfs/dangling");
	make_link("../nofile", "rootfs/etc/dangling-file");
	make_link("target", "rootfs/etc/to-target");
	make_file("rootfs/etc/target", "");
	assert_runs(CONTAINER(.mounts = { PROC, "tmpfs /absolute/by-absolute",
					  "tmpfs /etc/dots/by-dots", "tmpfs /../../../../dots",
					  "tmpfs /dangling",
					  "bind /etc/dangling-file host/data/file bind",
					  "bind /etc/to-target host/data/file bind" },
			      .disable = disable, .host = remember_mounts,
			      .mounted = check_mounts_inside, .inside = inside_links));
	assert_host_untouched();
}

/* The root itself, by a way that the text of the destination does not show. */
static void test_root_is_no_target(unsigned int disable)
{
	make_host();
	make_link("/", "rootfs/slash");
	make_link("..", "rootfs/etc/up");
	assert_fails(CONTAINER(.mounts = { "tmpfs /slash" }, .disable = disable),
		     "mount '/slash': a mount cannot cover the root file system");
	assert_fails(CONTAINER(.mounts = { "bind /etc/up host/data bind" }, .disable = disable),
		     "mount '/etc/up': a mount cannot cover the root file system");
}

/*
 * /proc
 */

static void test_proc_is_plain(unsigned int disable)
{
	static const char want[] =
		"mount '/proc': it must be mounted on ordinary directory, but the"
		" image leads to '/tmp' by a symlink";

	assert_int_equal(fs_remove_tree(top_fd, "rootfs/proc"), 0);
	make_link("tmp", "rootfs/proc");
	assert_fails(CONTAINER(.mounts = { PROC }, .disable = disable), want);
	assert_int_equal(fs_remove_tree(top_fd, "rootfs/proc"), 0);
	make_file("rootfs/proc", "");
	assert_fails(CONTAINER(.mounts = { PROC }, .disable = disable),
		     "mount '/proc': open target directory in the root file system: not a"
		     " directory");
	assert_int_equal(fs_remove_tree(top_fd, "rootfs/proc"), 0);
	make_link("tmp", "rootfs/link");
	assert_fails(CONTAINER(.mounts = { "sysfs /link/x" }, .disable = disable),
		     "mount '/link/x': it must be mounted on ordinary directory");
}

static void inside_real_proc(struct mount_context *ctx UNUSED)
{
	check_content("/proc/uptime", "data");
	check_mount("/again/proc", "proc", "rw,relatime");
	CHECK(access("/proc/1/status", F_OK) == 0);
}

static void test_proc_is_real(unsigned int disable)
{
	make_host();
	make_dir("rootfs/again/proc");
	make_link("/proc", "rootfs/alias");
	make_link("/proc/sys/kernel", "rootfs/kernel");
	assert_fails(CONTAINER(.mounts = { "tmpfs /proc" }, .disable = disable),
		     "mount '/proc': '/proc' cannot be mounted because it is not of type proc");
	assert_fails(CONTAINER(.mounts = { "bind /proc host/data bind" }, .disable = disable),
		     "mount '/proc': '/proc' cannot be mounted because it is not of type proc");
	assert_fails(CONTAINER(.mounts = { "bind /proc /proc/sys bind" }, .disable = disable),
		     "mount '/proc': '/proc' cannot be mounted because it is not of type proc");
	assert_fails(CONTAINER(.mounts = { "bind /alias host/data bind" }, .disable = disable),
		     "mount '/alias': '/alias' cannot be mounted because it is not of type proc");
	assert_fails(CONTAINER(.mounts = { PROC, "bind /proc/self/attr host/data bind" },
			       .disable = disable),
		     "mount '/proc/self/attr': '/proc/self/attr' cannot be mounted because it is"
		     " inside /proc");
	assert_fails(
		CONTAINER(.mounts = { PROC, "bind /kernel host/data bind" }, .disable = disable),
		"mount '/kernel': '/kernel' cannot be mounted because it is inside /proc");
	assert_fails(CONTAINER(.mounts = { PROC, "tmpfs /etc/../proc/sys" }, .disable = disable),
		     "mount '/etc/../proc/sys': '/etc/../proc/sys' cannot be mounted because it is"
		     " inside /proc");
	assert_runs(CONTAINER(.mounts = { PROC, "bind /proc/uptime host/data/file bind",
					  "proc /again/proc" },
			      .disable = disable, .inside = inside_real_proc));
	assert_runs(CONTAINER(.mounts = { "bind /proc /proc rbind" }, .disable = disable));
}

/* Links that lead through a process to anywhere. */
static void test_magic_links(unsigned int disable)
{
	make_host();
	make_link("/proc/self/root/tmp", "rootfs/magic-root");
	make_link("/proc/self/cwd", "rootfs/magic-cwd");
	make_link("/proc/self/fd/3", "rootfs/magic-fd");
	assert_fails(CONTAINER(.mounts = { PROC, "tmpfs /magic-root" }, .disable = disable),
		     "mount '/magic-root': open target directory in the root file system: too many"
		     " levels of symbolic links");
	assert_fails(CONTAINER(.mounts = { PROC, "bind /magic-cwd/x host/data bind" },
			       .disable = disable),
		     "mount '/magic-cwd/x': open target in the root file system: too many levels of"
		     " symbolic links");
	assert_fails(
		CONTAINER(.mounts = { PROC, "bind /magic-fd host/data bind" }, .disable = disable),
		"mount '/magic-fd': open target in the root file system: too many levels of"
		" symbolic links");
}

/*
 * Devices
 */

static void inside_dev_link(struct mount_context *ctx UNUSED)
{
	struct stat st;

	CHECK(lstat("/elsewhere/null", &st) == 0 && S_ISCHR(st.st_mode));
}

/* /dev is a symlink to a directory of the host (crun's CVE-2026-47766). */
static void test_dev_link(unsigned int disable)
{
	auto_free char *host = xasprintf("%s/host", top);

	make_host();
	assert_int_equal(fs_remove_tree(top_fd, "rootfs/dev"), 0);
	make_link("../host", "rootfs/dev");
	assert_fails(CONTAINER(.mounts = { PROC }, .disable = disable),
		     "device '/dev/null': open directory '/dev' in the root file system: no such");
	assert_int_equal(fs_remove_tree(top_fd, "rootfs/dev"), 0);
	make_link(host, "rootfs/dev");
	assert_fails(CONTAINER(.mounts = { PROC }, .disable = disable),
		     "device '/dev/null': open directory '/dev' in the root file system: no such");
	assert_int_equal(fs_remove_tree(top_fd, "rootfs/dev"), 0);
	make_link("/../elsewhere", "rootfs/dev");
	make_dir("rootfs/elsewhere");
	assert_runs(CONTAINER(.mounts = { PROC }, .disable = disable, .inside = inside_dev_link));
	assert_host_untouched();
}

static void inside_replaced(struct mount_context *ctx UNUSED)
{
	struct stat st;

	CHECK(lstat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(st.st_rdev == makedev(1, 3));
	CHECK(lstat("/dev/zero", &st) == 0 && st.st_rdev == makedev(1, 5));
	CHECK(lstat("/dev/tty", &st) == 0 && st.st_rdev == makedev(5, 0));
	CHECK(lstat("/dev/ptmx", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(lstat("/dev/sub/loop", &st) == 0 && S_ISBLK(st.st_mode));
	CHECK((st.st_mode & 07777) == 0640 && st.st_uid == 7 && st.st_gid == 8);
	CHECK(lstat("/dev/pipe", &st) == 0 && S_ISFIFO(st.st_mode));
	/* What the symlinks led to is as it was. */
	check_content("/etc/victim", "victim");
	CHECK(lstat("/etc/victim", &st) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0644);
}

static void test_dev_of_the_image(unsigned int disable)
{
	make_file("rootfs/etc/victim", "victim");
	make_file("rootfs/dev/null", "not null");
	make_link("/etc/victim", "rootfs/dev/zero");
	assert_int_equal(mknodat(top_fd, "rootfs/dev/tty", S_IFCHR | 0600, makedev(1, 1)), 0);
	make_file("rootfs/dev/ptmx", "");
	make_dir("rootfs/dev/sub");
	assert_runs(CONTAINER(.mounts = { PROC }, .disable = disable, .inside = inside_replaced,
			      .linux_ =
				      ",\"devices\":[{\"path\":\"/dev/sub/"
				      "loop\",\"type\":\"b\",\"major\":7,"
				      "\"minor\":0,\"fileMode\":416,\"uid\":7,\"gid\":8},{\"path\":"
				      "\"/dev/pipe\",\"type\":\"p\"}]"));
	/* What the configuration names takes nobody's place, nor is it made behind a link. */
	make_link("/etc/victim", "rootfs/dev/sub/link");
	assert_fails(CONTAINER(.mounts = { PROC }, .disable = disable,
			       .linux_ = ",\"devices\":[{\"path\":\"/dev/sub/link\",\"type\":\"b\","
					 "\"major\":7,\"minor\":0}]"),
		     "device '/dev/sub/link': /dev/sub/link has incorrect ftype");
	assert_int_equal(fs_remove_tree(top_fd, "rootfs/dev/full"), 0);
	make_dir("rootfs/dev/full/x");
	assert_fails(CONTAINER(.mounts = { PROC }, .disable = disable),
		     "device '/dev/full': create it: is a directory");
}

/*
 * The console
 */

/* A terminal of the container's own devpts. */
static int open_slave(struct mount_context *ctx)
{
	int unlock = 0;
	int master_fd = rooted_openat(&ctx->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	int fd;

	CHECK(master_fd >= 0);
	CHECK(ioctl(master_fd, TIOCSPTLCK, &unlock) == 0);
	fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static void bind_console(struct mount_context *ctx)
{
	struct err err = ERR_INIT;
	auto_close int fd = open_slave(ctx);

	STEP(device_bind_console(&ctx->root, &ctx->env, fd, &err));
}

static void check_console(void)
{
	struct stat st;

	CHECK(lstat("/dev/console", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(major(st.st_rdev) == 136);
	CHECK(strcmp(mount_at("/dev/console").fs_type, "devpts") == 0);
}

static void inside_console_bound(struct mount_context *ctx UNUSED)
{
	check_console();
}

static void inside_bind_console(struct mount_context *ctx)
{
	bind_console(ctx);
	check_console();
}

static void inside_console_refused(struct mount_context *ctx)
{
	auto_close int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct err err = ERR_INIT;

	CHECK(device_bind_console(&ctx->root, &ctx->env, null_fd, &err) < 0);
	CHECK(err.kind == ERR_INVALID);
}

static void test_console(unsigned int disable)
{
	make_host();
	assert_runs(CONTAINER(.mounts = { PROC, DEV, PTS }, .disable = disable,
			      .mounted = bind_console, .inside = inside_console_bound));
	assert_runs(CONTAINER(.mounts = { PROC, DEV, PTS }, .disable = disable,
			      .inside = inside_bind_console));
	assert_runs(CONTAINER(.mounts = { PROC, DEV, PTS }, .disable = disable,
			      .inside = inside_console_refused));
	/* The image's own /dev, with a trap (CVE-2025-52565). */
	make_dir("rootfs/dev/pts");
	make_file("rootfs/etc/victim", "victim");
	make_link("/etc/victim", "rootfs/dev/console");
	assert_fails(
		CONTAINER(.mounts = { PROC, PTS }, .disable = disable, .mounted = bind_console),
		"/dev/console of the image is neither a file nor a character device; remove it"
		" from the image");
}

/*
 * Masked paths
 */

static void swap_null_for_link(struct mount_context *ctx UNUSED)
{
	auto_free char *path = xasprintf("%s/rootfs/dev/null", top);

	CHECK(unlink(path) == 0);
	CHECK(symlink("/proc/sys/kernel/core_pattern", path) == 0);
}

static void swap_null_for_file(struct mount_context *ctx UNUSED)
{
	auto_free char *path = xasprintf("%s/rootfs/dev/null", top);
	auto_close int fd = -EBADF;

	CHECK(unlink(path) == 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	CHECK(fd >= 0 && io_write_all(fd, "trap", 4) == 0);
}

static void swap_null_for_device(struct mount_context *ctx UNUSED)
{
	auto_free char *path = xasprintf("%s/rootfs/dev/null", top);

	CHECK(unlink(path) == 0);
	CHECK(mknod(path, S_IFCHR | 0666, makedev(1, 1)) == 0);
}

static void inside_masked(struct mount_context *ctx UNUSED)
{
	struct stat st;

	for (int i = 0; i < 2; i++) {
		CHECK(stat(i ? "/proc/keys" : "/proc/timer_list", &st) == 0);
		CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	}
	/* A masked or read-only path that is a symlink stays inside. */
	CHECK(write_error("/etc/host") == EROFS);
	CHECK(mount_at("/etc/host").fs_type && is_mounted("/etc/host"));
	CHECK(write_error("/etc/ro") == EROFS);
}

/* The null device is not what it seems (CVE-2025-31133). */
static void test_masks(void **state UNUSED)
{
	void (*const swaps[])(struct mount_context *) = { swap_null_for_link, swap_null_for_file,
							  swap_null_for_device };
	static const char paths[] =
		",\"maskedPaths\":[\"/proc/keys\",\"/proc/timer_list\",\"/mask\"],"
		"\"readonlyPaths\":[\"/ro\"]";
	static const char old[] =
		"the container has no /dev/null to mask paths with, and the kernel"
		" is too old to take the host's";

	make_host();
	make_dir("rootfs/etc/host");
	make_dir("rootfs/etc/ro");
	make_link("../../../../etc/host", "rootfs/mask");
	make_link("/../etc/ro", "rootfs/ro");
	for (size_t i = 0; i < ARRAY_SIZE(swaps); i++) {
		assert_runs(CONTAINER(.mounts = { PROC }, .linux_ = paths, .mounted = swaps[i],
				      .inside = inside_masked));
		assert_fails(CONTAINER(.mounts = { PROC }, .linux_ = paths, .mounted = swaps[i],
				       .disable = MODE_OLD),
			     old);
	}
}

/*
 * Races: a thread exchanges a directory of the root with a symlink that leads out of it, or renames
 * the root, all the time (CVE-2021-30465).
 */

static atomic_bool stop;
static atomic_bool exchanging;

struct swap {
	const char *a;
	const char *b;
};

static void *exchange(void *arg)
{
	const struct swap *swap = arg;

	atomic_store(&exchanging, true);
	while (!atomic_load(&stop))
		(void)renameat2(top_fd, swap->a, top_fd, swap->b, RENAME_EXCHANGE);
	return NULL;
}

static void race(const struct container *c, const struct swap *swap)
{
	pthread_t thread;
	int n_run = 0;

	atomic_store(&stop, false);
	atomic_store(&exchanging, false);
	assert_int_equal(pthread_create(&thread, NULL, exchange, (void *)(uintptr_t)swap), 0);
	/* A child that is forked while a thread begins may find the address sanitizer's locks taken for ever. */
	while (!atomic_load(&exchanging))
		(void)usleep(100);
	for (int i = 0; i < RACE_RUNS; i++) {
		char msg[ERR_MSG_MAX];

		container_run(c, msg);
		n_run += !*msg;
		/* Errors are fine, as long as they are not those of the checks. */
		if (strstr(msg, "got out") || strstr(msg, "/test_mount_attack.c") ||
		    str_has_prefix(msg, "the child ended")) {
			atomic_store(&stop, true);
			(void)pthread_join(thread, NULL);
			fail_msg("%s", msg);
		}
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_host_untouched();
	print_message("%d of %d came through\n", n_run, RACE_RUNS);
}

#define RACE_MOUNTS                                                                                \
	PROC, "tmpfs /race/swap/tmpfs", "bind /race/swap/bind host/data rbind,ro",                 \
		"bind /race/swap/file host/data/file bind", "tmpfs /race/swap",                    \
		"proc /race/swap/sub/proc"

static void race_with_link(unsigned int disable, const char *link)
{
	static const char devices[] =
		",\"devices\":[{\"path\":\"/race/swap/node\",\"type\":\"c\",\"major\":1,"
		"\"minor\":3,\"uid\":1},{\"path\":\"/race/swap/sub/node\",\"type\":\"c\","
		"\"major\":1,\"minor\":3}],\"maskedPaths\":[\"/race/swap/tmpfs\"],"
		"\"readonlyPaths\":[\"/race/swap/bind\"]";
	const struct swap swap = { "rootfs/race/swap", link };

	struct stat st;

	race(CONTAINER(.mounts = { RACE_MOUNTS }, .linux_ = devices, .disable = disable,
		       .host = remember_mounts, .mounted = check_mounts_inside,
		       .failed = check_mounts_inside),
	     &swap);
	assert_int_equal(fstatat(top_fd, link, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (S_ISDIR(st.st_mode))
		assert_int_equal(renameat2(top_fd, swap.a, top_fd, swap.b, RENAME_EXCHANGE), 0);
}

static void test_race_with_link(unsigned int disable)
{
	auto_free char *host = xasprintf("%s/host", top);

	make_host();
	make_dir("rootfs/race/swap/sub");
	make_link("../../host", "rootfs/race/link");
	make_link(host, "rootfs/race/absolute");
	race_with_link(disable, "rootfs/race/link");
	race_with_link(disable, "rootfs/race/absolute");
}

/* The directory above moves out of the root and back while ".." is resolved. */
static void test_race_with_parent(unsigned int disable)
{
	const struct swap swap = { "rootfs/race/inner", "outer" };

	make_host();
	make_dir("rootfs/race/inner/deep/deeper");
	make_dir("outer/deep/deeper");
	race(CONTAINER(.mounts = { PROC, "tmpfs /race/inner/deep/../../../../x",
				   "tmpfs /race/inner/deep/deeper/../../../../host/x" },
		       .disable = disable, .host = remember_mounts),
	     &swap);
	assert_int_equal(fs_remove_tree(top_fd, "outer"), 0);
}

static void test_race_with_rename(unsigned int disable)
{
	const struct swap swap = { "rootfs", "other" };

	make_host();
	make_dir("other/proc");
	make_dir("other/dev");
	make_dir("rootfs/race/swap/sub");
	race(CONTAINER(.mounts = { RACE_MOUNTS }, .disable = disable, .host = remember_mounts),
	     &swap);
	assert_int_equal(fs_remove_tree(top_fd, "other"), 0);
}

DEFINE_MODES(test_links)
DEFINE_MODES(test_root_is_no_target)
DEFINE_MODES(test_proc_is_plain)
DEFINE_MODES(test_proc_is_real)
DEFINE_MODES(test_magic_links)
DEFINE_MODES(test_dev_link)
DEFINE_MODES(test_dev_of_the_image)
DEFINE_MODES(test_console)
DEFINE_MODES(test_race_with_link)
DEFINE_MODES(test_race_with_parent)
DEFINE_MODES(test_race_with_rename)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_MODES(test_links),
		RUN_MODES(test_root_is_no_target),
		RUN_MODES(test_proc_is_plain),
		RUN_MODES(test_proc_is_real),
		RUN_MODES(test_magic_links),
		RUN_MODES(test_dev_link),
		RUN_MODES(test_dev_of_the_image),
		RUN_MODES(test_console),
		cmocka_unit_test_setup(test_masks, fixture_reset),
		RUN_MODES(test_race_with_link),
		RUN_MODES(test_race_with_parent),
		RUN_MODES(test_race_with_rename),
	};

	if (geteuid() != 0) {
		print_message("needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
