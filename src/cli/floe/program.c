/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/program.h"

#include "cli/floe/image_commands.h"
#include "cli/floe/system.h"

static const struct cli_choice log_levels[] = {
	{ "trace", LOG_LEVEL_DEBUG },
	{ "debug", LOG_LEVEL_DEBUG },
	{ "info", LOG_LEVEL_INFO },
	{ "warning", LOG_LEVEL_WARNING },
	{ "warn", LOG_LEVEL_WARNING },
	{ "error", LOG_LEVEL_ERROR },
	{ "fatal", LOG_LEVEL_ERROR },
	{ "panic", LOG_LEVEL_ERROR },
	{ NULL, 0 },
};
static const struct cli_choice cgroup_managers[] = {
	{ "cgroupfs", ENGINE_CGROUPFS },
	{ "systemd", ENGINE_SYSTEMD },
	{ NULL, 0 },
};
static const struct cli_choice network_backends[] = {
	{ "netavark", NETWORK_NETAVARK },
	{ "cni", NETWORK_CNI },
	{ NULL, 0 },
};

#define T struct floe_globals
/* As podman has it: those that say where things are and which programs to use may stand behind the command as well. */
static const struct cli_option global_rows[] = {
	OPT_STRING_F(T, engine.root, "root", 0, "DIR",
		     "where containers, images and volumes are kept (default: " ENGINE_ROOT_DEFAULT
		     ")",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRING_F(T, engine.runroot, "runroot", 0, "DIR",
		     "where that is kept which ends with a reboot (default: " ENGINE_RUNROOT_DEFAULT
		     ")",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRING_F(T, engine.tmpdir, "tmpdir", 0, "DIR",
		     "where locks and exit codes are kept (default: RUNROOT/tmp)",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRING_F(T, engine.volumepath, "volumepath", 0, "DIR",
		     "where named volumes are kept (default: ROOT/volumes)",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRING_F(T, engine.network_config_dir, "network-config-dir", 0, "DIR",
		     "where networks are described (default: " NETWORK_DIR ", or " CNI_CONFIG_DIR
		     ")",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_ENUM_F(T, engine.network_backend, "network-backend", 0, "BACKEND", network_backends,
		   "what makes networks: netavark or cni (default: netavark)",
		   CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRING_F(T, engine.runtime, "runtime", 0, "NAME|FILE",
		     "OCI runtime to run containers with (default: floe-runtime)",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRVEC_F(T, engine.runtime_flags, "runtime-flag", 0, "FLAG",
		     "global option for the runtime, without its leading dashes", CLI_ANYWHERE),
	OPT_STRING_F(T, engine.conmon, "conmon", 0, "FILE", "conmon to use",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_ENUM_F(T, engine.cgroup_manager, "cgroup-manager", 0, "MANAGER", cgroup_managers,
		   "who manages cgroups (default: systemd where it runs)",
		   CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRVEC_F(T, engine.cdi_spec_dirs, "cdi-spec-dir", 0, "DIR",
		     "directory with descriptions of devices of the Container Device Interface",
		     CLI_ANYWHERE),
	OPT_STRVEC_F(T, engine.hooks_dirs, "hooks-dir", 0, "DIR",
		     "directory with descriptions of OCI hooks", CLI_ANYWHERE),
	OPT_STRING_F(T, engine.storage_driver, "storage-driver", 0, "DRIVER",
		     "how layers are stacked: overlay or vfs", CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRVEC_F(T, engine.storage_opts, "storage-opt", 0, "KEY=VALUE",
		     "podman's; floe's own storage has none, so each is refused", CLI_ANYWHERE),
	OPT_STRING_F(T, engine.events_backend, "events-backend", 0, "file|journald|none",
		     "where events are written to (default: file)",
		     CLI_CONFIGURABLE | CLI_ANYWHERE),
	OPT_STRVEC(T, engine.modules, "module", 0, "NAME|FILE",
		   "read a module of containers.conf as well"),
	OPT_ENUM_F(T, log_level, "log-level", 0, "LEVEL", log_levels,
		   "how much is logged (default: warning)", CLI_ANYWHERE | CLI_ANY_CASE),
	OPT_STRING(T, out, "out", 0, "FILE", "write standard output to this file"),
	OPT_FLAG_F(T, no_out, "noout", 0, "print nothing on standard output", CLI_HIDDEN),
	OPT_STRING_F(T, docker_context, "context", 0, "NAME", "docker's; only `default`",
		     CLI_HIDDEN),
	OPT_STRING(T, config_file, "config-file", 0, "FILE",
		   "read defaults of these options from here (default: " FLOE_CONFIG_FILE ")"),
	OPT_FLAG(T, version, "version", 'v', "print the version"),
	OPT_FLAG_F(T, dump_cli, "dump-cli", 0, "print commands and options as JSON", CLI_HIDDEN),
};
#undef T

/* clang-format off */
static const struct cli_command *const container_commands[] = {
	&floe_create_command, &floe_run_command, &floe_start_command, &floe_init_command,
	&floe_stop_command, &floe_restart_command, &floe_kill_command,
	&floe_pause_command, &floe_unpause_command, &floe_wait_command,
	&floe_rm_command, &floe_rename_command, &floe_exists_command, &floe_cleanup_command,
	&floe_exec_command, &floe_attach_command, &floe_logs_command,
	&floe_ps_command, &floe_container_list_command, &floe_container_inspect_command,
	&floe_top_command, &floe_stats_command, &floe_update_command, &floe_port_command,
	&floe_commit_command, &floe_cp_command, &floe_export_command, &floe_diff_command, &floe_mount_command,
	&floe_unmount_command, &floe_container_prune_command,
	&floe_checkpoint_command, &floe_restore_command,
};

static const struct cli_command container_command = {
	.name = "container",
	.summary = "the commands for containers, by their long names",
	.subcommands = container_commands,
	.n_subcommands = ARRAY_SIZE(container_commands),
};

static const struct cli_command *const commands[] = {
	&floe_run_command, &floe_create_command, &floe_start_command, &floe_stop_command,
	&floe_restart_command, &floe_kill_command, &floe_pause_command, &floe_unpause_command,
	&floe_wait_command, &floe_rm_command, &floe_rename_command, &floe_init_command,
	&floe_ps_command, &floe_inspect_command, &floe_logs_command,
	&floe_exec_command, &floe_attach_command,
	&floe_top_command, &floe_stats_command, &floe_update_command, &floe_port_command,
	&floe_commit_command, &floe_cp_command, &floe_export_command, &floe_diff_command, &floe_mount_command,
	&floe_unmount_command,
	&floe_checkpoint_command, &floe_restore_command,
	&floe_events_command, &floe_volume_command, &floe_secret_command, &floe_info_command,
	&container_command,
	&floe_pull_command, &floe_push_command, &floe_images_command, &floe_tag_command,
	&floe_untag_command, &floe_rmi_command, &floe_search_command, &floe_history_command, &floe_load_command,
	&floe_save_command, &floe_import_command, &floe_login_command, &floe_logout_command,
	&floe_image_command,
	&floe_network_command,
	&floe_system_command, &floe_version_command,
	&floe_help_command, &floe_completion_command,
};
/* clang-format on */

#define NO_PODS                                                                                    \
	"floe has no pods; leave it out, and have containers share a network by --network "        \
	"container:NAME (podman-compose: --in-pod=false)"
#define NO_HEALTH                                                                                  \
	"floe has no health checks; leave them out (in a compose file: 'healthcheck'), or use "    \
	"--no-healthcheck"

#define NO_REMOTE                                                                                  \
	"floe works on the machine that it runs on; leave it out, and run floe there (ssh HOST "   \
	"floe ...)"
#define ONE_STORE                                                                                  \
	"floe has one store for images and containers, by --root and --runroot; leave it out"

static const struct cli_absent absent[] = {
	{ "pod", NO_PODS },
	{ "--pod", NO_PODS },
	{ "--pod-id-file", NO_PODS },
	{ "healthcheck", NO_HEALTH },
	{ "--health*", NO_HEALTH },
	{ "--remote", NO_REMOTE },
	{ "--url", NO_REMOTE },
	{ "--connection", NO_REMOTE },
	{ "--identity", NO_REMOTE },
	{ "--ssh", NO_REMOTE },
	{ "--imagestore", ONE_STORE },
	{ "--transient-store", ONE_STORE },
	{ "--syslog", "floe logs to standard error alone; leave it out, and pass that on (2> "
		      ">(logger))" },
	{ "build", "floe builds no images; 'buildah build' and 'buildah push IMAGE "
		   "oci-archive:FILE' do, and 'floe load -i FILE' takes them" },
	{ "compose",
	  "run 'podman-compose --podman-path FLOE --in-pod=false', with floe's whole path" },
};

const struct cli_program floe_program = {
	.name = "floe",
	.summary = "containers that can be frozen, moved, cloned and thawed",
	.globals = global_rows,
	.n_globals = ARRAY_SIZE(global_rows),
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
	.value_sources = floe_value_sources,
	.n_value_sources = &floe_n_value_sources,
	.absent = absent,
	.n_absent = ARRAY_SIZE(absent),
};
