/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Independent pieces of compressed data: frames of zstd (RFC 8878) and members of gzip (RFC 1952), made
 * and undone one at a time, and the index of them at the end of an archive.
 *
 * A member of ours has an extra field "FL" with two 32-bit little-endian numbers, the bytes of the whole
 * member and those of its content, so that the next one is found without decompressing.
 */
#pragma once

#include <stdint.h>

#include "archive/stored.h"
#include "archive/writer.h"
#include "core/macro.h"
#include "core/strbuf.h"

/* No piece is larger than this, on either side, since some dozen are in memory at a time; foreign ones that are, are
 * read as one stream. */
#define CODEC_PIECE_MAX ((uint32_t)8 << 20)

/* Pieces up to this size are content that is the same again and again: deflate makes 5 KiB of a mebibyte. */
#define CODEC_SMALL 8192

/* What one slot needs, used again and again. Zeroed at first. */
struct codec {
	uint8_t *out;
	size_t capacity;
	size_t len; /* of the last result */
	struct stored
		stored; /* with is_stored the last piece is this and the data, and not in out */
	bool is_stored;
	/* The last piece is of so many bytes that are all the same; 0: it is not. */
	size_t repeated_len;
	uint8_t repeated;
	/* The piece that out is the content of, when it is small; 0: none. */
	uint8_t small[CODEC_SMALL];
	size_t small_len;
	void *compressor; /* ZSTD_CCtx */
	void *decompressor; /* ZSTD_DCtx */
};
void codec_done(struct codec *codec);

/* Data into one piece, of one codec always of the same kind and level; nothing with ARCHIVE_CODEC_NONE (len is right). -ENOMEM, -EIO. */
int codec_compress(struct codec *codec, enum archive_codec kind, int level, const uint8_t *data,
		   size_t len);
/* Where that piece is: parts of codec and of data, which is still what it was, borrowed. Returns their number. */
size_t codec_parts(struct codec *codec, const uint8_t *data, size_t len,
		   struct iovec parts[STORED_PARTS_MAX]);
/* The content of a piece, which must be want bytes, into codec->out. -EBADMSG. */
int codec_decompress(struct codec *codec, enum archive_codec kind, const uint8_t *data, size_t len,
		     size_t want);
/*
 * The same straight from byte `offset` of fd, for a piece of zstd that is not compressed: 1; 0 when it may be another kind, which
 * codec_decompress() knows; negative errno, -EBADMSG.
 */
int codec_read_stored(struct codec *codec, int fd, uint64_t offset, size_t len, size_t want);

/* Whether data (at least CODEC_HEAD bytes, or the whole rest) begins with a member of ours: its sizes. */
#define CODEC_HEAD 24
bool codec_gzip_head(const uint8_t *data, size_t len, uint32_t *ret_piece, uint32_t *ret_content);

/* A piece of len bytes without content. Of one of zstd only the beginning, which is appended, matters. */
#define CODEC_FILLER_MIN 64
void codec_filler_format(struct strbuf *sb, enum archive_codec kind, size_t len);

/* --- index --- */

struct codec_entry {
	uint64_t offset; /* of the piece in the archive */
	uint64_t content; /* of its content in what is compressed */
	uint32_t piece_len;
	uint32_t content_len;
};

struct codec_index {
	struct codec_entry *v;
	size_t n;
};

void codec_index_add(struct codec_index *index, size_t piece_len, size_t content_len);
/* The pieces of another one behind those of index. */
void codec_index_append(struct codec_index *index, const struct codec_index *more);
void codec_index_done(struct codec_index *index);
/* The seek table of the zstd seekable format, in its skippable frame; nothing with other codecs. */
void codec_index_format(const struct codec_index *index, enum archive_codec kind,
			struct strbuf *sb);
/*
 * Read the index of the archive fd (seekable) from byte start to its end. 1; 0 when it has none, or one
 * that does not fit the file; negative errno when it cannot be read.
 */
int codec_index_load(struct codec_index *ret, int fd, uint64_t start, uint64_t end,
		     enum archive_codec kind);
