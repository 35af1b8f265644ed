/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of secrets are kept, by the name of the driver in their record:
 *
 *	file	a file of that id (0600) in ROOT/secrets, or in the directory that option `path` names
 *	shell	behind four commands of the user's, the options store, lookup, delete and list (podman's names); each
 *		is run by /bin/sh -c with the id in $SECRET_ID. store reads the bytes, lookup writes them.
 */
#pragma once

#include "engine/secret.h"

/* Is there such a driver, and are its options complete and known? ERR_INVALID. */
int secret_driver_check(const char *driver, const struct json_string_map *options, struct err *err);
int secret_driver_store(const struct engine *e, const struct secret *secret,
			const struct strbuf *data, struct err *err);
/* Appends. */
int secret_driver_lookup(const struct engine *e, const struct secret *secret, struct strbuf *ret,
			 struct err *err);
/* What is not there any more is no error. */
int secret_driver_remove(const struct engine *e, const struct secret *secret, struct err *err);
/* Its bytes are gone for certain; nobody knows what a shell command would say. */
bool secret_driver_has_lost(const struct engine *e, const struct secret *secret);
/* The directory of driver file; owned by the caller. */
char *secret_driver_path(const struct engine *e, const struct secret *secret);
