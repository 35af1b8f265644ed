/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_check.h"

#include "core/alloc.h"
#include "core/str.h"

/* The processes that CRIU takes; init is the first. */
#define FOR_EACH_PROCESS(s, p)                                                                     \
	for (const struct preflight_process *p = (s)->processes;                                   \
	     p < (s)->processes + (s)->n_processes; p++)                                           \
		if (p->is_in_tree)

#define FOR_EACH_PROCESS_AT_ALL(s, p)                                                              \
	for (const struct preflight_process *p = (s)->processes;                                   \
	     p < (s)->processes + (s)->n_processes; p++)

static bool is_dead(const struct preflight_process *p)
{
	return p->state == 'Z' || p->state == 'X' || p->state == 'x';
}

/* CRIU stops whatever is in the cgroup. */
static void check_traced(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	FOR_EACH_PROCESS_AT_ALL(s, p)
	if (p->tracer)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .process = p,
				      .message = xasprintf("it is traced by process %d", p->tracer),
				      .remedy = "detach the debugger" });
}

/*
 * PTRACE_SEIZE of a stopped task waits until that has gone through a state change, which a task that
 * is frozen by the v1 freezer cannot: CRIU would hang. The dump does not freeze such a container, but
 * it cannot help it when the user has.
 */
static void check_stopped(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	if (!s->host.freezer_is_v1 || !s->host.is_frozen)
		return;
	FOR_EACH_PROCESS_AT_ALL(s, p)
	if (p->state == 'T')
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.process = p,
				.message = xstrdup("it is stopped (SIGSTOP) and the container "
						   "is paused, which together CRIU cannot "
						   "deal with in cgroups of version 1"),
				.remedy = "resume the container first" });
}

static void check_stuck(const struct preflight_snapshot *s, struct preflight_report *report,
			const char *check)
{
	FOR_EACH_PROCESS_AT_ALL(s, p)
	if (p->is_stuck)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .process = p,
				      .message = xstrdup("it waits uninterruptibly (state D), so "
							 "that it cannot be stopped"),
				      .remedy = "wait for what it does (a vfork, a disk, a file "
						"server), then try again" });
}

static void check_dead_leader(const struct preflight_snapshot *s, struct preflight_report *report,
			      const char *check)
{
	FOR_EACH_PROCESS(s, p)
	if (is_dead(p) && p->threads > 1)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .process = p,
				      .message = xasprintf("its first thread has ended while %u "
							   "others go on, which CRIU cannot keep",
							   p->threads - 1),
				      .remedy = "do not end the first thread by pthread_exit(3)" });
}

/* Of which CRIU keeps just one, that of init. Mount namespaces may be several. */
static bool must_be_one(enum preflight_namespace ns)
{
	return ns != PREFLIGHT_NS_MNT && ns != PREFLIGHT_NS_TIME_FOR_CHILDREN;
}

static void add_nested(const struct preflight_snapshot *s, struct preflight_report *report,
		       const char *check, const struct preflight_process *p, const char *kind)
{
	preflight_add(
		report, s, check,
		(struct preflight_item){
			.process = p,
			.message = xasprintf("it is in a %s namespace of its own, and CRIU cannot "
					     "keep more than one",
					     kind),
			.remedy = "end it, or do not let it unshare namespaces" });
}

static void check_nested(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	FOR_EACH_PROCESS(s, p)
	{
		const uint64_t *own = p->ns;

		for (size_t i = 0; i < PREFLIGHT_NS_COUNT_; i++)
			if (own[i] && must_be_one((enum preflight_namespace)i) &&
			    own[i] != s->processes[0].ns[i])
				add_nested(s, report, check, p, preflight_namespace_names[i]);
		/* It has unshared one, for children that it has not made yet. */
		if (own[PREFLIGHT_NS_TIME] == s->processes[0].ns[PREFLIGHT_NS_TIME] &&
		    own[PREFLIGHT_NS_TIME_FOR_CHILDREN] &&
		    own[PREFLIGHT_NS_TIME_FOR_CHILDREN] != own[PREFLIGHT_NS_TIME])
			add_nested(s, report, check, p, "time");
	}
}

/* CRIU enters these from the container's user namespace, unless they are its own. */
static void check_owners(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	static const enum preflight_namespace kinds[] = { PREFLIGHT_NS_NET, PREFLIGHT_NS_UTS,
							  PREFLIGHT_NS_IPC, PREFLIGHT_NS_MNT };

	if (s->processes[0].ns[PREFLIGHT_NS_USER] == s->host.ns[PREFLIGHT_NS_USER])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (s->ns_is_foreign[kinds[i]] &&
		    s->processes[0].ns[kinds[i]] != s->host.ns[kinds[i]])
			preflight_add(
				report, s, check,
				(struct preflight_item){
					.message = xasprintf(
						"the %s namespace belongs to another user "
						"namespace than the container's, and CRIU cannot "
						"keep that",
						preflight_namespace_names[kinds[i]]),
					.remedy =
						"let the runtime create it, instead of giving its "
						"path" });
}

