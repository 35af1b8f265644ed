/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks that run when a container has come back from a checkpoint: what was private or random before it
 * (keys, seeds, session ids, leases) may by then be in use twice, or be stale. The OCI specification has
 * no such kind; they are given by the annotation org.floe.hooks.post-restore, whose value is a JSON
 * array of hooks in the form of config.json's: [{"path": "/usr/bin/renew", "args": [...], "timeout": 5}].
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "spec/runtime_spec.h"

#define ANNOTATION_POST_RESTORE "org.floe.hooks.post-restore"

struct restore_hooks {
	struct oci_hook *post_restore; /* owned */
	size_t n_post_restore;
};

#define RESTORE_HOOKS_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

/* None where the annotation is missing or empty. ERR_INVALID names the element that is wrong. */
int restore_hooks_parse(struct restore_hooks *ret, const struct runtime_spec *spec,
			struct err *err);
void restore_hooks_done(struct restore_hooks *hooks);

DEFINE_AUTO_VAL(restore_hooks, struct restore_hooks, restore_hooks_done)
#define auto_restore_hooks auto_cleanup(restore_hooks_cleanup_val)
