/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/spawn.h"

#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/io.h"
#include "kernel/syscalls.h"
#include "runtime/init/handshake.h"
#include "runtime/namespace/userns.h"

/* Kinds that init_spawn() or the intermediate process handles, not clone itself. */
#define BIT(kind) (1U << (kind))

struct clone_request {
	unsigned int flags; /* CLONE_NEW* and CLONE_PARENT */
	int cgroup_fd; /* for CLONE_INTO_CGROUP; negative: none */
	bool *ret_in_cgroup;
};

/* clone3 where there is one; 0 in the child. */
static pid_t clone_process(const struct clone_request *request)
{
	struct clone_args args = {
		.flags = request->flags,
		/* With CLONE_PARENT the signal is the parent's own, and must be 0 here. */
		.exit_signal = request->flags & CLONE_PARENT ? 0U : (unsigned int)SIGCHLD,
	};
	pid_t pid = -ENOSYS;

	if (request->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)request->cgroup_fd;
		*request->ret_in_cgroup = true;
		pid = sys_clone3(&args);
		if (pid >= 0)
			return pid;
		/* A cgroup that cannot be entered so (threaded, busy) is entered later. */
		args.flags &= ~(uint64_t)CLONE_INTO_CGROUP;
		args.cgroup = 0;
	}
	*request->ret_in_cgroup = false;
	pid = sys_clone3(&args);
	if (pid != -ENOSYS && pid != -EPERM)
		return pid;
	/* compat: clone3 needs Linux 5.3, and some engines' filters refuse it. */
	if (request->flags & CLONE_NEWTIME)
		return -ENOSYS;
	pid = sys_clone(request->flags | (unsigned int)args.exit_signal);
	return pid;
}

/* Write "monotonic S NS" lines; allowed as long as nobody is in the namespace. */
static int write_time_offsets(const struct oci_linux *linux_, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	for (size_t i = 0; i < linux_->n_time_offsets; i++) {
		const struct oci_time_offset *offset = &linux_->time_offsets[i];

		strbuf_addf(&text, "%s %lld %u\n", offset->key, (long long)offset->secs,
			    offset->nanosecs);
	}
	r = io_write_file_at(AT_FDCWD, "/proc/self/timens_offsets", text.buf);
	return r < 0 ? err_sys(err, r, "write time offsets") : 0;
}

/* Only the owner of a new user namespace may make a time namespace for it, and that is init. */
static bool makes_time_before_init(const struct namespace_plan *plan)
{
	return plan->has_time_offsets && !namespace_plan_creates(plan, NAMESPACE_USER);
}

static int unshare_time(const struct oci_linux *linux_, struct err *err)
{
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(err, -errno, "create time namespace");
	return write_time_offsets(linux_, err);
}

int init_make_time_namespace(const struct namespace_plan *plan, const struct oci_linux *linux_,
			     struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	if (!plan->has_time_offsets || makes_time_before_init(plan))
		return 0;
	r = unshare_time(linux_, err);
	if (r < 0)
		return r;
	fd = fd_open_at(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY, 0);
	if (fd < 0)
		return err_sys(err, fd, "open '/proc/self/ns/time_for_children'");
	return setns(fd, CLONE_NEWTIME) < 0 ? err_sys(err, -errno, "enter the time namespace") : 0;
}

/* What the parent changes about itself for its next child, and how it gets back. */
struct detour {
	int pid_fd;
	int time_fd;
};

#define DETOUR_INIT                                                                                \
	{                                                                                          \
		.pid_fd = -EBADF, .time_fd = -EBADF                                                \
	}

static int detour_open(int *ret_fd, const char *name, struct err *err)
{
	*ret_fd = fd_open_at(AT_FDCWD, name, O_RDONLY, 0);
	return *ret_fd < 0 ? err_sys(err, *ret_fd, "open '%s'", name) : 0;
}

static int detour_begin(struct detour *d, const struct launch *l, struct err *err)
{
	const struct namespace_plan *plan = &l->namespaces;
	int r;

	if (namespace_plan_joins(plan, NAMESPACE_PID)) {
		r = detour_open(&d->pid_fd, "/proc/self/ns/pid", err);
		if (r < 0)
			return r;
		if (setns(plan->fds[NAMESPACE_PID], CLONE_NEWPID) < 0)
			return err_sys(err, -errno, "join pid namespace '%s'",
				       plan->paths[NAMESPACE_PID]);
	}
	if (namespace_plan_joins(plan, NAMESPACE_TIME) || makes_time_before_init(plan)) {
		r = detour_open(&d->time_fd, "/proc/self/ns/time", err);
		if (r < 0)
			return r;
	}
	if (namespace_plan_joins(plan, NAMESPACE_TIME)) {
		if (setns(plan->fds[NAMESPACE_TIME], CLONE_NEWTIME) < 0)
			return err_sys(err, -errno, "join time namespace '%s'",
				       plan->paths[NAMESPACE_TIME]);
	} else if (makes_time_before_init(plan)) {
		return unshare_time(l->bundle.spec.linux_, err);
	}
	return 0;
}

