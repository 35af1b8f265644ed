/* SPDX-License-Identifier: Apache-2.0 */
/* exec and attach: the caller in a container that runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/create_options.h"
#include "cli/floe/foreground.h"
#include "cli/floe/report.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/exec_session.h"

#define EXIT_NO_SESSION 255

struct options {
	struct strvec env;
	struct strvec env_file;
	const char *workdir;
	const char *user;
	const char *detach_keys;
	uint32_t preserve_fds;
	const char *cidfile;
	struct strvec preserve_fd;
	struct opt_bool privileged;
	bool tty, interactive, detach, latest, no_session;
};

static int check_options(const struct cli_invocation *inv, size_t first, struct err *err)
{
	const struct options *o = inv->options;

	if (o->cidfile && o->latest)
		return err_set(err, ERR_USAGE, "--latest and --cidfile cannot be used together");
	/* Both leave a process that only its session tells of. */
	if (o->no_session && (o->detach || o->detach_keys))
		return err_set(err, ERR_USAGE,
			       "--no-session cannot be used with --detach or --detach-keys");
	if (inv->n_args <= first)
		return err_set(err, ERR_USAGE,
			       "must provide a non-empty command to start an exec session: invalid "
			       "argument");
	return create_check_fds(&o->preserve_fd, o->preserve_fds, err);
}

/* What the options say of the environment; the files first. */
static int make_env(const struct options *o, struct strvec *ret, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->env_file.n; i++)
		r = create_env_file(o->env_file.v[i], &ret->v, &ret->n, err);
	for (size_t i = 0; r == 0 && i < o->env.n; i++) {
		r = create_env_check(o->env.v[i], err);
		if (r == 0)
			create_env_set(&ret->v, &ret->n, o->env.v[i]);
	}
	return r;
}

/* Whether the descriptors that it shall have are there, before there is a session of which they are a part. */
static int check_descriptors(const struct preserve_fds *p, struct err *err)
{
	auto_free int *fds = xcalloc((size_t)preserve_fds_count(p) + 1, sizeof(*fds));

	return preserve_fds_find(p, -EBADF, fds, err);
}

/*
 * As podman has it: of an attached one 126 and 127 for what the runtime could not execute or find, and 255 for whatever else
 * goes wrong with the session. (Nobody is attached to a detached one: all that is floe's failure.)
 */
static int failure_code(int r, const struct err *err)
{
	r = foreground_exit_code(r, err);
	if (r >= 0)
		return r;
	report_error(err);
	return EXIT_NO_SESSION;
}

static int run_exec(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	bool named = !o->latest && !o->cidfile;
	size_t first = named ? 1 : 0;
	auto_free char *session = NULL;
	const struct containers_conf *conf = floe_engine(inv)->conf;
	struct exec_options exec = {
		.workdir = o->workdir,
		.user = o->user,
		.tty = o->tty,
		.interactive = o->interactive,
		.privileged = o->privileged.set ? o->privileged.v : conf->containers.privileged.v,
		.detach = o->detach,
		.preserve = { o->preserve_fds, o->preserve_fd.v, o->preserve_fd.n },
		.no_session = o->no_session,
		.detach_keys = o->no_session  ? "" :
			       o->detach_keys ? o->detach_keys :
						conf->engine.detach_keys,
	};
	auto_strvec struct strvec env = STRVEC_INIT;
	int code = 0;
	int r = check_options(inv, first, err);

	if (r == 0)
		r = make_env(o, &env, err);
	if (r < 0)
		return r;
	exec.env = env.v;
	exec.n_env = env.n;
	exec.command = inv->args + first;
	exec.n_command = inv->n_args - first;
	r = o->cidfile ? targets_cidfile(inv, o->cidfile, &c, err) :
			 targets_one(inv, o->latest, false, &c, err);
	if (r == 0)
		r = check_descriptors(&exec.preserve, err);
	if (r < 0)
		return r;
	r = exec_session_run(&c, &exec, &code, &session, err);
	if (r < 0)
		return o->detach ? r : failure_code(r, err);
	if (!session)
		return code;
	return cli_print_line(session, err);
}

