/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/scheduling.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/log.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strvec.h"

/* Of kernels newer than the headers of our oldest platform. */
#define POLICY_PREFERRED_MANY 5 /* Linux 5.15 */
#define POLICY_WEIGHTED_INTERLEAVE 6 /* Linux 6.9 */
#define POLICY_FLAG_NUMA_BALANCING (1 << 13) /* Linux 5.15 */

struct name_value {
	const char *name;
	int value;
};

static const struct name_value scheduler_policies[] = {
	{ "SCHED_OTHER", SCHED_OTHER },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", 4 }, /* reserved; the kernel refuses it */
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
	{ NULL, 0 },
};

static const struct name_value scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ NULL, 0 },
};

static const struct name_value io_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ NULL, 0 },
};

static const struct name_value domains[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ NULL, 0 },
};

static const struct name_value memory_modes[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },
	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
	{ "MPOL_LOCAL", MPOL_LOCAL },
	{ "MPOL_PREFERRED_MANY", POLICY_PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", POLICY_WEIGHTED_INTERLEAVE },
	{ NULL, 0 },
};

static const struct name_value memory_flags[] = {
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_NUMA_BALANCING", POLICY_FLAG_NUMA_BALANCING },
	{ NULL, 0 },
};

static int look_up(const struct name_value *table, const char *what, const char *name, int *ret,
		   struct err *err)
{
	if (str_is_empty(name))
		return err_set(err, ERR_INVALID, "%s: a value is required", what);
	for (; table->name; table++) {
		if (strcmp(table->name, name) == 0) {
			*ret = table->value;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, "%s: unknown value '%s'", what, name);
}

/* "0-3, 7,": spaces and empty elements are allowed, as runc allows them. */
static int parse_list(const char *list, uint64_t *words, uint32_t n_bits)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, list, ',', false);
	for (size_t i = 0; i < parts.n; i++) {
		char *part = parts.v[i] + strspn(parts.v[i], " ");
		uint32_t first;
		uint32_t last;
		char *dash;

		part[strcspn(part, " ")] = '\0';
		if (!*part)
			continue;
		dash = strchr(part, '-');
		if (dash)
			*dash = '\0';
		if (parse_u32(part, &first) < 0 || parse_u32(dash ? dash + 1 : part, &last) < 0 ||
		    first > last || last >= n_bits)
			return -EINVAL;
		for (uint32_t bit = first; bit <= last; bit++)
			words[bit / 64] |= UINT64_C(1) << (bit % 64);
	}
	return 0;
}

static int plan_scheduler(struct scheduling_plan *plan, const struct oci_scheduler *s,
			  struct err *err)
{
	int policy = 0;
	int flag = 0;
	int r;

	r = look_up(scheduler_policies, "process.scheduler.policy", s->policy, &policy, err);
	if (r < 0)
		return r;
	if ((policy == SCHED_OTHER || policy == SCHED_BATCH) && (s->nice.v < -20 || s->nice.v > 19))
		return err_set(err, ERR_INVALID,
			       "process.scheduler.nice: %" PRId64 " is not between -20 and 19",
			       s->nice.v);
	if (s->priority.v != 0 && policy != SCHED_FIFO && policy != SCHED_RR)
		return err_set(err, ERR_INVALID,
			       "process.scheduler.priority: only SCHED_FIFO and "
			       "SCHED_RR have one");
	if (s->priority.v < 0 || s->priority.v > 99)
		return err_set(err, ERR_INVALID,
			       "process.scheduler.priority: %" PRId64 " is not between 0 and 99",
			       s->priority.v);
	if (policy != SCHED_DEADLINE && (s->runtime.v || s->deadline.v || s->period.v))
		return err_set(err, ERR_INVALID,
			       "process.scheduler: runtime, deadline and period "
			       "are for SCHED_DEADLINE only");
	plan->scheduler = (struct scheduling_attr){
		.size = sizeof(plan->scheduler),
		.policy = (uint32_t)policy,
		.nice = (int32_t)s->nice.v,
		.priority = (uint32_t)s->priority.v,
		.runtime = s->runtime.v,
		.deadline = s->deadline.v,
		.period = s->period.v,
	};
	for (size_t i = 0; i < s->n_flags; i++) {
		r = look_up(scheduler_flags, "process.scheduler.flags", s->flags[i], &flag, err);
		if (r < 0)
			return r;
		plan->scheduler.flags |= (uint64_t)flag;
	}
	plan->has_scheduler = true;
	return 0;
}

