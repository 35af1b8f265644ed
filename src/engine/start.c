/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/start.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/stage.h"
#include "core/str.h"
#include "engine/checkpoint_files.h"
#include "engine/cleanup.h"
#include "engine/conmon.h"
#include "engine/conmon_cgroup.h"
#include "engine/container_network.h"
#include "engine/containers_conf.h"
#include "engine/event.h"
#include "engine/journal.h"
#include "engine/network_later.h"
#include "engine/prepare.h"
#include "engine/preserve_fds.h"
#include "engine/runtime_exec.h"
#include "engine/sdnotify.h"
#include "kernel/procfs.h"

struct init_context {
	struct container *c;
	const struct init_restore *restore; /* NULL: it starts anew */
	struct strvec argv;
	struct conmon conmon;
	char *oci_log;
	int *port_fds; /* hold the published ports; conmon's from its start on */
	size_t n_port_fds;
};

static void add(struct strvec *v, const char *option, const char *value)
{
	if (!value)
		return;
	strvec_add(v, option);
	strvec_add(v, value);
}

void engine_self_args(const struct engine *e, struct strvec *v)
{
	const struct engine_options *o = e->options;

	strvec_add(v, e->self);
	add(v, "--root", e->root);
	add(v, "--runroot", e->runroot);
	add(v, "--tmpdir", e->tmpdir);
	add(v, "--volumepath", e->volumepath);
	add(v, "--network-config-dir", e->network_config_dir);
	if (e->network_backend == NETWORK_CNI)
		add(v, "--network-backend", "cni");
	add(v, "--runtime", o->runtime);
	add(v, "--conmon", e->conmon ? e->conmon : o->conmon);
	add(v, "--cgroup-manager", e->cgroup_manager == ENGINE_SYSTEMD ? "systemd" : "cgroupfs");
	for (size_t i = 0; i < o->runtime_flags.n; i++)
		add(v, "--runtime-flag", o->runtime_flags.v[i]);
	for (size_t i = 0; i < o->hooks_dirs.n; i++)
		add(v, "--hooks-dir", o->hooks_dirs.v[i]);
	for (size_t i = 0; i < o->cdi_spec_dirs.n; i++)
		add(v, "--cdi-spec-dir", o->cdi_spec_dirs.v[i]);
	add(v, "--storage-driver", o->storage_driver);
	for (size_t i = 0; i < o->modules.n; i++)
		add(v, "--module", o->modules.v[i]);
	add(v, "--events-backend", o->events_backend);
	add(v, "--log-level", o->log_level);
}

/* --- stages of init --------------------------------------------------------------------------------- */

static int stage_scrub(void *context, struct err *err)
{
	const struct init_context *x = context;
	int r = container_scrub(x->c, err);

	/* Of the processes that there were. */
	return r < 0 ? r : checkpoint_settle_previous(x->c, err);
}

static int stage_prepare(void *context, struct err *err)
{
	const struct init_context *x = context;

	if (x->restore)
		return x->restore->prepare(x->restore->context, x->c, err);
	return container_prepare(x->c, err);
}

static void undo_prepare(void *context)
{
	const struct init_context *x = context;
	struct err err = ERR_INIT;

	if (container_scrub(x->c, &err) < 0)
		log_warning("%s", err.msg);
	container_cgroup_sweep(x->c);
	(void)fs_remove_tree(AT_FDCWD, x->c->run_dir);
}

static struct preserve_fds preserved(const struct container *c)
{
	return (struct preserve_fds){ c->config.preserve_fds, c->config.preserve_fd,
				      c->config.n_preserve_fd };
}

/* What containers.conf says to `create` of every runtime. */
static void add_configured(const struct containers_conf *conf, struct strvec *options)
{
	if (conf->containers.keyring.set && !conf->containers.keyring.v)
		strvec_add(options, "--no-new-keyring");
	if (conf->engine.no_pivot_root.v)
		strvec_add(options, "--no-pivot");
}

