/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/codec.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"

#define SEEK_MAGIC 0x8F92EAB1U
#define SKIPPABLE_MAGIC 0x184D2A5EU
#define SEEK_FOOTER 9
#define SKIPPABLE_HEAD 8
#define SEEK_ENTRY 8
#define SEEK_ENTRIES_MAX (1U << 22)

#define GZIP_HEAD 24 /* 10, the length of the extra field, and the field: 2 + 2 + 8 */
#define GZIP_TAIL 8
/* Blocks that are judged, and compressed or stored, as one. */
#define GZIP_BLOCK ((size_t)64 << 10)

static uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static void put_u32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

void codec_done(struct codec *codec)
{
	free(codec->out);
	(void)ZSTD_freeCCtx(codec->compressor);
	(void)ZSTD_freeDCtx(codec->decompressor);
	*codec = (struct codec){ 0 };
}

static void reserve(struct codec *codec, size_t capacity)
{
	if (codec->capacity >= capacity)
		return;
	free(codec->out);
	codec->out = xmalloc(capacity);
	codec->capacity = capacity;
}

static uint8_t *without_const(const uint8_t *data)
{
	return (uint8_t *)(uintptr_t)data;
}

/* --- what to try on data --- */

/*
 * Memory that is encrypted, compressed or random already costs its compression most of the time and comes out no
 * smaller. Where bytes are spread evenly over a sample they are stored: 4,096 bytes of which each of the 256
 * is expected 16 times; sum of squares of a random sample is about 69,000. The step is odd, so that every byte of
 * words and records has its turn.
 */
static bool looks_random(const uint8_t *data, size_t len)
{
	unsigned int counts[256] = { 0 };
	unsigned int sum = 0;
	size_t step = len / 4096;

	if (step == 0)
		return false;
	step -= step % 2 == 0;
	for (size_t i = 0; i < 4096; i++)
		counts[data[i * step]]++;
	for (size_t i = 0; i < 256; i++)
		sum += counts[i] * counts[i];
	return sum < 73000;
}

static bool is_repeated(const uint8_t *data, size_t len)
{
	return len > 0 && memcmp(data, data + 1, len - 1) == 0;
}

/* --- zstd --- */

static int zstd_prepare(struct codec *codec, int level)
{
	if (codec->compressor)
		return 0;
	codec->compressor = ZSTD_createCCtx();
	if (!codec->compressor)
		return -ENOMEM;
	(void)ZSTD_CCtx_setParameter(codec->compressor, ZSTD_c_compressionLevel, level);
	(void)ZSTD_CCtx_setParameter(codec->compressor, ZSTD_c_checksumFlag, 1);
	return 0;
}

/* Bytes that are spread evenly may still be the same ones again and again: that is seen by trying. */
static bool zstd_is_in_vain(struct codec *codec, const uint8_t *data, size_t len)
{
	size_t n;

	if (len < STORED_BLOCK || stored_size(len) == 0)
		return false;
	for (size_t at = 0; at < len; at += STORED_BLOCK)
		if (!looks_random(data + at, MIN(STORED_BLOCK, len - at)))
			return false;
	n = ZSTD_compress2(codec->compressor, codec->out, codec->capacity, data, STORED_BLOCK);
	return !ZSTD_isError(n) && n > STORED_BLOCK - STORED_BLOCK / 64;
}

static int zstd_compress(struct codec *codec, int level, const uint8_t *data, size_t len)
{
	size_t n;
	int r = zstd_prepare(codec, level);

	if (r < 0)
		return r;
	reserve(codec, ZSTD_compressBound(len));
	codec->is_stored = zstd_is_in_vain(codec, data, len);
	if (codec->is_stored) {
		stored_format(&codec->stored, data, len);
		codec->len = stored_size(len);
		return 0;
	}
	n = ZSTD_compress2(codec->compressor, codec->out, codec->capacity, data, len);
	if (ZSTD_isError(n))
		return -EIO;
	codec->len = n;
	return 0;
}

