/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the runtime configuration and the kernel's numbers for them: one list each for
 * checking a document, for acting on it, and for `features`. Limits are in kernel/rlimits.h,
 * capabilities in kernel/caps.h.
 */
#pragma once

#include "core/macro.h"

struct vocabulary_word {
	const char *name;
	unsigned int value;
};

struct vocabulary {
	const struct vocabulary_word *v;
	size_t n;
};

extern const struct vocabulary spec_namespaces; /* "pid": CLONE_NEWPID */
extern const struct vocabulary spec_propagations; /* "rslave": MS_SLAVE | MS_REC */
extern const struct vocabulary spec_scheduler_policies; /* "SCHED_FIFO": 1 */
extern const struct vocabulary spec_scheduler_flags; /* "SCHED_FLAG_RECLAIM": 2 */
extern const struct vocabulary spec_io_classes; /* "IOPRIO_CLASS_RT": 1 */
extern const struct vocabulary spec_memory_modes; /* "MPOL_BIND": 2 */
extern const struct vocabulary spec_memory_flags; /* "MPOL_F_STATIC_NODES": 1 << 15 */
extern const struct vocabulary spec_personality_domains; /* "LINUX32": PER_LINUX32 */
extern const struct vocabulary spec_hooks; /* names only, as all that follow */
extern const struct vocabulary spec_seccomp_actions;
extern const struct vocabulary spec_seccomp_operators;
extern const struct vocabulary spec_seccomp_archs;
extern const struct vocabulary spec_seccomp_flags;

/* NULL when the name is none of the words; name may be NULL. */
const struct vocabulary_word *vocabulary_find(const struct vocabulary *words, const char *name);