static int plan_io_priority(struct scheduling_plan *plan, const struct oci_io_priority *io,
			    struct err *err)
{
	int io_class = 0;
	int r = look_up(io_classes, "process.ioPriority.class", io->io_class, &io_class, err);

	if (r < 0)
		return r;
	if (io->priority < 0 || io->priority > 7)
		return err_set(err, ERR_INVALID,
			       "process.ioPriority.priority: %d is not between 0 and 7",
			       io->priority);
	plan->has_io_priority = true;
	plan->io_priority = io_class << IOPRIO_CLASS_SHIFT | io->priority;
	return 0;
}

static int plan_personality(struct scheduling_plan *plan, const struct oci_personality *p,
			    struct err *err)
{
	int domain = 0;
	int r = look_up(domains, "linux.personality.domain", p->domain, &domain, err);

	if (r < 0)
		return r;
	/* The specification names no flag. */
	if (p->n_flags > 0)
		log_warning("linux.personality.flags: ignoring '%s': there are no supported flags",
			    p->flags[0]);
	plan->has_personality = true;
	plan->personality = (unsigned long)domain;
	return 0;
}

static int plan_memory_policy(struct scheduling_plan *plan, const struct oci_memory_policy *m,
			      struct err *err)
{
	uint64_t any = 0;
	int mode = 0;
	int flag = 0;
	int r = look_up(memory_modes, "linux.memoryPolicy.mode", m->mode, &mode, err);

	if (r < 0)
		return r;
	if (m->nodes && parse_list(m->nodes, plan->nodes, SCHEDULING_NODES_MAX) < 0)
		return err_set(err, ERR_INVALID,
			       "linux.memoryPolicy.nodes: '%s' is not a list of nodes like '0-3,7'",
			       m->nodes);
	for (size_t i = 0; i < ARRAY_SIZE(plan->nodes); i++)
		any |= plan->nodes[i];
	plan->has_nodes = any != 0;
	if ((mode == MPOL_DEFAULT || mode == MPOL_LOCAL) && plan->has_nodes)
		return err_set(err, ERR_INVALID, "linux.memoryPolicy.nodes: %s takes no nodes",
			       m->mode);
	if (mode != MPOL_DEFAULT && mode != MPOL_LOCAL && mode != MPOL_PREFERRED &&
	    !plan->has_nodes)
		return err_set(err, ERR_INVALID,
			       "linux.memoryPolicy.nodes: %s needs at least one node", m->mode);
	for (size_t i = 0; i < m->n_flags; i++) {
		r = look_up(memory_flags, "linux.memoryPolicy.flags", m->flags[i], &flag, err);
		if (r < 0)
			return r;
		mode |= flag;
	}
	plan->has_memory_policy = true;
	plan->memory_policy = mode;
	return 0;
}

int scheduling_plan_make(struct scheduling_plan *ret, const struct oci_process *process,
			 const struct oci_linux *linux_, struct err *err)
{
	struct scheduling_plan plan = { 0 };
	int r = 0;

	plan.has_cpuset = linux_ && linux_->resources && linux_->resources->cpu &&
			  !str_is_empty(linux_->resources->cpu->cpus);
	if (process->scheduler)
		r = plan_scheduler(&plan, process->scheduler, err);
	if (r == 0 && process->io_priority)
		r = plan_io_priority(&plan, process->io_priority, err);
	if (r == 0 && linux_ && linux_->personality)
		r = plan_personality(&plan, linux_->personality, err);
	if (r == 0 && linux_ && linux_->memory_policy &&
	    !oci_memory_policy_is_empty(linux_->memory_policy))
		r = plan_memory_policy(&plan, linux_->memory_policy, err);
	if (r == 0)
		*ret = plan;
	return r;
}

