/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/self_exe.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "core/fd.h"
#include "kernel/syscalls.h"

/* Set across the second execution, so that a protection that does not hold cannot become a loop. */
#define GUARD "_FLOE_SELF_EXE"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_protected(int exe_fd)
{
	auto_close int fd = -EBADF;
	struct statfs fs;
	int seals;

	/* Also true of a read-only mount of a writable file system: f_flags has the mount's flags. */
	if (fstatfs(exe_fd, &fs) == 0 && (fs.f_flags & ST_RDONLY))
		return true;
	fd = fd_open_at(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0);
	if (fd < 0)
		return false;
	seals = fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS;
}

/*
 * Descriptor of the binary on a detached read-only mount. Close-on-exec, although the kernel then lets
 * an RCU grace period pass: only when nobody has the descriptor any more is the mount in no namespace at
 * all, and out of reach of mount_setattr(2) for a container with CAP_SYS_ADMIN that has the binary.
 */
static int clone_read_only(int exe_fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_close int fd =
		sys_open_tree(exe_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int r;

	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
	return r < 0 ? r : take_fd(fd);
}

static int copy_sealed(void)
{
	auto_close int from = fd_open_at(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0);
	auto_close int to = sys_memfd_create("floe-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t left;

	if (from < 0)
		return from;
	if (to < 0)
		return to;
	if (fstat(from, &st) < 0)
		return -errno;
	for (left = st.st_size; left > 0;) {
		ssize_t n = RETRY_EINTR(sendfile(to, from, NULL, (size_t)left));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	if (fchmod(to, 0500) < 0 || fcntl(to, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return take_fd(to);
}

int self_exe_protect(char *const argv[], struct err *err)
{
	auto_close int exe_fd = fd_open_at(AT_FDCWD, "/proc/self/exe", O_PATH, 0);
	auto_close int safe_fd = -EBADF;
	bool tried = getenv(GUARD) != NULL;

	if (exe_fd < 0)
		return err_sys(err, exe_fd, "open the runtime's own program '/proc/self/exe'");
	(void)unsetenv(GUARD);
	if (is_protected(exe_fd))
		return 0;
	if (tried)
		return err_set(
			err, ERR_INTERNAL,
			"the runtime's own program is still writable after it was executed from a "
			"protected copy");
	safe_fd = clone_read_only(exe_fd);
	if (safe_fd < 0)
		safe_fd = copy_sealed();
	if (safe_fd < 0)
		return err_sys(err, safe_fd, "make a protected copy of the runtime's own program");
	if (setenv(GUARD, "1", 1) < 0)
		return err_sys(err, -errno, "set the environment");
	return err_sys(err, sys_execveat(safe_fd, "", argv, environ, AT_EMPTY_PATH),
		       "execute the protected copy of the runtime's own program");
}
