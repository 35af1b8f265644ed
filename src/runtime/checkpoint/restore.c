/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `restore`: a container from the images of a checkpoint. State directory, cgroup and mount targets
 * are made as for create; then CRIU builds the processes on the rootfs (struct criu_root). The
 * restored init is our child (rst_sibling). There is no start phase: the container runs when CRIU is
 * done.
 *
 *    CRIU's notification    what we do
 *    setup-namespaces       brings the new init's pid; loopback, the network's kernel parameters
 *    post-setup-namespaces  prestart and createRuntime hooks: in between CRIU has locked the network, so
 *                           that no packet comes for a connection that is not there yet, which the
 *                           kernel would answer by a reset
 *    orphan-pts-master      the terminal's master goes to the console socket, or to our relay
 *    post-restore           the record is written; from now on the container exists
 *
 * When CRIU is done and the lock released, the hooks of the annotation org.floe.hooks.post-restore
 * run, as poststart hooks do after `start`: they may use the container (exec, kill).
 */
#include <string.h>
#include <sys/wait.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/rooted.h"
#include "core/stage.h"
#include "core/str.h"
#include "criu/image_check.h"
#include "kernel/procfs.h"
#include "runtime/checkpoint/closed_sources.h"
#include "runtime/checkpoint/facts.h"
#include "runtime/checkpoint/host_nodes.h"
#include "runtime/checkpoint/image_view.h"
#include "runtime/checkpoint/memory_limit.h"
#include "runtime/checkpoint/request.h"
#include "runtime/checkpoint/restore_mounts.h"
#include "runtime/checkpoint/restore_preflight.h"
#include "runtime/checkpoint/session.h"
#include "runtime/container_hooks.h"
#include "runtime/delete.h"
#include "runtime/foreground.h"
#include "runtime/init/handshake.h"
#include "runtime/launch.h"
#include "runtime/netdev.h"
#include "runtime/operations.h"
#include "runtime/sysctl.h"
#include "runtime/terminal.h"

struct restore {
	struct launch l;
	const struct restore_options *opts;
	struct criu_session session;
	struct descriptors descriptors;
	struct externals externals;
	struct checkpoint_request request;
	struct restore_hooks hooks;
	enum checkpoint_cgroups_mode cgroups_mode;
	uint64_t memory_kills; /* in the cgroup, before there was anything of ours */
	int extra_fds[RESTORE_NAMESPACES_MAX];
	size_t n_extra_fds;
	int view_fd; /* what CRIU gets in place of the images (image_view.h); -EBADF: nothing */
	struct criu_root root;
	char *devices_directory; /* while there is one (host_nodes.h) */
	char *sources_directory; /* the same (closed_sources.h) */
	struct foreground foreground;
};

static const struct runtime_spec *spec_of(const struct restore *r)
{
	return &r->l.bundle.spec;
}

static int load(void *context, struct err *err)
{
	struct restore *rs = context;

	int r = launch_load(&rs->l, err);

	return r < 0 ? r : restore_hooks_parse(&rs->hooks, spec_of(rs), err);
}

static void choose_cgroups_mode(struct restore *rs)
{
	rs->cgroups_mode = rs->opts->cgroups_mode;
	if (rs->cgroups_mode == CHECKPOINT_CGROUPS_DEFAULT &&
	    !criu_images_have_cgroups(rs->session.images_fd))
		rs->cgroups_mode = CHECKPOINT_CGROUPS_IGNORE;
	/* To make cgroups CRIU mounts hierarchies in its current directory, the image directory, which
	 * is none of a private mount namespace. */
	if (rs->cgroups_mode != CHECKPOINT_CGROUPS_IGNORE && !rs->session.home.yard)
		criu_home_give_up(&rs->session.home);
}

static int open_images(void *context, struct err *err)
{
	struct restore *rs = context;
	struct criu_session_opts opts = {
		.image_path = rs->opts->image_path,
		.work_path = rs->opts->work_path,
		.log_name = CHECKPOINT_RESTORE_LOG,
	};
	int r = restore_options_check(rs->opts, err);

	if (r == 0)
		r = restore_check_profile(rs->opts, spec_of(rs), err);
	if (r == 0)
		r = namespace_plan_make(&rs->l.namespaces, spec_of(rs), err);
	if (r == 0)
		r = criu_session_open(&rs->session, rs->l.rt, &opts, err);
	if (r == 0)
		r = restore_check_images(rs->opts, spec_of(rs), rs->session.images_fd, err);
	if (r == 0)
		r = descriptors_load(&rs->descriptors, rs->session.images_fd, err);
	if (r < 0)
		return rs->session.images_path ?
			       err_wrap(err, r, "image directory '%s'", rs->session.images_path) :
			       r;
	choose_cgroups_mode(rs);
	return 0;
}

