/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fd.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "core/alloc.h"
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
	char target[4096];
	ssize_t n = readlink(fd_path(fd).text, target, sizeof(target));

	if (n < 0)
		return NULL;
	if ((size_t)n == sizeof(target)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return xstrndup(target, (size_t)n);
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

uint32_t fd_count_open_from(int first)
{
	uint32_t n = 0;

	while (fd_is_valid(first + (int)n))
		n++;
	return n;
}

int fd_set_cloexec(int fd, bool cloexec)
{
	return fcntl(fd, F_SETFD, cloexec ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
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

/* Call fn for each open descriptor >= first, by /proc/self/fd. */
static int each_fd_from(int first, void (*fn)(int fd, void *arg), void *arg)
{
	auto_closedir DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint32_t fd;

		if (parse_u32(entry->d_name, &fd) == 0 && (int)fd >= first && (int)fd != dirfd(dir))
			fn((int)fd, arg);
	}
	return 0;
}

static void set_cloexec(int fd, void *arg UNUSED)
{
	(void)fd_set_cloexec(fd, true);
}

int fd_cloexec_from(int first)
{
	if (syscall(SYS_close_range, (unsigned int)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	return each_fd_from(first, set_cloexec, NULL);
}

struct keep_list {
	const int *keep;
	size_t n_keep;
};

static void close_unless_kept(int fd, void *arg)
{
	const struct keep_list *list = arg;

	for (size_t i = 0; i < list->n_keep; i++)
		if (list->keep[i] == fd)
			return;
	(void)close(fd);
}

int fd_close_from(int first, const int *keep, size_t n_keep)
{
	struct keep_list list = { .keep = keep, .n_keep = n_keep };

	if (n_keep == 0 && syscall(SYS_close_range, (unsigned int)first, ~0U, 0) == 0)
		return 0;
	return each_fd_from(first, close_unless_kept, &list);
}
