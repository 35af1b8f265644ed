/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where CRIU is. The first of these that is given or there decides:
 *
 *   1. the path of the command line (--criu); a name without a slash is looked up on PATH
 *   2. the path of the configuration file, likewise
 *   3. the CRIU that was installed for us: FLOE_LIBDIR/criu/bin/criu,
 *      /usr/local/lib/floe/criu/bin/criu, /usr/lib/floe/criu/bin/criu
 *   4. `criu` on PATH, then in the system's directories for administrators
 *
 * A path that was named and cannot be executed is an error, not a reason to look further. Ours go
 * before PATH because they are there only where the distribution's CRIU does not work.
 */
#pragma once

#include "core/err.h"
#include "core/auto.h"

enum criu_source {
	CRIU_FROM_OPTION,
	CRIU_FROM_CONFIG,
	CRIU_FROM_BUILT_IN,
	CRIU_FROM_PATH,
};

struct criu_location {
	char *path; /* owned */
	enum criu_source source;
};

#define CRIU_LOCATION_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

struct criu_find_opts {
	const char *option; /* --criu; NULL or "": not given */
	const char *configured; /* NULL or "": not configured */
	const char *search_path; /* NULL: the environment's PATH */
	const char
		*prefix; /* tests: put in front of the built-in and system directories; NULL: "" */
};

/*
 * Return: 0; ERR_UNSUPPORTED when there is none, with the places that were looked at and what to do;
 * ERR_NOT_FOUND or ERR_DENIED for a path that was named and cannot be executed.
 */
int criu_find(struct criu_location *ret, const struct criu_find_opts *opts, struct err *err);
/*
 * Whether this CRIU was built with libnftables, and so can lock a network without iptables: its
 * executable names the library. False for one that is no ELF file (a wrapper script): nobody knows.
 */
bool criu_has_nftables(const char *path);
void criu_location_done(struct criu_location *location);
/* "option", "configuration", "built-in", "PATH" */
const char *criu_source_to_string(enum criu_source source);

DEFINE_AUTO_VAL(criu_location, struct criu_location, criu_location_done)
#define auto_criu_location auto_cleanup(criu_location_cleanup_val)
