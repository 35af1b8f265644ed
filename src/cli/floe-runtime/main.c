/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floe-runtime: global options, then one of the commands. An error is reported once, here: to the
 * log, and where the log is not stderr to stderr as well, as a bare message.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/config_file.h"
#include "cli/floe-runtime/program.h"
#include "cli/floe-runtime/version.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "core/utf8.h"

/* crun's "journald:ID" and "syslog:ID". */
static bool is_socket_log(const char *path, enum log_format *ret_format,
			  const char **ret_identifier)
{
	if ((*ret_identifier = str_skip_prefix(path, "journald:")))
		*ret_format = LOG_FORMAT_JOURNAL;
	else if ((*ret_identifier = str_skip_prefix(path, "syslog:")))
		*ret_format = LOG_FORMAT_SYSLOG;
	return *ret_identifier;
}

static int open_socket_log(struct log_config *config, const char *path, struct err *err)
{
	if (str_is_empty(config->identifier))
		return err_set(err, ERR_USAGE,
			       "log to '%s': no identifier; give one behind the colon", path);
	config->fd = log_connect(config->format);
	if (config->fd < 0)
		return err_sys(err, config->fd, "log to '%s': connect to '%s'", path,
			       log_socket_path(config->format));
	log_configure(config);
	return 0;
}

/* Open --log. The prefixes are crun's. */
static int open_log(const struct globals *globals, struct err *err)
{
	struct log_config config = {
		.level = globals->log_format == LOG_FORMAT_JSON ? LOG_LEVEL_ERROR :
								  LOG_LEVEL_WARNING,
		.format = globals->log_format,
		.fd = STDERR_FILENO,
	};
	const char *path = globals->log;

	if (globals->log_level >= 0)
		config.level = (enum log_level)globals->log_level;
	if (globals->debug)
		config.level = LOG_LEVEL_DEBUG;
	log_configure(&config);
	if (!path)
		return 0;
	if (is_socket_log(path, &config.format, &config.identifier))
		return open_socket_log(&config, path, err);
	if (str_has_prefix(path, "file:"))
		path += strlen("file:");
	config.fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (config.fd < 0)
		return err_sys(err, config.fd, "open log '%s'", path);
	log_configure(&config);
	return 0;
}

static void report(const struct err *err)
{
	log_error("%s", err->msg);
	if (log_fd() != STDERR_FILENO) {
		auto_free char *text = utf8_printable(err->msg);
		auto_free char *line = xasprintf("%s\n", text);

		(void)io_write_all(STDERR_FILENO, line, strlen(line));
	}
}

/* From the options to what the operations take. */
static int context_init(struct runtime_context *context, const struct globals *globals,
			const struct globals *config, struct err *err)
{
	struct runtime *rt = &context->rt;
	const char *root = globals->root ? globals->root : config->root;

	rt->root = root ? path_absolute(root, NULL) : runtime_default_root();
	if (!rt->root)
		return err_sys(err, -errno, "make '%s' absolute", root ? root : "--root");
	if (str_eq(rt->root, "/"))
		return err_set(err, ERR_USAGE, "option '--root' should not be set to '/'");
	if (globals->cgroup_manager >= 0)
		rt->cgroup_driver = (enum runtime_cgroup_driver)globals->cgroup_manager;
	else if (globals->systemd_cgroup)
		rt->cgroup_driver = CGROUP_DRIVER_SYSTEMD;
	else if (config->cgroup_manager >= 0)
		rt->cgroup_driver = (enum runtime_cgroup_driver)config->cgroup_manager;
	rt->rootless = (enum runtime_rootless)(globals->rootless >= 0 ? globals->rootless :
					       config->rootless >= 0  ? config->rootless :
									(int)ROOTLESS_AUTO);
	context->criu_option = globals->criu;
	context->criu_configured = config->criu;
	rt->criu_path = xstrdup(globals->criu ? globals->criu : config->criu);
	rt->debug = log_is_enabled(LOG_LEVEL_DEBUG);
	return 0;
}

static int load_config(const char *path, struct globals *ret, char **ret_text, struct err *err)
{
	struct cli_table table = { floe_runtime_program.globals, floe_runtime_program.n_globals,
				   ret };
	int r = cli_config_load(path ? path : RUNTIME_CONFIG_FILE, &table, ret_text, err);

	if (r == -ENOENT && !path) {
		err_clear(err);
		return 0;
	}
	return r;
}

static int dispatch(struct runtime_context *context, char *const *argv, int *ret_error_code,
		    struct err *err)
{
	const struct cli_command *command;
	auto_free char *of = NULL;
	size_t used;
	int r = cli_command_find(&floe_runtime_program, argv, &command, &used, &of, err);

	if (r < 0)
		return r;
	return cli_command_run(&floe_runtime_program, command, of, argv + used, context,
			       ret_error_code, err);
}

static int print_help(struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	cli_help_program(&floe_runtime_program, &sb);
	return cli_print(sb.buf, err);
}

static int print_dump(struct err *err)
{
	auto_free char *text = cli_dump(&floe_runtime_program);

	return cli_print(text, err);
}

static const struct globals no_globals = { .log_level = -1, .cgroup_manager = -1, .rootless = -1 };

static int run(char *const *all, int *ret_error_code, struct err *err)
{
	char *const *argv = all[0] ? all + 1 : all;
	struct globals globals = no_globals;
	struct globals config = no_globals;
	struct cli_table table = { floe_runtime_program.globals, floe_runtime_program.n_globals,
				   &globals };
	struct runtime_context context = { .rt = RUNTIME_INIT, .argv = all };
	auto_cli_args struct cli_args args = { 0 };
	auto_free char *config_text = NULL;
	int r = cli_parse(&table, 1, true, floe_runtime_program.name, argv, &args, err);

	if (r < 0)
		return r;
	if (globals.dump_cli)
		return print_dump(err);
	if (args.help || (args.n == 0 && !globals.version && !globals.version_crun))
		return print_help(err);
	r = open_log(&globals, err);
	if (r == 0)
		r = load_config(globals.config_file, &config, &config_text, err);
	if (r == 0)
		r = context_init(&context, &globals, &config, err);
	if (r == 0) {
		if (globals.version || globals.version_crun)
			r = version_print(&context, err);
		else
			r = dispatch(&context, args.v, ret_error_code, err);
	}
	runtime_done(&context.rt);
	return r;
}

int main(int argc UNUSED, char **argv)
{
	struct err err = ERR_INIT;
	int error_code = 1;
	int r;

	if (fd_ensure_stdio() < 0)
		return 1;
	/* Not floe-runtime-main, nor the number that execveat(2) leaves when it is given a descriptor. */
	(void)prctl(PR_SET_NAME, "floe-runtime");
	r = run(argv, &error_code, &err);
	if (r >= 0)
		return r;
	report(&err);
	return error_code;
}
