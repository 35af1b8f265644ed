/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/content.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "archive/reader_internal.h"
#include "core/alloc.h"
#include "core/io.h"

#define STORE_STEP ((size_t)1 << 20)

struct archive_content {
	const struct archive_reader *reader;
	struct plain *plain; /* of our own; NULL while nobody reads */
	uint64_t begin; /* in the tar */
	uint64_t size;
	uint64_t at; /* of piece in the content */
	const uint8_t *piece;
	size_t piece_len;
	uint8_t *joined; /* from more than one piece */
	size_t capacity;
};

struct archive_content *archive_content_new(const struct archive_reader *reader, uint64_t position,
					    uint64_t size)
{
	struct archive_content *content = xcalloc(1, sizeof(*content));

	content->reader = reader;
	content->begin = position;
	content->size = size;
	return content;
}

void archive_content_rest(struct archive_content *content)
{
	plain_close(content->plain);
	content->plain = NULL;
	free(content->joined);
	content->joined = NULL;
	content->capacity = 0;
	content->piece_len = 0;
}

void archive_content_free(struct archive_content *content)
{
	if (!content)
		return;
	archive_content_rest(content);
	free(content);
}

static void go_to(struct archive_content *content, uint64_t offset)
{
	if (content->plain && content->at == offset)
		return;
	if (!content->plain) {
		content->plain = plain_again(content->reader->plain);
		plain_set_ahead(content->plain, true);
	}
	plain_seek(content->plain, content->begin + offset);
	content->piece_len = 0;
	content->at = offset;
}

static int have_piece(struct archive_content *content, struct err *err)
{
	int r;

	if (content->piece_len > 0)
		return 0;
	r = plain_next(content->plain, &content->piece, &content->piece_len, err);
	return r == 0 ? reader_truncated(content->reader, err) : MIN(r, 0);
}

static void use(struct archive_content *content, size_t len)
{
	content->piece += len;
	content->piece_len -= len;
	content->at += len;
}

static int join(struct archive_content *content, size_t len, struct err *err)
{
	size_t done = 0;

	if (content->capacity < len) {
		free(content->joined);
		content->joined = xmalloc(len);
		content->capacity = len;
	}
	while (done < len) {
		size_t n;
		int r = have_piece(content, err);

		if (r < 0)
			return r;
		n = MIN(len - done, content->piece_len);
		memcpy(content->joined + done, content->piece, n);
		use(content, n);
		done += n;
	}
	return 0;
}

int archive_content_read(struct archive_content *content, uint64_t offset, size_t len,
			 const uint8_t **ret, struct err *err)
{
	int r;

	if (offset > content->size || len > content->size - offset)
		return err_set(err, ERR_INTERNAL, "read archive '%s': beyond a member",
			       content->reader->name);
	go_to(content, offset);
	r = have_piece(content, err);
	if (r == 0 && content->piece_len >= len) {
		*ret = content->piece;
		use(content, len);
		return 0;
	}
	if (r == 0)
		r = join(content, len, err);
	/* Where it stands after a failure is not known. */
	if (r < 0)
		archive_content_rest(content);
	else
		*ret = content->joined;
	return r;
}

/* Give all of it to the file fd, or to nobody where that is negative. */
static int pass_all(struct archive_content *content, int fd, struct err *err)
{
	uint64_t done = 0;

	while (done < content->size) {
		size_t len = (size_t)MIN((uint64_t)STORE_STEP, content->size - done);
		const uint8_t *data;
		int r = archive_content_read(content, done, len, &data, err);

		if (r == 0 && fd >= 0) {
			r = io_pwrite_sparse(fd, data, len, (off_t)done);
			if (r < 0)
				r = err_sys(err, r, "unpack '%s'", content->reader->name);
		}
		if (r < 0)
			return r;
		done += len;
	}
	archive_content_rest(content);
	return 0;
}

int archive_content_check(struct archive_content *content, struct err *err)
{
	return pass_all(content, -EBADF, err);
}

int archive_content_store(struct archive_content *content, int fd, struct err *err)
{
	int r = pass_all(content, fd, err);

	if (r == 0 && ftruncate(fd, (off_t)content->size) < 0)
		r = err_sys(err, -errno, "unpack '%s'", content->reader->name);
	return r;
}
