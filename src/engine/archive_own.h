/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only the archives of floe say of a container, in keys of config.dump that other engines pass over: which of the
 * variables, limits and devices in the runtime configuration nobody has asked for by themselves ("floeDefaults": engines add
 * them, or CDI devices do), and whether its ids were chosen for it alone ("floeAutoUserns"). An archive can say of no container
 * more by them than that something is a default. Pure.
 */
#pragma once

#include "archive/metadata.h"
#include "engine/config.h"
#include "spec/runtime_spec.h"

enum archive_own_list {
	ARCHIVE_OWN_ENV,
	ARCHIVE_OWN_ULIMITS,
	ARCHIVE_OWN_DEVICES,
	ARCHIVE_OWN_LIST_MAX_,
};

/* Add the keys to an object of json-c. */
void archive_own_format(const struct container_config *config, const struct runtime_spec *spec,
			struct json_object *to);
/* Whether the archive says that nobody has asked for the variable, limit (RLIMIT_NOFILE) or device (/dev/x) of that name. */
bool archive_own_is_default(const struct archive_config *archive, enum archive_own_list list,
			    const char *name);
/* Whether the ids of its user namespace were to be its own; podman's archives say so, too. */
bool archive_own_is_auto_userns(const struct archive_config *archive);
