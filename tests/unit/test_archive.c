/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/ahead.h"
#include "archive/content.h"
#include "archive/metadata.h"
#include "archive/tar_header.h"
#include "archive/writer.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"

/* Enough to be followed while it grows (archive/ahead.h). */
#define LARGE ((size_t)19 << 20)

struct fixture {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->path, sizeof(f->path), "/tmp/floe-archive.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = fd_open_at(AT_FDCWD, f->path, O_RDONLY | O_DIRECTORY, 0);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)close(f->fd);
	assert_int_equal(fs_remove_tree(AT_FDCWD, f->path), 0);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *name, const void *data, size_t len)
{
	assert_int_equal(fs_write_atomic(f->fd, name, data, len, 0640, FS_VOLATILE), 0);
}

/* Half of it compresses, and no two blocks are the same. */
static char *make_large(void)
{
	char *data = xmalloc(LARGE);
	uint64_t x = 1;

	for (size_t i = 0; i < LARGE; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		data[i] = (i >> 16) & 1 ? (char)(x >> 56) : (char)(i >> 12);
	}
	return data;
}

/* What a container might leave. */
static void make_tree(const struct fixture *f)
{
	auto_free char *large = make_large();
	auto_close int fd = -EBADF;

	assert_int_equal(mkdirat(f->fd, "checkpoint", 0755), 0);
	write_file(f, "checkpoint/core-1.img", "core", 4);
	write_file(f, "checkpoint/empty.img", "", 0);
	write_file(f, "checkpoint/pages-1.img", large, LARGE);
	assert_int_equal(mkdirat(f->fd, "volume", 0751), 0);
	write_file(f, "volume/a", "content", 7);
	assert_int_equal(linkat(f->fd, "volume/a", f->fd, "volume/b", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->fd, "volume/link"), 0);
	assert_int_equal(mkfifoat(f->fd, "volume/fifo", 0600), 0);
	fd = fd_open_at(f->fd, "volume/sparse", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, "x", 1, 64 << 20), 1);
	(void)fsetxattr(fd, "user.test", "value", 5, 0);
}

static void write_members(struct archive_writer *w, const struct fixture *f)
{
	auto_archive_tree struct archive_tree *images = archive_tree_new();
	auto_archive_tree struct archive_tree *volume = archive_tree_new();
	struct err err = ERR_INIT;

	assert_int_equal(archive_writer_add_data(w, "config.dump", "{}", 2, &err), 0);
	assert_int_equal(archive_writer_add_data(w, "spec.dump", "{ }", 3, &err), 0);
	assert_int_equal(archive_writer_add_data(w, "network.status", "null", 4, &err), 0);
	assert_int_equal(archive_writer_add_file(w, f->fd, "absent", "ctr.log", &err), 0);
	assert_int_equal(archive_tree_add_all(images, f->fd, "checkpoint", "checkpoint",
					      ARCHIVE_TREE_PRIVATE, &err),
			 0);
	assert_int_equal(archive_writer_add_tree(w, images, &err), 0);
	assert_int_equal(archive_tree_add_all(volume, f->fd, "volume", ".", 0, &err), 0);
	assert_int_equal(archive_tree_count(volume), 6);
	assert_int_equal(archive_writer_add_tar(w, "volumes/v.tar", volume, &err), 0);
}

static char *make_archive(const struct fixture *f, enum archive_codec codec, const char *prefix,
			  struct archive_writer_result *ret)
{
	const struct archive_writer_options options = { .codec = codec, .no_sync = true };
	auto_archive_writer struct archive_writer *w = NULL;
	char *target = xasprintf("%s%s/archive", prefix, f->path);
	struct err err = ERR_INIT;

	assert_int_equal(archive_writer_open(&w, target, &options, &err), 0);
	write_members(w, f);
	if (archive_writer_commit(w, ret, &err) < 0)
		fail_msg("%s", err.msg);
	return target;
}

static void same_file(const struct fixture *f, const char *a, const char *b)
{
	auto_strbuf struct strbuf left = STRBUF_INIT;
	auto_strbuf struct strbuf right = STRBUF_INIT;

	assert_int_equal(io_read_file_at(f->fd, a, 64 << 20, &left), 0);
	assert_int_equal(io_read_file_at(f->fd, b, 64 << 20, &right), 0);
	assert_int_equal(left.len, right.len);
	assert_memory_equal(left.buf, right.buf, left.len);
}

