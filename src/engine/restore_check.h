/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Will it restore here? What can be known before anything is made: from the archive's documents, this machine, and the
 * engine's records. What the exporting machine was like stands in the archives of floe only ("floeHost" in config.dump).
 */
#pragma once

#include "engine/restore_import.h"

enum restore_verdict {
	RESTORE_FITS,
	RESTORE_UNKNOWN, /* the archive does not say */
	RESTORE_FAILS,
};

struct restore_check {
	struct strbuf text; /* "ok    image: ...", a line each */
	size_t n_failures;
};

/* One line. */
void restore_check_note(struct restore_check *check, enum restore_verdict verdict, const char *what,
			const char *format, ...) PRINTF_LIKE(4, 5);
/* All of it, for a record that has its new identity. known: sources of mounts that would be made. */
void restore_check_run(struct restore_check *check, struct engine *e,
		       const struct archive_config *config, const struct runtime_spec *spec,
		       const struct container_config *record, const struct restore_import *import,
		       const struct archive_bind_mounts *known);
/* The object that the export writes. */
struct json_object *restore_check_host(void);
