/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/launch.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/stage.h"
#include "runtime/annotations.h"
#include "runtime/cgroup_owner.h"
#include "runtime/init/child.h"
#include "runtime/init/handshake.h"
#include "runtime/init/parent.h"
#include "runtime/init/spawn.h"
#include "runtime/namespace/userns.h"
#include "runtime/sysctl.h"

static const struct runtime_spec *spec_of(const struct launch *l)
{
	return &l->bundle.spec;
}

/* ---- plans ---- */

static int check_terminal(const struct launch *l, struct err *err)
{
	bool terminal = spec_of(l)->process->terminal;
	bool detach = l->opts->detach || !l->start_now;

	if (terminal && detach && !l->opts->console_socket)
		return err_set(
			err, ERR_INVALID,
			"cannot allocate tty if floe-runtime will detach without setting console "
			"socket; give --console-socket, or set process.terminal to false");
	if (l->opts->console_socket && (!detach || !terminal))
		return err_set(
			err, ERR_INVALID,
			"cannot use console socket if floe-runtime will not detach or allocate "
			"tty; set process.terminal to true, or leave --console-socket out");
	return 0;
}

static int plan_sysctl(const struct launch *l, struct err *err)
{
	const struct oci_linux *linux_ = spec_of(l)->linux_;
	struct sysctl_facts facts;
	int r;

	if (linux_->sysctl.n == 0)
		return 0;
	r = sysctl_facts_from_namespaces(&facts, linux_->namespaces, linux_->n_namespaces, err);
	return r < 0 ? r : sysctl_validate(&linux_->sysctl, &facts, err);
}

/* Init asks for what it needs of the parent on its way, and would find START in place of the answer. */
static bool asks_before_ready(const struct launch *l)
{
	for (size_t i = 0; i < l->mounts.n_ops; i++)
		if (l->mounts.ops[i].source_inside)
			return true;
	return l->has_pre_pivot_hooks;
}

/*
 * Whether init need not wait when it is ready, which costs two wake-ups: nothing is left then that only
 * the parent can do. Limits and record are init's own as long as it is root of the same user namespace.
 */
static bool can_start_ahead(const struct launch *l)
{
	const struct runtime_spec *spec = spec_of(l);

	return l->start_now && l->is_privileged && !asks_before_ready(l) &&
	       !namespace_plan_has(&l->namespaces, NAMESPACE_USER) && !spec->process->terminal &&
	       !l->pid_file && !l->opts->pidfd_socket &&
	       !runtime_spec_annotation(spec, ANNOTATION_PIDFD_RECEIVER);
}

/*
 * First of all, so that it is there when init needs it. Not where it is to belong to a user namespace that
 * init brings about, nor where the parent changes its namespaces, which the kernel does not allow those who
 * share their memory (setns(2)).
 */
static int begin_network(void *context, struct err *err)
{
	struct launch *l = context;
	struct namespace_plan *namespaces = &l->namespaces;
	int r = namespace_plan_make(namespaces, spec_of(l), err);

	if (r == 0 && namespace_plan_creates(namespaces, NAMESPACE_NETWORK) &&
	    !namespace_plan_creates(namespaces, NAMESPACE_USER) && !namespaces->join &&
	    !namespaces->has_time_offsets)
		namespaces->network_follows = network_maker_start(&l->network) == 0;
	return r;
}

static int plan(void *context, struct err *err)
{
	struct launch *l = context;
	const struct oci_hooks *hooks = spec_of(l)->hooks;
	int r = check_terminal(l, err);

	if (r == 0)
		r = plan_sysctl(l, err);
	if (r == 0)
		r = launch_plan_process(l, err);
	if (r == 0)
		r = launch_plan_seccomp(l, err);
	if (r == 0)
		r = resctrl_plan_make(&l->resctrl, spec_of(l)->linux_->intel_rdt, l->opts->id, NULL,
				      err);
	if (r == 0)
		r = namespace_plan_open(&l->namespaces, err);
	/* Init may not find them any more. */
	if (r == 0 && hooks && (hooks->n_create_container || hooks->n_start_container))
		r = hooks_output_open(&l->hooks_output, spec_of(l), err);
	l->has_pre_pivot_hooks = (hooks && (hooks->n_prestart || hooks->n_create_runtime)) ||
				 spec_of(l)->linux_->n_net_devices;
	return r;
}

static int write_maps(struct launch *l, struct err *err)
{
	int r = userns_write_maps(l->init_pid, spec_of(l)->linux_, err);

	if (r == 0)
		r = process_set_oom_score_adj(&l->process, l->init_pid, err);
	return r < 0 ? r : parent_send(l, HANDSHAKE_MAPPED, NULL, 0, err);
}

/* Of the container; -1: it has none. */
static int open_user_namespace(const struct launch *l, struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/ns/user", l->init_pid);
	int fd = l->namespaces.fds[NAMESPACE_USER];

	if (fd < 0 && !namespace_plan_creates(&l->namespaces, NAMESPACE_USER))
		return -1;
	fd = fd >= 0 ? fd_dup(fd) : fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	return fd < 0 ? err_sys(err, fd, "open the container's user namespace") : fd;
}

/*
 * Bind sources that the child may not reach or id-map itself: they are opened by us, as seen from the
 * host. Where these and the root are slaves of one and the same mount, CRIU restores them only if
 * the root is the older one (criu/mount-v2.c takes the source of the last).
 */
