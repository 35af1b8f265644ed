/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256 digests as OCI writes them, by libcrypto. This header and digest.c know nothing of struct
 * err: OpenSSL has names that begin with ERR_ as well.
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"

#define STORE_DIGEST_MAX 72 /* "sha256:" + 64 + NUL */

/* Whether text is a digest of the form above. */
bool digest_is_valid(const char *text);
/* The hex part of a valid digest; points into it. */
const char *digest_hex(const char *digest);
/* "sha256:..." of data. */
void digest_of(const void *data, size_t len, char ret[static STORE_DIGEST_MAX]);

/* A running sha256. */
struct digest_context;
struct digest_context *digest_new(void);
void digest_update(struct digest_context *c, const void *data, size_t len);
/* Once. */
void digest_final(struct digest_context *c, char ret[static STORE_DIGEST_MAX]);
void digest_free(struct digest_context *c);
DEFINE_AUTO_PTR(digest, struct digest_context, digest_free)
#define auto_digest auto_cleanup(digest_cleanup_ptr)
