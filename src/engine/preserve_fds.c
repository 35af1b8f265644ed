/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/preserve_fds.h"

#include <fcntl.h>

#include "core/macro.h"
#include "core/parse.h"

/* 0: not a number from 3 on. */
static uint32_t number_at(const struct preserve_fds *p, size_t i)
{
	uint32_t fd = 0;

	return parse_u32(p->numbers[i], &fd) == 0 && fd >= 3 ? fd : 0;
}

uint32_t preserve_fds_count(const struct preserve_fds *p)
{
	uint32_t n = p->n;

	for (size_t i = 0; i < p->n_numbers; i++) {
		uint32_t fd = number_at(p, i);

		n = MAX(n, fd ? fd - 2 : 0);
	}
	return n;
}

static bool is_wanted(const struct preserve_fds *p, uint32_t fd)
{
	bool wanted = fd < 3 + p->n;

	for (size_t i = 0; i < p->n_numbers && !wanted; i++)
		wanted = number_at(p, i) == fd;
	return wanted;
}

int preserve_fds_find(const struct preserve_fds *p, int null_fd, int *ret, struct err *err)
{
	uint32_t n = preserve_fds_count(p);

	for (uint32_t i = 0; i < n; i++) {
		int fd = 3 + (int)i;
		int flags;

		ret[i] = null_fd;
		if (!is_wanted(p, 3 + i))
			continue;
		flags = fcntl(fd, F_GETFD);
		if (flags < 0 || (flags & FD_CLOEXEC))
			return err_set(err, ERR_INVALID,
				       "file descriptor %d is not available - the preserve-%s "
				       "option requires that file descriptors must be passed",
				       fd, i < p->n ? "fds" : "fd");
		ret[i] = fd;
	}
	return 0;
}
