/* SPDX-License-Identifier: Apache-2.0 */
/* The tar of an archive: its bytes, and the headers of its members. */
#include <string.h>

#include "archive/reader_internal.h"
#include "archive/tar_header.h"
#include "core/alloc.h"
#include "core/str.h"

/* Long names, attributes: what stands in front of a header. */
#define EXTENSION_MAX ((uint64_t)1 << 20)
/* Up to here an archive may be of nothing but zeroes. */
#define RATIO_FREE ((uint64_t)16 << 30)

/* --- bytes of the tar --- */

int reader_invalid(const struct archive_reader *reader, struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "read archive '%s': %s", reader->name, what);
}

int reader_truncated(const struct archive_reader *reader, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "read archive '%s': it ends too early", reader->name);
}

static int check_ratio(const struct archive_reader *reader, uint64_t bytes, struct err *err)
{
	if (bytes > RATIO_FREE && bytes / reader->options.max_ratio > plain_consumed(reader->plain))
		return err_set(err, ERR_INVALID,
			       "read archive '%s': its content is more than %u times as large as "
			       "itself",
			       reader->name, reader->options.max_ratio);
	return 0;
}

/* Have a piece with something in it: 1, 0 at the end. */
int reader_have_piece(struct archive_reader *reader, struct err *err)
{
	int r;

	if (reader->piece_len > 0)
		return 1;
	r = plain_next(reader->plain, &reader->piece, &reader->piece_len, err);
	if (r <= 0)
		return r;
	r = check_ratio(reader, reader->position, err);
	return r < 0 ? r : 1;
}

void reader_use_piece(struct archive_reader *reader, size_t len)
{
	reader->piece += len;
	reader->piece_len -= len;
	reader->position += len;
}

static int take_bytes(struct archive_reader *reader, void *buf, size_t len, struct err *err)
{
	uint8_t *to = buf;

	while (len > 0) {
		int r = reader_have_piece(reader, err);
		size_t n = MIN(len, reader->piece_len);

		if (r <= 0)
			return r < 0 ? r : reader_truncated(reader, err);
		memcpy(to, reader->piece, n);
		reader_use_piece(reader, n);
		to += n;
		len -= n;
	}
	return 0;
}

int reader_pass_bytes(struct archive_reader *reader, uint64_t len, struct err *err)
{
	size_t n = (size_t)MIN(len, (uint64_t)reader->piece_len);

	reader_use_piece(reader, n);
	len -= n;
	if (len > 0 && plain_can_seek(reader->plain)) {
		reader->position += len;
		plain_seek(reader->plain, reader->position);
		return 0;
	}
	while (len > 0) {
		int r = reader_have_piece(reader, err);

		if (r <= 0)
			return r < 0 ? r : reader_truncated(reader, err);
		n = (size_t)MIN(len, (uint64_t)reader->piece_len);
		reader_use_piece(reader, n);
		len -= n;
	}
	return 0;
}

/* --- headers --- */

/* The content of an extension block, without NULs at its end. */
static int take_extension(struct archive_reader *reader, uint64_t size, struct strbuf *sb,
			  struct err *err)
{
	int r;

	if (size > EXTENSION_MAX)
		return reader_invalid(reader, err, "a header is too large");
	r = take_bytes(reader, strbuf_reserve(sb, (size_t)size), (size_t)size, err);
	if (r < 0)
		return r;
	strbuf_advance(sb, (size_t)size);
	return reader_pass_bytes(reader, tar_padded(size) - size, err);
}

static int take_records(struct archive_reader *reader, const struct tar_block *block,
			struct tar_override *override, struct err *err)
{
	struct tar_override global = { 0 };
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = take_extension(reader, block->size, &sb, err);

	if (r < 0)
		return r;
	r = tar_override_parse(block->type == 'g' ? &global : override, sb.buf, sb.len);
	/* A name for all members: some readers believe it, others do not. */
	if (r == 0 && (global.path || global.link || global.has_size || global.sparse))
		r = -EBADMSG;
	tar_override_done(&global);
	return r < 0 ? err_set(err, ERR_CORRUPT, "read archive '%s': a header is damaged",
			       reader->name) :
		       0;
}

