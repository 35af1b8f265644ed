/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container's root is, as inspect prints it. */
#pragma once

#include <json-c/json.h>

#include "engine/container.h"

/* "Driver", and "GraphDriver" with the directories of its overlay. */
void view_add_root(struct json_object *o, const struct container *c);
