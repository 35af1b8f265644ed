/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/sequential.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "storage/libarchive.h"

#define INPUT ((size_t)256 << 10)

struct sequential {
	int fd;
	enum format format;
	uint8_t *head; /* to be used before fd */
	size_t head_len;
	uint8_t *input;
	int read_error;
	atomic_uint_fast64_t consumed;
	/* zstd */
	ZSTD_DCtx *zstd;
	ZSTD_inBuffer pending;
	bool in_frame;
	/* the others */
	struct archive *archive;
	const uint8_t *block;
	size_t block_len;
	bool ended;
};

/* Compressed bytes: at *ret, valid until the next call. */
static ssize_t read_input(struct sequential *s, const void **ret)
{
	ssize_t n = (ssize_t)s->head_len;

	if (n > 0) {
		/* The first piece is whatever was read before. */
		*ret = s->head;
		s->head_len = 0;
		return n;
	}
	n = RETRY_EINTR(read(s->fd, s->input, INPUT));
	*ret = s->input;
	if (n < 0)
		s->read_error = -errno;
	else
		atomic_fetch_add(&s->consumed, (uint64_t)n);
	return n;
}

static la_ssize_t feed(struct archive *a, void *context, const void **ret)
{
	struct sequential *s = context;
	ssize_t n = read_input(s, ret);

	if (n < 0)
		archive_set_error(a, -s->read_error, "%s", errno_text(s->read_error));
	return n;
}

static int open_libarchive(struct sequential *s, struct err *err)
{
	struct archive_entry *entry;
	int r = libarchive_load(err);

	if (r < 0)
		return r;
	s->archive = archive_read_new();
	if (!s->archive)
		abort();
	(void)archive_read_support_filter_gzip(s->archive);
	(void)archive_read_support_filter_bzip2(s->archive);
	(void)archive_read_support_filter_xz(s->archive);
	(void)archive_read_support_format_raw(s->archive);
	(void)archive_read_support_format_empty(s->archive);
	if (archive_read_open(s->archive, s, NULL, feed, NULL) == ARCHIVE_OK) {
		r = archive_read_next_header(s->archive, &entry);
		if (r == ARCHIVE_EOF)
			s->ended = true;
		if (r >= ARCHIVE_WARN)
			return 0;
	}
	return err_set(err, ERR_CORRUPT, "read archive: %s", archive_error_string(s->archive));
}

int sequential_new(struct sequential **ret, int fd, enum format format, const void *head,
		   size_t head_len, struct err *err)
{
	struct sequential *s = xcalloc(1, sizeof(*s));
	int r = 0;

	s->fd = fd;
	s->format = format;
	s->head = xmalloc(head_len + 1);
	memcpy(s->head, head, head_len);
	s->head_len = head_len;
	s->input = xmalloc(INPUT);
	if (format == FORMAT_ZSTD) {
		s->zstd = ZSTD_createDCtx();
		if (!s->zstd)
			abort();
	} else if (format != FORMAT_NONE) {
		r = open_libarchive(s, err);
	}
	if (r < 0)
		sequential_free(s);
	else
		*ret = s;
	return r;
}

void sequential_free(struct sequential *s)
{
	if (!s)
		return;
	if (s->archive)
		(void)archive_read_free(s->archive);
	(void)ZSTD_freeDCtx(s->zstd);
	free(s->head);
	free(s->input);
	free(s);
}

uint64_t sequential_consumed(const struct sequential *s)
{
	return atomic_load(&s->consumed);
}

static int read_zstd(struct sequential *s, void *buf, size_t len, size_t *ret_len)
{
	ZSTD_outBuffer out = { .dst = buf, .size = len };

	while (out.pos < out.size) {
		size_t before = out.pos;
		size_t r;

		if (s->pending.pos == s->pending.size && !s->ended) {
			ssize_t n = read_input(s, &s->pending.src);

			if (n < 0)
				return s->read_error;
			s->ended = n == 0;
			s->pending.pos = 0;
			s->pending.size = (size_t)n;
		}
		if (s->ended && !s->in_frame)
			break;
		r = ZSTD_decompressStream(s->zstd, &out, &s->pending);
		if (ZSTD_isError(r))
			return -EBADMSG;
		s->in_frame = r != 0;
		/* The input has ended, and nothing comes any more although something is missing. */
		if (s->ended && s->in_frame && out.pos == before)
			return -EBADMSG;
	}
	*ret_len = out.pos;
	return 0;
}

static int read_libarchive(struct sequential *s, uint8_t *buf, size_t len, size_t *ret_len)
{
	size_t done = 0;

	while (done < len && !(s->ended && s->block_len == 0)) {
		size_t n = MIN(len - done, s->block_len);

		if (n > 0)
			memcpy(buf + done, s->block, n);
		done += n;
		s->block += n;
		s->block_len -= n;
		if (s->block_len == 0 && !s->ended) {
			const void *block = NULL;
			la_int64_t offset;
			int r = archive_read_data_block(s->archive, &block, &s->block_len, &offset);

			if (r < ARCHIVE_WARN)
				return s->read_error < 0 ? s->read_error : -EBADMSG;
			s->block = block;
			s->ended = r == ARCHIVE_EOF;
			if (s->ended)
				s->block_len = 0;
		}
	}
	*ret_len = done;
	return 0;
}

static int read_plain(struct sequential *s, uint8_t *buf, size_t len, size_t *ret_len)
{
	size_t done = MIN(len, s->head_len);

	memcpy(buf, s->head, done);
	memmove(s->head, s->head + done, s->head_len - done);
	s->head_len -= done;
	while (done < len) {
		ssize_t n = RETRY_EINTR(read(s->fd, buf + done, len - done));

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		atomic_fetch_add(&s->consumed, (uint64_t)n);
		done += (size_t)n;
	}
	*ret_len = done;
	return 0;
}

int sequential_read(struct sequential *s, void *buf, size_t len, size_t *ret_len)
{
	*ret_len = 0;
	if (s->format == FORMAT_NONE)
		return read_plain(s, buf, len, ret_len);
	if (s->format == FORMAT_ZSTD)
		return read_zstd(s, buf, len, ret_len);
	return read_libarchive(s, buf, len, ret_len);
}

int sequential_fail(const struct sequential *s, int code, const char *name, struct err *err)
{
	const char *reason = s->archive ? archive_error_string(s->archive) : NULL;

	if (code != -EBADMSG)
		return err_sys(err, code, "read archive '%s'", name);
	return err_set(err, ERR_CORRUPT, "read archive '%s': %s", name,
		       reason ? reason : "it is damaged or truncated");
}
