/* SPDX-License-Identifier: Apache-2.0 */
/* How things look to users: JSON with podman's keys, for tables, templates and documents. */
#pragma once

#include "core/strbuf.h"
#include "engine/container.h"

struct json_object;
struct volume;

/* A row of `ps`, for templates. A new object that the caller owns. */
struct json_object *view_ps(const struct container *c, bool no_trunc);
/* The columns that it shows unasked, for which container_brief_desc of the configuration is enough. */
struct json_object *view_ps_brief(const struct container *c, bool no_trunc);
/* The same as `ps --format json` prints it. */
struct json_object *view_ps_json(const struct container *c);
/* Numbers of its namespaces: CGROUPNS, IPC and so on, and as `Namespaces` for JSON; empty when it does not run. */
void view_add_namespaces(struct json_object *row, const struct container *c, bool as_json);
/* What `inspect` prints; size: with what it takes of the disk. A new object that the caller owns; written on success. */
int view_inspect(const struct container *c, bool size, struct json_object **ret, struct err *err);

struct json_object *view_volume(const struct volume *v);

/* Small helpers to build objects: NULL strings become "". */
void view_add(struct json_object *o, const char *key, const char *value);
void view_add_i64(struct json_object *o, const char *key, int64_t value);
void view_add_bool(struct json_object *o, const char *key, bool value);
void view_add_time(struct json_object *o, const char *key, int64_t ns);
struct json_object *view_strings(char *const *v, size_t n);
struct json_object *view_map(const struct json_string_map *map);
