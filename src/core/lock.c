/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lock.h"

#include <sys/file.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/fd.h"

int lock_fd(int fd, enum lock_mode mode, int timeout_ms)
{
	int operation = mode == LOCK_MODE_SHARED ? LOCK_SH : LOCK_EX;
	uint64_t deadline;

	if (timeout_ms < 0)
		return RETRY_EINTR(flock(fd, operation)) < 0 ? -errno : 0;
	deadline = clock_now_monotonic_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC;
	for (;;) {
		if (RETRY_EINTR(flock(fd, operation | LOCK_NB)) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (clock_ms_until(deadline) == 0)
			return -ETIMEDOUT;
		clock_sleep_ms(5);
	}
}

int lock_open(int dir_fd, const char *name, enum lock_mode mode, int timeout_ms)
{
	auto_close int fd = fd_open_at(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return fd;
	r = lock_fd(fd, mode, timeout_ms);
	return r < 0 ? r : take_fd(fd);
}

int lock_open_living(int dir_fd, const char *name, enum lock_mode mode, int timeout_ms)
{
	for (;;) {
		auto_close int fd = lock_open(dir_fd, name, mode, timeout_ms);
		struct stat st;

		if (fd < 0)
			return fd;
		if (fstat(fd, &st) < 0)
			return -errno;
		if (st.st_nlink > 0)
			return take_fd(fd);
	}
}
