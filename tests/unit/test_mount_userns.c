/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces and id-mapped mounts, executed. Needs root. */
#include "mount_fixture.h"

#include <sys/statfs.h>

#define CONTAINER(...) (&(const struct container){ __VA_ARGS__ })

#define MAPPINGS                                                                                   \
	",\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"                 \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]"

#define DEV "tmpfs /dev - nosuid,mode=755"

static void give_to_container(const char *path)
{
	assert_int_equal(fchownat(top_fd, path, USERNS_FIRST_ID, USERNS_FIRST_ID, 0), 0);
}

static int reset(void **state)
{
	static const char *const paths[] = { "rootfs",	   "rootfs/proc", "rootfs/sys",
					     "rootfs/dev", "rootfs/tmp",  "rootfs/etc" };
	int r = fixture_reset(state);

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		give_to_container(paths[i]);
	return r;
}

static void inside_userns(struct mount_context *ctx UNUSED)
{
	struct stat st;
	struct statfs fs;
	auto_close int fd = -EBADF;

	CHECK(stat("/", &st) == 0 && st.st_uid == 0);
	check_mount("/proc", "proc", "rw,relatime");
	check_mount("/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime");
	check_mount("/dev/pts", "devpts", "rw,nosuid,noexec,relatime");
	/* The host's node, and it works. */
	CHECK(stat("/dev/null", &st) == 0 && st.st_rdev == makedev(1, 3));
	CHECK(is_mounted("/dev/null"));
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, &st, sizeof(st)) == sizeof(st));
	/* Masks. */
	CHECK(stat("/proc/keys", &st) == 0 && st.st_rdev == makedev(1, 3));
	CHECK(statfs("/sys/firmware", &fs) == 0 && write_error("/sys/firmware") == EROFS);
	check_mount("/proc/sys", "proc", "ro,relatime");
	/* A source that the container's root could not have reached. */
	check_content("/data/file", "secret");
	check_content("/data/nested/file", "nested");
	CHECK(strcmp(mount_at("/data").options, "ro,nosuid,nodev,relatime") == 0);
	CHECK(write_error("/data") == EROFS);
	CHECK(write_error("/") == EROFS || errno == EACCES);
}

static void host_closed(void)
{
	auto_free char *path = xasprintf("%s/host/closed/data", top);

	CHECK(access(path, F_OK) < 0);
}

#define USERNS_MOUNTS                                                                              \
	PROC, DEV, "devpts /dev/pts - nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",    \
		"sysfs /sys - nosuid,noexec,nodev,ro"

static void make_closed_source(void)
{
	make_dir("host/closed/data/nested");
	make_file("host/closed/data/file", "secret");
	make_file("host/closed/data/nested/file", "nested");
	assert_int_equal(fchmodat(top_fd, "host/closed", 0700, 0), 0);
}

static void test_userns(void **state UNUSED)
{
	make_closed_source();
	assert_runs(CONTAINER(.mounts = { USERNS_MOUNTS,
					  "bind /data host/closed/data rbind,ro,nosuid,nodev" },
			      .linux_ = MAPPINGS
			      ",\"maskedPaths\":[\"/proc/keys\",\"/sys/firmware\"],"
			      "\"readonlyPaths\":[\"/proc/sys\"]",
			      .namespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC,
			      .readonly = true, .host = host_closed, .inside = inside_userns));
}

/* The host's network is shared: no sysfs of its own, so the host's. */
static void inside_shared_net(struct mount_context *ctx UNUSED)
{
	check_mount("/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime");
	CHECK(access("/sys/class/net/lo", F_OK) == 0);
}

static void test_sysfs_of_the_host(void **state UNUSED)
{
	assert_runs(CONTAINER(.mounts = { USERNS_MOUNTS }, .linux_ = MAPPINGS,
			      .namespaces = CLONE_NEWUSER | CLONE_NEWIPC,
			      .inside = inside_shared_net));
}

/* Old kernels: the child opens what it can reach. */
static void inside_old(struct mount_context *ctx UNUSED)
{
	struct stat st;

	check_content("/data/file", "open");
	CHECK(stat("/dev/null", &st) == 0 && st.st_rdev == makedev(1, 3));
}

static void test_userns_on_old_kernel(void **state UNUSED)
{
	make_dir("host/data");
	make_file("host/data/file", "open");
	assert_runs(CONTAINER(.mounts = { USERNS_MOUNTS, "bind /data host/data rbind" },
			      .linux_ = MAPPINGS, .disable = MODE_OLD,
			      .namespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC,
			      .inside = inside_old));
}

/*
 * What `spec --rootless` asks for: all that the child reaches, it opens itself
 */

static void inside_rootless(struct mount_context *ctx)
{
	check_mount("/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime");
	check_mount("/dev/pts", "devpts", "rw,nosuid,noexec,relatime");
	check_content("/data/file", "open");
	CHECK(write_error("/data") == EROFS);
	CHECK(stat("/dev/null", &(struct stat){ 0 }) == 0);
	if (ctx->plan->facts.cgroup_mode == MOUNT_CGROUP_V2)
		check_mount("/sys/fs/cgroup", "cgroup2", "ro,nosuid,nodev,noexec,relatime");
	else
		check_mount("/sys/fs/cgroup", "tmpfs", "ro,nosuid,nodev,noexec,relatime");
}

