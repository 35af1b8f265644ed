/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that a checkpoint would have in the end. CRIU reads /etc/criu/default.conf, then
 * $HOME/.criu/default.conf, then the file in $CRIU_CONFIG_FILE; what our request says explicitly
 * overrides those; the file that the request names comes last and overrides the request.
 */
#pragma once

#include "core/err.h"
#include "runtime/checkpoint/preflight_snapshot.h"
#include "spec/runtime_spec.h"

/*
 * The text of one of CRIU's configuration files (criu/config_file.h).
 * overridden: an option that our request always sets has no effect (the files that CRIU reads before
 * the request). The text is not changed; options that do not matter here are passed over.
 */
void preflight_options_add_file(struct preflight_options *options, const char *text,
				const char *path, bool overridden);
/* *ret is zeroed or done. Files that cannot be read are none, as for CRIU. */
void preflight_options_make(struct preflight_options *ret, const struct checkpoint_options *opts,
			    const struct runtime_spec *spec);
