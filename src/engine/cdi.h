/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the Container Device Interface (https://github.com/cncf-tags/container-device-interface, specification 1.0):
 * "VENDOR/CLASS=NAME" stands for what a vendor's JSON file in /etc/cdi or /var/run/cdi says of it: device nodes,
 * mounts, variables, hooks and groups that the container gets. Of the specification's versions 0.x and 1.x are known; files of
 * others are left out with a warning.
 */
#pragma once

#include "core/err.h"
#include "core/strvec.h"
#include "engine/engine.h"
#include "spec/runtime_spec.h"

/* Whether the text names such a device. */
bool cdi_is_name(const char *text);
/* Where to look for them: the command line's directories, the configuration's, or the usual ones. Adds to *ret. */
void cdi_directories(struct strvec *ret, const struct engine *e);
/* Whether a directory has the device; what it needs is not looked for. */
bool cdi_is_here(const struct strvec *dirs, const char *name);
/*
 * Put them into the runtime configuration. Of two directories the later one counts, where both have the device; a device that one
 * directory has twice is none. ERR_COMMAND: `unresolvable CDI devices`, or what a device needs is not there. ERR_UNSUPPORTED: an
 * edit that cannot be made.
 */
int cdi_inject(const struct strvec *dirs, char *const *names, size_t n, struct runtime_spec *spec,
	       struct err *err);
