/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/validate.h"

#include <string.h>

#include "core/strbuf.h"
#include "kernel/rlimits.h"
#include "spec/validate_parts.h"

static int validate_cwd(const char *cwd, struct err *err)
{
	if (str_is_empty(cwd))
		return err_set(err, ERR_INVALID,
			       "process.cwd: missing, Cwd property must not be empty");
	if (cwd[0] != '/')
		return err_set(err, ERR_INVALID, "process.cwd: '%s', Cwd must be an absolute path",
			       cwd);
	return 0;
}

static int validate_args(const struct oci_process *process, struct err *err)
{
	if (process->n_args == 0)
		return err_set(err, ERR_INVALID, "process.args: missing, args must not be empty");
	if (!*process->args[0])
		return err_set(err, ERR_INVALID, "process.args[0]: executable path is empty");
	return 0;
}

/* The entry itself is not shown: it may be a secret whose name was forgotten. */
static int validate_env(const struct oci_process *process, struct err *err)
{
	for (size_t i = 0; i < process->n_env; i++) {
		const char *sign = strchr(process->env[i], '=');

		if (!sign)
			return err_set(err, ERR_INVALID,
				       "process.env[%zu]: invalid environment variable: missing "
				       "'=', expected NAME=VALUE",
				       i);
		if (sign == process->env[i])
			return err_set(err, ERR_INVALID,
				       "process.env[%zu]: invalid environment variable: name is "
				       "empty, expected NAME=VALUE",
				       i);
	}
	return 0;
}

static int unknown_rlimit(const struct oci_process *process, size_t i, struct err *err)
{
	auto_strbuf struct strbuf names = STRBUF_INIT;

	for (int n = 0; rlimits_to_name(n); n++)
		strbuf_addf(&names, "%s%s", n ? ", " : "", rlimits_to_name(n));
	return err_set(err, ERR_INVALID,
		       "process.rlimits[%zu].type: unknown value '%s', expected one of %s", i,
		       process->rlimits[i].type ? process->rlimits[i].type : "", names.buf);
}

static int validate_rlimits(const struct oci_process *process, struct err *err)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct oci_rlimit *limit = &process->rlimits[i];

		if (!limit->type || rlimits_from_name(limit->type) < 0)
			return unknown_rlimit(process, i, err);
		for (size_t j = 0; j < i; j++)
			if (str_eq(process->rlimits[j].type, limit->type))
				return err_set(err, ERR_INVALID,
					       "process.rlimits[%zu].type: duplicate of "
					       "process.rlimits[%zu], %s may be set once",
					       i, j, limit->type);
		if (limit->soft > limit->hard)
			return err_set(err, ERR_INVALID,
				       "process.rlimits[%zu].soft: %ju is above the hard limit %ju",
				       i, (uintmax_t)limit->soft, (uintmax_t)limit->hard);
	}
	return 0;
}

/* sched_setattr(2). An opt_ that is 0 counts as absent, as in the specification's Go structs. */
static int validate_scheduler_fields(const struct oci_scheduler *s, unsigned int policy,
				     struct err *err)
{
	bool is_realtime = policy == 1 || policy == 2;

	if ((policy == 0 || policy == 3) && (s->nice.v < -20 || s->nice.v > 19))
		return err_set(err, ERR_INVALID,
			       "process.scheduler.nice: %jd, expected -20 to 19 with policy %s",
			       (intmax_t)s->nice.v, s->policy);
	if (!is_realtime && s->priority.v != 0)
		return err_set(err, ERR_INVALID,
			       "process.scheduler.priority: %jd, can only be given with policy "
			       "SCHED_FIFO or SCHED_RR",
			       (intmax_t)s->priority.v);
	if (is_realtime && (s->priority.v < 1 || s->priority.v > 99))
		return err_set(err, ERR_INVALID,
			       "process.scheduler.priority: %jd, expected 1 to 99 with policy %s",
			       (intmax_t)s->priority.v, s->policy);
	if (policy != 6 && (s->runtime.v || s->deadline.v || s->period.v))
		return err_set(err, ERR_INVALID,
			       "process.scheduler.%s: can only be given with policy SCHED_DEADLINE",
			       s->runtime.v ? "runtime" : (s->deadline.v ? "deadline" : "period"));
	return 0;
}