/* Without a journal conmon drops all output, and says nothing. */
static int check_log(const struct container *c, bool is_restore, struct err *err)
{
	if (!str_eq(c->config.log_driver, "journald") || journal_is_there())
		return 0;
	/* Processes are worth more than what they will print. */
	if (is_restore) {
		log_warning("container '%s' logs to the journal, and there is none at '%s': what "
			    "it prints is lost",
			    c->config.name, log_socket_path(LOG_FORMAT_JOURNAL));
		return 0;
	}
	return err_set(err, ERR_STATE,
		       "log driver 'journald': no journal takes entries at '%s'; start "
		       "systemd-journald, or choose another driver by --log-driver",
		       log_socket_path(LOG_FORMAT_JOURNAL));
}

static int stage_plan(void *context, struct err *err)
{
	struct init_context *x = context;
	struct container *c = x->c;
	struct engine *e = c->engine;
	auto_strvec struct strvec exit_command = STRVEC_INIT;
	auto_strvec struct strvec runtime_args = STRVEC_INIT;
	auto_strvec struct strvec runtime_opts = STRVEC_INIT;
	const struct preserve_fds fds = preserved(c);
	auto_free char *pidfile = path_join(c->run_dir, "pidfile");
	auto_free char *conmon_pidfile = path_join(c->run_dir, "conmon.pid");
	auto_free char *exits = path_join(e->tmpdir, "exits");
	auto_free char *persist = xasprintf("%s/persist/%s", e->tmpdir, c->config.id);
	auto_free char *log = path_join(c->static_dir, "ctr.log");
	int r = container_find_runtime(c, err);

	if (r == 0)
		r = engine_find_conmon(e, err);
	if (r == 0)
		r = check_log(c, x->restore != NULL, err);
	if (r < 0)
		return r;
	engine_self_args(e, &exit_command);
	strvec_add(&exit_command, "container");
	strvec_add(&exit_command, "cleanup");
	strvec_add(&exit_command, "--stopped-only");
	if (c->config.auto_remove)
		strvec_add(&exit_command, "--rm");
	strvec_add(&exit_command, c->config.id);
	runtime_global_args(e, &c->config, &runtime_args);
	if (preserve_fds_count(&fds) > 0) {
		strvec_add(&runtime_opts, "--preserve-fds");
		strvec_addf(&runtime_opts, "%u", preserve_fds_count(&fds));
	}
	if (!x->restore)
		add_configured(e->conf, &runtime_opts);
	if (x->restore)
		strvec_add_all(&runtime_opts, x->restore->runtime_opts.v,
			       x->restore->runtime_opts.n);
	conmon_plan(
		&(struct conmon_params){
			.conmon = e->conmon,
			.id = c->config.id,
			.name = c->config.name,
			.runtime = c->runtime,
			.runtime_args = &runtime_args,
			.runtime_opts = &runtime_opts,
			.bundle = c->static_dir,
			.pidfile = pidfile,
			.conmon_pidfile = conmon_pidfile,
			.exit_dir = exits,
			.persist_dir = persist,
			.log_driver = c->config.log_driver,
			.log_path = c->config.log_path ? c->config.log_path : log,
			.log_size_max = c->config.log_size_max.v,
			/* conmon ends when it is given one for another; a record of podman's may have it. */
			.log_tag = str_eq(c->config.log_driver, "journald") ? c->config.log_tag :
									      NULL,
			.log_level = e->options->log_level,
			.no_sync_log = c->config.auto_remove,
			.oci_log = x->oci_log,
			.sdnotify_socket = sdnotify_proxied(&c->config),
			.systemd_cgroup = runtime_uses_systemd(c),
			.tty = c->config.tty,
			.interactive = c->config.interactive,
			.timeout = c->config.timeout,
			.exit_command = &exit_command,
			.restore_path = x->restore ? x->restore->images : NULL,
		},
		&x->argv);
	return 0;
}

static char *marker_path(const struct container *c)
{
	return path_join(c->run_dir, CONTAINER_CREATION_MARKER);
}