static int detour_end(struct detour *d, struct err *err)
{
	int r = 0;

	if (d->pid_fd >= 0 && setns(d->pid_fd, CLONE_NEWPID) < 0)
		r = err_sys(err, -errno, "go back to the runtime's pid namespace");
	if (d->time_fd >= 0 && setns(d->time_fd, CLONE_NEWTIME) < 0)
		r = err_sys(err, -errno, "go back to the runtime's time namespace");
	close_fd(&d->pid_fd);
	close_fd(&d->time_fd);
	return r;
}

int init_make_network(struct err *err)
{
	return unshare(CLONE_NEWNET) < 0 ? err_sys(err, -errno, "create network namespace") : 0;
}

int init_enter_network(int fd, struct err *err)
{
	return setns(fd, CLONE_NEWNET) < 0 ?
		       err_sys(err, -errno, "enter the new network namespace") :
		       0;
}

/* Kinds that clone3 makes; the rest is init's or the parent's: the network takes the kernel several times as
 * long as all the others, and is made while something else is done; time with offsets. */
static unsigned int kinds_for_clone(const struct namespace_plan *plan)
{
	unsigned int kinds = plan->create & ~(BIT(NAMESPACE_CGROUP) | BIT(NAMESPACE_NETWORK));

	return plan->has_time_offsets ? kinds & ~BIT(NAMESPACE_TIME) : kinds;
}

static int spawn_direct(struct launch *l, struct err *err)
{
	struct detour detour = DETOUR_INIT;
	struct clone_request request = {
		.flags = namespace_flags(kinds_for_clone(&l->namespaces)),
		.cgroup_fd = cgroup_clone_fd(&l->cgroup),
		.ret_in_cgroup = &l->init_in_unified,
	};
	int r = detour_begin(&detour, l, err);
	int back;

	if (r == 0) {
		pid_t pid = clone_process(&request);

		if (pid == 0)
			l->child_main(l);
		if (pid < 0)
			r = err_sys(err, pid, "create the container's init in new namespaces");
		else
			l->init_pid = pid;
	}
	back = detour_end(&detour, r < 0 ? NULL : err);
	return r < 0 ? r : back;
}

int init_join_namespaces(const struct namespace_plan *plan, struct err *err)
{
	static const enum namespace_kind order[] = { NAMESPACE_IPC, NAMESPACE_UTS,
						     NAMESPACE_NETWORK, NAMESPACE_CGROUP,
						     NAMESPACE_MOUNT };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		enum namespace_kind kind = order[i];

		if (plan->is_joined || !namespace_plan_joins(plan, kind))
			continue;
		if (setns(plan->fds[kind], (int)namespace_kinds[kind].flag) < 0)
			return err_sys(err, -errno, "join %s namespace '%s'",
				       namespace_kinds[kind].type, plan->paths[kind]);
	}
	return 0;
}

/*
 * The intermediate: joins with the privileges of the host what those allow, then the user namespace,
 * then what only its owner may join (runc's order). A user namespace that is new owns nothing yet: what
 * cannot be joined before it is made never can.
 */
static int join_around_user(const struct launch *l, struct err *err)
{
	const struct namespace_plan *plan = &l->namespaces;
	bool joins_user = namespace_plan_joins(plan, NAMESPACE_USER);
	static const enum namespace_kind order[] = { NAMESPACE_PID,	NAMESPACE_TIME,
						     NAMESPACE_IPC,	NAMESPACE_UTS,
						     NAMESPACE_NETWORK, NAMESPACE_CGROUP,
						     NAMESPACE_MOUNT };
	unsigned int left = plan->join & ~BIT(NAMESPACE_USER);
	int r;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
			enum namespace_kind kind = order[i];

			if (!(left & BIT(kind)))
				continue;
			if (setns(plan->fds[kind], (int)namespace_kinds[kind].flag) == 0)
				left &= ~BIT(kind);
			else if (pass == 1 || !joins_user || errno != EPERM)
				return err_sys(err, -errno, "join %s namespace '%s'",
					       namespace_kinds[kind].type, plan->paths[kind]);
		}
		if (pass == 1 || !joins_user)
			break;
		if (setns(plan->fds[NAMESPACE_USER], CLONE_NEWUSER) < 0)
			return err_sys(err, -errno, "join user namespace '%s'",
				       plan->paths[NAMESPACE_USER]);
		r = userns_become_root_or(l->process.uid, l->process.gid);
		if (r < 0)
			return err_sys(err, r, "become root of user namespace '%s'",
				       plan->paths[NAMESPACE_USER]);
	}
	return 0;
}