static int validate_scheduler(const struct oci_scheduler *s, struct err *err)
{
	int r;

	if (!s)
		return 0;
	r = validate_word(&spec_scheduler_policies, s->policy, err, "process.scheduler.policy");
	for (size_t i = 0; r == 0 && i < s->n_flags; i++)
		r = validate_word(&spec_scheduler_flags, s->flags[i], err,
				  "process.scheduler.flags[%zu]", i);
	if (r < 0)
		return r;
	return validate_scheduler_fields(
		s, vocabulary_find(&spec_scheduler_policies, s->policy)->value, err);
}

static int validate_io_priority(const struct oci_io_priority *p, struct err *err)
{
	int r;

	if (!p)
		return 0;
	r = validate_word(&spec_io_classes, p->io_class, err, "process.ioPriority.class");
	if (r < 0)
		return r;
	if (p->priority < 0 || p->priority > 7)
		return err_set(err, ERR_INVALID, "process.ioPriority.priority: %d, expected 0 to 7",
			       p->priority);
	return 0;
}

static int validate_cpu_list(const char *list, const char *key, struct err *err)
{
	if (str_is_empty(list) || is_number_list(list))
		return 0;
	return err_set(err, ERR_INVALID,
		       "process.execCPUAffinity.%s: '%s' is no list of CPUs, expected one such as "
		       "0-3,7",
		       key, list);
}

static int validate_affinity(const struct oci_exec_cpu_affinity *affinity, struct err *err)
{
	int r;

	if (!affinity)
		return 0;
	r = validate_cpu_list(affinity->initial, "initial", err);
	return r < 0 ? r : validate_cpu_list(affinity->final_, "final", err);
}

static int validate_oom_score(const struct oci_process *process, struct err *err)
{
	if (process->oom_score_adj.v >= -1000 && process->oom_score_adj.v <= 1000)
		return 0;
	return err_set(err, ERR_INVALID, "process.oomScoreAdj: %jd, expected -1000 to 1000",
		       (intmax_t)process->oom_score_adj.v);
}

/* For setresuid(2) and its kin the id (uid_t)-1 means to change nothing: the process would stay root. */
static int validate_id(uint32_t id, const char *field, struct err *err)
{
	if (id != UINT32_MAX)
		return 0;
	return err_set(err, ERR_INVALID, "process.user.%s: %u is no id, expected 0 to %u", field,
		       id, UINT32_MAX - 1);
}

static int validate_user(const struct oci_user *user, struct err *err)
{
	int r = validate_id(user->uid, "uid", err);

	if (r == 0)
		r = validate_id(user->gid, "gid", err);
	for (size_t i = 0; r == 0 && i < user->n_additional_gids; i++)
		r = validate_id(user->additional_gids[i], "additionalGids", err);
	return r;
}

int oci_process_validate(const struct oci_process *process, struct err *err)
{
	int r = validate_cwd(process->cwd, err);

	if (r == 0)
		r = validate_user(&process->user, err);
	if (r == 0)
		r = validate_args(process, err);
	if (r == 0)
		r = validate_env(process, err);
	if (r == 0)
		r = validate_rlimits(process, err);
	if (r == 0)
		r = validate_oom_score(process, err);
	if (r == 0)
		r = validate_scheduler(process->scheduler, err);
	if (r == 0)
		r = validate_io_priority(process->io_priority, err);
	if (r == 0)
		r = validate_affinity(process->exec_cpu_affinity, err);
	return r;
}
