/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as YAML for people: block style, keys in order of name, as `podman info` prints them. */
#pragma once

#include "core/strbuf.h"

struct json_object;

/* Append an object (or a list) with a newline behind. */
void yaml_add(struct json_object *value, struct strbuf *out);
