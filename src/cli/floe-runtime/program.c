/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/program.h"

static const struct cli_choice log_formats[] = {
	{ "text", LOG_FORMAT_TEXT },
	{ "json", LOG_FORMAT_JSON },
	{ NULL, 0 },
};
static const struct cli_choice log_levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};
static const struct cli_choice cgroup_managers[] = {
	{ "cgroupfs", CGROUP_DRIVER_CGROUPFS },
	{ "systemd", CGROUP_DRIVER_SYSTEMD },
	{ "disabled", CGROUP_DRIVER_DISABLED },
	{ NULL, 0 },
};
static const struct cli_choice rootless_choices[] = {
	{ "auto", ROOTLESS_AUTO },
	{ "true", ROOTLESS_TRUE },
	{ "false", ROOTLESS_FALSE },
	{ NULL, 0 },
};

#define T struct globals
static const struct cli_option global_rows[] = {
	OPT_STRING_F(T, root, "root", 0, "DIR",
		     "where the state of containers is kept (default: /run/floe-runtime, or "
		     "$XDG_RUNTIME_DIR/floe-runtime for users)",
		     CLI_CONFIGURABLE),
	OPT_STRING(T, log, "log", 0, "FILE",
		   "append errors to this file (default: stderr), or send them to systemd's "
		   "journal (journald:ID) or to syslog (syslog:ID)"),
	OPT_ENUM(T, log_format, "log-format", 0, "FORMAT", log_formats, "format of the log"),
	OPT_ENUM(T, log_level, "log-level", 0, "LEVEL", log_levels,
		 "how much is logged (default: warning; with --log-format json error)"),
	OPT_FLAG(T, debug, "debug", 0, "log what is done (--log-level debug)"),
	OPT_FLAG(T, systemd_cgroup, "systemd-cgroup", 0,
		 "let systemd manage cgroups; cgroupsPath is SLICE:PREFIX:NAME"),
	OPT_ENUM_F(T, cgroup_manager, "cgroup-manager", 0, "MANAGER", cgroup_managers,
		   "who manages cgroups", CLI_CONFIGURABLE),
	OPT_ENUM_F(T, rootless, "rootless", 0, "WHEN", rootless_choices,
		   "tolerate denied access to cgroups", CLI_CONFIGURABLE),
	OPT_STRING_F(T, criu, "criu", 0, "FILE", "CRIU to use (default: searched for)",
		     CLI_CONFIGURABLE),
	OPT_STRING(T, config_file, "config-file", 0, "FILE",
		   "read defaults of these options from here (default: " RUNTIME_CONFIG_FILE ")"),
	OPT_FLAG(T, version, "version", 'v', "print version, commit and what is used"),
	OPT_FLAG_F(T, version_crun, "crun-version", 'V', "crun's spelling of -v", CLI_HIDDEN),
	OPT_FLAG_F(T, dump_cli, "dump-cli", 0, "print commands and options as JSON", CLI_HIDDEN),
};
#undef T

/* clang-format off */
static const struct cli_command *const commands[] = {
	&create_command, &start_command, &run_command, &exec_command,
	&state_command, &list_command, &ps_command, &events_command,
	&kill_command, &delete_command, &pause_command, &resume_command, &update_command,
	&checkpoint_command, &restore_command,
	&spec_command, &features_command,
	&help_command, &completion_command, &mounts_command,
};
/* clang-format on */

const struct cli_program floe_runtime_program = {
	.name = "floe-runtime",
	.summary = "run containers from OCI bundles, and freeze and thaw them with CRIU",
	.globals = global_rows,
	.n_globals = ARRAY_SIZE(global_rows),
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
};