static void rootless(unsigned int disable, bool cgroup_v2, unsigned long namespaces)
{
	make_dir("host/data");
	make_file("host/data/file", "open");
	assert_runs(CONTAINER(
			.mounts = { PROC, DEV,
				    "devpts /dev/pts - "
				    "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620",
				    "none /sys /sys rbind,nosuid,noexec,nodev,ro",
				    "cgroup /sys/fs/cgroup cgroup nosuid,noexec,nodev,relatime,ro",
				    "bind /data host/data rbind,ro" },
			.linux_ = MAPPINGS ",\"maskedPaths\":[\"/proc/keys\",\"/sys/firmware\"],"
					   "\"readonlyPaths\":[\"/proc/sys\"]",
			.disable = disable, .rootless = true, .readonly = true,
			.cgroup_v2 = cgroup_v2,
			.namespaces = CLONE_NEWUSER | CLONE_NEWIPC | namespaces,
			.inside = inside_rootless));
}

static void test_rootless(unsigned int disable)
{
	rootless(disable, false, 0);
	rootless(disable, false, CLONE_NEWCGROUP);
	rootless(disable, true, 0);
	rootless(disable, true, CLONE_NEWCGROUP);
}

DEFINE_MODES(test_rootless)

/*
 * Id-mapped mounts
 */

static void make_owned(const char *path, uid_t uid, gid_t gid)
{
	make_file(path, "");
	assert_int_equal(fchownat(top_fd, path, uid, gid, 0), 0);
}

static void check_owner(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	if (st.st_uid != uid || st.st_gid != gid)
		give_up("'%s' belongs to %u:%u, should to %u:%u", path, st.st_uid, st.st_gid, uid,
			gid);
}

static void inside_idmap(struct mount_context *ctx UNUSED)
{
	check_owner("/plain/zero", 0, 0);
	check_owner("/own/zero", 1000, 2000);
	check_owner("/own/five", 1005, 2005);
	check_owner("/own/other", 65534, 65534);
	check_owner("/option/zero", 7000, 9000);
	check_owner("/one/five", 1005, 2005);
}

/* A bind of host/data with mappings of its own. */
#define OWN(destination, source, options)                                                          \
	"{\"destination\":\"" destination "\",\"source\":\"" source "\",\"options\":[" options     \
	"],"                                                                                       \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}],"                       \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":2000,\"size\":10}]}"

static void make_idmap_source(void)
{
	make_dir("host/data");
	make_owned("host/data/zero", 0, 0);
	make_owned("host/data/five", 5, 5);
	make_owned("host/data/other", 500, 500);
}

static void test_idmap(void **state UNUSED)
{
	make_idmap_source();
	assert_runs(CONTAINER(.mounts = { PROC, "bind /plain host/data rbind",
					  OWN("/own", "host/data", "\"rbind\",\"idmap\""),
					  OWN("/one", "host/data", "\"bind\",\"ridmap\",\"ro\""),
					  "{\"destination\":\"/option\",\"source\":\"host/"
					  "data\",\"options\":["
					  "\"rbind\",\"idmap=uids=0-7000-10;gids=0-9000-10\"]}" },
			      .inside = inside_idmap));
	assert_fails(CONTAINER(.mounts = { OWN("/own", "/proc", "\"rbind\"") }),
		     "mount '/own': id-map source '/proc' (its file system may not support that, or"
		     " it is id-mapped already): invalid argument");
}

static void inside_idmap_userns(struct mount_context *ctx UNUSED)
{
	/* Unmapped, what the host's root owns is nobody's. */
	check_owner("/plain/zero", 65534, 65534);
	/* Mapped by the container's own namespace, ids are the same inside as on disk. */
	check_owner("/same/zero", 0, 0);
	check_owner("/same/five", 5, 5);
	check_owner("/same/other", 500, 500);
	/* Id 0 on disk is 100010 on the host, and so 10 inside. */
	check_owner("/own/zero", 10, 20);
	check_owner("/relative/zero", 30, 40);
	CHECK(write_error("/same") == 0);
}

static void test_idmap_in_userns(void **state UNUSED)
{
	make_idmap_source();
	assert_runs(CONTAINER(.mounts = { PROC, "bind /plain host/data rbind",
					  "bind /same host/data rbind,idmap",
					  "{\"destination\":\"/own\",\"source\":\"host/"
					  "data\",\"options\":[\"rbind\"],\"uidMappings\":[{"
					  "\"containerID\":0,\"hostID\":100010,\"size\":1}],"
					  "\"gidMappings\":[{\"containerID\":0,\"hostID\":100020,"
					  "\"size\":1}]}",
					  "bind /relative host/data "
					  "bind,ridmap=uids=@0-30-5;gids=@0-40-5" },
			      .linux_ = MAPPINGS,
			      .namespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC,
			      .inside = inside_idmap_userns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_userns, reset),
		cmocka_unit_test_setup(test_sysfs_of_the_host, reset),
		cmocka_unit_test_setup(test_userns_on_old_kernel, reset),
		cmocka_unit_test_setup(test_rootless_by_all, reset),
		cmocka_unit_test_setup(test_rootless_without_setattr, reset),
		cmocka_unit_test_setup(test_rootless_without_mount_api, reset),
		cmocka_unit_test_setup(test_rootless_on_old_kernel, reset),
		cmocka_unit_test_setup(test_idmap, reset),
		cmocka_unit_test_setup(test_idmap_in_userns, reset),
	};

	if (geteuid() != 0) {
		print_message("needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