static int reserve_directory(void *context, struct err *err)
{
	struct restore *rs = context;

	return launch_reserve_directory(&rs->l, err);
}

static void release_directory(void *context)
{
	struct restore *rs = context;

	launch_release_directory(&rs->l);
}

/* pid: criu's, or 0 where the cgroup needs no process yet. */
static int make_cgroup(struct restore *rs, pid_t pid, struct err *err)
{
	int r = cgroup_create(&rs->l.cgroup, pid, err);

	if (r == 0)
		r = cgroup_apply(&rs->l.cgroup, spec_of(rs)->linux_->resources, err);
	if (r == 0)
		cgroup_save_paths(&rs->l.cgroup, &rs->l.container.record.cgroup_paths);
	rs->memory_kills = memory_limit_kills(&rs->l.cgroup);
	return r;
}

static int create_cgroup(void *context, struct err *err)
{
	struct restore *rs = context;
	int r = launch_open_cgroup(&rs->l, err);

	return r < 0 || rs->l.cgroup.wants_process ? r : make_cgroup(rs, 0, err);
}

static void remove_cgroup(void *context)
{
	struct restore *rs = context;

	/* CRIU may have made cgroups below ours before it failed. */
	(void)cgroup_kill(&rs->l.cgroup, NULL);
	launch_remove_cgroup(&rs->l);
}

/* ---- mounts ---- */

static int make_mount_targets(void *context, struct err *err)
{
	struct restore *rs = context;

	return restore_make_mount_targets(&rs->l, err);
}

static int prepare_criu_root(void *context, struct err *err)
{
	struct restore *rs = context;

	return criu_root_prepare(&rs->root, &rs->l, err);
}

static void unmount_criu_root(void *context)
{
	struct restore *rs = context;

	criu_root_unmount(&rs->root);
}

static void unmount_sources(void *context)
{
	struct restore *rs = context;

	closed_sources_unmount(&rs->externals, rs->sources_directory);
	replace_ptr(rs->sources_directory, NULL);
	host_nodes_unmount(&rs->l, rs->devices_directory);
	replace_ptr(rs->devices_directory, NULL);
}

static int list_externals(void *context, struct err *err)
{
	struct restore *rs = context;
	auto_rooted struct rooted root = ROOTED_INIT;
	int r = mount_open_root(&root, rs->l.bundle.rootfs, &rs->l.bundle.rootfs_id, err);

	if (r < 0)
		return r;
	externals_make(&rs->externals, &rs->l.mounts, &rs->l.devices, &rs->l.cgroup_facts);
	externals_follow_sources(&rs->externals);
	r = host_nodes_mount(&rs->l, &rs->externals, &rs->devices_directory, err);
	if (r == 0)
		r = externals_resolve(&rs->externals, &root, false, err);
	if (r == 0 && namespace_plan_has(&rs->l.namespaces, NAMESPACE_USER))
		r = closed_sources_mount(&rs->externals, spec_of(rs)->linux_,
					 &rs->sources_directory, err);
	return r;
}

/* ---- images for a container in a user namespace ---- */

static void close_view(void *context)
{
	struct restore *rs = context;

	close_fd(&rs->view_fd);
	image_view_remove(rs->l.container.dir_fd);
}

/* Without it CRIU may fail, and will tell. */
static int open_view(void *context, struct err *err UNUSED)
{
	struct restore *rs = context;
	struct err reason = ERR_INIT;

	if (!namespace_plan_has(&rs->l.namespaces, NAMESPACE_USER) ||
	    !image_view_is_needed(rs->session.images_fd))
		return 0;
	rs->view_fd = image_view_open(rs->session.images_fd, rs->l.container.dir_fd, &reason);
	if (rs->view_fd < 0)
		log_debug("criu: the container's root sees '%s' as everybody does: %s",
			  rs->session.images_path, reason.msg);
	return 0;
}

