/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a container as inspect prints them. */
#pragma once

#include <json-c/json.h>

#include "engine/container.h"

/* What the user mounted, save tmpfs; caller owns. */
struct json_object *view_mounts(const struct container *c);
