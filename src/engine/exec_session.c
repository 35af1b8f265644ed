/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/exec_session.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/random.h"
#include "core/rooted.h"
#include "core/str.h"
#include "engine/conmon_cgroup.h"
#include "engine/event.h"
#include "engine/runtime_exec.h"
#include "engine/start.h"
#include "engine/users.h"
#include "engine/volume.h"
#include "kernel/caps.h"

/* --- the process ------------------------------------------------------------------------------------ */

static void env_set(struct oci_process *p, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < p->n_env; i++)
		if (strncmp(p->env[i], entry, len) == 0) {
			replace_ptr(p->env[i], xstrdup(entry));
			return;
		}
	json_strings_add(&p->env, &p->n_env, entry);
}

static bool env_has(const struct oci_process *p, const char *prefix)
{
	for (size_t i = 0; i < p->n_env; i++)
		if (str_has_prefix(p->env[i], prefix))
			return true;
	return false;
}

#define COPY(to, from, member)                                                                     \
	json_strings_add_all(&(to)->member, &(to)->n_##member, (from)->member, (from)->n_##member)

/* Root gets what the container may have; another user what the container's own process of that user has. */
static void plan_caps(const struct oci_process *container, const struct exec_options *o,
		      int last_cap, struct oci_process *ret)
{
	struct oci_capabilities *to = ret->capabilities = xcalloc(1, sizeof(*to));
	const struct oci_capabilities *from = container->capabilities;
	uint64_t all = last_cap >= 63 ? UINT64_MAX : CAPS_BIT(last_cap + 1) - 1;

	if (o->privileged)
		specgen_cap_names(all, &to->bounding, &to->n_bounding);
	else if (from)
		COPY(to, from, bounding);
	if (ret->user.uid == 0) {
		json_strings_add_all(&to->effective, &to->n_effective, to->bounding,
				     to->n_bounding);
		json_strings_add_all(&to->permitted, &to->n_permitted, to->bounding,
				     to->n_bounding);
	} else if (from && container->user.uid == ret->user.uid) {
		json_strings_add_all(&to->effective, &to->n_effective, from->effective,
				     from->n_effective);
		json_strings_add_all(&to->permitted, &to->n_permitted, from->effective,
				     from->n_effective);
		json_strings_add_all(&to->inheritable, &to->n_inheritable, from->effective,
				     from->n_effective);
		json_strings_add_all(&to->ambient, &to->n_ambient, from->effective,
				     from->n_effective);
	}
}

/* The container's; `update --ulimit` may have changed some, or added to them, since it was started. */
static void plan_rlimits(const struct oci_process *container, const struct container_config *config,
			 struct oci_process *ret)
{
	for (size_t i = 0; i < container->n_rlimits; i++) {
		struct oci_rlimit *limit = array_push(ret->rlimits, ret->n_rlimits);

		*limit = container->rlimits[i];
		limit->type = xstrdup(container->rlimits[i].type);
	}
	specgen_set_rlimits(ret, config);
}

/* The process for the runtime: the container's own one with what the options say. Pure but for users and the
 * last capability, which are given. ret is the caller's (json_done with oci_process_desc). */
static void plan_process(const struct oci_process *container, const struct container_config *config,
			 const struct exec_options *o, const struct spec_user *user, int last_cap,
			 struct oci_process *ret)
{
	*ret = (struct oci_process){ .terminal = o->tty };
	json_strings_add_all(&ret->args, &ret->n_args, o->command, o->n_command);
	COPY(ret, container, env);
	if (user->given) {
		auto_free char *home = xasprintf("HOME=%s", user->home);

		env_set(ret, home);
	}
	for (size_t i = 0; i < o->n_env; i++)
		env_set(ret, o->env[i]);
	if (o->tty && !env_has(ret, "TERM="))
		env_set(ret, "TERM=xterm");
	ret->cwd = xstrdup(o->workdir ? o->workdir : container->cwd);
	ret->user.umask = container->user.umask;
	ret->user.uid = user->given ? user->uid : container->user.uid;
	ret->user.gid = user->given ? user->gid : container->user.gid;
	if (user->given)
		*array_push(ret->user.additional_gids, ret->user.n_additional_gids) = user->gid;
	for (size_t i = 0; user->given && i < user->n_groups; i++)
		if (user->groups[i] != user->gid)
			*array_push(ret->user.additional_gids, ret->user.n_additional_gids) =
				user->groups[i];
	for (size_t i = 0; !user->given && i < container->user.n_additional_gids; i++)
		*array_push(ret->user.additional_gids, ret->user.n_additional_gids) =
			container->user.additional_gids[i];
	plan_caps(container, o, last_cap, ret);
	ret->no_new_privileges = config->no_new_privileges;
	ret->apparmor_profile = xstrdup(container->apparmor_profile);
	ret->selinux_label = xstrdup(container->selinux_label);
	ret->oom_score_adj = container->oom_score_adj;
	plan_rlimits(container, config, ret);
}

/* --- the session ------------------------------------------------------------------------------------ */

struct session {
	struct container *c;
	const struct exec_options *o;
	char *id;
	char *dir;
	char *oci_log;
	struct conmon conmon;
};

static void session_done(struct session *s)
{
	conmon_close(&s->conmon);
	free(s->id);
	free(s->dir);
	free(s->oci_log);
}

static char *session_dir(const struct container *c, const char *id)
{
	return xasprintf("%s/exec/%s", c->static_dir, id);
}

static int write_process(struct session *s, struct err *err)
{
	auto_free char *path = path_join(s->dir, "process.json");
	struct runtime_spec spec;
	struct oci_process process;
	struct spec_user user = { 0 };
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_free char *text = NULL;
	auto_close int static_fd = fd_open_at(AT_FDCWD, s->c->static_dir, O_PATH | O_DIRECTORY, 0);
	auto_close int fd = -EBADF;
	int r = static_fd < 0 ? err_sys(err, static_fd, "open '%s'", s->c->static_dir) :
				runtime_spec_load(&spec, static_fd, "config.json", err);

	if (r < 0)
		return r;
	if (s->o->user) {
		r = rooted_open(&root, AT_FDCWD, spec.root->path);
		r = r < 0 ? err_sys(err, r, "open '%s'", spec.root->path) :
			    container_users_lookup(s->c, &root, true, s->o->user, &user, err);
	}
	if (r == 0) {
		plan_process(spec.process, &s->c->config, s->o, &user, caps_last(), &process);
		text = json_encode(&oci_process_desc, &process, JSON_COMPACT);
		json_done(&oci_process_desc, &process);
	}
	free(user.groups);
	free(user.home);
	runtime_spec_done(&spec);
	if (r < 0)
		return r;
	r = fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (r >= 0)
		r = io_write_all(fd, text, strlen(text));
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

static void plan(const struct session *s, struct strvec *argv)
{
	struct engine *e = s->c->engine;
	auto_strvec struct strvec exit_command = STRVEC_INIT;
	auto_strvec struct strvec runtime_args = STRVEC_INIT;
	auto_strvec struct strvec runtime_opts = STRVEC_INIT;
	auto_free char *pidfile = path_join(s->dir, "pidfile");
	auto_free char *conmon_pidfile = path_join(s->dir, "conmon.pid");
	auto_free char *exits = path_join(s->dir, "exit");
	auto_free char *spec = path_join(s->dir, "process.json");

	engine_self_args(e, &exit_command);
	strvec_add(&exit_command, "container");
	strvec_add(&exit_command, "cleanup");
	strvec_add(&exit_command, "--exec");
	strvec_add(&exit_command, s->id);
	strvec_add(&exit_command, s->c->config.id);
	runtime_global_args(e, &s->c->config, &runtime_args);
	if (preserve_fds_count(&s->o->preserve) > 0) {
		strvec_add(&runtime_opts, "--preserve-fds");
		strvec_addf(&runtime_opts, "%u", preserve_fds_count(&s->o->preserve));
	}
	conmon_plan(
		&(struct conmon_params){
			.conmon = e->conmon,
			.id = s->c->config.id,
			.uuid = s->id,
			.name = s->c->config.name,
			.runtime = s->c->runtime,
			.runtime_args = &runtime_args,
			.runtime_opts = &runtime_opts,
			.bundle = s->dir,
			.pidfile = pidfile,
			.conmon_pidfile = conmon_pidfile,
			.exit_dir = exits,
			.log_driver = "none",
			.log_level = e->options->log_level,
			.oci_log = s->oci_log,
			.tty = s->o->tty,
			.interactive = s->o->interactive,
			/* Attached, we look after the end ourselves. */
			.exit_command = s->o->detach ? &exit_command : NULL,
			.exec_spec = spec,
			.exec_attach = !s->o->detach,
		},
		argv);
}

static int spawn(struct session *s, struct err *err)
{
	auto_strvec struct strvec argv = STRVEC_INIT;
	uint32_t n_preserve = preserve_fds_count(&s->o->preserve);
	auto_free int *preserve = xcalloc((size_t)n_preserve + 1, sizeof(*preserve));
	auto_close int null_fd = fd_open_at(AT_FDCWD, "/dev/null", O_RDWR, 0);
	const struct conmon_streams streams = { .fds = { -1, -1, -1 },
						.preserve = preserve,
						.n_preserve = n_preserve };
	auto_conmon_cgroup struct conmon_cgroup cgroup = CONMON_CGROUP_INIT;
	int r = preserve_fds_find(&s->o->preserve, null_fd, preserve, err);

	plan(s, &argv);
	if (r == 0)
		r = conmon_cgroup_open(s->c, true, &cgroup, err);
	if (r == 0)
		r = conmon_spawn(&s->conmon, &argv, s->dir, !s->o->detach, &streams, &cgroup, err);
	return r < 0 ? r : conmon_go(&s->conmon, err);
}

/* The pid of the process, or why there is none. */
static int receive_pid(struct session *s, int *ret_pid, struct err *err)
{
	auto_free char *message = NULL;
	int r = conmon_receive(s->conmon.sync_fd, ret_pid, &message, err);

	if (r < 0)
		return r;
	return *ret_pid > 0 ? 0 : conmon_runtime_error(s->oci_log, message, err);
}

static int refuse_unless_running(const struct container *c, struct err *err)
{
	if (c->status.phase == PHASE_RUNNING)
		return 0;
	return err_set(err, ERR_STATE,
		       "can only create exec sessions on running containers: container '%s' is "
		       "%s: container state improper",
		       c->config.name, container_phase_to_string(c->status.phase));
}

/* Note the session, so that inspect and others see it; forget those that have ended unseen. */
static int note(struct session *s, struct err *err)
{
	struct container_status *status = &s->c->status;
	struct container_exec *exec;
	int r = container_lock(s->c, err);

	if (r < 0)
		return r;
	r = refuse_unless_running(s->c, err);
	if (r == 0) {
		exec = array_push(status->execs, status->n_execs);
		exec->id = xstrdup(s->id);
		json_strings_add_all(&exec->command, &exec->n_command, s->o->command,
				     s->o->n_command);
		r = container_save(s->c, err);
	}
	container_unlock(s->c);
	return r;
}

/* What conmon has written about the end of one that nobody waits for. */
static void tell_end(const struct container *c, const char *session, const char *dir)
{
	auto_free char *path = xasprintf("%s/exit/%s", dir, c->config.id);
	auto_free char *line = io_read_line_at(AT_FDCWD, path);
	uint32_t code;

	if (line && parse_u32(line, &code) == 0 && code <= 255)
		event_exec(c, "exec_died", session, (int)code);
}

int exec_session_end(struct container *c, const char *session, bool tell, struct err *err)
{
	auto_free char *dir = session_dir(c, session);
	struct container_status *s = &c->status;
	int r = container_lock(c, err);

	if (r == 0 && tell)
		tell_end(c, session, dir);
	(void)fs_remove_tree(AT_FDCWD, dir);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < s->n_execs; i++) {
		if (!str_eq(s->execs[i].id, session))
			continue;
		free(s->execs[i].id);
		for (size_t k = 0; k < s->execs[i].n_command; k++)
			free(s->execs[i].command[k]);
		free(s->execs[i].command);
		s->execs[i] = s->execs[--s->n_execs];
		r = container_save(c, err);
		break;
	}
	container_unlock(c);
	return r;
}

static int run_attached(struct session *s, int *ret_exit_code, struct err *err)
{
	const struct attach_options options = {
		.dir = s->dir,
		.stdin_open = s->o->interactive,
		.stdout_open = true,
		.stderr_open = true,
		.tty = s->o->tty,
		.pidfd = -EBADF,
		.detach_keys = s->o->detach_keys,
	};
	struct attach a = ATTACH_INIT;
	auto_free char *message = NULL;
	int ready = 0;
	int pid = 0;
	int r = conmon_receive(s->conmon.attach_fd, &ready, &message, err);

	if (r == 0)
		r = attach_open(&a, &options, err);
	if (r == 0)
		r = conmon_go(&s->conmon, err);
	if (r == 0)
		r = receive_pid(s, &pid, err);
	if (r == 0)
		event_exec(s->c, "exec", s->id, -1);
	if (r == 0)
		r = attach_loop(&a, err);
	attach_close(&a);
	if (r != 0) {
		*ret_exit_code = 0;
		return MIN(r, 0);
	}
	replace_ptr(message, NULL);
	r = conmon_receive(s->conmon.sync_fd, ret_exit_code, &message, err);
	if (r == 0)
		event_exec(s->c, "exec_died", s->id, *ret_exit_code);
	return r;
}

/* With the lock: that it has begun is told before its end, which another process tells. */
static int run_detached(struct session *s, char **ret_session, struct err *err)
{
	int pid = 0;
	int r = container_lock(s->c, err);

	if (r < 0)
		return r;
	r = spawn(s, err);
	if (r == 0)
		r = receive_pid(s, &pid, err);
	if (r == 0) {
		event_exec(s->c, "exec", s->id, -1);
		*ret_session = xstrdup(s->id);
	}
	container_unlock(s->c);
	return r;
}

static int make_dirs(const struct session *s, struct err *err)
{
	auto_free char *exits = path_join(s->dir, "exit");
	int r = fs_mkdir_all(AT_FDCWD, exits, 0700, 0700);

	return r < 0 ? err_sys(err, r, "create directory '%s'", exits) : 0;
}

int exec_session_run(struct container *c, const struct exec_options *o, int *ret_exit_code,
		     char **ret_session, struct err *err)
{
	struct session s = { .c = c, .o = o, .conmon = CONMON_INIT };
	struct err end = ERR_INIT;
	int r = container_find_runtime(c, err);

	if (r == 0)
		r = engine_find_conmon(c->engine, err);
	if (r < 0)
		return r;
	s.id = random_hex(64);
	s.dir = session_dir(c, s.id);
	s.oci_log = path_join(s.dir, "oci-log");
	r = o->no_session ? refuse_unless_running(c, err) : note(&s, err);
	if (r < 0) {
		session_done(&s);
		return r;
	}
	r = make_dirs(&s, err);
	if (r == 0)
		r = write_process(&s, err);
	if (r == 0 && o->detach)
		r = run_detached(&s, ret_session, err);
	else if (r == 0)
		r = spawn(&s, err);
	if (r == 0 && !o->detach)
		r = run_attached(&s, ret_exit_code, err);
	if (o->no_session)
		(void)fs_remove_tree(AT_FDCWD, s.dir);
	else if ((r < 0 || !o->detach) && exec_session_end(c, s.id, false, &end) < 0)
		log_warning("%s", end.msg);
	session_done(&s);
	return r;
}
