/* SPDX-License-Identifier: Apache-2.0 */
/* The document of `inspect` for an image, in podman's form. */
#pragma once

#include "cli/floe/image_common.h"

/* *ret is the caller's (json_object_put). ERR_NOT_FOUND. */
int image_inspect_json(struct store *store, const char *name, struct json_object **ret,
		       struct err *err);
