/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the seccomp part of the configuration to a BPF program, as runc does it:
 *
 *  - the native architecture is always in the filter; architectures that libseccomp does not know
 *    are left out (their calls are killed, as those of any architecture that is not in a filter);
 *  - names of system calls that libseccomp does not know are skipped, and so are entries whose action
 *    is the default action;
 *  - several args of one entry must all match; when an index is there twice, each is a rule of its
 *    own and one that matches is enough;
 *  - system calls that are newer than the newest one the profile names, on that architecture, get
 *    ENOSYS instead of the default action, so that programs fall back to older calls. Not when the
 *    default action allows, logs or traces, or is that errno already.
 *
 * Compiling a large profile takes 30 ms and more; see cache.h. Everything here is pure: the result
 * depends on the profile, on libseccomp and on which actions the kernel has.
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "core/auto.h"
#include "core/err.h"
#include "spec/runtime_linux.h"

struct seccomp_filter {
	struct sock_filter *insns; /* owned; NULL when there is nothing to load */
	size_t n_insns; /* at most BPF_MAXINSNS */
	unsigned int flags; /* SECCOMP_FILTER_FLAG_... to load with */
	unsigned int optional_flags; /* those among them that may be left out on older kernels */
	bool notifies; /* loading it gives a listener */
};

#define SECCOMP_FILTER_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Compile. ERR_INVALID for an unknown action, operator, architecture, flag or errno, for a NOTIFY as
 * default action or for `write`, for NOTIFY without listenerPath. ERR_UNSUPPORTED
 * when the kernel lacks an action. An empty profile (no default action, no syscalls) gives a filter
 * with n_insns 0.
 */
int seccomp_filter_compile(struct seccomp_filter *ret, const struct oci_seccomp *profile,
			   struct err *err);
void seccomp_filter_done(struct seccomp_filter *filter);

/* The checks of seccomp_filter_compile() alone, without compiling (microseconds): the flags and
 * `notifies` of the result, which has no instructions. */
int seccomp_filter_check(struct seccomp_filter *ret, const struct oci_seccomp *profile,
			 struct err *err);

/* ERR_INVALID when libseccomp does not know the name of a system call in the profile; compiling skips
 * it. */
int seccomp_profile_check_names(const struct oci_seccomp *profile, struct err *err);

/* What `features` lists; NULL-terminated, sorted, static. */
const char *const *seccomp_known_actions(void);
const char *const *seccomp_known_operators(void);
const char *const *seccomp_known_archs(void);
const char *const *seccomp_known_flags(void);

DEFINE_AUTO_VAL(seccomp_filter, struct seccomp_filter, seccomp_filter_done)
#define auto_seccomp_filter auto_cleanup(seccomp_filter_cleanup_val)