/* ---- criu ---- */

static int open_namespaces(struct restore *rs, struct err *err)
{
	struct restore_namespace list[RESTORE_NAMESPACES_MAX];
	size_t n = restore_namespaces(spec_of(rs), list);

	for (size_t i = 0; i < n; i++) {
		int fd = fd_open_at(AT_FDCWD, list[i].path, O_RDONLY, 0);

		if (fd < 0)
			return err_sys(err, fd, "requested namespace '%s' does not exist",
				       list[i].path);
		rs->extra_fds[rs->n_extra_fds++] = fd;
	}
	return 0;
}

static int make_request(struct restore *rs, struct err *err)
{
	int images_fd = rs->session.images_fd;
	struct restore_facts facts = {
		.criu_version = rs->session.version,
		.images_dir_fd = rs->view_fd >= 0 ? rs->view_fd : images_fd,
		/* Through the view nothing is written. */
		.work_dir_fd = rs->session.work_fd >= 0 ? rs->session.work_fd :
			       rs->view_fd >= 0		? images_fd :
							  -1,
		.root = rs->root.path,
		.config_file = checkpoint_config_file(),
		.externals = &rs->externals,
		.descriptors = &rs->descriptors,
		.cgroup_yard = rs->session.home.yard,
	};
	struct restore_options opts = *rs->opts;
	int r;

	opts.cgroups_mode = rs->cgroups_mode;
	r = restore_request_make(&rs->request, &opts, spec_of(rs), &facts, err);

	return r < 0 ? r : criu_client_need_features(&rs->session.client, &rs->request.need, err);
}

/* In the criu process before it is executed: enter the container's cgroup, where the restored tasks
 * are to be. Cheaper than being put there by somebody else (runtime/cgroup/backend.h). */
static int enter_cgroup(void *context)
{
	return cgroup_enter_self(context, NULL);
}

static int open_in_cgroup(struct restore *rs, struct criu_client_opts *client, bool in_unified,
			  struct err *err)
{
	auto_cgroup_entry struct cgroup_entry entry = CGROUP_ENTRY_INIT;
	int cgroup_fd = cgroup_clone_fd(&rs->l.cgroup);
	int r = cgroup_entry_open(&rs->l.cgroup, in_unified, &entry, err);

	if (r < 0)
		return r;
	client->setup = enter_cgroup;
	client->setup_context = &entry;
	client->cgroup_fd = in_unified ? &cgroup_fd : NULL;
	r = criu_session_start(&rs->session, client, err);
	/* They were good for this one process. */
	rs->session.setup = NULL;
	rs->session.client.opts.cgroup_fd = NULL;
	return r;
}

/* systemd makes the cgroup around criu, which does nothing before it has its request. */
static int make_cgroup_around_criu(struct restore *rs, struct err *err)
{
	pid_t pid;
	int r = criu_client_pid(&rs->session.client, &pid, err);

	if (r == 0)
		r = make_cgroup(rs, pid, err);
	return r < 0 ? r : cgroup_attach_pid(&rs->l.cgroup, pid, err);
}

/* What criu is told about the cgroups: those that it is in. */
static int name_cgroups(struct restore *rs, struct err *err)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups cgroups = PROCFS_CGROUPS_INIT;
	pid_t pid;
	int r = criu_client_pid(&rs->session.client, &pid, err);

	if (r < 0)
		return r;
	r = procfs_open(&proc, NULL);
	if (r == 0)
		r = procfs_read_cgroups(&proc, pid, &cgroups);
	if (r < 0)
		return err_sys(err, r, "read the cgroups of criu");
	restore_request_add_cgroups(&rs->request, &cgroups);
	return 0;
}