#define T struct options
static const struct cli_option exec_rows[] = {
	OPT_FLAG(T, detach, "detach", 'd', "print the session's id and do not wait"),
	OPT_STRVEC(T, env, "env", 'e', "NAME[=VALUE]", "set a variable"),
	OPT_STRVEC(T, env_file, "env-file", 0, "FILE", "read variables from a file"),
	OPT_FLAG(T, interactive, "interactive", 'i', "pass the input on"),
	OPT_FLAG(T, tty, "tty", 't', "give it a terminal"),
	OPT_STRING(T, user, "user", 'u', "USER[:GROUP]", "who runs it"),
	OPT_STRING(T, workdir, "workdir", 'w', "DIR", "its working directory"),
	OPT_OPTBOOL(T, privileged, "privileged", 0, "give it all capabilities"),
	OPT_STRING(T, detach_keys, "detach-keys", 0, "KEYS", "keys that detach"),
	OPT_U32(T, preserve_fds, "preserve-fds", 0, "N", "hand it descriptors 3 to 3+N-1"),
	OPT_STRVEC_F(T, preserve_fd, "preserve-fd", 0, "FD,...", "hand it these descriptors",
		     CLI_LIST),
	OPT_FLAG(T, no_session, "no-session", 0, "without a session that inspect shows"),
	OPT_FLAG(T, latest, "latest", 'l', "in the newest container"),
	OPT_STRING(T, cidfile, "cidfile", 0, "FILE", "in the container whose id is in this file"),
};
#undef T

const struct cli_command floe_exec_command = {
	.name = "exec",
	.arguments = "CONTAINER COMMAND [ARGUMENT...]",
	.summary = "run another process in a running container",
	.description =
		"The exit code is the process's; 126 when the command cannot be executed, 127 "
		"when it is not there, 255 when the container does not run or has not the "
		"user, 125 when floe fails otherwise. Options stand before the container.",
	CLI_OPTIONS(struct options, exec_rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.argument_source = FLOE_RUNNING,
	.run = run_exec,
	.error_code = FLOE_EXIT_ERROR,
};

struct attach_cli {
	bool no_stdin, latest;
	struct opt_bool sig_proxy;
	const char *detach_keys;
};

static int run_attach(const struct cli_invocation *inv, struct err *err)
{
	const struct attach_cli *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	const struct foreground_options f = {
		.with_stdin = !o->no_stdin,
		.with_stdout = true,
		.with_stderr = true,
		.sig_proxy = !o->sig_proxy.set || o->sig_proxy.v,
		.detach_keys = o->detach_keys ? o->detach_keys :
						floe_engine(inv)->conf->engine.detach_keys,
	};
	int r;

	if (inv->n_args == 0 && !o->latest)
		return err_set(err, ERR_USAGE,
			       "attach requires the name or id of one running "
			       "container or the latest flag");
	if (inv->n_args > 0 && o->latest)
		return err_set(err, ERR_USAGE, "--latest and containers cannot be used together");
	r = targets_one(inv, o->latest, false, &c, err);
	if (r < 0)
		return r;
	if (c.status.phase != PHASE_RUNNING && c.status.phase != PHASE_INITIALIZED)
		return err_set(err, ERR_STATE,
			       "you can only attach to running containers: '%s' is %s: container "
			       "state improper",
			       c.config.name, container_phase_to_string(c.status.phase));
	return foreground_attach(&c, &f, err);
}

#define T struct attach_cli
static const struct cli_option attach_rows[] = {
	OPT_FLAG(T, no_stdin, "no-stdin", 0, "do not attach to its input"),
	OPT_OPTBOOL(T, sig_proxy, "sig-proxy", 0, "pass signals on (default: true)"),
	OPT_STRING(T, detach_keys, "detach-keys", 0, "KEYS", "keys that detach"),
	OPT_FLAG(T, latest, "latest", 'l', "the newest container"),
};
#undef T

const struct cli_command floe_attach_command = {
	.name = "attach",
	.arguments = "[CONTAINER]",
	.summary = "attach to the streams of a running container",
	CLI_OPTIONS(struct attach_cli, attach_rows),
	.min_args = 0,
	.max_args = 1,
	.argument_source = FLOE_RUNNING,
	.run = run_attach,
	.error_code = FLOE_EXIT_ERROR,
};
