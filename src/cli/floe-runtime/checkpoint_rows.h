/* SPDX-License-Identifier: Apache-2.0 */
/* Options that checkpoint and restore have in common. */
#pragma once

#include "cli/cli.h"
#include "runtime/checkpoint/options.h"

extern const struct cli_choice cgroups_mode_choices[];
extern const struct cli_choice network_lock_choices[];

/* An empty value is none, as for runc: callers pass on what they were not told. */
static inline void no_empty(const char **value)
{
	if (*value && !**value)
		*value = NULL;
}

/* T: struct, M: its struct checkpoint_options or restore_options. */
#define CHECKPOINT_COMMON_ROWS(T, M)                                                               \
	OPT_STRING(T, M.image_path, "image-path", 0, "DIR",                                        \
		   "directory of the image (default: ./" CHECKPOINT_DEFAULT_DIRECTORY ")"),        \
		OPT_STRING(T, M.work_path, "work-path", 0, "DIR",                                  \
			   "directory for CRIU's log and statistics (default: the image's)"),      \
		OPT_FLAG(T, M.tcp_established, "tcp-established", 0,                               \
			 "keep established TCP connections"),                                      \
		OPT_FLAG(T, M.ext_unix_sk, "ext-unix-sk", 0,                                       \
			 "allow unix sockets that lead out of the container"),                     \
		OPT_FLAG(T, M.shell_job, "shell-job", 0,                                           \
			 "allow a session and terminal of the caller's"),                          \
		OPT_FLAG(T, M.file_locks, "file-locks", 0, "keep file locks"),                     \
		OPT_FLAG(T, M.lazy_pages, "lazy-pages", 0,                                         \
			 "transfer memory when it is first used (needs userfaultfd)"),             \
		OPT_FLAG(T, M.auto_dedup, "auto-dedup", 0,                                         \
			 "punch out of parent images what later ones replace"),                    \
		OPT_STRVEC(T, M.empty_ns, "empty-ns", 0, "NAMESPACE",                              \
			   "leave a namespace's content out; only 'network' is possible"),         \
		OPT_ENUM(T, M.cgroups_mode, "manage-cgroups-mode", 0, "MODE",                      \
			 cgroups_mode_choices, "what CRIU does with cgroups"),                     \
		OPT_ENUM(T, M.network_lock, "network-lock", 0, "METHOD", network_lock_choices,     \
			 "how packets are kept away from frozen connections")