static int set_marker(const struct container *c, struct err *err)
{
	auto_free char *path = marker_path(c);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, 0600);

	return fd < 0 ? err_sys(err, fd, "create '%s'", path) : 0;
}

static void clear_marker(const struct container *c)
{
	auto_free char *path = marker_path(c);

	(void)unlink(path);
}

static bool holds_ports(const struct init_context *x)
{
	const struct opt_bool *conf = &x->c->engine->conf->engine.enable_port_reservation;

	return x->c->config.n_networks > 0 && (!conf->set || conf->v);
}

/* Ports of the user's: before anything is made for a container that cannot have them. */
static int stage_ports(void *context, struct err *err)
{
	struct init_context *x = context;
	const struct container_config *c = &x->c->config;
	/* Rules for a port of one that has just ended go first. */
	int r = c->n_ports > 0 ? network_later_finish_all(x->c->engine, err) : 0;

	for (size_t i = 0; r == 0 && i < c->n_ports && holds_ports(x); i++)
		if (c->ports[i].host_port)
			r = network_port_hold(&c->ports[i], &x->port_fds, &x->n_port_fds, err);
	/* Somebody else goes on with it, perhaps another copy. */
	if (r < 0 && x->restore && err) {
		err->kind = ERR_EXISTS;
		err_append(err, "; from an archive it can have others: --publish");
	}
	return r;
}

/* Those that were free when the network was set up; in the order of the configuration's. */
static int hold_chosen_ports(struct init_context *x, struct err *err)
{
	const struct container *c = x->c;
	int r = 0;

	if (!holds_ports(x) || container_network_is_late(c))
		return 0;
	for (size_t i = 0; r == 0 && i < MIN(c->config.n_ports, c->status.n_ports); i++)
		if (!c->config.ports[i].host_port)
			r = network_port_hold(&c->status.ports[i], &x->port_fds, &x->n_port_fds,
					      err);
	return r;
}

static int stage_conmon(void *context, struct err *err)
{
	struct init_context *x = context;
	const struct container *c = x->c;
	bool pass = str_has_prefix(c->config.log_driver, "passthrough");
	const struct preserve_fds fds = preserved(c);
	uint32_t n_preserve = preserve_fds_count(&fds);
	auto_free int *preserve = xcalloc((size_t)n_preserve + 1, sizeof(*preserve));
	auto_close int null_fd = fd_open_at(AT_FDCWD, "/dev/null", O_RDWR, 0);
	auto_conmon_cgroup struct conmon_cgroup cgroup = CONMON_CGROUP_INIT;
	struct conmon_streams streams = {
		.fds = { pass ? 0 : -1, pass ? 1 : -1, pass ? 2 : -1 },
		.preserve = preserve,
		.n_preserve = n_preserve,
	};
	int r;

	r = preserve_fds_find(&fds, null_fd, preserve, err);
	if (r == 0)
		r = hold_chosen_ports(x, err);
	streams.hold = x->port_fds;
	streams.n_hold = x->n_port_fds;
	/* Until the runtime has answered, a crash of ours leaves processes that are written down nowhere. */
	if (r == 0)
		r = set_marker(c, err);
	if (r == 0)
		r = conmon_cgroup_open(c, false, &cgroup, err);
	if (r == 0)
		r = conmon_spawn(&x->conmon, &x->argv, c->run_dir, false, &streams, &cgroup, err);
	return r < 0 ? r : conmon_go(&x->conmon, err);
}

static void undo_conmon(void *context)
{
	struct init_context *x = context;

	conmon_close(&x->conmon);
}

static uint64_t start_time(int pid)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	struct procfs_stat st;

	if (procfs_open(&proc, NULL) < 0 || procfs_read_stat(&proc, pid, &st) < 0)
		return 0;
	return st.start_time;
}

static int read_pid(const char *dir, const char *name)
{
	auto_free char *path = path_join(dir, name);
	auto_free char *line = io_read_line_at(AT_FDCWD, path);
	uint32_t pid = 0;

	return line && parse_u32(line, &pid) == 0 ? (int)pid : 0;
}

