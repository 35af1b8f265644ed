/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: bytes with a name, which a driver keeps (engine/secret_driver.h), given to containers as files or variables. */
#pragma once

#include "core/strbuf.h"
#include "engine/container.h"
#include "engine/specgen.h"

#define SECRET_SIZE_MAX 512000U

struct secret {
	char *id; /* 25 hex digits */
	char *name;
	char *driver; /* file, shell */
	struct json_string_map options; /* the driver's */
	int64_t created_ns;
	int64_t updated_ns;
	struct json_string_map labels;
};

struct secrets {
	struct secret *v;
	size_t n;
};

void secret_done(struct secret *secret);
void secrets_done(struct secrets *secrets);
DEFINE_AUTO_VAL(secret, struct secret, secret_done)
DEFINE_AUTO_VAL(secrets, struct secrets, secrets_done)
#define auto_secret auto_cleanup(secret_cleanup_val)
#define auto_secrets auto_cleanup(secrets_cleanup_val)

struct secret_params {
	const char *name;
	const char *driver;
	const struct json_string_map *options;
	const struct json_string_map *labels;
	bool replace; /* take the place of one with the same name */
};

/* ret_id: owned by the caller. ERR_EXISTS when the name is taken. */
int secret_create(struct engine *e, const struct secret_params *params, const struct strbuf *data,
		  char **ret_id, struct err *err);
/* By name, id or beginning of an id. ERR_NOT_FOUND. */
int secret_load(struct engine *e, const char *name, struct secret *ret, struct err *err);
int secret_list(struct engine *e, struct secrets *ret, struct err *err);
int secret_remove(struct engine *e, const char *name, struct err *err);
/* Its bytes; appends. */
int secret_read(struct engine *e, const char *id, struct strbuf *ret, struct err *err);

/* The container's secrets as files to bind and variables. */
int secrets_prepare(struct container *c, struct spec_facts *f, struct err *err);
