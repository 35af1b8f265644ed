/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of the caller that a container, or a process in one, gets: --preserve-fds N and --preserve-fd LIST. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* What was asked for; everything is borrowed. Numbers have been checked: from 3 on. */
struct preserve_fds {
	uint32_t n; /* 3 to 3+n-1 */
	char *const *numbers; /* and these */
	size_t n_numbers;
};

/* How many from 3 on are handed over, so that the highest one is among them. */
uint32_t preserve_fds_count(const struct preserve_fds *p);
/*
 * Those for numbers 3, 4 and so on; ret has room for preserve_fds_count(). null_fd is what stands between the ones that were
 * asked for, because runtimes take all up to the highest. ERR_INVALID: one is not open, or is floe's own (closed on exec).
 */
int preserve_fds_find(const struct preserve_fds *p, int null_fd, int *ret, struct err *err);