static int start(struct restore *rs, struct err *err)
{
	struct criu_client_opts client = CRIU_CLIENT_OPTS_INIT;
	bool in_unified = cgroup_clone_fd(&rs->l.cgroup) >= 0;
	int r = open_namespaces(rs, err);

	if (r < 0)
		return r;
	client.stdio[0] = STDIN_FILENO;
	client.stdio[1] = STDOUT_FILENO;
	client.stdio[2] = STDERR_FILENO;
	client.extra_fds = rs->extra_fds;
	client.n_extra_fds = rs->n_extra_fds;
	if (rs->l.cgroup.wants_process)
		r = criu_session_start(&rs->session, &client, err);
	else
		r = open_in_cgroup(rs, &client, in_unified, err);
	/* compat: CLONE_INTO_CGROUP needs Linux 5.7. */
	if (r < 0 && in_unified) {
		criu_client_done(&rs->session.client);
		r = open_in_cgroup(rs, &client, false, err);
	}
	if (r == 0)
		r = criu_root_adapt(&rs->root, &rs->l, rs->session.version, err);
	if (r == 0)
		r = make_request(rs, err);
	if (r == 0 && rs->l.cgroup.wants_process)
		r = make_cgroup_around_criu(rs, err);
	return r < 0 ? r : name_cgroups(rs, err);
}

static int explain_kills(const struct restore *rs, int r, struct err *err)
{
	return memory_limit_explain(&rs->l.cgroup, rs->memory_kills, spec_of(rs)->linux_->resources,
				    r, err);
}

static int start_criu(void *context, struct err *err)
{
	struct restore *rs = context;
	int r = start(rs, err);

	return explain_kills(rs, r, err);
}

static int hand_out_terminal(struct restore *rs, struct criu_notification *n, struct err *err)
{
	auto_close int socket_fd = -EBADF;

	if (n->n_fds == 0)
		return err_set(err, ERR_REMOTE, "criu sent no descriptor with orphan-pts-master");
	if (!rs->l.opts->console_socket) {
		rs->foreground.console_fd = take_fd(n->fds[0]);
		return 0;
	}
	socket_fd = terminal_connect_socket(rs->l.opts->console_socket, err);
	if (socket_fd < 0)
		return socket_fd;
	return terminal_send_fd(socket_fd, n->fds[0], "orphan-pts-master", err);
}

/* CRIU may have put the tasks into a time namespace that the configuration does not have; an exec
 * must join it. */
static bool has_other_time_namespace(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/ns/time", pid);
	struct stat own;
	struct stat theirs;

	return stat("/proc/self/ns/time", &own) == 0 && stat(path, &theirs) == 0 &&
	       !fs_is_same_file(&own, &theirs);
}

static int adopt(struct restore *rs, pid_t pid, struct err *err)
{
	struct launch *l = &rs->l;

	int r = criu_root_verify(&rs->root, l, pid, err);

	if (r < 0)
		return r;
	l->init_pid = pid;
	l->container.record.pid = pid;
	if (!namespace_plan_has(&l->namespaces, NAMESPACE_TIME))
		l->container.record.has_time_namespace = has_other_time_namespace(pid);
	return launch_save(l, err);
}

/* CRIU makes an empty namespace, in which even loopback is down and the kernel's parameters have their
 * defaults. (Those of other namespaces are in the image.) */
static int set_up_network(void *context, struct err *err)
{
	const struct restore *rs = context;
	int r = netdev_bring_up_loopback(err);

	return r < 0 ? r : sysctl_apply_type(&spec_of(rs)->linux_->sysctl, "network", err);
}

static int handle_notification(void *context, struct criu_notification *n, struct err *err)
{
	struct restore *rs = context;

	log_debug("criu: %s", n->script);
	if (strcmp(n->script, "setup-namespaces") == 0) {
		rs->l.container.record.pid = n->pid;
		return namespace_plan_creates(&rs->l.namespaces, NAMESPACE_NETWORK) ?
			       netdev_call_in(n->pid, set_up_network, rs, err) :
			       0;
	}
	if (strcmp(n->script, "post-setup-namespaces") == 0)
		return container_run_create_hooks(&rs->l.container, err);
	if (strcmp(n->script, "orphan-pts-master") == 0)
		return hand_out_terminal(rs, n, err);
	if (strcmp(n->script, "post-restore") == 0) {
		criu_root_remove_tmp(&rs->root);
		return adopt(rs, n->pid, err);
	}
	return 0;
}

