/* SPDX-License-Identifier: Apache-2.0 */
/* A reference to a json-c value that ends with its scope. */
#pragma once

#include <json-c/json_object.h>

#include "core/auto.h"

static inline void json_object_release(struct json_object *value)
{
	(void)json_object_put(value);
}

DEFINE_AUTO_PTR(json, struct json_object, json_object_release)
#define auto_json auto_cleanup(json_cleanup_ptr)
