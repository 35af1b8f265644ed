/* SPDX-License-Identifier: Apache-2.0 */
/* Directories with descriptions of OCI hooks (oci-hooks(5), schemas 1.0.0 and 0.1.0). */
#pragma once

#include "engine/config.h"
#include "engine/engine.h"
#include "engine/specgen.h"

/* The hooks that apply to the container, into f->hooks. --hooks-dir replaces the two default places; of files
 * with the same name that of the later directory counts. */
int hooks_dir_load(struct engine *e, const struct container_config *config, struct spec_facts *f,
		   struct err *err);
/* Have the hooks of stage precreate change the runtime configuration: *text is the caller's, and replaced. */
int hooks_dir_precreate(const struct spec_facts *f, char **text, struct err *err);
