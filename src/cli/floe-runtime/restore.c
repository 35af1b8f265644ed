/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/checkpoint_rows.h"
#include "cli/floe-runtime/commands.h"

struct options {
	struct create_options create;
	struct restore_options restore;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	struct create_options create = cli->create;
	struct restore_options opts = cli->restore;
	struct runtime *rt;
	int exit_code = 0;
	int r = command_open_root(inv, true, &rt, err);

	if (r < 0)
		return r;
	create.id = inv->args[0];
	no_empty(&opts.image_path);
	no_empty(&opts.work_path);
	no_empty(&opts.lsm_profile);
	no_empty(&opts.lsm_mount_context);
	r = container_restore(rt, &create, &opts, &exit_code, err);
	return r < 0 ? r : exit_code;
}

#define T struct options
static const struct cli_option rows[] = {
	CREATE_COMMON_ROWS(T, create),
	CREATE_WAIT_ROWS(T, create),
	CHECKPOINT_COMMON_ROWS(T, restore),
	OPT_FLAG(T, restore.tcp_close, "tcp-close", 0,
		 "close TCP connections instead of restoring them"),
	OPT_STRING(T, restore.lsm_profile, "lsm-profile", 0, "TYPE:NAME",
		   "security label of the processes, such as apparmor:NAME or selinux:LABEL "
		   "(default: that of the checkpoint)"),
	OPT_STRING(T, restore.lsm_mount_context, "lsm-mount-context", 0, "CONTEXT",
		   "SELinux context of the mounts (default: that of the checkpoint)"),
	/* The image knows its parent; containerd repeats the options of the checkpoint. */
	OPT_STRING_F(T, restore.parent_path, "parent-path", 0, "DIR",
		     "of no effect: the image knows its parent", CLI_HIDDEN),
};
#undef T

const struct cli_command restore_command = {
	.name = "restore",
	.arguments = "CONTAINER-ID",
	.summary = "create a container from a checkpoint and let it go on",
	.description =
		"The bundle is that of the container that was frozen. Unless --detach is given, "
		"floe-runtime stays until the container's process ends, exits with its exit code "
		"and deletes the container.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
