/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp filters of frozen processes (seccomp.img), tried out: which system calls they let through. */
#pragma once

#include <stdint.h>

#include "core/err.h"
#include "core/macro.h"

struct image_filters;

/* dir_fd/seccomp.img. 0 and NULL when there is none; ERR_CORRUPT. */
int image_filters_load(struct image_filters **ret, int dir_fd, struct err *err);
void image_filters_free(struct image_filters *filters);
/* Whether each of them is for all threads of its process (SECCOMP_FILTER_FLAG_TSYNC); false when there are none. */
bool image_filters_are_synced(const struct image_filters *filters);
/*
 * Whether the chain that ends with the filter at this place lets the native system call number (with arguments of
 * zero) through. True for a chain that is no program.
 */
bool image_filters_allow(const struct image_filters *filters, uint32_t place, int number);
