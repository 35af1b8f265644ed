/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "archive/codec.h"
#include "archive/xxh64.h"
#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"

#define MIB ((size_t)1 << 20)

static void fill_random(uint8_t *data, size_t len)
{
	uint64_t x = 88172645463325252ULL;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (uint8_t)(x >> 32);
	}
}

/* A piece as one, in the file *ret_fd, too. */
static uint8_t *compress(struct codec *codec, const uint8_t *data, size_t len, int *ret_fd)
{
	struct iovec parts[STORED_PARTS_MAX];
	uint8_t *piece;
	size_t n;

	assert_int_equal(codec_compress(codec, ARCHIVE_CODEC_ZSTD, 1, data, len), 0);
	n = codec_parts(codec, data, len, parts);
	*ret_fd = io_memory_file("piece", NULL);
	assert_true(*ret_fd >= 0);
	assert_int_equal(io_writev_all(*ret_fd, parts, n), 0);
	assert_int_equal(lseek(*ret_fd, 0, SEEK_CUR), codec->len);
	piece = xmalloc(codec->len);
	assert_int_equal(pread(*ret_fd, piece, codec->len, 0), codec->len);
	return piece;
}

/* zstd itself reads it, and so do we; whether it is one that was stored. */
static bool round_trip(struct codec *codec, const uint8_t *data, size_t len)
{
	struct codec reader = { 0 };
	auto_close int fd = -EBADF;
	auto_free uint8_t *piece = compress(codec, data, len, &fd);
	auto_free uint8_t *content = xmalloc(len);
	int r;

	assert_int_equal(ZSTD_getFrameContentSize(piece, codec->len), len);
	assert_int_equal(ZSTD_decompress(content, len, piece, codec->len), len);
	assert_memory_equal(content, data, len);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			codec_decompress(&reader, ARCHIVE_CODEC_ZSTD, piece, codec->len, len), 0);
		assert_memory_equal(reader.out, data, len);
	}
	r = codec_read_stored(&reader, fd, 0, codec->len, len);
	assert_true(r == 0 || r == 1);
	if (r == 1)
		assert_memory_equal(reader.out, data, len);
	codec_done(&reader);
	return r == 1;
}

static void test_what_is_stored(void **state UNUSED)
{
	auto_free uint8_t *data = xmalloc(MIB);
	struct codec codec = { 0 };

	fill_random(data, MIB);
	assert_true(round_trip(&codec, data, MIB));
	assert_true(codec.len < MIB + 64);
	assert_true(round_trip(&codec, data, MIB - 512));
	/* The same again and again, and another one. */
	memset(data, 1, MIB);
	for (int i = 0; i < 2; i++) {
		assert_false(round_trip(&codec, data, MIB));
		assert_true(codec.len <= 128);
	}
	assert_false(round_trip(&codec, data, MIB / 2));
	memset(data, 2, MIB);
	assert_false(round_trip(&codec, data, MIB));
	data[MIB / 2] = 3;
	assert_false(round_trip(&codec, data, MIB));
	/* A part that compresses, a page that repeats, words of which some bytes are random. */
	fill_random(data, MIB);
	memset(data + MIB / 2, 0, MIB / 4);
	assert_false(round_trip(&codec, data, MIB));
	for (size_t at = 4096; at < MIB; at += 4096)
		memcpy(data + at, data, 4096);
	assert_false(round_trip(&codec, data, MIB));
	assert_true(codec.len < MIB / 8);
	fill_random(data, MIB);
	for (size_t at = 7; at < MIB; at += 8)
		data[at] = 0x3f;
	assert_false(round_trip(&codec, data, MIB));
	assert_true(codec.len < MIB / 100 * 97);
	/* Small and empty ones. */
	assert_false(round_trip(&codec, data, 1));
	fill_random(data, 4096);
	assert_false(round_trip(&codec, data, 4096));
	codec_done(&codec);
}

/* Deflate knows of no stored frames, but of what is the same again. */
static void test_gzip(void **state UNUSED)
{
	auto_free uint8_t *data = xmalloc(MIB);
	struct codec codec = { 0 };
	struct codec reader = { 0 };

	for (int i = 0; i < 5; i++) {
		size_t len = i == 2 ? MIB / 2 : MIB;

		memset(data, i == 3 ? 2 : 1, MIB);
		if (i == 4)
			fill_random(data, MIB);
		assert_int_equal(codec_compress(&codec, ARCHIVE_CODEC_GZIP, 1, data, len), 0);
		assert_true(i == 4 || codec.len <= CODEC_SMALL);
		assert_int_equal(
			codec_decompress(&reader, ARCHIVE_CODEC_GZIP, codec.out, codec.len, len),
			0);
		assert_memory_equal(reader.out, data, len);
	}
	codec_done(&reader);
	codec_done(&codec);
}

static void test_damage(void **state UNUSED)
{
	auto_free uint8_t *data = xmalloc(MIB);
	struct codec codec = { 0 };
	auto_close int fd = -EBADF;
	auto_free uint8_t *piece = NULL;
	size_t len;

	fill_random(data, MIB);
	piece = compress(&codec, data, MIB, &fd);
	len = codec.len;
	/* Of the content, of the checksum; and where a block begins, which is for zstd to refuse. */
	for (size_t i = 0; i < 3; i++) {
		size_t at = i == 0 ? MIB / 3 : i == 1 ? len - 1 : 9;
		uint8_t other = piece[at] ^ 0x10;

		assert_int_equal(pwrite(fd, &other, 1, (off_t)at), 1);
		assert_int_equal(codec_read_stored(&codec, fd, 0, len, MIB), i < 2 ? -EBADMSG : 0);
		assert_int_equal(pwrite(fd, piece + at, 1, (off_t)at), 1);
	}
	assert_int_equal(codec_read_stored(&codec, fd, 0, len, MIB), 1);
	assert_int_equal(ftruncate(fd, (off_t)len / 2), 0);
	assert_int_equal(codec_read_stored(&codec, fd, 0, len, MIB), 0);
	codec_done(&codec);
}

static void test_checksum(void **state UNUSED)
{
	uint8_t data[100];

	/* By the definition's own examples and by zstd, of each length of tail. */
	assert_true(xxh64("", 0) == 0xEF46DB3751D8E999ULL);
	assert_true(xxh64("abc", 3) == 0x44BC2CF5AD770999ULL);
	fill_random(data, sizeof(data));
	for (size_t len = 1; len <= sizeof(data); len++) {
		struct codec codec = { 0 };
		auto_close int fd = -EBADF;
		auto_free uint8_t *piece = compress(&codec, data, len, &fd);
		uint32_t sum = (uint32_t)xxh64(data, len);

		assert_memory_equal(piece + codec.len - 4, &sum, 4);
		codec_done(&codec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_stored),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
