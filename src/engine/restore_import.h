/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container from a checkpoint archive. The documents are read and judged before anything is made; then the
 * container is created, its root file system mounted, and the rest of the archive unpacked to where it belongs,
 * in one pass. On failure nothing is left: no container, mount, volume, address or file.
 */
#pragma once

#include "engine/restore.h"
#include "engine/restore_identity.h"
#include "engine/restore_policy.h"

struct restore_import {
	const char *source; /* FILE, "-", "dir:PATH" */
	const char *previous; /* archive of a pre-checkpoint; NULL: none */
	bool ignore_rootfs;
	bool ignore_volumes;
	uint32_t allowed; /* classes of engine/restore_policy.h */
	struct restore_identity identity;
	/* Told what was found, a line each; NULL: nobody. */
	void (*report)(void *context, const char *lines);
	void *context;
};

struct restore_check;

/* Nothing is made: tell in *ret whether it would work (engine/restore_check.h). Errors are those of an archive that cannot
 * be read, or of an identity that it cannot have. */
int container_import_check(struct engine *e, const struct restore_import *import,
			   struct restore_check *ret, struct err *err);

/* *ret is the running container, locked. */
int container_import(struct container *ret, struct engine *e, const struct restore_import *import,
		     const struct restore_options *options, struct restore_result *result,
		     struct err *err);