static int scheduler_failed(const struct scheduling_plan *plan, int r, struct err *err)
{
	(void)err_sys(err, r, "set scheduler");
	if (r == -EPERM && plan->has_cpuset && plan->scheduler.policy == SCHED_DEADLINE)
		err_append(err, " (process scheduler can't be used together with AllowedCPUs: "
				"SCHED_DEADLINE wants all CPUs, linux.resources.cpu.cpus leaves "
				"some out)");
	return r;
}

int scheduling_apply(const struct scheduling_plan *plan, struct err *err)
{
	if (plan->has_scheduler && syscall(SYS_sched_setattr, 0, &plan->scheduler, 0) < 0)
		return scheduler_failed(plan, -errno, err);
	/* The process alone: its group may have other members, and what it starts inherits it. */
	if (plan->has_io_priority &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, plan->io_priority) < 0)
		return err_sys(err, -errno, "set I/O priority");
	if (plan->has_personality && personality(plan->personality) < 0)
		return err_sys(err, -errno, "set personality");
	/* The kernel counts one bit less than it is told (set_mempolicy(2), BUGS). */
	if (plan->has_memory_policy &&
	    syscall(SYS_set_mempolicy, plan->memory_policy, plan->has_nodes ? plan->nodes : NULL,
		    plan->has_nodes ? SCHEDULING_NODES_MAX + 1UL : 0UL) < 0)
		return err_sys(err, -errno, "set memory policy");
	return 0;
}

int scheduling_parse_cpus(const char *list, cpu_set_t *ret, struct err *err)
{
	uint64_t words[CPU_SETSIZE / 64] = { 0 };

	if (parse_list(list, words, CPU_SETSIZE) < 0)
		return err_set(err, ERR_INVALID,
			       "CPU affinity '%s' is not a list of CPUs like '0-3,7'", list);
	CPU_ZERO(ret);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (words[cpu / 64] >> (cpu % 64) & 1)
			CPU_SET(cpu, ret);
	if (CPU_COUNT(ret) == 0)
		return err_set(err, ERR_INVALID, "CPU affinity '%s' names no CPU", list);
	return 0;
}

int scheduling_set_affinity(pid_t pid, const char *list, struct err *err)
{
	cpu_set_t cpus;
	int r;

	if (str_is_empty(list))
		return 0;
	r = scheduling_parse_cpus(list, &cpus, err);
	if (r < 0)
		return r;
	if (sched_setaffinity(pid, sizeof(cpus), &cpus) < 0)
		return err_sys(err, -errno, "set CPU affinity to '%s'", list);
	return 0;
}

void scheduling_reset_affinity(void)
{
	unsigned long all[8192 / 8 / sizeof(unsigned long)];

	/* The kernel takes off what the cpuset does not have, and bits that it has no CPU for. */
	(void)memset(all, 0xff, sizeof(all));
	if (syscall(SYS_sched_setaffinity, 0, sizeof(all), all) < 0)
		log_debug("reset CPU affinity: %s", strerror(errno));
}

void scheduling_log_affinity(pid_t pid)
{
	uint64_t mask = 0;
	cpu_set_t cpus;

	if (!log_is_enabled(LOG_LEVEL_DEBUG) || sched_getaffinity(pid, sizeof(cpus), &cpus) < 0)
		return;
	for (size_t cpu = 0; cpu < 64; cpu++)
		if (CPU_ISSET(cpu, &cpus))
			mask |= UINT64_C(1) << cpu;
	log_debug("nsexec[%d]: affinity: 0x%" PRIx64, (int)pid, mask);
}
