/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

struct options {
	struct exec_options exec;
	struct opt_bool tty;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	struct exec_options opts = cli->exec;
	struct runtime *rt;
	int exit_code = 0;
	int r;

	if (!opts.process_file && inv->n_args < 2)
		return err_set(
			err, ERR_USAGE,
			"\"exec\" requires a minimum of 2 argument(s) without --process; see "
			"'floe-runtime exec --help'");
	r = command_protect_program(inv, err);
	if (r == 0)
		r = command_open_root(inv, false, &rt, err);
	if (r < 0)
		return r;
	opts.id = inv->args[0];
	opts.args = inv->args + 1;
	opts.tty.set = cli->tty.set;
	opts.tty.v = cli->tty.v;
	r = container_exec(rt, &opts, &exit_code, err);
	return r < 0 ? r : exit_code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRING(T, exec.process_file, "process", 'p', "FILE",
		   "process.json to run; the options that describe a process are then of no use"),
	OPT_STRING(T, exec.cwd, "cwd", 0, "DIR", "working directory in the container"),
	OPT_STRVEC(T, exec.env, "env", 'e', "NAME=VALUE", "set an environment variable"),
	OPT_OPTBOOL(T, tty, "tty", 't', "give the process a terminal"),
	OPT_STRING(T, exec.user, "user", 'u', "UID[:GID]", "user and group of the process"),
	OPT_STRVEC(T, exec.additional_gids, "additional-gids", 'g', "GID",
		   "supplementary group of the process"),
	OPT_STRVEC(T, exec.caps, "cap", 'c', "CAP", "give the process a capability"),
	OPT_FLAG(T, exec.no_new_privs, "no-new-privs", 0, "set the no_new_privs attribute"),
	OPT_STRING(T, exec.process_label, "process-label", 0, "LABEL",
		   "SELinux label of the process"),
	OPT_STRING(T, exec.apparmor, "apparmor", 0, "PROFILE", "AppArmor profile of the process"),
	OPT_FLAG(T, exec.detach, "detach", 'd', "do not wait for the process"),
	OPT_STRING(T, exec.console_socket, "console-socket", 0, "SOCKET",
		   "unix socket to which the terminal's master end is sent"),
	OPT_STRING(T, exec.pid_file, "pid-file", 0, "FILE", "file to write the process's pid to"),
	OPT_STRING(T, exec.pidfd_socket, "pidfd-socket", 0, "SOCKET",
		   "unix socket to which a pidfd of the process is sent"),
	OPT_U32(T, exec.preserve_fds, "preserve-fds", 0, "N",
		"hand descriptors 3 to 3+N-1 to the process"),
	OPT_STRVEC(T, exec.cgroups, "cgroup", 0, "[CTRL[,CTRL]:]PATH",
		   "cgroup below the container's to run in"),
	OPT_FLAG(T, exec.ignore_paused, "ignore-paused", 0,
		 "also in a paused container; the process runs when it is resumed"),
	OPT_STRING(T, exec.wait_fifo, "exec-wait-fifo", 0, "FIFO",
		   "run the program only once somebody has opened this fifo for reading"),
};
#undef T

const struct cli_command exec_command = {
	.name = "exec",
	.arguments = "CONTAINER-ID [COMMAND [ARGUMENT...]]",
	.summary = "run another process in a container",
	.description =
		"The process has the environment, user and limits of the container's own process "
		"where the options do not say otherwise. Unless --detach is given, floe-runtime "
		"waits and exits with the process's exit code; 255 when it could not be started. "
		"Options stand before the id.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.argument_source = CONTAINER_IDS,
	.run = run,
	.error_code = 255,
};