/* CRIU enters the container's user namespace before it opens the first process's namespaces. */
static void check_hidden(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	if (s->n_processes == 0 ||
	    s->processes[0].ns[PREFLIGHT_NS_USER] == s->host.ns[PREFLIGHT_NS_USER])
		return;
	if (s->init_is_hidden)
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.process = &s->processes[0],
				.message =
					xstrdup("it has changed its user or made itself "
						"undumpable, and since a restore CRIU cannot look "
						"at it from within the user namespace"),
				.remedy = "let an init be the first process (--init of floe and "
					  "podman)" });
	else if (s->init_will_be_hidden)
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.severity = PREFLIGHT_NOTE,
				.process = &s->processes[0],
				.message = xstrdup("it has changed its user, so that after a "
						   "restore CRIU cannot freeze it once more"),
				.remedy = "let an init be the first process (--init of floe and "
					  "podman)" });
}

static void check_shared(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	FOR_EACH_PROCESS(s, p)
	if (p->shares_memory || p->shares_fs)
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.process = p,
				.message =
					xasprintf("it shares its %s with its parent "
						  "without being a thread (%s), which CRIU "
						  "cannot keep",
						  p->shares_memory ? "memory" : "current directory",
						  p->shares_memory ? "CLONE_VM" : "CLONE_FS"),
				.remedy = p->shares_memory ?
						  "if it is just being started, try again" :
						  "start it by fork(2), or make it a thread" });
}

/* The first process's root must be that of its mount namespace. */
static void check_root(const struct preflight_snapshot *s, struct preflight_report *report,
		       const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (u->process == 0 && u->descriptor == PREFLIGHT_ROOT && strcmp(f->path, "/") != 0)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("the first process has changed its root "
							   "directory to '%s'",
							   f->path),
				      .remedy = "use that as the container's rootfs" });
}

static void check_session(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	const struct preflight_process *init = s->processes;

	if (s->n_processes && init->session != init->pid)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .process = init,
				      .message = xasprintf(
					      "the first process belongs to session %d, which "
					      "was begun outside of the container",
					      init->session),
				      .option = PREFLIGHT_SHELL_JOB,
				      .remedy = "or start it by setsid(1)" });
}

/* The kernel refuses to make it again: the leader's id is not known yet when CRIU asks. */
static void check_timers(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	FOR_EACH_PROCESS(s, p)
	if (p->has_leader_timer)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .process = p,
				      .message = xstrdup("it has a timer that signals its first "
							 "thread (SIGEV_THREAD_ID), which CRIU "
							 "does not restore"),
				      .remedy = "stop the profiler, or signal the process "
						"(SIGEV_SIGNAL)" });
}

static void check_uprobes(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	FOR_EACH_PROCESS(s, p)
	if (p->has_uprobes)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .process = p,
				      .message = xstrdup("it has uprobes (a tracer such as "
							 "bpftrace)"),
				      .option = PREFLIGHT_ALLOW_UPROBES,
				      .remedy = "or stop the tracer" });
}

static bool has_parent_outside(const struct preflight_snapshot *s,
			       const struct preflight_process *p)
{
	FOR_EACH_PROCESS_AT_ALL(s, o)
	if (!o->is_in_tree && o->pid == p->ppid)
		return true;
	return false;
}

/* CRIU takes init and its descendants. */
static void check_others(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	FOR_EACH_PROCESS_AT_ALL(s, p)
	{
		bool is_inside = p->ns[PREFLIGHT_NS_PID] == s->processes[0].ns[PREFLIGHT_NS_PID];

		if (p->is_in_tree || is_dead(p) || has_parent_outside(s, p))
			continue;
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.severity = PREFLIGHT_WARNING,
				.process = p,
				.message = xasprintf("it was started by %s, so that the checkpoint "
						     "leaves it out, and it is killed unless "
						     "--leave-running",
						     is_inside ? "`exec`" :
								 "somebody outside, who put it "
								 "into the container's cgroup"),
				.remedy = "let it end before the checkpoint" });
	}
}

static bool has_earlier_label(const struct preflight_snapshot *s, const struct preflight_process *p)
{
	FOR_EACH_PROCESS(s, o)
	{
		if (o == p)
			return false;
		if (str_eq(o->security_label, p->security_label))
			return true;
	}
	return false;
}

static void check_labels(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	FOR_EACH_PROCESS(s, p)
	if (p->security_label && !has_earlier_label(s, p))
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.severity = PREFLIGHT_NOTE,
				.process = p,
				.path = p->security_label,
				.message = xasprintf("it runs under the security profile '%s', "
						     "which must be there for a restore",
						     p->security_label),
				.remedy = "or give another with `restore --lsm-profile`" });
}

static void check_seccomp(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	if (s->has_seccomp_listener)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .severity = PREFLIGHT_WARNING,
				      .message = xstrdup(
					      "the supervisor of seccomp notifications is not "
					      "told of a restore; system calls that it decides "
					      "fail with ENOSYS then") });
}

const struct preflight_check preflight_process_checks[] = {
	{ "process-traced", check_traced },
	{ "process-stopped", check_stopped },
	{ "process-stuck", check_stuck },
	{ "process-without-leader", check_dead_leader },
	{ "nested-namespace", check_nested },
	{ "foreign-namespace", check_owners },
	{ "process-shares", check_shared },
	/* Of the first process. */
	{ "process-hidden", check_hidden },
	{ "changed-root", check_root },
	{ "session", check_session },
	{ "thread-timer", check_timers },
	{ "uprobes", check_uprobes },
	{ "process-outside", check_others },
	{ "security-label", check_labels },
	{ "seccomp-listener", check_seccomp },
	{ NULL, NULL },
};