static void check_volume(const struct fixture *f)
{
	struct stat a;
	struct stat b;
	char value[8];
	auto_close int fd = fd_open_at(f->fd, "restored/sparse", O_RDONLY, 0);

	assert_int_equal(fstatat(f->fd, "restored/a", &a, 0), 0);
	assert_int_equal(fstatat(f->fd, "restored/b", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(a.st_mode & 07777, 0640);
	assert_int_equal(fstatat(f->fd, "restored/link", &a, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(a.st_mode));
	assert_int_equal(fstatat(f->fd, "restored/fifo", &a, 0), 0);
	assert_true(S_ISFIFO(a.st_mode));
	assert_int_equal(fstatat(f->fd, "restored", &a, 0), 0);
	assert_int_equal(a.st_mode & 07777, 0751);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(a.st_size, (64 << 20) + 1);
	assert_true(a.st_blocks * 512 < 8 << 20);
	assert_int_equal(fgetxattr(fd, "user.test", value, sizeof(value)), 5);
}

static void unpack_and_check(const struct fixture *f, const char *archive, size_t pages)
{
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_archive_documents struct archive_documents documents = { 0 };
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_tar_reader struct tar_reader *tar = NULL;
	struct archive_unpack_result result;
	auto_close int volume = -EBADF;
	auto_close int to = -EBADF;
	struct err err = ERR_INIT;
	struct stat st;

	assert_int_equal(mkdirat(f->fd, "out", 0700), 0);
	assert_int_equal(mkdirat(f->fd, "restored", 0700), 0);
	to = fd_open_at(f->fd, "out", O_RDONLY | O_DIRECTORY, 0);
	if (archive_reader_open(&reader, archive, NULL, &err) < 0 ||
	    archive_reader_documents(reader, &documents, &err) < 0 ||
	    archive_reader_unpack(reader, to, NULL, &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(documents.v[ARCHIVE_SPEC].text, "{ }");
	assert_true(result.has_checkpoint);
	assert_int_equal(result.pages_bytes, pages);
	same_file(f, "checkpoint/pages-1.img", "out/checkpoint/pages-1.img");
	same_file(f, "checkpoint/core-1.img", "out/checkpoint/core-1.img");
	if (fs_exists(f->fd, "checkpoint/pages-2.img"))
		same_file(f, "checkpoint/pages-2.img", "out/checkpoint/pages-2.img");
	assert_int_equal(fstatat(to, "checkpoint/empty.img", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(rooted_open(&root, f->fd, "restored"), 0);
	volume = fd_open_at(to, "volumes/v.tar", O_RDONLY, 0);
	if (tar_reader_open(&tar, volume, "volumes/v.tar", &err) < 0 ||
	    archive_unpack_inner(tar, &root, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	check_volume(f);
	assert_int_equal(fs_remove_tree(f->fd, "out"), 0);
	assert_int_equal(fs_remove_tree(f->fd, "restored"), 0);
}

static void test_round_trip(void **state)
{
	static const enum archive_codec codecs[] = { ARCHIVE_CODEC_ZSTD, ARCHIVE_CODEC_GZIP,
						     ARCHIVE_CODEC_NONE };
	const struct fixture *f = *state;
	struct archive_writer_result result;

	make_tree(f);
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		auto_free char *archive = make_archive(f, codecs[i], "", &result);
		struct stat st;

		assert_int_equal(stat(archive, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(st.st_size, result.archive_bytes);
		assert_int_equal(result.n_members, 8);
		unpack_and_check(f, archive, LARGE);
	}
}

/* What bsdtar sees, which knows nothing of tables and lengths. */
static void test_ordinary_tar(void **state)
{
	static const enum archive_codec codecs[] = { ARCHIVE_CODEC_ZSTD, ARCHIVE_CODEC_GZIP,
						     ARCHIVE_CODEC_NONE };
	const struct fixture *f = *state;
	struct archive_writer_result result;

	make_tree(f);
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		auto_free char *path = make_archive(f, codecs[i], "", &result);
		auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
		auto_tar_reader struct tar_reader *tar = NULL;
		char digest[STORE_DIGEST_MAX];
		struct archive_entry *entry;
		struct err err = ERR_INIT;
		size_t n = 0;

		assert_int_equal(tar_reader_open(&tar, fd, path, &err), 0);
		while (tar_reader_next(tar, &entry, &err) > 0)
			n++;
		if (tar_reader_finish(tar, TAR_END_MARKED, digest, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(n, result.n_members);
	}
}

static void test_directory(void **state)
{
	const struct fixture *f = *state;
	struct archive_writer_result result;
	auto_free char *archive = NULL;

	make_tree(f);
	archive = make_archive(f, ARCHIVE_CODEC_ZSTD, "dir:", &result);
	unpack_and_check(f, archive, LARGE);
}

/* Nothing but what is asked for is decompressed: damage elsewhere does not matter. */
static void test_any_member_at_once(void **state)
{
	const struct fixture *f = *state;
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_free char *archive = NULL;
	const struct archive_member *member;
	struct archive_writer_result result;
	struct err err = ERR_INIT;
	auto_close int fd = -EBADF;
	char last[3] = "";
	size_t len;

	make_tree(f);
	archive = make_archive(f, ARCHIVE_CODEC_ZSTD, "", &result);
	fd = fd_open_at(AT_FDCWD, archive, O_WRONLY, 0);
	/* Within the second frame of pages-1.img. */
	assert_int_equal(pwrite(fd, "damage", 6, (off_t)result.archive_bytes / 2), 6);
	assert_int_equal(archive_reader_open(&reader, archive, NULL, &err), 0);
	assert_true(archive_reader_can_seek(reader));
	do {
		assert_int_equal(archive_reader_next(reader, &member, &err), 1);
	} while (!str_eq(member->name, "checkpoint/pages-1.img"));
	assert_int_equal(archive_reader_skip(reader, LARGE - 2, &err), 0);
	assert_int_equal(archive_reader_read(reader, last, sizeof(last), &len, &err), 0);
	assert_int_equal(len, 2);
	assert_int_equal(archive_reader_next(reader, &member, &err), 1);
	assert_string_equal(member->name, "volumes/v.tar");
	assert_int_equal(archive_reader_rewind(reader, &err), 0);
	while (archive_reader_next(reader, &member, &err) > 0 &&
	       !str_eq(member->name, "checkpoint/pages-1.img"))
		;
	do {
		char buffer[4096];

		if (archive_reader_read(reader, buffer, sizeof(buffer), &len, &err) < 0)
			break;
	} while (len > 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void follow_or_skip(struct archive_writer *w, int dir_fd)
{
	if (archive_writer_follow(w, dir_fd))
		return;
	archive_writer_close(w);
	print_message("no privilege to lower and raise a thread's priority\n");
	skip();
}

/* Append to checkpoint/pages-1.img as CRIU does, until some of it is in the archive; then the rest. */
static void grow_while_followed(const struct fixture *f, struct archive_writer *w)
{
	auto_free char *large = make_large();
	auto_close int dir = fd_open_at(f->fd, "checkpoint", O_RDONLY | O_DIRECTORY, 0);
	auto_close int fd = fd_open_at(dir, "pages-1.img", O_WRONLY | O_TRUNC, 0);
	size_t first = LARGE - 3000000;

	follow_or_skip(w, dir);
	assert_int_equal(io_write_all(fd, large, first), 0);
	while (archive_writer_followed(w) == 0)
		(void)usleep(1000);
	assert_int_equal(io_write_all(fd, large + first, LARGE - first), 0);
	archive_writer_follow_end(w);
	assert_true(archive_writer_followed(w) <= LARGE);
	assert_int_equal(archive_writer_followed(w) % (1 << 20), 0);
}

/* The whole archive, by our reader from a file, and by libarchive, which knows nothing of tables. */
static void check_followed(const struct fixture *f, const char *target,
			   const struct archive_writer_result *result, size_t pages)
{
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_tar_reader struct tar_reader *tar = NULL;
	auto_close int fd = fd_open_at(AT_FDCWD, target, O_RDONLY, 0);
	char digest[STORE_DIGEST_MAX];
	struct err err = ERR_INIT;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, result->archive_bytes);
	unpack_and_check(f, target, pages);
	assert_int_equal(archive_reader_open(&reader, target, NULL, &err), 0);
	assert_true(archive_reader_can_seek(reader));
	assert_int_equal(tar_reader_open(&tar, fd, target, &err), 0);
	if (tar_reader_finish(tar, TAR_END_MARKED, digest, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_piece_at(const char *path, enum archive_codec codec, off_t offset)
{
	static const uint8_t magic[][4] = {
		[ARCHIVE_CODEC_ZSTD] = { 0x28, 0xb5, 0x2f, 0xfd },
		[ARCHIVE_CODEC_GZIP] = { 0x1f, 0x8b, 8, 4 },
	};
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	uint8_t found[sizeof(magic[0])];

	assert_int_equal(pread(fd, found, sizeof(found), offset), sizeof(found));
	assert_memory_equal(found, magic[codec], sizeof(found));
}

static void follow_with(const struct fixture *f, enum archive_codec codec, size_t log)
{
	const struct archive_writer_options options = { .codec = codec,
							.threads = 2,
							.no_sync = true };
	auto_free char *target = xasprintf("%s/archive", f->path);
	auto_free char *noise = make_large();
	struct archive_writer *w = NULL;
	struct archive_writer_result result;
	struct err err = ERR_INIT;

	assert_int_equal(archive_writer_open(&w, target, &options, &err), 0);
	grow_while_followed(f, w);
	if (log > 0)
		assert_int_equal(archive_writer_add_data(w, "dump.log", noise, log, &err), 0);
	write_members(w, f);
	assert_int_equal(archive_writer_followed(w), 0);
	if (archive_writer_commit(w, &result, &err) < 0)
		fail_msg("%s", err.msg);
	archive_writer_close(w);
	check_followed(f, target, &result, LARGE);
	if (log == 0)
		assert_piece_at(target, codec, AHEAD_ROOM);
}

/* The images are compressed while they are written; with too much in front of them that was in vain. */
static void test_follow(void **state)
{
	const struct fixture *f = *state;

	make_tree(f);
	follow_with(f, ARCHIVE_CODEC_ZSTD, 0);
	follow_with(f, ARCHIVE_CODEC_ZSTD, 4 << 20);
	follow_with(f, ARCHIVE_CODEC_GZIP, 0);
	follow_with(f, ARCHIVE_CODEC_GZIP, 4 << 20);
}

/* What fills the room: a piece of any length, of nothing. */
static void test_filler(void **state UNUSED)
{
	static const enum archive_codec codecs[] = { ARCHIVE_CODEC_ZSTD, ARCHIVE_CODEC_GZIP };

	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		struct codec codec = { 0 };

		for (size_t len = CODEC_FILLER_MIN; len < CODEC_FILLER_MIN + 16; len++) {
			auto_strbuf struct strbuf sb = STRBUF_INIT;

			codec_filler_format(&sb, codecs[i], len);
			assert_true(sb.len <= len);
			while (sb.len < len)
				strbuf_addc(&sb, 'x');
			assert_int_equal(codec_decompress(&codec, codecs[i],
							  (const uint8_t *)sb.buf, sb.len, 0),
					 0);
		}
		codec_done(&codec);
	}
}

/* One that becomes twice as large takes the place of the first one, which is archived as it is. */
static void test_follow_larger(void **state)
{
	const struct archive_writer_options options = { .threads = 2, .no_sync = true };
	const struct fixture *f = *state;
	auto_free char *target = xasprintf("%s/archive", f->path);
	auto_free char *large = make_large();
	auto_close int dir = -EBADF;
	auto_close int fd = -EBADF;
	struct archive_writer *w = NULL;
	struct archive_writer_result result;
	struct err err = ERR_INIT;

	make_tree(f);
	dir = fd_open_at(f->fd, "checkpoint", O_RDONLY | O_DIRECTORY, 0);
	assert_int_equal(archive_writer_open(&w, target, &options, &err), 0);
	follow_or_skip(w, dir);
	while (archive_writer_followed(w) < LARGE)
		(void)usleep(1000);
	fd = fd_open_at(dir, "pages-2.img", O_WRONLY | O_CREAT, 0600);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(io_write_all(fd, large + i, LARGE - i), 0);
	while (archive_writer_followed(w) <= LARGE)
		(void)usleep(1000);
	archive_writer_follow_end(w);
	write_members(w, f);
	if (archive_writer_commit(w, &result, &err) < 0)
		fail_msg("%s", err.msg);
	archive_writer_close(w);
	check_followed(f, target, &result, 4 * LARGE - 3);
	assert_piece_at(target, ARCHIVE_CODEC_ZSTD, AHEAD_ROOM);
}

/* Another file than the one that was followed, or the same one made shorter, is archived as it is. */
static void test_follow_another(void **state)
{
	const struct archive_writer_options options = { .threads = 2, .no_sync = true };
	const struct fixture *f = *state;
	auto_free char *target = xasprintf("%s/archive", f->path);

	make_tree(f);
	for (int shorter = 0; shorter < 2; shorter++) {
		auto_free char *content = make_large();
		struct archive_writer *w = NULL;
		auto_close int fd = -EBADF;
		struct archive_writer_result result;
		struct err err = ERR_INIT;

		assert_int_equal(archive_writer_open(&w, target, &options, &err), 0);
		grow_while_followed(f, w);
		memset(content, 'x', 4096);
		if (!shorter)
			assert_int_equal(unlinkat(f->fd, "checkpoint/pages-1.img", 0), 0);
		fd = fd_open_at(f->fd, "checkpoint/pages-1.img", O_WRONLY | O_CREAT | O_TRUNC,
				0600);
		assert_int_equal(io_write_all(fd, content, shorter ? 4096 : LARGE), 0);
		write_members(w, f);
		if (archive_writer_commit(w, &result, &err) < 0)
			fail_msg("%s", err.msg);
		archive_writer_close(w);
		check_followed(f, target, &result, shorter ? 4096 : LARGE);
	}
}

/* What follows the images may fail, or nothing be added at all. */
static void test_follow_in_vain(void **state)
{
	const struct archive_writer_options options = { .threads = 2, .no_sync = true };
	const struct fixture *f = *state;
	auto_free char *target = xasprintf("%s/archive", f->path);

	make_tree(f);
	for (int add = 0; add < 2; add++) {
		struct archive_writer_result result;
		auto_strvec struct strvec names = STRVEC_INIT;
		struct archive_writer *w = NULL;
		struct err err = ERR_INIT;
		struct stat st;

		assert_int_equal(archive_writer_open(&w, target, &options, &err), 0);
		grow_while_followed(f, w);
		if (add) {
			assert_int_equal(archive_writer_add_data(w, "config.dump", "{}", 2, &err),
					 0);
			assert_int_equal(archive_writer_commit(w, &result, &err), 0);
			assert_int_equal(stat(target, &st), 0);
			assert_int_equal(st.st_size, result.archive_bytes);
			assert_true(st.st_size < 4096);
		}
		archive_writer_close(w);
		assert_int_equal(fs_list(f->fd, ".", &names), 0);
		assert_int_equal(names.n, 2 + add);
	}
}

/* Only what is compressed, only into a file, and not with one processor. */
static void test_follow_not(void **state)
{
	static const struct archive_writer_options options[] = {
		{ .threads = 2, .codec = ARCHIVE_CODEC_NONE },
		{ .threads = 1 },
	};
	const struct fixture *f = *state;
	auto_free char *target = xasprintf("%s/archive", f->path);
	auto_free char *dir = xasprintf("dir:%s/dir", f->path);
	struct archive_writer *w = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		assert_int_equal(archive_writer_open(&w, target, &options[i], &err), 0);
		assert_false(archive_writer_follow(w, f->fd));
		archive_writer_follow_end(w);
		archive_writer_close(w);
	}
	assert_int_equal(archive_writer_open(
				 &w, dir, &(struct archive_writer_options){ .threads = 2 }, &err),
			 0);
	assert_false(archive_writer_follow(w, f->fd));
	archive_writer_close(w);
}

struct leaving {
	uint64_t position;
	uint64_t size;
};

static bool leave_pages(void *context, const struct archive_member *member, uint64_t position)
{
	struct leaving *leaving = context;

	if (!str_eq(member->name, "checkpoint/pages-1.img"))
		return false;
	leaving->position = position;
	leaving->size = member->size;
	return true;
}

static void check_content(struct archive_content *content, const char *want, size_t at, size_t len)
{
	struct err err = ERR_INIT;
	const uint8_t *data;

	if (archive_content_read(content, at, len, &data, &err) < 0)
		fail_msg("%s", err.msg);
	assert_memory_equal(data, want + at, len);
}

/* A member that stays in the archive, and is read there: in steps of any length, anywhere, beside another reader. */
static void test_left_member(void **state)
{
	static const enum archive_codec codecs[] = { ARCHIVE_CODEC_ZSTD, ARCHIVE_CODEC_GZIP,
						     ARCHIVE_CODEC_NONE };
	const struct fixture *f = *state;
	auto_free char *large = make_large();

	make_tree(f);
	for (size_t c = 0; c < ARRAY_SIZE(codecs); c++) {
		auto_archive_reader struct archive_reader *reader = NULL;
		auto_free char *archive = NULL;
		auto_close int to = -EBADF;
		auto_close int fd = -EBADF;
		struct leaving leaving = { 0 };
		const struct archive_unpack_options options = { .leave = leave_pages,
								.context = &leaving };
		struct archive_content *content;
		struct archive_content *other;
		struct err err = ERR_INIT;

		archive = make_archive(f, codecs[c], "", NULL);
		assert_int_equal(mkdirat(f->fd, "left", 0700), 0);
		to = fd_open_at(f->fd, "left", O_RDONLY | O_DIRECTORY, 0);
		assert_int_equal(archive_reader_open(&reader, archive, NULL, &err), 0);
		assert_int_equal(archive_reader_unpack(reader, to, &options, NULL, &err), 0);
		assert_true(fs_exists(to, "checkpoint/core-1.img"));
		assert_false(fs_exists(to, "checkpoint/pages-1.img"));
		if (!archive_reader_can_seek(reader))
			fail_msg("codec %zu", c);
		assert_int_equal(leaving.size, LARGE);
		content = archive_content_new(reader, leaving.position, leaving.size);
		other = archive_content_new(reader, leaving.position, leaving.size);
		for (size_t at = 0, len = 1; at < LARGE; at += len, len = len * 3 % 2000003 + 1) {
			check_content(content, large, at, MIN(len, LARGE - at));
			check_content(other, large, at / 2, 4096);
		}
		check_content(content, large, 0, LARGE);
		check_content(content, large, LARGE, 0);
		assert_int_equal(archive_content_check(content, &err), 0);
		check_content(content, large, 5 << 20, 100);
		fd = fd_open_at(to, "whole", O_WRONLY | O_CREAT, 0600);
		assert_int_equal(archive_content_store(content, fd, &err), 0);
		same_file(f, "left/whole", "checkpoint/pages-1.img");
		archive_content_free(content);
		archive_content_free(other);
		assert_int_equal(fs_remove_tree(f->fd, "left"), 0);
		assert_int_equal(unlink(archive), 0);
	}
}

static void test_left_member_damaged(void **state)
{
	const struct fixture *f = *state;
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_free char *archive = NULL;
	auto_close int to = -EBADF;
	auto_close int fd = -EBADF;
	auto_free char *large = make_large();
	struct leaving leaving = { 0 };
	const struct archive_unpack_options options = { .leave = leave_pages, .context = &leaving };
	struct archive_content *content;
	struct archive_writer_result result;
	struct err err = ERR_INIT;
	const uint8_t *data;
	uint64_t at = 0;
	int code;

	make_tree(f);
	archive = make_archive(f, ARCHIVE_CODEC_ZSTD, "", &result);
	fd = fd_open_at(AT_FDCWD, archive, O_WRONLY, 0);
	assert_int_equal(pwrite(fd, "damage", 6, (off_t)result.archive_bytes / 2), 6);
	assert_int_equal(mkdirat(f->fd, "left", 0700), 0);
	to = fd_open_at(f->fd, "left", O_RDONLY | O_DIRECTORY, 0);
	assert_int_equal(archive_reader_open(&reader, archive, NULL, &err), 0);
	assert_int_equal(archive_reader_unpack(reader, to, &options, NULL, &err), 0);
	content = archive_content_new(reader, leaving.position, leaving.size);
	while (at < LARGE && archive_content_read(content, at, 4096, &data, &err) == 0)
		at += 4096;
	assert_true(at > 0 && at < LARGE);
	assert_int_equal(err.kind, ERR_CORRUPT);
	code = err.code;
	/* The same again, and what is before and behind it can still be read. */
	assert_int_equal(archive_content_read(content, at, 4096, &data, &err), code);
	check_content(content, large, 0, 4096);
	check_content(content, large, LARGE - 10, 10);
	assert_int_equal(archive_content_check(content, &err), code);
	archive_content_free(content);
}

static void test_unfinished(void **state)
{
	const struct fixture *f = *state;
	auto_free char *target = xasprintf("%s/archive", f->path);
	auto_strvec struct strvec names = STRVEC_INIT;
	struct archive_writer *w = NULL;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct err err = ERR_INIT;

	write_file(f, "archive", "before", 6);
	assert_int_equal(archive_writer_open(&w, target, NULL, &err), 0);
	assert_int_equal(archive_writer_add_data(w, "config.dump", "{}", 2, &err), 0);
	assert_true(archive_writer_add_data(w, "config.dump", "{}", 2, &err) < 0);
	archive_writer_close(w);
	assert_int_equal(fs_list(f->fd, ".", &names), 0);
	assert_int_equal(names.n, 1);
	assert_int_equal(io_read_file_at(f->fd, "archive", 100, &sb), 0);
	assert_string_equal(sb.buf, "before");
}

static void test_symlink_to_archive(void **state)
{
	const struct fixture *f = *state;
	auto_archive_writer struct archive_writer *w = NULL;
	auto_free char *target = xasprintf("%s/link", f->path);
	struct err err = ERR_INIT;
	struct stat st;

	write_file(f, "real", "before", 6);
	assert_int_equal(symlinkat("real", f->fd, "link"), 0);
	assert_int_equal(archive_writer_open(&w, target, NULL, &err), 0);
	assert_int_equal(archive_writer_add_data(w, "config.dump", "{}", 2, &err), 0);
	assert_int_equal(archive_writer_commit(w, NULL, &err), 0);
	assert_int_equal(fstatat(f->fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(fstatat(f->fd, "real", &st, 0), 0);
	assert_true(st.st_size > 6);
}

static void test_reader_gone(void **state)
{
	const struct fixture *f = *state;
	auto_archive_writer struct archive_writer *w = NULL;
	auto_free char *target = NULL;
	struct err err = ERR_INIT;
	int fds[2];
	int r;

	make_tree(f);
	assert_int_equal(pipe(fds), 0);
	target = xasprintf("/dev/fd/%d", fds[1]);
	assert_int_equal(archive_writer_open(&w, target, NULL, &err), 0);
	(void)close(fds[0]);
	r = archive_writer_add_file(w, f->fd, "checkpoint/pages-1.img", "checkpoint/pages-1.img",
				    &err);
	if (r == 0)
		r = archive_writer_commit(w, NULL, &err);
	assert_int_equal(r, -EPIPE);
	(void)close(fds[1]);
}

static void test_changed_file(void **state)
{
	const struct fixture *f = *state;
	auto_archive_tree struct archive_tree *tree = archive_tree_new();
	auto_archive_writer struct archive_writer *w = NULL;
	auto_free char *target = xasprintf("%s/archive", f->path);
	struct err err = ERR_INIT;

	assert_int_equal(mkdirat(f->fd, "volume", 0755), 0);
	write_file(f, "volume/grows", "abc", 3);
	write_file(f, "volume/replaced", "abc", 3);
	assert_int_equal(archive_tree_add_all(tree, f->fd, "volume", ".", 0, &err), 0);
	write_file(f, "volume/replaced", "defghi", 6);
	assert_int_equal(archive_writer_open(&w, target, NULL, &err), 0);
	assert_true(archive_writer_add_tar(w, "volumes/v.tar", tree, &err) < 0);
	assert_int_equal(err.kind, ERR_STATE);
}

/* --- hostile archives --- */

struct bad {
	const char *path;
	char type;
	const char *link;
	uint64_t size;
};

static int read_bad(const struct fixture *f, const struct bad *bad, size_t n, struct err *err)
{
	static const char end[TAR_END];
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_free char *path = xasprintf("%s/bad", f->path);
	auto_close int to = -EBADF;
	int r;

	for (size_t i = 0; i < n; i++) {
		const struct tar_header header = { .path = bad[i].path,
						   .type = bad[i].type,
						   .link = bad[i].link,
						   .size = bad[i].size,
						   .mode = 0600 };

		tar_header_format(&sb, &header);
	}
	strbuf_add(&sb, end, sizeof(end));
	write_file(f, "bad", sb.buf, sb.len);
	assert_int_equal(mkdirat(f->fd, "out", 0700), 0);
	to = fd_open_at(f->fd, "out", O_RDONLY | O_DIRECTORY, 0);
	r = archive_reader_open(&reader, path, NULL, err);
	if (r == 0)
		r = archive_reader_unpack(reader, to, NULL, NULL, err);
	assert_int_equal(fs_remove_tree(f->fd, "out"), 0);
	return r;
}

static void test_refused(void **state)
{
	static const struct bad bad[] = {
		{ "/config.dump", '0', NULL, 0 },
		{ "../config.dump", '0', NULL, 0 },
		{ "checkpoint/../../x.img", '0', NULL, 0 },
		{ "checkpoint/a/b.img", '0', NULL, 0 },
		{ "checkpoint", '2', "/etc", 0 },
		{ "checkpoint/core-1.img", '2', "/etc/passwd", 0 },
		{ "checkpoint/parent", '2', "/etc", 0 },
		{ "checkpoint/parent", '2', "../pre-checkpoint/..", 0 },
		{ "checkpoint/core-1.img", '1', "config.dump", 0 },
		{ "checkpoint/core-1.img", '3', NULL, 0 },
		{ "checkpoint/core-1.img", '4', NULL, 0 },
		{ "checkpoint/core-1.img", '6', NULL, 0 },
		{ "checkpoint/core-1.img", 'S', NULL, 0 },
		{ "config.dump/", '5', NULL, 0 },
		{ "checkpoint", '0', NULL, 0 },
		{ "dump.log/x", '0', NULL, 0 },
		{ "config.json", '0', NULL, 0 },
		{ "etc/passwd", '0', NULL, 0 },
		{ "volumes/a/b.tar", '0', NULL, 0 },
		{ "volumes/.tar", '0', NULL, 0 },
		{ "config.dump", '0', NULL, JSON_TEXT_MAX + 1 },
		{ "checkpoint/pages-1.img", '0', NULL, UINT64_C(1) << 41 },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = ERR_INIT;

		if (read_bad(f, &bad[i], 1, &err) == 0)
			fail_msg("'%s' was not refused", bad[i].path);
		if (err.kind != ERR_INVALID)
			fail_msg("'%s': %s", bad[i].path, err.msg);
	}
}

static void test_refused_together(void **state)
{
	static const struct bad twice[] = { { "config.dump", '0', NULL, 0 },
					    { "./config.dump", '0', NULL, 0 } };
	static const struct bad mixed[] = { { "ctrd-checkpoint/config.dump", '0', NULL, 0 },
					    { "spec.dump", '0', NULL, 0 } };
	static const struct bad fine[] = { { "ctrd-checkpoint/", '5', NULL, 0 },
					   { "ctrd-checkpoint/config.dump", '0', NULL, 0 },
					   { "ctrd-checkpoint/checkpoint/", '5', NULL, 0 },
					   { "ctrd-checkpoint/checkpoint/parent", '2',
					     "../pre-checkpoint", 0 } };
	const struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_true(read_bad(f, twice, 2, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_true(read_bad(f, mixed, 2, &err) < 0);
	assert_int_equal(read_bad(f, fine, ARRAY_SIZE(fine), &err), 0);
}

/* --- headers --- */

static void test_header_numbers(void **state UNUSED)
{
	auto_free char *long_name = xcalloc(1, 301);
	struct tar_header header = { .path = long_name, .type = '0', .mode = 0644 };
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct tar_override override = { 0 };
	struct tar_block block;

	memset(long_name, 'n', 300);
	header.size = UINT64_C(1) << 40;
	header.uid = 3000000;
	header.mtime = (struct timespec){ -1, 500000000 };
	tar_header_format(&sb, &header);
	assert_int_equal(sb.len % TAR_BLOCK, 0);
	assert_int_equal(tar_block_parse(&block, (const uint8_t *)sb.buf), 1);
	assert_int_equal(block.type, 'x');
	assert_int_equal(tar_override_parse(&override, sb.buf + TAR_BLOCK, (size_t)block.size), 0);
	assert_string_equal(override.path, long_name);
	assert_true(override.has_size);
	assert_true(override.size == UINT64_C(1) << 40);
	assert_non_null(strstr(sb.buf + TAR_BLOCK, " uid=3000000\n"));
	assert_non_null(strstr(sb.buf + TAR_BLOCK, " mtime=-0.500000000\n"));
	tar_override_done(&override);
}

static void test_bad_records(void **state UNUSED)
{
	static const char *const bad[] = { "5 a=b\n",	  "99 path=x\n",  "x",	  "11 path=ab",
					   " 9 size=1\n", "10 size=-1\n", "3 =\n" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct tar_override override = { 0 };

		if (tar_override_parse(&override, bad[i], strlen(bad[i])) == 0)
			fail_msg("'%s' was taken", bad[i]);
		tar_override_done(&override);
	}
}

/* --- documents --- */

static void test_config(void **state UNUSED)
{
	static const char text[] =
		"{\"id\":\"abc\",\"name\":\"web\",\"rootfsImageID\":\"sha256:1\",\"unknown\":{"
		"\"a\":[1]},"
		"\"portMappings\":[{\"hostPort\":80,\"containerPort\":8080,\"protocol\":\"tcp\","
		"\"hostIP\":\"\"}],"
		"\"networks\":[\"podman\"],\"staticMAC\":\"qrvM3e7/\",\"spec\":null,"
		"\"newNetworks\":{\"other\":{\"static_mac\":\"aa:bb:cc:dd:ee:01\",\"interface_"
		"name\":\"eth1\"}}}";
	struct archive_config config;
	struct err err = ERR_INIT;
	auto_free char *again = NULL;

	if (archive_config_parse(&config, text, strlen(text), "config.dump", &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(config.n_ports, 1);
	assert_int_equal(config.ports[0].host_port, 80);
	assert_int_equal(config.ports[0].range, 1);
	assert_int_equal(config.n_networks, 2);
	assert_string_equal(config.networks[1].name, "podman");
	assert_string_equal(config.static_mac, "aa:bb:cc:dd:ee:ff");
	again = archive_config_format(&config);
	assert_non_null(strstr(again, "\"unknown\""));
	assert_non_null(strstr(again, "\"newPortMappings\""));
	assert_null(strstr(again, "\"portMappings\""));
	archive_config_done(&config);
}

static void test_cri_config(void **state UNUSED)
{
	static const char text[] =
		"{\"id\":\"abc\",\"name\":\"k8s\",\"rootfsImage\":\"quay.io/"
		"x\",\"rootfsImageRef\":\"1234\","
		"\"rootfsImageName\":\"quay.io/"
		"x:1\",\"runtime\":\"runc\",\"createdTime\":\"2026-01-01T00:00:00Z\","
		"\"checkpointedTime\":\"2026-01-02T00:00:00Z\",\"restoredTime\":\"0001-01-01T00:00:"
		"00Z\",\"restored\":false}";
	struct archive_config config;
	struct err err = ERR_INIT;

	assert_int_equal(archive_config_parse(&config, text, strlen(text), "config.dump", &err), 0);
	assert_string_equal(config.rootfs_image_id, "1234");
	assert_string_equal(config.checkpointed_time, "2026-01-02T00:00:00Z");
	archive_config_done(&config);
}

static void test_network_status(void **state UNUSED)
{
	static const char now[] = "{\"podman\":{\"interfaces\":{\"eth0\":{\"subnets\":[{\"ipnet\":"
				  "\"10.88.0.5/16\",\"gateway\":\"10.88.0.1\"}],"
				  "\"mac_address\":\"qrvM3e7/\"}}}}";
	static const char cni[] = "[{\"interfaces\":[{\"name\":\"cni0\",\"mac\":\"1\"},{\"name\":"
				  "\"eth7\",\"mac\":\"aa:bb:cc:dd:ee:ff\",\"sandbox\":\"/x\"}],"
				  "\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":\"10.88."
				  "0.5/16\",\"gateway\":\"10.88.0.1\"}],\"dns\":{}}]";
	static char name[] = "first";
	static char *const names[] = { name };
	struct network_status status;
	struct err err = ERR_INIT;

	assert_int_equal(archive_network_status_parse(&status, now, strlen(now), NULL, 0, &err), 0);
	assert_string_equal(status.v[0].interfaces[0].mac_address, "aa:bb:cc:dd:ee:ff");
	network_status_done(&status);
	assert_int_equal(archive_network_status_parse(&status, cni, strlen(cni), names, 1, &err),
			 0);
	assert_string_equal(status.v[0].network, "first");
	assert_string_equal(status.v[0].interfaces[0].name, "eth7");
	assert_string_equal(status.v[0].interfaces[0].subnets[0].ipnet, "10.88.0.5/16");
	network_status_done(&status);
	assert_int_equal(archive_network_status_parse(&status, " null\n", 6, NULL, 0, &err), 0);
	assert_int_equal(status.n, 0);
}

static void test_deleted_files(void **state UNUSED)
{
	static const char good[] = "[\"/etc/x\",\"/root\"]";
	static const char *const bad[] = {
		"[\"etc/x\"]", "[\"/../x\"]", "[\"/\"]", "{}", "[1]", "["
	};
	auto_strvec struct strvec paths = STRVEC_INIT;
	auto_free char *again = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(archive_deleted_parse(&paths, good, strlen(good), &err), 0);
	again = archive_deleted_format(paths.v, paths.n);
	assert_string_equal(again, good);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(archive_deleted_parse(&paths, bad[i], strlen(bad[i]), &err) < 0);
}

static void test_annotations(void **state UNUSED)
{
	struct json_string_map map = { 0 };
	struct archive_annotations a = { 0 };

	assert_int_equal(archive_annotations_parse(&a, &map), 0);
	json_string_map_set(&map, "io.podman.annotations.checkpoint.name", "web");
	json_string_map_set(&map, "org.criu.checkpoint.engine.name", "Podman");
	assert_int_equal(archive_annotations_parse(&a, &map), 1);
	assert_string_equal(a.name, "web");
	json_string_map_done(&map);
	archive_annotations_format(&a, &map);
	assert_string_equal(json_string_map_get(&map, "org.criu.checkpoint.container.name"), "web");
	assert_string_equal(json_string_map_get(&map, "io.podman.annotations.checkpoint.name"),
			    "web");
	archive_annotations_done(&a);
	json_string_map_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ordinary_tar, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any_member_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_follow, set_up, tear_down),
		cmocka_unit_test(test_filler),
		cmocka_unit_test_setup_teardown(test_follow_larger, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_follow_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_follow_in_vain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_follow_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left_member, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left_member_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unfinished, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_symlink_to_archive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reader_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_together, set_up, tear_down),
		cmocka_unit_test(test_header_numbers),
		cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_cri_config),
		cmocka_unit_test(test_network_status),
		cmocka_unit_test(test_deleted_files),
		cmocka_unit_test(test_annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