static int take_long_name(struct archive_reader *reader, const struct tar_block *block,
			  struct tar_override *override, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = take_extension(reader, block->size, &sb, err);

	if (r < 0)
		return r;
	if (block->type == 'L')
		replace_ptr(override->path, xstrdup(sb.buf));
	else
		replace_ptr(override->link, xstrdup(sb.buf));
	return 0;
}

/* Behind the end there are zeroes, if anything. */
static int check_end(struct archive_reader *reader, struct err *err)
{
	int r;

	while ((r = reader_have_piece(reader, err)) > 0) {
		if (reader->piece[0] != 0 ||
		    memcmp(reader->piece, reader->piece + 1, reader->piece_len - 1) != 0)
			return err_set(err, ERR_CORRUPT,
				       "read archive '%s': something follows its end",
				       reader->name);
		reader_use_piece(reader, reader->piece_len);
	}
	return r;
}

/* The header of the next member with everything that stands in front of it: 1, 0 at the end. */
static int take_header(struct archive_reader *reader, struct tar_block *block,
		       struct tar_override *override, struct err *err)
{
	for (;;) {
		uint8_t raw[TAR_BLOCK];
		int r = take_bytes(reader, raw, sizeof(raw), err);

		if (r < 0)
			return r;
		r = tar_block_parse(block, raw);
		if (r == 0) {
			r = take_bytes(reader, raw, sizeof(raw), err);
			if (r == 0 && tar_block_parse(block, raw) != 0)
				return err_set(err, ERR_CORRUPT,
					       "read archive '%s': a header is damaged",
					       reader->name);
			return r < 0 ? r : check_end(reader, err);
		}
		if (r < 0)
			return err_set(err, ERR_CORRUPT,
				       reader->position == TAR_BLOCK ?
					       "read archive '%s': it is no tar archive" :
					       "read archive '%s': a header is damaged",
				       reader->name);
		if (block->type == 'x' || block->type == 'g')
			r = take_records(reader, block, override, err);
		else if (block->type == 'L' || block->type == 'K')
			r = take_long_name(reader, block, override, err);
		else
			return 1;
		if (r < 0)
			return r;
	}
}

static int type_of(const struct archive_reader *reader, const struct tar_block *block,
		   const char *path, enum archive_member_type *ret, struct err *err)
{
	bool slash = str_has_suffix(path, "/");

	if ((block->type == '0' || block->type == '7') && !slash)
		*ret = ARCHIVE_REGULAR;
	else if (block->type == '5' && block->size == 0)
		*ret = ARCHIVE_DIRECTORY;
	else if (block->type == '2' && block->size == 0)
		*ret = ARCHIVE_SYMLINK;
	else
		return err_set(err, ERR_INVALID,
			       "read archive '%s': member '%.200s' is neither file nor directory",
			       reader->name, path);
	return 0;
}

int reader_next_of_tar(struct archive_reader *reader, struct err *err)
{
	int r = 0;

	while (r == 0) {
		struct tar_override override = { 0 };
		enum archive_member_type type = ARCHIVE_REGULAR;
		const char *path;
		struct tar_block block;

		r = take_header(reader, &block, &override, err);
		if (r <= 0) {
			reader->ended = r == 0;
			tar_override_done(&override);
			return r;
		}
		path = override.path ? override.path : block.path;
		if (override.has_size)
			block.size = override.size;
		r = override.sparse ?
			    reader_invalid(reader, err,
					   "a sparse member; unpack and pack it without") :
			    type_of(reader, &block, path, &type, err);
		if (r == 0)
			r = reader_accept(reader, path, type,
					  type != ARCHIVE_SYMLINK ? NULL :
					  override.link		  ? override.link :
								    block.link,
					  block.size, err);
		tar_override_done(&override);
	}
	if (r > 0)
		reader->padding = tar_padded(reader->left) - reader->left;
	return r;
}
