/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of floe: one file each. inv->context is a struct floe_context. Those that are spelled in
 * two ways (`floe ps`, `floe container ps`) are one row in two tables of program.c.
 */
#pragma once

#include "cli/cli.h"
#include "engine/engine.h"

/* Exit codes as podman's: what the engine could not do, what the runtime could not execute. */
#define FLOE_EXIT_ERROR 125
#define FLOE_EXIT_CANNOT_INVOKE 126
#define FLOE_EXIT_NOT_FOUND 127

struct floe_context {
	struct engine engine; /* paths only; nothing is open yet */
	char *const *argv; /* of the whole program */
	struct strvec
		global_args; /* the global options again, for commands that start floe again */
};

static inline struct engine *floe_engine(const struct cli_invocation *inv)
{
	return &((struct floe_context *)inv->context)->engine;
}

/* For completion. */
#define FLOE_CONTAINERS "floe ps --all --format '{{.Names}}'"
/* Of those that the command makes sense for, as podman has it. */
#define FLOE_RUNNING "floe ps --filter status=running --format '{{.Names}}'"
#define FLOE_PAUSED "floe ps --filter status=paused --format '{{.Names}}'"
#define FLOE_ENDED                                                                                 \
	"floe ps --all --filter status=created --filter status=exited --format '{{.Names}}'"
#define FLOE_VOLUMES "floe volume ls --format '{{.Name}}'"
#define FLOE_SECRETS "floe secret ls --format '{{.Name}}'"

extern const struct cli_value_source floe_value_sources[];
extern const size_t floe_n_value_sources;

extern const struct cli_command floe_completion_command;
extern const struct cli_command floe_inspect_command;
extern const struct cli_command floe_top_command;
extern const struct cli_command floe_stats_command;
extern const struct cli_command floe_update_command;
extern const struct cli_command floe_port_command;
extern const struct cli_command floe_events_command;
extern const struct cli_command floe_diff_command;
extern const struct cli_command floe_export_command;
extern const struct cli_command floe_container_prune_command;
extern const struct cli_command floe_info_command;
extern const struct cli_command floe_volume_command;
extern const struct cli_command floe_secret_command;
extern const struct cli_command floe_mount_command;
extern const struct cli_command floe_unmount_command;
extern const struct cli_command floe_container_inspect_command;
extern const struct cli_command floe_container_list_command;
extern const struct cli_command floe_ps_command;
extern const struct cli_command floe_cleanup_command;
extern const struct cli_command floe_checkpoint_command;
extern const struct cli_command floe_checkpoint_inspect_command;
extern const struct cli_command floe_restore_command;
extern const struct cli_command floe_create_command;
extern const struct cli_command floe_exec_command;
extern const struct cli_command floe_attach_command;
extern const struct cli_command floe_logs_command;
extern const struct cli_command floe_exists_command;
extern const struct cli_command floe_init_command;
extern const struct cli_command floe_kill_command;
extern const struct cli_command floe_pause_command;
extern const struct cli_command floe_rename_command;
extern const struct cli_command floe_restart_command;
extern const struct cli_command floe_rm_command;
extern const struct cli_command floe_run_command;
extern const struct cli_command floe_start_command;
extern const struct cli_command floe_stop_command;
extern const struct cli_command floe_unpause_command;
extern const struct cli_command floe_wait_command;
extern const struct cli_command floe_help_command;
extern const struct cli_command floe_network_command;
extern const struct cli_command floe_version_command;
