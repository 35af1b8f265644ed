/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ENOSYS prologue of a filter. A profile is written for the system calls of its day; a newer one
 * falls to the default action, usually EPERM, which a C library takes for a refusal instead of trying
 * the older call. So calls beyond the newest one that the profile names (on that architecture) get
 * ENOSYS before the filter proper is asked.
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "spec/runtime_linux.h"

#define SECCOMP_ENOSYS_INSNS_MAX 256

/*
 * Write the prologue for these architectures (libseccomp's tokens, each once) to `ret`; the filter
 * proper is to follow it. Returns the number of instructions: 0 when the profile names no call.
 */
size_t seccomp_enosys_prologue(struct sock_filter ret[static SECCOMP_ENOSYS_INSNS_MAX],
			       const struct oci_seccomp *profile, const uint32_t *archs,
			       size_t n_archs);
