/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fd.h"

#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/fault.h"
#include "core/parse.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

int fd_open_at(int dir_fd, const char *path, int flags, mode_t mode)
{
	int fd = RETRY_EINTR(openat(dir_fd, path, flags | O_CLOEXEC | O_NOCTTY, mode));

	return fd < 0 ? -errno : fd;
}

int fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

struct fd_path fd_path(int fd)
{
	struct fd_path p;

	(void)snprintf(p.text, sizeof(p.text), "/proc/self/fd/%d", fd);
	return p;
}

int fd_reopen(int fd, int flags)
{
	return fd_open_at(AT_FDCWD, fd_path(fd).text, flags, 0);
}

char *fd_readlink(int fd)
{
	return fd_readlink_path(fd_path(fd).text);
}

char *fd_readlink_path(const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return NULL;
	if ((size_t)n == sizeof(target)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return xstrndup(target, (size_t)n);
}

bool fd_is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return fd >= 0 && RETRY_EINTR(poll(&pfd, 1, 0)) > 0;
}

bool fd_is_valid(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

bool fd_is_char_device(int fd, unsigned int major_nr, unsigned int minor_nr)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(major_nr, minor_nr);
}

bool fd_is_inherited(int fd)
{
	return fcntl(fd, F_GETFD) == 0;
}

int fd_set_nonblock(int fd, bool nonblock)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = nonblock ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_ensure_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		int got;

		if (fd_is_valid(fd))
			continue;
		/* The lowest free number is the one that is missing; it must survive exec. */
		got = open("/dev/null", O_RDWR | O_NOCTTY);
		if (got < 0)
			return -errno;
		if (got != fd) {
			(void)close(got);
			return -EBADF;
		}
	}
	return 0;
}

static int close_range_or_missing(unsigned int first, unsigned int last, unsigned int flags)
{
	if (fault_feature_is_disabled("close_range"))
		return -ENOSYS;
	return syscall(SYS_close_range, first, last, flags) < 0 ? -errno : 0;
}

/*
 * compat: close_range(2) needs Linux 5.9, CLOSE_RANGE_CLOEXEC 5.11. Call fn for each descriptor >=
 * first that is open, and maybe for some that are not. In a container /proc need not be what it says,
 * so without a procfs all numbers are tried that a process can have by its own limit (which may have
 * been lowered since; the usual hard limit of old kernels is the least).
 */
static int each_fd_from(int first, void (*fn)(int fd, void *arg), void *arg)
{
	auto_closedir DIR *dir = opendir("/proc/self/fd");
	struct rlimit limit = { .rlim_max = 0 };
	int last;
	struct dirent *entry;
	struct statfs fs;

	if (dir && fstatfs(dirfd(dir), &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
		while ((entry = readdir(dir))) {
			uint32_t fd;

			if (parse_u32(entry->d_name, &fd) == 0 && (int)fd >= first &&
			    (int)fd != dirfd(dir))
				fn((int)fd, arg);
		}
		return 0;
	}
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	last = (int)MIN(limit.rlim_max, (rlim_t)1 << 20);
	for (int fd = first; fd < MAX(last, 4096); fd++)
		if (!dir || fd != dirfd(dir))
			fn(fd, arg);
	return 0;
}

static void set_cloexec(int fd, void *arg UNUSED)
{
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int fd_cloexec_from(int first)
{
	if (close_range_or_missing((unsigned int)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	return each_fd_from(first, set_cloexec, NULL);
}

struct keep_list {
	const int *keep;
	size_t n_keep;
};

/* The smallest number >= from in the list; -1 when there is none. */
static int next_kept(const struct keep_list *list, int from)
{
	int next = -1;

	for (size_t i = 0; i < list->n_keep; i++)
		if (list->keep[i] >= from && (next < 0 || list->keep[i] < next))
			next = list->keep[i];
	return next;
}

static void close_unless_kept(int fd, void *arg)
{
	if (next_kept(arg, fd) != fd)
		(void)close(fd);
}

int fd_close_from(int first, const int *keep, size_t n_keep)
{
	struct keep_list list = { .keep = keep, .n_keep = n_keep };

	for (int from = first;;) {
		int kept = next_kept(&list, from);
		unsigned int last = kept < 0 ? ~0U : (unsigned int)kept - 1;

		if (kept != from && close_range_or_missing((unsigned int)from, last, 0) < 0)
			return each_fd_from(from, close_unless_kept, &list);
		if (kept < 0)
			return 0;
		from = kept + 1;
	}
}
