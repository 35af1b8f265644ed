/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of floe as a whole: its global options and its commands. */
#pragma once

#include "cli/floe/commands.h"
#include "core/log.h"

#define FLOE_CONFIG_FILE "/etc/floe/floe.conf"

struct floe_globals {
	struct engine_options engine;
	int log_level; /* enum log_level; -1: not given */
	const char *config_file;
	const char *out;
	const char *docker_context;
	bool no_out;
	bool version;
	bool dump_cli;
};

extern const struct cli_program floe_program;