static int zstd_decompress(struct codec *codec, const uint8_t *data, size_t len, size_t want)
{
	size_t n;

	if (!codec->decompressor) {
		codec->decompressor = ZSTD_createDCtx();
		if (!codec->decompressor)
			return -ENOMEM;
	}
	n = ZSTD_decompressDCtx(codec->decompressor, codec->out, want, data, len);
	if (ZSTD_isError(n) || n != want)
		return -EBADMSG;
	codec->len = n;
	return 0;
}

/* --- gzip --- */

static int deflate_all(z_stream *z, int level, const uint8_t *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t n = MIN(GZIP_BLOCK, len - done);
		int r = deflateParams(z, looks_random(data + done, n) ? 0 : level,
				      Z_DEFAULT_STRATEGY);

		if (r != Z_OK)
			return -EIO;
		z->next_in = without_const(data + done);
		z->avail_in = (uInt)n;
		if (deflate(z, Z_NO_FLUSH) != Z_OK || z->avail_in > 0)
			return -EIO;
		done += n;
	}
	return deflate(z, Z_FINISH) == Z_STREAM_END ? 0 : -EIO;
}

static void gzip_head_format(uint8_t to[GZIP_HEAD], size_t len, size_t content)
{
	static const uint8_t head[] = {
		0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 12, 0, 'F', 'L', 8, 0
	};

	memcpy(to, head, sizeof(head));
	put_u32(to + 16, (uint32_t)len);
	put_u32(to + 20, (uint32_t)content);
}

