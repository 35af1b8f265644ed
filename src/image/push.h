/* SPDX-License-Identifier: Apache-2.0 */
/* Images to elsewhere. */
#pragma once

#include "image/image.h"
#include "image/skopeo.h"

struct push_options {
	struct skopeo_options skopeo;
	bool quiet;
	const char *digest_file; /* NULL: none */
	const char *format; /* oci, v2s2, v2s1; NULL: as it is */
	/* Of a push to a registry or an OCI layout; other transports have their own, or none. Layers that are compressed in
	 * another way are compressed anew, unless `recompress` is false: then only those that are not compressed. */
	const char *
		compression_format; /* gzip, zstd, zstd:chunked; NULL: as it is, gzip for what is not compressed */
	const char *compression_level;
	bool recompress;
	bool compress; /* to a directory: layers by gzip */
	bool decompress; /* to a directory: layers as they are inside */
	bool remove_signatures;
	const char *sign_by;
};

/* destination: a name, docker://NAME or TRANSPORT:...; NULL: the image's own name `name`. What the
 * registry then has is recorded as one of the image's digests. */
int image_push(struct store *store, const struct image *image, const char *destination,
	       const struct push_options *options, struct err *err);
