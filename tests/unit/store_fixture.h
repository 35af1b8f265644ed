/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a temporary directory, and archives made in memory, for the tests of storage and images. */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "storage/blob.h"
#include "storage/store.h"

struct store_fixture {
	char dir[64];
	struct store store;
};

static inline int store_fixture_setup(void **state)
{
	struct store_fixture *f = xcalloc(1, sizeof(*f));
	struct err err = ERR_INIT;
	struct store_options options = { .root = f->dir, .run_root = f->dir };

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/floe-store-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->store = (struct store)STORE_INIT;
	if (store_open(&f->store, &options, &err) < 0) {
		print_error("%s\n", err.msg);
		return -1;
	}
	*state = f;
	return 0;
}

static inline int store_fixture_teardown(void **state)
{
	struct store_fixture *f = *state;
	int r;

	store_close(&f->store);
	r = fs_remove_tree(AT_FDCWD, f->dir);
	free(f);
	return r;
}

/* One member; data NULL and mode with the type says what it is. link: symlink or, with hardlink, link. */
struct member {
	const char *path;
	mode_t mode;
	const char *data;
	const char *link;
	bool hardlink;
	const char *xattr;
	uid_t uid;
	dev_t rdev;
	uint64_t hole; /* bytes before the data */
	time_t mtime;
};

static inline la_ssize_t fixture_write(struct archive *a, void *context, const void *data, size_t n)
{
	(void)a;
	strbuf_add(context, data, n);
	return (la_ssize_t)n;
}

static inline void make_tar(struct strbuf *ret, const struct member *members, size_t n)
{
	struct archive *a = archive_write_new();

	archive_write_set_format_pax(a);
	archive_write_open(a, ret, NULL, fixture_write, NULL);
	for (size_t i = 0; i < n; i++) {
		const struct member *m = &members[i];
		struct archive_entry *e = archive_entry_new();
		size_t len = m->data ? strlen(m->data) : 0;

		archive_entry_set_pathname(e, m->path);
		archive_entry_set_mode(e, m->mode);
		archive_entry_set_uid(e, m->uid);
		archive_entry_set_mtime(e, m->mtime ? m->mtime : 1000000000, 0);
		archive_entry_set_rdev(e, m->rdev);
		if (m->hardlink)
			archive_entry_set_hardlink(e, m->link);
		else if (m->link)
			archive_entry_set_symlink(e, m->link);
		if (m->xattr)
			archive_entry_xattr_add_entry(e, m->xattr, "v", 1);
		archive_entry_set_size(e, (la_int64_t)(len + m->hole));
		if (m->hole)
			archive_entry_sparse_add_entry(e, (la_int64_t)m->hole, (la_int64_t)len);
		archive_write_header(a, e);
		for (uint64_t k = 0; k < m->hole; k++)
			archive_write_data(a, "", 1);
		if (len)
			archive_write_data(a, m->data, len);
		archive_entry_free(e);
	}
	archive_write_close(a);
	archive_write_free(a);
}

/* filter: ARCHIVE_FILTER_NONE, _GZIP, _ZSTD. */
static inline void compress_with(struct strbuf *ret, const struct strbuf *plain, int filter)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();

	archive_write_set_format_raw(a);
	archive_write_add_filter(a, filter);
	archive_write_set_bytes_in_last_block(a, 1);
	archive_write_open(a, ret, NULL, fixture_write, NULL);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_write_header(a, e);
	archive_write_data(a, plain->buf, plain->len);
	archive_entry_free(e);
	archive_write_close(a);
	archive_write_free(a);
}
