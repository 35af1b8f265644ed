/* SPDX-License-Identifier: Apache-2.0 */
/* Options of mounts that nobody has given. Pure. */
#pragma once

#include "engine/config.h"

/* Add to m's options what podman adds where the user says nothing: whether it is writable, propagation, and for each type what it
 * shall not do. */
void mount_defaults_add(struct container_mount *m);