/*
 * Now, while /proc/self is ours: in the user namespace it no longer is, unless the process is dumpable,
 * which one that others in the container can see must not be. This one they cannot see.
 */
static int set_oom_score_adj(struct launch *l, struct err *err)
{
	int was_dumpable = prctl(PR_GET_DUMPABLE);
	int r;

	if (!l->process.oom_score_adj.set)
		return 0;
	if (geteuid() != 0)
		(void)prctl(PR_SET_DUMPABLE, 1);
	r = process_set_oom_score_adj(&l->process, 0, err);
	(void)prctl(PR_SET_DUMPABLE, was_dumpable == 1);
	l->process.oom_score_adj.set = false; /* init inherits it */
	return r;
}

static int intermediate_run(struct launch *l, struct err *err)
{
	struct namespace_plan *plan = &l->namespaces;
	unsigned int new_kinds = kinds_for_clone(plan);
	bool ignored;
	struct clone_request request = {
		.flags = CLONE_PARENT | namespace_flags(new_kinds),
		.cgroup_fd = -EBADF,
		.ret_in_cgroup = &ignored,
	};
	int r = set_oom_score_adj(l, err);
	pid_t pid;

	if (r == 0)
		r = join_around_user(l, err);
	if (r < 0)
		return r;
	if (makes_time_before_init(plan)) {
		r = unshare_time(l->bundle.spec.linux_, err);
		if (r < 0)
			return r;
	}
	plan->is_joined = true; /* for init */
	pid = clone_process(&request);
	if (pid == 0)
		l->child_main(l);
	if (pid < 0)
		return err_sys(err, pid, "create the container's init in new namespaces");
	return handshake_send(l->child_sync_fd, HANDSHAKE_INIT_PID, &pid, sizeof(pid), NULL, 0,
			      err);
}

NORETURN static void intermediate_main(struct launch *l)
{
	struct err err = ERR_INIT;
	int r;

	close_fd(&l->sync_fd);
	r = intermediate_run(l, &err);
	if (r < 0)
		handshake_send_failure(l->child_sync_fd, &err);
	_exit(r < 0 ? 1 : 0);
}

static int spawn_through_intermediate(struct launch *l, struct err *err)
{
	auto_msg struct msg m = { 0 };
	pid_t pid = fork();
	int r;

	if (pid < 0)
		return err_sys(err, -errno, "fork");
	if (pid == 0)
		intermediate_main(l);
	close_fd(&l->child_sync_fd);
	r = handshake_expect(l->sync_fd, HANDSHAKE_INIT_PID, -1, &m, err);
	(void)RETRY_EINTR(waitpid(pid, NULL, 0));
	if (r < 0)
		return r;
	if (m.len != sizeof(l->init_pid))
		return err_set(err, ERR_INTERNAL, "malformed INIT_PID message");
	memcpy(&l->init_pid, m.payload, sizeof(l->init_pid));
	return 0;
}

/*
 * Whether we may go back to the namespace that we are in. Not so where it belongs to a user namespace
 * outside of ours: setns(2) wants CAP_SYS_ADMIN there, also of whoever is in it already. That is how a
 * user's podman starts us.
 */
static bool may_return(const char *name, int flag)
{
	auto_close int fd = fd_open_at(AT_FDCWD, name, O_RDONLY, 0);

	return fd >= 0 && setns(fd, flag) == 0;
}

static bool needs_intermediate(const struct namespace_plan *plan)
{
	/* The user namespace decides what else may be joined, and what clone3 makes may not be made before. */
	if (namespace_plan_joins(plan, NAMESPACE_USER))
		return true;
	if (namespace_plan_creates(plan, NAMESPACE_USER) && plan->join != 0)
		return true;
	if (namespace_plan_joins(plan, NAMESPACE_PID) &&
	    !may_return("/proc/self/ns/pid", CLONE_NEWPID))
		return true;
	return (namespace_plan_joins(plan, NAMESPACE_TIME) || makes_time_before_init(plan)) &&
	       !may_return("/proc/self/ns/time", CLONE_NEWTIME);
}

int init_spawn(struct launch *l, struct err *err)
{
	int r;

	if (needs_intermediate(&l->namespaces))
		r = spawn_through_intermediate(l, err);
	else
		r = spawn_direct(l, err);
	close_fd(&l->child_sync_fd);
	return r;
}