static int run_criu(void *context, struct err *err)
{
	static const struct criu_notify_ops ops = { .notify = handle_notification };
	struct restore *rs = context;
	struct criu_result result;
	bool is_known;
	int r = criu_session_run(&rs->session, rs->request.message, &ops, rs, &result, err);

	if (result.pid > 0)
		rs->l.init_pid = result.pid;
	if (r == 0)
		return criu_client_close(&rs->session.client, err);
	criu_client_done(&rs->session.client);
	r = criu_session_explain(&rs->session, &result, &is_known, err);
	if (!is_known)
		criu_session_quote(&rs->session);
	return explain_kills(rs, r, err);
}

/* Init of the restored container, should it live on although the restore failed. */
static void kill_restored(void *context)
{
	struct restore *rs = context;

	criu_client_done(&rs->session.client);
	if (rs->l.init_pid <= 0)
		return;
	(void)kill(rs->l.init_pid, SIGKILL);
	(void)RETRY_EINTR(waitpid(rs->l.init_pid, NULL, 0));
	rs->l.init_pid = 0;
	launch_forget_pid_file(&rs->l);
}

static int finish(void *context, struct err *err UNUSED)
{
	close_view(context);
	unmount_criu_root(context);
	unmount_sources(context);
	return 0;
}

static const struct stage restore_stages[] = {
	{ "load bundle", load, NULL },
	{ "open images", open_images, NULL },
	{ "reserve state directory", reserve_directory, release_directory },
	{ "create cgroup", create_cgroup, remove_cgroup },
	{ "make mount targets", make_mount_targets, NULL },
	{ "list external mounts", list_externals, unmount_sources },
	{ "prepare criu-root", prepare_criu_root, unmount_criu_root },
	{ "open view of images", open_view, close_view },
	{ "start criu", start_criu, NULL },
	{ "run criu", run_criu, kill_restored },
	{ "clean up after criu", finish, NULL },
};

static void restore_done(struct restore *rs)
{
	foreground_done(&rs->foreground);
	criu_session_close(&rs->session);
	descriptors_done(&rs->descriptors);
	externals_done(&rs->externals);
	checkpoint_request_done(&rs->request);
	restore_hooks_done(&rs->hooks);
	for (size_t i = 0; i < rs->n_extra_fds; i++)
		close_fd(&rs->extra_fds[i]);
	close_fd(&rs->view_fd);
	criu_root_done(&rs->root);
	launch_done(&rs->l);
}

static void destroy(struct restore *rs)
{
	struct err err = ERR_INIT;

	rs->l.container.spec = NULL;
	if (container_destroy_after_exit(&rs->l.container, &err) < 0)
		log_warning("%s", err.msg);
}

/* What the application had to renew it has not: it must not go on. */
static int run_hooks(struct restore *rs, struct err *err)
{
	int r;

	container_unlock(&rs->l.container);
	r = container_run_post_restore(&rs->l.container, &rs->hooks, err);
	if (r < 0) {
		kill_restored(rs);
		destroy(rs);
	}
	return r;
}

static int restore_and_wait(struct restore *rs, int *ret_exit_code, struct err *err)
{
	const struct create_options *create = rs->l.opts;
	int status = 0;
	int r = 0;

	if (!create->detach)
		r = foreground_prepare(&rs->foreground, !create->no_subreaper, err);
	if (r == 0)
		r = stages_run("restore", restore_stages, ARRAY_SIZE(restore_stages), rs, err);
	if (r == 0)
		r = run_hooks(rs, err);
	if (r < 0 || create->detach)
		return r;
	r = foreground_wait(&rs->foreground, rs->l.init_pid, &status, err);
	if (r < 0)
		return r;
	*ret_exit_code = proc_status_to_exit_code(status);
	destroy(rs);
	return 0;
}

int container_restore(struct runtime *rt, const struct create_options *create,
		      const struct restore_options *opts, int *ret_exit_code, struct err *err)
{
	struct restore rs = {
		.view_fd = -EBADF,
		.root = CRIU_ROOT_INIT,
		.l = LAUNCH_INIT,
		.opts = opts,
		.session = CRIU_SESSION_INIT,
		.foreground = FOREGROUND_INIT,
	};
	int r;

	rs.l.rt = rt;
	rs.l.opts = create;
	rs.l.start_now = true;
	*ret_exit_code = 0;
	r = restore_and_wait(&rs, ret_exit_code, err);
	restore_done(&rs);
	return r < 0 ? err_wrap(err, r, "restore container '%s'", create->id) : 0;
}
