/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of an image in another compression, for a push that asks for one. */
#pragma once

#include "image/image.h"

struct recompress_how {
	const char *format; /* gzip, zstd, zstd:chunked; NULL: that of its first layer */
	const char *level; /* NULL: the format's own */
	const char *
		manifest; /* oci, v2s2; NULL: as it is, OCI's where only that can tell of the format */
	const char *policy; /* file of a signature policy */
};

/* ERR_USAGE unless there is such a format, the level is a number, and the manifest can tell of it. */
int recompress_check(const struct recompress_how *how, struct err *err);

/* Whether the layers would be other ones. */
bool recompress_is_needed(const struct image_manifest *manifest, const struct recompress_how *how);

/* dir: in the directory `path`: what is in "image" becomes "recompressed"; "plain" has it in between, where
 * layers are compressed. It takes the size of all layers on disk, unpacked and packed. */
int recompress(const char *path, const struct image_manifest *manifest,
	       const struct recompress_how *how, struct err *err);
