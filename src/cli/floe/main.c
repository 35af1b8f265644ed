/* SPDX-License-Identifier: Apache-2.0 */
/* floe: global options, then one of the commands. An error is reported once, here, to stderr. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/config_file.h"
#include "cli/floe/program.h"
#include "cli/floe/report.h"
#include "cli/floe/version.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/containers_conf.h"
#include "engine/journal.h"

static const struct floe_globals no_globals = {
	.engine.cgroup_manager = -1,
	.engine.network_backend = -1,
	.log_level = -1,
};

static int load_config(const char *path, struct floe_globals *ret, char **ret_text, struct err *err)
{
	struct cli_table table = { floe_program.globals, floe_program.n_globals, ret };
	int r = cli_config_load(path ? path : FLOE_CONFIG_FILE, &table, ret_text, err);

	if (r == -ENOENT && !path) {
		err_clear(err);
		return 0;
	}
	return r;
}

/* What the command line leaves open is the configuration file's. */
static void engine_options_fill(struct engine_options *o, const struct engine_options *config)
{
	const char **to[] = { &o->root,		  &o->runroot,
			      &o->tmpdir,	  &o->volumepath,
			      &o->runtime,	  &o->conmon,
			      &o->storage_driver, &o->network_config_dir,
			      &o->events_backend };
	const char *from[] = { config->root,	       config->runroot,
			       config->tmpdir,	       config->volumepath,
			       config->runtime,	       config->conmon,
			       config->storage_driver, config->network_config_dir,
			       config->events_backend };

	for (size_t i = 0; i < ARRAY_SIZE(to); i++)
		if (!*to[i])
			*to[i] = from[i];
	if (o->network_backend < 0)
		o->network_backend = config->network_backend;
	if (o->cgroup_manager < 0)
		o->cgroup_manager = config->cgroup_manager;
}

/* "KEY=VALUE" of [engine]: what is in the environment already stays. */
static void set_environment(char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *name = xstrdup(list[i]);
		char *equals = strchr(name, '=');

		if (!equals || equals == name) {
			log_warning("containers.conf: variable '%s': expected KEY=VALUE", name);
			continue;
		}
		*equals = '\0';
		(void)setenv(name, equals + 1, 0);
	}
}

static int check_events_backend(const struct engine_options *o, struct err *err)
{
	static const char *const backends[] = { "file", "journald", "none", NULL };

	if (o->events_backend && !str_is_one_of(o->events_backend, backends))
		return err_set(err, ERR_USAGE,
			       "unknown events backend '%s': there are file, journald and none",
			       o->events_backend);
	if (str_eq(o->events_backend, "journald") && !journal_is_there())
		return err_set(err, ERR_STATE,
			       "events backend 'journald': no journal takes entries at '%s'; "
			       "start systemd-journald, or choose the backend 'file'",
			       log_socket_path(LOG_FORMAT_JOURNAL));
	return 0;
}

/* A word of containers.conf that is none of those there are would choose something else than what was meant. */
static int check_conf_word(const char *key, const char *value, const char *const *words,
			   struct err *err)
{
	auto_strvec struct strvec list = STRVEC_INIT;
	auto_free char *text = NULL;

	if (str_is_empty(value) || str_is_one_of(value, words))
		return 0;
	for (size_t i = 0; words[i]; i++)
		strvec_add(&list, words[i]);
	text = strvec_join(&list, ", ");
	return err_set(err, ERR_INVALID, "containers.conf: %s '%s': expected one of %s", key, value,
		       text);
}

static int check_conf_words(const struct containers_conf *conf, struct err *err)
{
	static const char *const managers[] = { "cgroupfs", "systemd", NULL };
	static const char *const loggers[] = { "file", "journald", "none", NULL };
	static const char *const backends[] = { "netavark", "cni", NULL };
	int r = check_conf_word("engine.cgroup_manager", conf->engine.cgroup_manager, managers,
				err);

	if (r == 0)
		r = check_conf_word("engine.events_logger", conf->engine.events_logger, loggers,
				    err);
	if (r == 0)
		r = check_conf_word("network.network_backend", conf->network.network_backend,
				    backends, err);
	return r;
}

/* What is settled neither on the command line nor in floe.conf is containers.conf's. */
static int apply_conf(struct engine_options *o, struct containers_conf *conf, struct err *err)
{
	auto_free char *port = NULL;
	int r = containers_conf_load(conf, &o->modules, err);

	if (r == 0)
		r = check_conf_words(conf, err);
	if (r < 0)
		return r;
	o->conf = conf;
	set_environment(conf->engine.env, conf->engine.n_env);
	/* conmon, and netavark, have them from us. */
	set_environment(conf->engine.conmon_env_vars, conf->engine.n_conmon_env_vars);
	if (conf->network.dns_bind_port.set && conf->network.dns_bind_port.v > 0) {
		port = xasprintf("%u", conf->network.dns_bind_port.v);
		(void)setenv("NETAVARK_DNS_PORT", port, 0);
	}
	if (!str_is_empty(conf->network.firewall_driver))
		(void)setenv("NETAVARK_FW", conf->network.firewall_driver, 0);
	if (!str_is_empty(conf->engine.runtime))
		o->runtime_default = conf->engine.runtime;
	if (!o->network_config_dir && !str_is_empty(conf->network.network_config_dir))
		o->network_config_dir = conf->network.network_config_dir;
	if (!o->events_backend && str_eq(conf->engine.events_logger, "none"))
		o->events_backend = "none";
	/* What a distribution has configured for all its machines is for those that have it. */
	if (!o->events_backend && str_eq(conf->engine.events_logger, "journald") &&
	    journal_is_there())
		o->events_backend = "journald";
	if (o->cgroup_manager < 0 && str_eq(conf->engine.cgroup_manager, "cgroupfs"))
		o->cgroup_manager = ENGINE_CGROUPFS;
	if (o->cgroup_manager < 0 && str_eq(conf->engine.cgroup_manager, "systemd"))
		o->cgroup_manager = ENGINE_SYSTEMD;
	if (o->network_backend < 0 && str_eq(conf->network.network_backend, "cni"))
		o->network_backend = NETWORK_CNI;
	return check_events_backend(o, err);
}