static int gzip_compress(struct codec *codec, int level, const uint8_t *data, size_t len)
{
	z_stream z = { 0 };
	int r;

	if (deflateInit2(&z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	/* Each change of the level ends a block. */
	reserve(codec, GZIP_HEAD + deflateBound(&z, len) + (len / GZIP_BLOCK + 1) * 16 + GZIP_TAIL);
	z.next_out = codec->out + GZIP_HEAD;
	z.avail_out = (uInt)(codec->capacity - GZIP_HEAD - GZIP_TAIL);
	r = deflate_all(&z, level, data, len);
	codec->len = GZIP_HEAD + z.total_out + GZIP_TAIL;
	(void)deflateEnd(&z);
	if (r < 0)
		return r;
	gzip_head_format(codec->out, codec->len, len);
	put_u32(codec->out + codec->len - 8, (uint32_t)crc32(0, data, (uInt)len));
	put_u32(codec->out + codec->len - 4, (uint32_t)len);
	return 0;
}

static int gzip_decompress(struct codec *codec, const uint8_t *data, size_t len, size_t want)
{
	z_stream z = { 0 };
	int r;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	z.next_in = without_const(data);
	z.avail_in = (uInt)len;
	z.next_out = codec->out;
	z.avail_out = (uInt)want;
	r = inflate(&z, Z_FINISH);
	/* An empty buffer is not even written to; all of the input must be used. */
	r = r == Z_STREAM_END && z.avail_in == 0 && z.total_out == want ? 0 : -EBADMSG;
	(void)inflateEnd(&z);
	codec->len = want;
	return r;
}

bool codec_gzip_head(const uint8_t *data, size_t len, uint32_t *ret_piece, uint32_t *ret_content)
{
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 4 };
	static const uint8_t extra[] = { 12, 0, 'F', 'L', 8, 0 };

	if (len < CODEC_HEAD || memcmp(data, head, sizeof(head)) != 0 ||
	    memcmp(data + 10, extra, sizeof(extra)) != 0)
		return false;
	*ret_piece = get_u32(data + 16);
	*ret_content = get_u32(data + 20);
	return *ret_piece >= GZIP_HEAD + GZIP_TAIL && *ret_piece <= CODEC_PIECE_MAX &&
	       *ret_content <= CODEC_PIECE_MAX;
}

/* --- either --- */

int codec_compress(struct codec *codec, enum archive_codec kind, int level, const uint8_t *data,
		   size_t len)
{
	bool repeated;
	int r;

	if (kind == ARCHIVE_CODEC_NONE) {
		codec->len = len;
		return 0;
	}
	repeated = is_repeated(data, len);
	if (repeated && codec->repeated_len == len && codec->repeated == data[0])
		return 0;
	codec->repeated_len = 0;
	r = kind == ARCHIVE_CODEC_ZSTD ? zstd_compress(codec, level, data, len) :
					 gzip_compress(codec, level, data, len);
	if (r == 0 && repeated) {
		codec->repeated_len = len;
		codec->repeated = data[0];
	}
	return r;
}

size_t codec_parts(struct codec *codec, const uint8_t *data, size_t len,
		   struct iovec parts[STORED_PARTS_MAX])
{
	if (codec->is_stored)
		return stored_parts(&codec->stored, without_const(data), len, parts);
	parts[0] = (struct iovec){ codec->out, codec->len };
	return 1;
}

static bool is_same_again(const struct codec *codec, const uint8_t *data, size_t len, size_t want)
{
	return codec->small_len > 0 && codec->small_len == len && codec->len == want &&
	       memcmp(codec->small, data, len) == 0;
}

int codec_decompress(struct codec *codec, enum archive_codec kind, const uint8_t *data, size_t len,
		     size_t want)
{
	int r;

	if (is_same_again(codec, data, len, want))
		return 0;
	codec->small_len = 0;
	reserve(codec, want ? want : 1);
	r = kind == ARCHIVE_CODEC_ZSTD ? zstd_decompress(codec, data, len, want) :
					 gzip_decompress(codec, data, len, want);
	if (r == 0 && len <= CODEC_SMALL) {
		memcpy(codec->small, data, len);
		codec->small_len = len;
	}
	return r;
}

int codec_read_stored(struct codec *codec, int fd, uint64_t offset, size_t len, size_t want)
{
	struct iovec parts[STORED_PARTS_MAX];
	size_t n;
	ssize_t done;

	if (stored_size(want) != len)
		return 0;
	codec->small_len = 0;
	reserve(codec, want);
	n = stored_parts(&codec->stored, codec->out, want, parts);
	done = RETRY_EINTR(preadv(fd, parts, (int)n, (off_t)offset));
	if (done < 0)
		return -errno;
	codec->len = want;
	return (size_t)done == len ? stored_check(&codec->stored, codec->out, want) : 0;
}

/* --- index --- */

void codec_index_add(struct codec_index *index, size_t piece_len, size_t content_len)
{
	struct codec_entry *entry = array_push(index->v, index->n);
	const struct codec_entry *last = index->n > 1 ? entry - 1 : NULL;

	entry->offset = last ? last->offset + last->piece_len : 0;
	entry->content = last ? last->content + last->content_len : 0;
	entry->piece_len = (uint32_t)piece_len;
	entry->content_len = (uint32_t)content_len;
}

void codec_index_append(struct codec_index *index, const struct codec_index *more)
{
	for (size_t i = 0; i < more->n; i++)
		codec_index_add(index, more->v[i].piece_len, more->v[i].content_len);
}

void codec_index_done(struct codec_index *index)
{
	free(index->v);
	*index = (struct codec_index){ 0 };
}

static void add_u32(struct strbuf *sb, uint32_t v)
{
	v = htole32(v);
	strbuf_add(sb, &v, sizeof(v));
}

/* A member without content, whose blocks are empty: stored ones of 5 bytes, or behind one with fixed codes 6. */
static void gzip_filler_format(struct strbuf *sb, size_t len)
{
	static const uint8_t longer[] = { 2, 0, 0, 0, 0xff, 0xff };
	static const uint8_t block[] = { 0, 0, 0, 0xff, 0xff };
	static const uint8_t last[] = { 1, 0, 0, 0xff, 0xff };
	size_t left = len - GZIP_HEAD - GZIP_TAIL - sizeof(last);
	uint8_t head[GZIP_HEAD];

	gzip_head_format(head, len, 0);
	strbuf_add(sb, head, sizeof(head));
	for (; left % sizeof(block) > 0; left -= sizeof(longer))
		strbuf_add(sb, longer, sizeof(longer));
	for (; left > 0; left -= sizeof(block))
		strbuf_add(sb, block, sizeof(block));
	strbuf_add(sb, last, sizeof(last));
	add_u32(sb, 0);
	add_u32(sb, 0);
}

void codec_filler_format(struct strbuf *sb, enum archive_codec kind, size_t len)
{
	if (kind == ARCHIVE_CODEC_GZIP) {
		gzip_filler_format(sb, len);
		return;
	}
	add_u32(sb, SKIPPABLE_MAGIC);
	add_u32(sb, (uint32_t)(len - SKIPPABLE_HEAD));
}

void codec_index_format(const struct codec_index *index, enum archive_codec kind, struct strbuf *sb)
{
	if (kind != ARCHIVE_CODEC_ZSTD || index->n > SEEK_ENTRIES_MAX)
		return;
	add_u32(sb, SKIPPABLE_MAGIC);
	add_u32(sb, (uint32_t)(index->n * SEEK_ENTRY + SEEK_FOOTER));
	for (size_t i = 0; i < index->n; i++) {
		add_u32(sb, index->v[i].piece_len);
		add_u32(sb, index->v[i].content_len);
	}
	add_u32(sb, (uint32_t)index->n);
	strbuf_addc(sb, 0); /* no checksums in the table: the frames have theirs */
	add_u32(sb, SEEK_MAGIC);
}

static int load_table(struct codec_index *index, int fd, uint64_t start, uint64_t end)
{
	auto_free uint8_t *table = NULL;
	uint8_t footer[SEEK_FOOTER];
	uint64_t left = end - start;
	size_t entry_size;
	size_t size;
	uint32_t n;
	int r;

	if (left < SEEK_FOOTER + SKIPPABLE_HEAD)
		return 0;
	r = io_pread_exact(fd, footer, sizeof(footer), end - sizeof(footer));
	if (r <= 0 || get_u32(footer + 5) != SEEK_MAGIC || (footer[4] & 0x7f) != 0)
		return MIN(r, 0);
	n = get_u32(footer);
	entry_size = footer[4] & 0x80 ? SEEK_ENTRY + 4 : SEEK_ENTRY;
	size = SKIPPABLE_HEAD + n * entry_size + SEEK_FOOTER;
	if (n > SEEK_ENTRIES_MAX || size > left)
		return 0;
	table = xmalloc(size);
	r = io_pread_exact(fd, table, size, end - size);
	if (r <= 0 || get_u32(table) != SKIPPABLE_MAGIC ||
	    get_u32(table + 4) != size - SKIPPABLE_HEAD)
		return MIN(r, 0);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = table + SKIPPABLE_HEAD + i * entry_size;

		if (get_u32(p) > CODEC_PIECE_MAX || get_u32(p + 4) > CODEC_PIECE_MAX ||
		    get_u32(p) > left - size)
			return 0;
		left -= get_u32(p);
		codec_index_add(index, get_u32(p), get_u32(p + 4));
	}
	/* The frames of the table are all that there is. */
	return left == size ? 1 : 0;
}

static int load_members(struct codec_index *index, int fd, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint8_t head[CODEC_HEAD];
		uint32_t piece;
		uint32_t content;
		int r = end - start < sizeof(head) ? 0 :
						     io_pread_exact(fd, head, sizeof(head), start);

		if (r <= 0)
			return r;
		if (!codec_gzip_head(head, sizeof(head), &piece, &content) || piece > end - start)
			return 0;
		codec_index_add(index, piece, content);
		start += piece;
	}
	return 1;
}

int codec_index_load(struct codec_index *ret, int fd, uint64_t start, uint64_t end,
		     enum archive_codec kind)
{
	struct codec_index index = { 0 };
	int r = kind == ARCHIVE_CODEC_ZSTD ? load_table(&index, fd, start, end) :
					     load_members(&index, fd, start, end);

	for (size_t i = 0; i < index.n; i++)
		index.v[i].offset += start;
	if (r <= 0)
		codec_index_done(&index);
	else
		*ret = index;
	return r;
}
