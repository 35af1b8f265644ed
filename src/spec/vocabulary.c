/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/vocabulary.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* linux/sched.h, Linux 5.6 */
#endif

#define VOCABULARY(name_, ...)                                                                     \
	static const struct vocabulary_word name_##_words[] = { __VA_ARGS__ };                     \
	const struct vocabulary name_ = { name_##_words, ARRAY_SIZE(name_##_words) }

/* clang-format off: one word a line */
VOCABULARY(spec_namespaces, { "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET },
	   { "mount", CLONE_NEWNS }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS },
	   { "user", CLONE_NEWUSER }, { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME });

VOCABULARY(spec_propagations, { "private", MS_PRIVATE }, { "rprivate", MS_PRIVATE | MS_REC },
	   { "slave", MS_SLAVE }, { "rslave", MS_SLAVE | MS_REC }, { "shared", MS_SHARED },
	   { "rshared", MS_SHARED | MS_REC }, { "unbindable", MS_UNBINDABLE },
	   { "runbindable", MS_UNBINDABLE | MS_REC });

/* sched(7), linux/sched.h */
VOCABULARY(spec_scheduler_policies, { "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 }, { "SCHED_RR", 2 },
	   { "SCHED_BATCH", 3 }, { "SCHED_ISO", 4 }, /* reserved, no kernel has it */
	   { "SCHED_IDLE", 5 }, { "SCHED_DEADLINE", 6 });

VOCABULARY(spec_scheduler_flags, { "SCHED_FLAG_RESET_ON_FORK", 0x01 },
	   { "SCHED_FLAG_RECLAIM", 0x02 }, { "SCHED_FLAG_DL_OVERRUN", 0x04 },
	   { "SCHED_FLAG_KEEP_POLICY", 0x08 }, { "SCHED_FLAG_KEEP_PARAMS", 0x10 },
	   { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 }, { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 });

/* ioprio_set(2) */
VOCABULARY(spec_io_classes, { "IOPRIO_CLASS_RT", 1 }, { "IOPRIO_CLASS_BE", 2 },
	   { "IOPRIO_CLASS_IDLE", 3 });

/* set_mempolicy(2); PREFERRED_MANY since Linux 5.15, WEIGHTED_INTERLEAVE since 6.9 */
VOCABULARY(spec_memory_modes, { "MPOL_DEFAULT", 0 }, { "MPOL_PREFERRED", 1 }, { "MPOL_BIND", 2 },
	   { "MPOL_INTERLEAVE", 3 }, { "MPOL_LOCAL", 4 }, { "MPOL_PREFERRED_MANY", 5 },
	   { "MPOL_WEIGHTED_INTERLEAVE", 6 });

VOCABULARY(spec_memory_flags, { "MPOL_F_NUMA_BALANCING", 1U << 13 },
	   { "MPOL_F_RELATIVE_NODES", 1U << 14 }, { "MPOL_F_STATIC_NODES", 1U << 15 });

VOCABULARY(spec_personality_domains, { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 });

VOCABULARY(spec_hooks, { "prestart", 0 }, { "createRuntime", 0 }, { "createContainer", 0 },
	   { "startContainer", 0 }, { "poststart", 0 }, { "poststop", 0 });

VOCABULARY(spec_seccomp_actions, { "SCMP_ACT_ALLOW", 0 }, { "SCMP_ACT_ERRNO", 0 },
	   { "SCMP_ACT_KILL", 0 }, { "SCMP_ACT_KILL_PROCESS", 0 }, { "SCMP_ACT_KILL_THREAD", 0 },
	   { "SCMP_ACT_LOG", 0 }, { "SCMP_ACT_NOTIFY", 0 }, { "SCMP_ACT_TRACE", 0 },
	   { "SCMP_ACT_TRAP", 0 });

VOCABULARY(spec_seccomp_operators, { "SCMP_CMP_EQ", 0 }, { "SCMP_CMP_GE", 0 }, { "SCMP_CMP_GT", 0 },
	   { "SCMP_CMP_LE", 0 }, { "SCMP_CMP_LT", 0 }, { "SCMP_CMP_MASKED_EQ", 0 },
	   { "SCMP_CMP_NE", 0 });

VOCABULARY(spec_seccomp_archs, { "SCMP_ARCH_AARCH64", 0 }, { "SCMP_ARCH_ARM", 0 },
	   { "SCMP_ARCH_LOONGARCH64", 0 }, { "SCMP_ARCH_M68K", 0 }, { "SCMP_ARCH_MIPS", 0 },
	   { "SCMP_ARCH_MIPS64", 0 }, { "SCMP_ARCH_MIPS64N32", 0 }, { "SCMP_ARCH_MIPSEL", 0 },
	   { "SCMP_ARCH_MIPSEL64", 0 }, { "SCMP_ARCH_MIPSEL64N32", 0 }, { "SCMP_ARCH_PARISC", 0 },
	   { "SCMP_ARCH_PARISC64", 0 }, { "SCMP_ARCH_PPC", 0 }, { "SCMP_ARCH_PPC64", 0 },
	   { "SCMP_ARCH_PPC64LE", 0 }, { "SCMP_ARCH_RISCV64", 0 }, { "SCMP_ARCH_S390", 0 },
	   { "SCMP_ARCH_S390X", 0 }, { "SCMP_ARCH_SH", 0 }, { "SCMP_ARCH_SHEB", 0 },
	   { "SCMP_ARCH_X32", 0 }, { "SCMP_ARCH_X86", 0 }, { "SCMP_ARCH_X86_64", 0 });

VOCABULARY(spec_seccomp_flags, { "SECCOMP_FILTER_FLAG_LOG", 0 },
	   { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", 0 }, { "SECCOMP_FILTER_FLAG_TSYNC", 0 },
	   { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 });
/* clang-format on */

const struct vocabulary_word *vocabulary_find(const struct vocabulary *words, const char *name)
{
	if (!name)
		return NULL;
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i].name, name) == 0)
			return &words->v[i];
	return NULL;
}
