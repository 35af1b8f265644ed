/* SPDX-License-Identifier: Apache-2.0 */
#include "network/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/proc.h"
#include "kernel/netlink.h"

/*
 * The directory must be a shared mount, as ip-netns(8) makes it: otherwise mount namespaces that are made
 * meanwhile hold every namespace mounted here for as long as they live.
 */
static int prepare_directory(struct err *err)
{
	int r = fs_mkdir_all(AT_FDCWD, NETNS_DIR, 0755, 0755);

	if (r < 0)
		return err_sys(err, r, "make '%s'", NETNS_DIR);
	if (mount("", NETNS_DIR, NULL, MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return err_sys(err, -errno, "share the mounts of '%s'", NETNS_DIR);
	if (mount(NETNS_DIR, NETNS_DIR, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", NETNS_DIR, NULL, MS_SHARED | MS_REC, NULL) < 0)
		return err_sys(err, -errno, "share the mounts of '%s'", NETNS_DIR);
	return 0;
}

/* In a child of its own, so that no thread of ours ever is in the wrong network. source: NULL, or the namespace to keep. */
static int make_in_child(const char *path, const char *source)
{
	auto_close int fd = source ? fd_open_at(AT_FDCWD, source, O_RDONLY, 0) : -EBADF;
	int r;

	if (source && fd < 0)
		return fd;
	if (source ? setns(fd, CLONE_NEWNET) < 0 : unshare(CLONE_NEWNET) < 0)
		return -errno;
	r = netlink_bring_up_loopback();
	if (r == 0 && mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) < 0)
		r = -errno;
	return r;
}

static int run_child(const char *path, const char *source)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-make_in_child(path, source) & 0xff);
	if (RETRY_EINTR(waitpid(pid, &status, 0)) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

char *netns_path(const char *name)
{
	return xasprintf("%s/%s", NETNS_DIR, name);
}

static int make(const char *path, const char *source, struct err *err)
{
	auto_close int fd = -EBADF;
	int r = prepare_directory(err);

	if (r == 0)
		r = netns_remove(path, err);
	if (r < 0)
		return r;
	fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_CREAT | O_EXCL, 0444);
	if (fd < 0)
		return err_sys(err, fd, "make '%s'", path);
	r = run_child(path, source);
	if (r < 0) {
		(void)unlink(path);
		return source ? err_sys(err, r, "keep network namespace '%s'", source) :
				err_sys(err, r, "create a network namespace");
	}
	return 0;
}

int netns_create(const char *path, struct err *err)
{
	return make(path, NULL, err);
}

int netns_keep(const char *path, pid_t pid, struct err *err)
{
	auto_free char *source = xasprintf("/proc/%d/ns/net", (int)pid);

	return make(path, source, err);
}

int netns_remove(const char *path, struct err *err)
{
	/* Not mounted: a crash came between the file and the mount. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return err_sys(err, -errno, "unmount network namespace '%s'", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "remove network namespace '%s'", path);
	return 0;
}
