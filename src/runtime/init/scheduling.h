/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the kernel is to run the process: scheduler, I/O priority, execution domain, NUMA memory
 * policy, CPU affinity. Worked out and checked first, as runc checks, then applied to the calling
 * process by scheduling_apply().
 */
#pragma once

#include <sched.h>
#include <stdint.h>

#include "core/err.h"
#include "spec/runtime_spec.h"

/* struct sched_attr of sched_setattr(2), first version (Linux 3.14) with the utilisation clamps. */
struct scheduling_attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime; /* ns */
	uint64_t deadline; /* ns */
	uint64_t period; /* ns */
};

#define SCHEDULING_NODES_MAX 1024

struct scheduling_plan {
	bool has_scheduler;
	bool has_cpuset; /* linux.resources.cpu.cpus: not every CPU of the machine, perhaps */
	struct scheduling_attr scheduler;
	bool has_io_priority;
	int io_priority; /* class << 13 | priority */
	bool has_personality;
	unsigned long personality;
	bool has_memory_policy;
	int memory_policy; /* mode | flags */
	uint64_t nodes[SCHEDULING_NODES_MAX / 64];
	bool has_nodes;
};

/* linux_ may be NULL. ERR_INVALID for unknown names and for values outside of their range. */
int scheduling_plan_make(struct scheduling_plan *ret, const struct oci_process *process,
			 const struct oci_linux *linux_, struct err *err);
/* Scheduler, I/O priority, personality, memory policy, in this order; only those that were asked for. */
int scheduling_apply(const struct scheduling_plan *plan, struct err *err);

/* "0-3,7" as in process.execCPUAffinity; ERR_INVALID when it is no such list or empty. */
int scheduling_parse_cpus(const char *list, cpu_set_t *ret, struct err *err);
/* sched_setaffinity(2) of pid (0: the caller) to the list; NULL or "": nothing. `exec` applies
 * "initial" to its first process before the cgroup is joined and "final" after that. */
int scheduling_set_affinity(pid_t pid, const char *list, struct err *err);
/*
 * Give the caller all CPUs that its cgroup has. Since Linux 6.2 a set that someone chose stays when
 * the process enters another cpuset; a container shall not inherit that of whoever called the
 * runtime, as a service manager's. A kernel that refuses leaves the process with what it has.
 */
void scheduling_reset_affinity(void);
/* The CPUs of pid as one number, 0x3 for 0 and 1, for the log; those beyond 63 are left out. */
void scheduling_log_affinity(pid_t pid);