/* The arguments before the command: what floe needs to find the same engine again. Not where this command's output
 * goes. */
static void keep_global_args(struct strvec *to, char *const *argv, char *const *rest)
{
	size_t n_rest = 0;
	size_t n = 0;

	while (rest[n_rest])
		n_rest++;
	while (argv[n])
		n++;
	for (size_t i = 0; i < n - n_rest; i++) {
		if (str_eq(argv[i], "--out"))
			i++;
		else if (!str_eq(argv[i], "--noout") && !str_has_prefix(argv[i], "--out="))
			strvec_add(to, argv[i]);
	}
}

static int redirect_output(const struct floe_globals *globals, struct err *err)
{
	const char *path = globals->out ? globals->out : globals->no_out ? "/dev/null" : NULL;
	auto_close int fd = -EBADF;

	if (!path)
		return 0;
	fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return err_sys(err, fd, "open '%s' for standard output", path);
	return dup2(fd, STDOUT_FILENO) < 0 ? err_sys(err, -errno, "redirect standard output") : 0;
}

static int check_context(const struct floe_globals *globals, struct err *err)
{
	if (!globals->docker_context || str_eq(globals->docker_context, "default"))
		return 0;
	return err_set(err, ERR_USAGE,
		       "floe does not support %s, the only --context value allowed is \"default\"",
		       globals->docker_context);
}

static int dispatch(struct floe_context *context, char *const *argv, int *ret_error_code,
		    struct err *err)
{
	const struct cli_command *command;
	auto_free char *of = NULL;
	size_t used;
	int r = cli_command_find(&floe_program, argv, &command, &used, &of, err);

	if (r < 0)
		return r;
	return cli_command_run(&floe_program, command, of, argv + used, context, ret_error_code,
			       err);
}

static int print_help(struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	cli_help_program(&floe_program, &sb);
	return cli_print(sb.buf, err);
}

static int print_dump(struct err *err)
{
	auto_free char *text = cli_dump(&floe_program);

	return cli_print(text, err);
}

static int run(char *const *all, int *ret_error_code, struct err *err)
{
	auto_strvec struct strvec ordered = { 0 };
	char *const *argv = all[0] ? all + 1 : all;
	struct floe_globals globals = no_globals;
	struct floe_globals config = no_globals;
	struct cli_table table = { floe_program.globals, floe_program.n_globals, &globals,
				   &floe_program };
	struct floe_context context = { .argv = all };
	struct containers_conf conf = { 0 };
	auto_cli_args struct cli_args args = { 0 };
	auto_free char *config_text = NULL;
	int r;

	r = cli_order(&floe_program, argv, &ordered, err);
	if (r < 0)
		return r;
	if (ordered.n > 0)
		argv = ordered.v;
	r = cli_parse(&table, 1, true, floe_program.name, argv, &args, err);
	if (r == 0)
		r = check_context(&globals, err);
	if (r == 0)
		r = redirect_output(&globals, err);
	if (r < 0)
		goto out;
	log_configure(&(struct log_config){
		.level = globals.log_level >= 0 ? (enum log_level)globals.log_level :
						  LOG_LEVEL_WARNING,
		.fd = STDERR_FILENO,
	});
	if (globals.dump_cli) {
		r = print_dump(err);
	} else if (globals.version) {
		r = cli_print_line(version_line(), err);
	} else if (args.help) {
		r = print_help(err);
	} else if (args.n == 0) {
		r = print_help(err);
		if (r == 0)
			r = err_set(err, ERR_USAGE, "missing command 'floe COMMAND'");
	} else {
		keep_global_args(&context.global_args, argv, args.v);
		r = load_config(globals.config_file, &config, &config_text, err);
		engine_options_fill(&globals.engine, &config.engine);
		if (r == 0)
			r = apply_conf(&globals.engine, &conf, err);
		if (r == 0)
			r = engine_init(&context.engine, &globals.engine, err);
		if (r == 0)
			r = dispatch(&context, args.v, ret_error_code, err);
		engine_done(&context.engine);
		strvec_done(&context.global_args);
		containers_conf_done(&conf);
	}
out:
	cli_options_done(&table);
	return r;
}

int main(int argc UNUSED, char **argv)
{
	struct err err = ERR_INIT;
	int error_code = FLOE_EXIT_ERROR;
	int r;

	if (fd_ensure_stdio() < 0)
		return FLOE_EXIT_ERROR;
	r = run(argv, &error_code, &err);
	if (r >= 0)
		return r;
	if (err.msg[0])
		report_error(&err);
	/* 1 is a command line that could not be read; to podman's users that is 125 as well. */
	return error_code == 1 ? FLOE_EXIT_ERROR : error_code;
}
