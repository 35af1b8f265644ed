/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the OCI seccomp object, and what libseccomp and the kernel call the same things. */
#pragma once

#include <stdint.h>

#include "core/macro.h"

struct seccomp_action {
	const char *name;
	uint32_t value; /* SCMP_ACT_..., with an empty data part */
	bool takes_errno;
};
/* NULL: unknown. */
const struct seccomp_action *seccomp_action_by_name(const char *name);

/* enum scmp_compare of "SCMP_CMP_EQ"; -EINVAL: unknown. */
int seccomp_operator_by_name(const char *name);

/*
 * libseccomp's token of "SCMP_ARCH_X86_64". -EINVAL: the specification has no such name;
 * -EOPNOTSUPP: the libseccomp of this build does not know the architecture.
 */
int seccomp_arch_by_name(const char *name, uint32_t *ret_token);

/* SECCOMP_FILTER_FLAG_... of the same name; 0: unknown. */
unsigned int seccomp_flag_by_name(const char *name);
