/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of floe-runtime as a whole: its global options and its commands. */
#pragma once

#include "cli/floe-runtime/commands.h"
#include "core/log.h"

#define RUNTIME_CONFIG_FILE "/etc/floe/runtime.conf"

struct globals {
	const char *root;
	const char *log;
	enum log_format log_format;
	int log_level; /* enum log_level; -1: by format */
	bool debug;
	bool systemd_cgroup;
	int cgroup_manager; /* enum runtime_cgroup_driver; -1: not given */
	int rootless; /* enum runtime_rootless; -1: not given */
	const char *criu;
	const char *config_file;
	bool version;
	bool version_crun;
	bool dump_cli;
};

extern const struct cli_program floe_runtime_program;
