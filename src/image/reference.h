/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images as the distribution project writes them: [DOMAIN/]PATH[:TAG][@DIGEST]. The first
 * part is a domain when it has a dot or a colon or is "localhost"; names without one are short, and
 * registries.conf says where they are looked for (image/registries.h). "docker.io/x" is
 * "docker.io/library/x".
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/macro.h"

#define REFERENCE_NAME_MAX 255

struct reference {
	char *domain; /* NULL: a short name */
	char *path; /* "library/alpine" */
	char *tag; /* NULL: none */
	char *digest; /* "sha256:..."; NULL: none */
};

/* ERR_INVALID, one sentence. */
int reference_parse(struct reference *ret, const char *text, struct err *err);
void reference_done(struct reference *ref);
/* Set the tag "latest" when there is neither tag nor digest. */
void reference_tag_latest(struct reference *ref);
/* DOMAIN/PATH, DOMAIN/PATH:TAG (with @DIGEST when there is one); caller owns. */
char *reference_repository(const struct reference *ref);
char *reference_format(const struct reference *ref);
/* "localhost/NAME:latest" for a short name, "NAME:latest" otherwise: what tag, commit, load and
 * import make of what the user typed. Names with a digest are ERR_INVALID. Caller owns *ret. */
int reference_normalize_local(const char *text, char **ret, struct err *err);

DEFINE_AUTO_VAL(reference, struct reference, reference_done)
#define auto_reference auto_cleanup(reference_cleanup_val)