static int copy_pidfile(const char *path, int pid, struct err *err)
{
	auto_free char *text = NULL;
	auto_close int fd = -EBADF;
	int r;

	if (!path)
		return 0;
	text = xasprintf("%d", pid);
	r = fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (r >= 0)
		r = io_write_all(fd, text, strlen(text));
	return r < 0 ? err_sys(err, r, "write pid file '%s'", path) : 0;
}

static enum container_event first_event(const struct init_context *x)
{
	return x->restore ? EVENT_RESTORE : EVENT_INIT;
}

/* It starts anew: what was before it is not told of it any more. */
static void forget_checkpoint(struct container_status *s)
{
	s->started_ns = 0;
	s->checkpointed_ns = 0;
	s->restored_ns = 0;
	replace_ptr(s->checkpoint_path, NULL);
	replace_ptr(s->checkpoint_log, NULL);
	replace_ptr(s->restore_log, NULL);
}

static int stage_created(void *context, struct err *err)
{
	struct init_context *x = context;
	struct container_status *s = &x->c->status;
	auto_free char *message = NULL;
	int pid = 0;
	int r = conmon_receive(x->conmon.sync_fd, &pid, &message, err);

	if (r < 0)
		return r;
	clear_marker(x->c);
	if (pid <= 0)
		return conmon_runtime_error(x->oci_log, message, err);
	s->pid = pid;
	s->pid_start_time = start_time(pid);
	conmon_await_fork(&x->conmon);
	s->conmon_pid = read_pid(x->c->run_dir, "conmon.pid");
	s->conmon_start_time = start_time(s->conmon_pid);
	s->exit_code = 0;
	s->oom_killed = false;
	if (!x->restore)
		forget_checkpoint(s);
	s->finished_ns = 0;
	s->checkpointed = false;
	s->restored = x->restore != NULL;
	s->stopped_by_user = false;
	s->restart_pending = false;
	replace_ptr(s->error, NULL);
	r = copy_pidfile(x->c->config.pidfile, pid, err);
	if (r == 0)
		r = copy_pidfile(x->c->config.conmon_pidfile, s->conmon_pid, err);
	if (r == 0)
		r = container_prepare_late_network(x->c, err);
	return r < 0 ? r : container_advance(x->c, first_event(x), err);
}

static const struct stage init_stages[] = {
	{ "remove what an earlier attempt left", stage_scrub, NULL },
	{ "hold the published ports", stage_ports, NULL },
	{ "prepare the bundle", stage_prepare, undo_prepare },
	{ "plan conmon", stage_plan, NULL },
	{ "start conmon", stage_conmon, undo_conmon },
	{ "wait for the runtime", stage_created, NULL },
};

static int init(struct container *c, const struct init_restore *restore, struct err *err)
{
	struct init_context x = {
		.c = c,
		.restore = restore,
		.conmon = CONMON_INIT,
		.oci_log = path_join(c->run_dir, "oci-log"),
	};
	int r;

	if (!container_next_phase(c->status.phase, first_event(&x))) {
		r = container_advance(c, first_event(&x), err);
	} else {
		r = stages_run(restore ? "restore" : "init", init_stages, ARRAY_SIZE(init_stages),
			       &x, err);
		if (r < 0) {
			c->status.pid = 0;
			c->status.conmon_pid = 0;
		}
	}
	conmon_close(&x.conmon);
	strvec_done(&x.argv);
	free(x.oci_log);
	for (size_t i = 0; i < x.n_port_fds; i++)
		(void)close(x.port_fds[i]);
	free(x.port_fds);
	return r;
}

int container_init(struct container *c, struct err *err)
{
	int r = c->status.importing ?
			err_set(err, ERR_STATE,
				"start container '%s': its import was cut short; import it again, "
				"or remove it with 'floe rm'",
				c->config.name) :
			init(c, NULL, err);

	/* Of the starts by its policy since somebody started it; container_start() saves it. */
	c->status.restart_count = 0;
	if (r == 0)
		event_container(c, "init");
	return r;
}

