/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities (capabilities(7)) as 64-bit masks: bit N is capability number N. The system calls are
 * made directly: a process that starts a container needs five of them, and a library would read the
 * state of the process at every start. Errors are negative errnos.
 */
#pragma once

#include <stdint.h>

#include "core/macro.h"

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

struct caps_sets {
	uint64_t bounding;
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
	uint64_t ambient;
};

/* Number of "CAP_CHOWN", exactly as capabilities(7) spells it; -EINVAL when there is no such name. */
int caps_from_name(const char *name);
/* The name; NULL for a number that this build has no name for. Static. */
const char *caps_to_name(int cap);
/* Number of the last capability of the running kernel. Asked once, by prctl(2). */
int caps_last(void);

/* Effective, permitted and inheritable set of the calling thread; the other two are left 0. */
int caps_get(struct caps_sets *ret);
/* Set these three of the calling thread by capset(2). */
int caps_set(const struct caps_sets *sets);
/* Drop every capability of the running kernel that is not in `keep` from the bounding set. -EPERM
 * without CAP_SETPCAP, unless there is nothing to drop. */
int caps_drop_bounding(uint64_t keep);
/* Empty the ambient set, then raise those of `wanted` (Linux 4.3). Returns the mask of those that
 * the kernel refused, 0 when all were raised. */
uint64_t caps_set_ambient(uint64_t wanted);
