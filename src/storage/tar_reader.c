/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/tar_reader.h"

#include <locale.h>

#include "core/alloc.h"
#include "core/io.h"

#define BLOCK ((size_t)256 << 10)

struct tar_reader {
	struct archive *plain; /* undoes the compression; NULL for a stream */
	struct archive *tar;
	struct digest_context *digest;
	char *name;
	bool failed;
	bool at_end; /* of plain, before the archive said that it ends */
	void *locale;
	tar_read *read; /* of a stream */
	void *context;
};

void *tar_locale_enter(void)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	return utf8 == (locale_t)0 ? NULL : uselocale(utf8);
}

void tar_locale_leave(void *previous)
{
	locale_t ours;

	if (!previous)
		return;
	ours = uselocale(previous);
	if (ours != LC_GLOBAL_LOCALE && ours != (locale_t)0)
		freelocale(ours);
}

static int fail(struct tar_reader *reader, struct archive *a, struct err *err)
{
	const char *reason = archive_error_string(a);

	if (archive_errno(a) == ENOMEM)
		return err_sys(err, -ENOMEM, "read archive '%s'", reader->name);
	return err_set(err, ERR_CORRUPT, "read archive '%s': %s", reader->name,
		       reason ? reason : "it is damaged or truncated");
}

/* The tar's bytes, for the second reader. */
static la_ssize_t read_plain(struct archive *a, void *context, const void **ret)
{
	struct tar_reader *reader = context;
	la_int64_t offset;
	size_t len = 0;
	int r = archive_read_data_block(reader->plain, ret, &len, &offset);

	if (r == ARCHIVE_EOF) {
		reader->at_end = true;
		return 0;
	}
	if (r < ARCHIVE_WARN) {
		archive_set_error(a, archive_errno(reader->plain), "%s",
				  archive_error_string(reader->plain));
		reader->failed = true;
		return -1;
	}
	digest_update(reader->digest, *ret, len);
	return (la_ssize_t)len;
}

static int open_plain(struct tar_reader *reader, int fd, struct err *err)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;

	if (!a)
		abort();
	reader->plain = a;
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_format_raw(a);
	(void)archive_read_support_format_empty(a);
	if (archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) < ARCHIVE_WARN)
		return fail(reader, a, err);
	return 0;
}

int tar_reader_open(struct tar_reader **ret, int fd, const char *name, struct err *err)
{
	auto_tar_reader struct tar_reader *reader = xcalloc(1, sizeof(*reader));
	int r = libarchive_load(err);

	if (r < 0)
		return r;
	reader->locale = tar_locale_enter();
	reader->name = xstrdup(name);
	reader->digest = digest_new();
	r = open_plain(reader, fd, err);
	if (r < 0)
		return r;
	reader->tar = archive_read_new();
	if (!reader->tar)
		abort();
	(void)archive_read_support_format_tar(reader->tar);
	(void)archive_read_support_format_empty(reader->tar);
	if (archive_read_open(reader->tar, reader, NULL, read_plain, NULL) != ARCHIVE_OK)
		return fail(reader, reader->tar, err);
	*ret = take_ptr(reader);
	return 0;
}

static la_ssize_t read_stream(struct archive *a, void *context, const void **ret)
{
	struct tar_reader *reader = context;
	ssize_t n = reader->read(reader->context, ret);

	if (n < 0) {
		archive_set_error(a, EIO, "it cannot be read");
		reader->failed = true;
	}
	return n;
}

int tar_reader_open_stream(struct tar_reader **ret, tar_read *read, void *context, const char *name,
			   struct err *err)
{
	auto_tar_reader struct tar_reader *reader = xcalloc(1, sizeof(*reader));
	int r = libarchive_load(err);

	if (r < 0)
		return r;
	reader->locale = tar_locale_enter();
	reader->name = xstrdup(name);
	reader->read = read;
	reader->context = context;
	reader->tar = archive_read_new();
	if (!reader->tar)
		abort();
	(void)archive_read_support_format_tar(reader->tar);
	(void)archive_read_support_format_empty(reader->tar);
	if (archive_read_open(reader->tar, reader, NULL, read_stream, NULL) != ARCHIVE_OK)
		return fail(reader, reader->tar, err);
	*ret = take_ptr(reader);
	return 0;
}

int tar_reader_next(struct tar_reader *reader, struct archive_entry **ret, struct err *err)
{
	int r = archive_read_next_header(reader->tar, ret);

	if (r == ARCHIVE_EOF)
		return 0;
	if (r < ARCHIVE_WARN || reader->failed)
		return fail(reader, reader->tar, err);
	return 1;
}

int tar_reader_data(struct tar_reader *reader, const void **ret, size_t *ret_len,
		    int64_t *ret_offset, struct err *err)
{
	la_int64_t offset = 0;
	int r = archive_read_data_block(reader->tar, ret, ret_len, &offset);

	*ret_offset = offset;
	if (r == ARCHIVE_EOF)
		return 0;
	return r < ARCHIVE_WARN ? fail(reader, reader->tar, err) : 1;
}

int tar_reader_finish(struct tar_reader *reader, enum tar_end end,
		      char ret_digest[static STORE_DIGEST_MAX], struct err *err)
{
	const void *data;
	la_ssize_t n = 0;

	/* libarchive takes the end of the file for the archive's. */
	if (reader->at_end && end == TAR_END_MARKED)
		return err_set(err, ERR_CORRUPT,
			       "read archive '%s': it is truncated: it has no mark of its end",
			       reader->name);
	/* The padding behind the last entry belongs to the archive, whether the reader wants it or
	 * not. */
	while (!reader->at_end && (n = read_plain(reader->tar, reader, &data)) > 0)
		;
	if (n < 0)
		return fail(reader, reader->plain, err);
	digest_final(reader->digest, ret_digest);
	return 0;
}

int tar_decompress(int in_fd, const char *name, int out_fd, uint64_t *ret_size,
		   char ret_digest[static STORE_DIGEST_MAX], struct err *err)
{
	auto_tar_reader struct tar_reader *reader = xcalloc(1, sizeof(*reader));
	uint64_t size = 0;
	la_int64_t offset;
	const void *data;
	size_t len = 0;
	int r = libarchive_load(err);

	if (r < 0)
		return r;
	reader->name = xstrdup(name);
	reader->digest = digest_new();
	r = open_plain(reader, in_fd, err);
	if (r < 0)
		return r;
	while ((r = archive_read_data_block(reader->plain, &data, &len, &offset)) >= ARCHIVE_WARN &&
	       r != ARCHIVE_EOF) {
		digest_update(reader->digest, data, len);
		size += len;
		if (out_fd >= 0 && io_write_all(out_fd, data, len) < 0)
			return err_sys(err, -errno, "write the content of '%s'", name);
	}
	if (r != ARCHIVE_EOF)
		return fail(reader, reader->plain, err);
	digest_final(reader->digest, ret_digest);
	*ret_size = size;
	return 0;
}

void tar_reader_close(struct tar_reader *reader)
{
	if (!reader)
		return;
	if (reader->tar)
		(void)archive_read_free(reader->tar);
	if (reader->plain)
		(void)archive_read_free(reader->plain);
	if (reader->digest)
		digest_free(reader->digest);
	tar_locale_leave(reader->locale);
	free(reader->name);
	free(reader);
}