int container_init_restored(struct container *c, const struct init_restore *restore,
			    struct err *err)
{
	return init(c, restore, err);
}

int container_start(struct container *c, struct err *err)
{
	int r;

	if (c->status.phase != PHASE_INITIALIZED)
		return container_advance(c, EVENT_START, err);
	/* Said before it is so: a process that runs unknown to its record would be worse. */
	c->status.started_ns = (int64_t)clock_now_realtime_ns();
	c->status.phase = PHASE_RUNNING;
	r = container_save(c, err);
	if (r == 0)
		r = runtime_start(c, err);
	if (r < 0) {
		struct err next = ERR_INIT;

		/* What cannot be started does not stay half made. */
		c->status.phase = PHASE_INITIALIZED;
		replace_ptr(c->status.error, xstrdup(err ? err->msg : ""));
		if (container_cleanup(c, &next) < 0)
			log_warning("%s", next.msg);
		return r;
	}
	sdnotify_started(c);
	event_container(c, "start");
	return 0;
}

static bool policy_says_restart(const struct container *c)
{
	const char *policy = c->config.restart_policy;

	if (!policy || str_eq(policy, "no") || c->status.stopped_by_user)
		return false;
	if (str_eq(policy, "on-failure"))
		return c->status.exit_code != 0 &&
		       (c->config.restart_max == 0 ||
			c->status.restart_count < c->config.restart_max);
	return true;
}

static int start_one(struct engine *e, const char *id, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open_locked(&c, e, id, err);

	if (r == 0)
		r = container_start_dependencies(&c, err);
	if (r < 0 || container_is_alive(&c))
		return r;
	if (c.status.phase == PHASE_STOPPED)
		r = container_cleanup(&c, err);
	if (r == 0 && c.status.phase != PHASE_INITIALIZED)
		r = container_init(&c, err);
	return r < 0 ? r : container_start(&c, err);
}

static int is_alive(struct engine *e, const char *id, bool *ret, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open_id(&c, e, id, err);

	*ret = r == 0 && container_is_alive(&c);
	return r;
}

int container_start_dependencies(struct container *c, struct err *err)
{
	bool was_locked = c->lock_fd >= 0;
	bool alive = true;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->config.n_dependencies; i++) {
		r = is_alive(c->engine, c->config.dependencies[i], &alive, err);
		if (r < 0 || alive)
			continue;
		/* Who removes a container with those that depend on it takes the locks in the other order. */
		container_unlock(c);
		r = start_one(c->engine, c->config.dependencies[i], err);
	}
	if (r < 0)
		return err_wrap(err, r, "start what container '%s' depends on", c->config.name);
	return was_locked && c->lock_fd < 0 ? container_lock(c, err) : 0;
}

static bool has_restarts(const struct container *c)
{
	return !c->status.checkpointed && policy_says_restart(c);
}

int container_is_to_restart(struct container *c, struct err *err)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	int r = has_restarts(c) ? container_lock(c, err) : 0;

	if (r < 0 || c->lock_fd < 0)
		return r;
	container_sync(c);
	/* Until it is cleaned up, somebody has to be there to do that: conmon, which becomes its own exit command. */
	r = container_is_alive(c) || c->status.phase == PHASE_INITIALIZED ||
	    (c->status.phase == PHASE_STOPPED && has_restarts(c) && procfs_open(&proc, NULL) == 0 &&
	     procfs_process_is_alive(&proc, c->status.conmon_pid, c->status.conmon_start_time));
	container_unlock(c);
	return r;
}

int container_restart_by_policy(struct container *c, struct err *err)
{
	uint32_t count = c->status.restart_count + 1;
	int r;

	if (c->status.phase != PHASE_EXITED || !has_restarts(c))
		return 0;
	r = container_start_dependencies(c, err);
	if (r < 0)
		return r;
	event_container(c, "restart");
	r = container_init(c, err);
	c->status.restart_count = count;
	if (r == 0)
		r = container_start(c, err);
	return r < 0 ? r : 1;
}
