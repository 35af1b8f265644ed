/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of floe-runtime: one file each. inv->context is a struct runtime_context. */
#pragma once

#include "cli/cli.h"
#include "runtime/operations.h"
#include "runtime/runtime.h"

struct runtime_context {
	struct runtime rt; /* root not open yet */
	const char *criu_option; /* --criu; NULL: not given */
	const char *criu_configured; /* the configuration file's; NULL: not there */
	char *const *argv; /* of the whole program */
};

/* For commands that start a process in a container, before anything else: see kernel/self_exe.h. May
 * execute the program again. */
int command_protect_program(const struct cli_invocation *inv, struct err *err);

extern const struct cli_command checkpoint_command;
extern const struct cli_command completion_command;
extern const struct cli_command create_command;
extern const struct cli_command delete_command;
extern const struct cli_command events_command;
extern const struct cli_command exec_command;
extern const struct cli_command features_command;
extern const struct cli_command help_command;
extern const struct cli_command kill_command;
extern const struct cli_command list_command;
extern const struct cli_command mounts_command;
extern const struct cli_command pause_command;
extern const struct cli_command ps_command;
extern const struct cli_command restore_command;
extern const struct cli_command resume_command;
extern const struct cli_command run_command;
extern const struct cli_command spec_command;
extern const struct cli_command start_command;
extern const struct cli_command state_command;
extern const struct cli_command update_command;

/* For completion: the ids there are. */
#define CONTAINER_IDS "floe-runtime list --quiet"

/* Options that create, run and restore have in common; T: struct, M: its struct create_options. */
#define CREATE_COMMON_ROWS(T, M)                                                                   \
	OPT_STRING(T, M.bundle, "bundle", 'b', "DIR",                                              \
		   "directory of the bundle (default: the current directory)"),                    \
		OPT_STRING(T, M.config, "config", 'f', "FILE",                                     \
			   "configuration to use instead of the bundle's config.json"),            \
		OPT_STRING(T, M.console_socket, "console-socket", 0, "SOCKET",                     \
			   "unix socket to which the terminal's master end is sent"),              \
		OPT_STRING(T, M.pid_file, "pid-file", 0, "FILE",                                   \
			   "file to write the pid of the container's init to"),                    \
		OPT_FLAG(T, M.no_pivot, "no-pivot", 0,                                             \
			 "do not use pivot_root (where the root file system is a ramdisk)"),       \
		OPT_FLAG(T, M.no_new_keyring, "no-new-keyring", 0,                                 \
			 "do not make a session keyring; the container has the caller's")
#define CREATE_ONLY_ROWS(T, M)                                                                     \
	OPT_STRING(T, M.pidfd_socket, "pidfd-socket", 0, "SOCKET",                                 \
		   "unix socket to which a pidfd of the container's init is sent"),                \
		OPT_U32(T, M.preserve_fds, "preserve-fds", 0, "N",                                 \
			"hand descriptors 3 to 3+N-1 to the container")
/* Of those that may wait for the container's end. */
#define CREATE_WAIT_ROWS(T, M)                                                                     \
	OPT_FLAG(T, M.detach, "detach", 'd',                                                       \
		 "do not wait for the container; its caller looks after it"),                      \
		OPT_FLAG(T, M.no_subreaper, "no-subreaper", 0,                                     \
			 "do not adopt orphans of the container")

/* The runtime with its state root open. With `create` the root is made when it is missing; without,
 * a missing one is no error: no container is found in it then. */
int command_open_root(const struct cli_invocation *inv, bool create, struct runtime **ret,
		      struct err *err);
/* The ids that match an extended regular expression (kill and delete --regex). */
int command_match_ids(const struct runtime *rt, const char *pattern, struct strvec *ret,
		      struct err *err);