static int send_sources(struct launch *l, struct err *err)
{
	auto_close int userns_fd = -EBADF;
	int r;

	if (l->mounts.n_sources == 0)
		return 0;
	r = parent_expect(l, HANDSHAKE_ROOT_MOUNTED, err);
	if (r < 0)
		return r;
	userns_fd = open_user_namespace(l, err);
	if (userns_fd < -1)
		return userns_fd;
	r = mount_open_sources(&l->mounts, userns_fd, &l->source_fds, err);
	if (r < 0)
		return r;
	if (l->source_fds && l->mounts.n_sources > MSG_FDS_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "more than %u bind mounts that are id-mapped or in a user namespace",
			       MSG_FDS_MAX);
	return parent_send(l, HANDSHAKE_SOURCES, l->source_fds,
			   l->source_fds ? l->mounts.n_sources : 0, err);
}

static int spawn(void *context, struct err *err)
{
	struct launch *l = context;
	bool maps_later = namespace_plan_creates(&l->namespaces, NAMESPACE_USER);
	int r = 0;

	/* Where others are in the pid namespace already, init must be out of their reach from its
	 * first moment on. (In a new one it sees to that itself, see init/child.c.) */
	if (l->is_privileged && !namespace_plan_creates(&l->namespaces, NAMESPACE_PID))
		(void)prctl(PR_SET_DUMPABLE, 0);
	l->starts_ahead = can_start_ahead(l);
	if (maps_later)
		r = device_make_host_nodes(&l->devices, spec_of(l)->linux_, &l->device_fds, err);
	if (r == 0)
		r = init_spawn(l, err);
	close_fd(&l->console_socket_fd);
	if (r < 0)
		return r;
	l->container.record.pid = l->init_pid;
	return maps_later ? write_maps(l, err) : 0;
}

/* Of its own, in any hierarchy. */
static bool has_cgroup(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_nodes; i++)
		if (cg->node[i].ready && !cg->node[i].absent)
			return true;
	return false;
}

/* Before anything that takes long: init makes its mounts meanwhile. */
static int send_network(struct launch *l, struct err *err)
{
	int fd;

	if (!l->namespaces.network_follows)
		return 0;
	fd = network_maker_finish(&l->network);
	return parent_send(l, HANDSHAKE_NETWORK, &fd, fd < 0 ? 0 : 1, err);
}

static int create_cgroup(void *context, struct err *err)
{
	struct launch *l = context;
	auto_cgroup_entry struct cgroup_entry entry = CGROUP_ENTRY_INIT;
	int r = send_network(l, err);

	if (r == 0)
		r = cgroup_create(&l->cgroup, l->init_pid, err);
	if (r == 0)
		r = send_sources(l, err);
	if (r == 0)
		r = cgroup_entry_open(&l->cgroup, l->init_in_unified, &entry, err);
	if (r == 0 && !has_cgroup(&l->cgroup) &&
	    !namespace_plan_creates(&l->namespaces, NAMESPACE_PID))
		log_warning("container '%s' has neither a cgroup nor a pid namespace of its own. "
			    "Such configuration is strongly discouraged: what its first process "
			    "leaves behind cannot be found and killed",
			    l->container.id);
	if (r == 0)
		r = cgroup_apply_before_entry(&l->cgroup, spec_of(l)->linux_->resources, err);
	if (r == 0)
		r = parent_send(l, HANDSHAKE_CGROUP, entry.fd, entry.n, err);
	if (r == 0)
		r = cgroup_apply(&l->cgroup, spec_of(l)->linux_->resources, err);
	if (r == 0)
		r = cgroup_owner_set(l, err);
	if (r < 0)
		return parent_explain(l, r, err);
	cgroup_save_paths(&l->cgroup, &l->container.record.cgroup_paths);
	return 0;
}

static int enter_resctrl(void *context, struct err *err)
{
	struct launch *l = context;

	return resctrl_enter(&l->resctrl, l->init_pid, &l->container.record.intel_rdt_path, err);
}

static void leave_resctrl(void *context)
{
	struct launch *l = context;
	struct err err = ERR_INIT;

	if (resctrl_remove(l->container.record.intel_rdt_path, &err) < 0)
		log_warning("%s", err.msg);
}

static const struct stage create_stages[] = {
	{ "load bundle", launch_load, NULL },
	{ "begin network namespace", begin_network, NULL },
	{ "plan", plan, NULL },
	{ "reserve state directory", launch_reserve_directory, launch_release_directory },
	{ "open cgroup", launch_open_cgroup, launch_remove_cgroup },
	{ "plan mounts", launch_plan_mounts, NULL },
	{ "open sockets", parent_open_sockets, NULL },
	{ "spawn init", spawn, parent_kill_init },
	{ "create cgroup", create_cgroup, NULL },
	{ "enter resctrl group", enter_resctrl, leave_resctrl },
	{ "prepare record", launch_prepare_record, NULL },
	{ "converse with init", parent_converse, NULL },
	{ "set rlimits", parent_set_rlimits, NULL },
	{ "save state", launch_save, launch_forget_pid_file },
	{ "release init", parent_release_init, NULL },
};

int launch_run(struct launch *l, struct err *err)
{
	l->child_main = init_child_main;
	l->is_privileged = geteuid() == 0;
	return stages_run("create", create_stages, ARRAY_SIZE(create_stages), l, err);
}

int container_create(struct runtime *rt, const struct create_options *opts, struct err *err)
{
	auto_launch struct launch l = LAUNCH_INIT;
	int r;

	l.rt = rt;
	l.opts = opts;
	r = launch_run(&l, err);
	return r < 0 ? err_wrap(err, r, "create container '%s'", opts->id) : 0;
}
