/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What floe itself needs of containers-registries.conf(5) (version 2): where short names are looked
 * for. Mirrors, blocked and insecure registries are skopeo's, which reads the same files.
 *
 * Files: $CONTAINERS_REGISTRIES_CONF or /etc/containers/registries.conf, then the drop-ins of
 * registries.conf.d in order of name (later ones win); aliases that were recorded, last, from
 * short-name-aliases.conf.
 */
#pragma once

#include "core/err.h"
#include "core/json_table.h"
#include "core/strvec.h"

struct registries {
	struct strvec search; /* unqualified-search-registries */
	struct json_string_map aliases; /* short name -> repository, without tag; "": removed */
	char *short_name_mode; /* enforcing, permissive, disabled; NULL: not set */
	struct strvec insecure; /* prefixes of [[registry]] with insecure = true */
	struct strvec blocked;
};

/* path NULL: the usual places. Missing files are no error; ERR_INVALID with file and line. */
int registries_load(struct registries *ret, const char *path, struct err *err);
void registries_done(struct registries *r);

/*
 * The names that a short (or full) one may stand for, best first, with tag or digest: its alias
 * alone when it has one; for what is here already `localhost/` first; then every search registry.
 * `local`: for lookups among images that are here. ERR_INVALID; ERR_NOT_FOUND when a short name
 * could be nowhere, with what to configure.
 */
int registries_candidates(const struct registries *r, const char *name, bool local,
			  struct strvec *ret, struct err *err);

DEFINE_AUTO_VAL(registries, struct registries, registries_done)
#define auto_registries auto_cleanup(registries_cleanup_val)
