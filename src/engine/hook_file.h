/* SPDX-License-Identifier: Apache-2.0 */
/* One description of an OCI hook (oci-hooks(5), schemas 1.0.0 and 0.1.0), and whether it is for a container. */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"
#include "engine/config.h"
#include "spec/runtime_spec.h"

struct hook_when {
	struct opt_bool always;
	struct json_string_map annotations; /* patterns of key and value */
	char **commands; /* patterns */
	size_t n_commands;
	struct opt_bool has_bind_mounts;
	char **values; /* of 0.1.0: patterns of an annotation's value, whatever its key */
	size_t n_values;
	bool any; /* 0.1.0: one condition is enough */
};

struct hook_file {
	char *version;
	struct oci_hook hook;
	struct hook_when when;
	char **stages;
	size_t n_stages;
};

#define HOOK_FILE_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

int hook_file_load(struct hook_file *ret, const char *path, struct err *err);
void hook_file_done(struct hook_file *file);
/* All conditions that are given must hold, and one must be given. ERR_INVALID for a pattern that is none. */
int hook_file_applies(const struct hook_file *file, const struct container_config *config,
		      bool *ret, struct err *err);

DEFINE_AUTO_VAL(hook_file, struct hook_file, hook_file_done)
#define auto_hook_file auto_cleanup(hook_file_cleanup_val)
