/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/input.h"

#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "core/io.h"

#define READ_STEP ((size_t)1 << 20)
#define SKIPPABLE_HEAD 8
/* Enough for the header of a frame of zstd (RFC 8878, 3.1.1.1). */
#define FRAME_HEAD 18

static int corrupt(const struct input *in, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "read archive '%s': it is damaged or truncated", in->name);
}

static uint32_t u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

size_t input_len(const struct input *in)
{
	return in->buffer.len - in->used;
}

const uint8_t *input_data(const struct input *in)
{
	return (const uint8_t *)in->buffer.buf + in->used;
}

void input_use(struct input *in, size_t len)
{
	in->used += len;
}

int input_fill(struct input *in, size_t want, struct err *err)
{
	while (input_len(in) < want && !in->ended) {
		size_t step = MAX(want - input_len(in), READ_STEP);
		ssize_t n;

		if (in->used > 0) {
			memmove(in->buffer.buf, input_data(in), input_len(in));
			strbuf_truncate(&in->buffer, input_len(in));
			in->used = 0;
		}
		n = RETRY_EINTR(read(in->fd, strbuf_reserve(&in->buffer, step), step));
		if (n < 0)
			return err_sys(err, -errno, "read archive '%s'", in->name);
		if (n == 0)
			in->ended = true;
		else
			strbuf_advance(&in->buffer, (size_t)n);
		in->consumed += (uint64_t)n;
	}
	return 0;
}

/* Pass over a frame that decoders skip. */
static int skip_frame(struct input *in, struct err *err)
{
	uint64_t left = (uint64_t)u32_at(input_data(in) + 4) + SKIPPABLE_HEAD;

	while (left > 0) {
		int r = input_fill(in, 1, err);
		size_t n = (size_t)MIN(left, (uint64_t)input_len(in));

		if (r < 0)
			return r;
		if (n == 0)
			return corrupt(in, err);
		input_use(in, n);
		left -= n;
	}
	return 0;
}

/* The next frame of zstd as entry: 1; 0: the end, or none that can stand alone (*ret_sequential). */
static int find_frame(struct input *in, struct codec_entry *ret, bool *ret_sequential,
		      struct err *err)
{
	unsigned long long content;
	size_t len;
	int r;

	while ((r = input_fill(in, FRAME_HEAD, err)) == 0 && input_len(in) >= SKIPPABLE_HEAD &&
	       (u32_at(input_data(in)) & ~0xfU) == ZSTD_MAGIC_SKIPPABLE_START)
		if ((r = skip_frame(in, err)) < 0)
			return r;
	if (r < 0 || input_len(in) == 0)
		return r;
	content = ZSTD_getFrameContentSize(input_data(in), input_len(in));
	if (content == ZSTD_CONTENTSIZE_ERROR)
		return corrupt(in, err);
	*ret_sequential = content == ZSTD_CONTENTSIZE_UNKNOWN || content > CODEC_PIECE_MAX;
	while (!*ret_sequential) {
		len = ZSTD_findFrameCompressedSize(input_data(in), input_len(in));
		if (!ZSTD_isError(len))
			break;
		if (in->ended)
			return corrupt(in, err);
		*ret_sequential = input_len(in) > CODEC_PIECE_MAX;
		r = input_fill(in, input_len(in) + READ_STEP, err);
		if (r < 0)
			return r;
	}
	if (*ret_sequential)
		return 0;
	*ret = (struct codec_entry){ .piece_len = (uint32_t)len, .content_len = (uint32_t)content };
	return 1;
}

static int find_member(struct input *in, struct codec_entry *ret, bool *ret_sequential,
		       struct err *err)
{
	uint32_t piece;
	uint32_t content;
	int r = input_fill(in, CODEC_HEAD, err);

	if (r < 0 || input_len(in) == 0)
		return r;
	*ret_sequential = !codec_gzip_head(input_data(in), input_len(in), &piece, &content);
	if (*ret_sequential)
		return 0;
	r = input_fill(in, piece, err);
	if (r < 0)
		return r;
	if (input_len(in) < piece)
		return corrupt(in, err);
	*ret = (struct codec_entry){ .piece_len = piece, .content_len = content };
	return 1;
}

int input_next_part(struct input *in, enum format format, struct codec_entry *ret,
		    bool *ret_sequential, struct err *err)
{
	return format == FORMAT_ZSTD ? find_frame(in, ret, ret_sequential, err) :
				       find_member(in, ret, ret_sequential, err);
}

enum format input_detect(const struct input *in)
{
	static const struct {
		const char *magic;
		size_t len;
		enum format format;
	} magics[] = {
		{ "\x28\xb5\x2f\xfd", 4, FORMAT_ZSTD },
		{ "\x1f\x8b", 2, FORMAT_GZIP },
		{ "BZh", 3, FORMAT_BZIP2 },
		{ "\xfd"
		  "7zXZ\0",
		  6, FORMAT_XZ },
	};
	const uint8_t *data = input_data(in);
	size_t len = input_len(in);

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (len >= magics[i].len && memcmp(data, magics[i].magic, magics[i].len) == 0)
			return magics[i].format;
	/* Decoders may begin with a frame that they skip. */
	if (len >= 4 && (u32_at(data) & ~0xfU) == ZSTD_MAGIC_SKIPPABLE_START)
		return FORMAT_ZSTD;
	return FORMAT_NONE;
}

void input_clear(struct input *in)
{
	strbuf_clear(&in->buffer);
	in->used = 0;
	in->consumed = 0;
	in->ended = false;
}

void input_done(struct input *in)
{
	strbuf_done(&in->buffer);
	in->buffer = (struct strbuf)STRBUF_INIT;
	in->used = 0;
}
