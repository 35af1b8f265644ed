/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/tar_writer.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "storage/tar_reader.h"
#include "storage/whiteout.h"
#include "storage/xattr.h"

#define BLOCK ((size_t)256 << 10)
#define XATTR_NAMES_MAX ((size_t)64 << 10)
#define XATTR_VALUE_MAX ((size_t)64 << 10)
#define DEPTH_MAX 1024

/* An inode with several names, and the first of them. */
struct seen {
	dev_t dev;
	ino_t ino;
	char *path;
};

struct tar_writer {
	struct archive *archive;
	tar_sink *sink;
	void *context;
	int sink_error;
	struct seen *table; /* open addressing; path NULL: free */
	size_t n_table; /* a power of two */
	size_t n_seen;
	unsigned char *block;
	void *locale;
	const struct idmap *uids; /* NULL: ids stay as they are */
	const struct idmap *gids;
};

int tar_sink_fd(void *context, const void *data, size_t len)
{
	return io_write_all(*(const int *)context, data, len);
}

static la_ssize_t write_block(struct archive *a, void *context, const void *data, size_t len)
{
	struct tar_writer *w = context;
	int r = w->sink(w->context, data, len);

	if (r < 0) {
		w->sink_error = r;
		archive_set_error(a, -r, "%s", errno_text(r));
		return -1;
	}
	return (la_ssize_t)len;
}

static int fail(struct tar_writer *w, struct err *err, const char *path)
{
	const char *reason = archive_error_string(w->archive);

	if (w->sink_error < 0)
		return err_sys(err, w->sink_error, "write archive");
	return err_set(err, ERR_SYSTEM, "write archive: '%s': %s", path,
		       reason ? reason : "unknown error");
}

int tar_writer_open(struct tar_writer **ret, tar_sink *sink, void *context, struct err *err)
{
	auto_tar_writer struct tar_writer *w = xcalloc(1, sizeof(*w));
	int r = libarchive_load(err);

	if (r < 0)
		return r;
	w->locale = tar_locale_enter();
	w->sink = sink;
	w->context = context;
	w->block = xmalloc(BLOCK);
	w->archive = archive_write_new();
	if (!w->archive)
		abort();
	if (archive_write_set_format_pax_restricted(w->archive) != ARCHIVE_OK ||
	    archive_write_set_options(w->archive, "xattrheader=SCHILY") < ARCHIVE_WARN ||
	    archive_write_set_bytes_per_block(w->archive, 32 << 10) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(w->archive, 1) != ARCHIVE_OK ||
	    archive_write_open(w->archive, w, NULL, write_block, NULL) != ARCHIVE_OK)
		return fail(w, err, "begin");
	*ret = take_ptr(w);
	return 0;
}

void tar_writer_map_ids(struct tar_writer *w, const struct idmap *uids, const struct idmap *gids)
{
	w->uids = uids;
	w->gids = gids;
}

static uint32_t inside(const struct idmap *map, uint32_t id)
{
	uint32_t mapped;

	return map && idmap_to_inside(map, id, &mapped) == 0 ? mapped : id;
}

/* --- links --- */

static size_t seen_slot(const struct seen *table, size_t n, dev_t dev, ino_t ino)
{
	size_t i = (size_t)(ino * 0x9e3779b97f4a7c15ULL ^ dev) & (n - 1);

	while (table[i].path && (table[i].dev != dev || table[i].ino != ino))
		i = (i + 1) & (n - 1);
	return i;
}

static void seen_grow(struct tar_writer *w)
{
	size_t n = w->n_table ? w->n_table * 2 : 256;
	struct seen *table = xcalloc(n, sizeof(*table));

	for (size_t i = 0; i < w->n_table; i++)
		if (w->table[i].path)
			table[seen_slot(table, n, w->table[i].dev, w->table[i].ino)] = w->table[i];
	free(w->table);
	w->table = table;
	w->n_table = n;
}

/* The first name of this inode; NULL: this is it, and it is kept. */
static const char *first_name(struct tar_writer *w, const struct stat *st, const char *path)
{
	struct seen *seen;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return NULL;
	if (w->n_seen * 2 >= w->n_table)
		seen_grow(w);
	seen = &w->table[seen_slot(w->table, w->n_table, st->st_dev, st->st_ino)];
	if (seen->path)
		return seen->path;
	*seen = (struct seen){ st->st_dev, st->st_ino, xstrdup(path) };
	w->n_seen++;
	return NULL;
}

/* --- one object --- */

static void add_xattrs(struct archive_entry *entry, const char *path)
{
	auto_free char *names = xmalloc(XATTR_NAMES_MAX);
	ssize_t n = llistxattr(path, names, XATTR_NAMES_MAX);

	for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		auto_free char *value = NULL;
		ssize_t len;

		if (!xattr_is_content(name))
			continue;
		value = xmalloc(XATTR_VALUE_MAX);
		len = lgetxattr(path, name, value, XATTR_VALUE_MAX);
		if (len >= 0)
			archive_entry_xattr_add_entry(entry, name, value, (size_t)len);
	}
}

static int read_link(int dir_fd, const char *name, struct archive_entry *entry)
{
	char target[4096];
	ssize_t len = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	archive_entry_copy_symlink(entry, target);
	return 0;
}

/* The runs of data of a file with holes. */
static void add_sparse(struct archive_entry *entry, int fd, const struct stat *st)
{
	off_t at = 0;

	if (st->st_blocks * 512 >= st->st_size)
		return;
	while (at < st->st_size) {
		off_t data = lseek(fd, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

		if (data < 0 || hole < 0)
			break;
		archive_entry_sparse_add_entry(entry, data, hole - data);
		at = hole;
	}
	/* Nothing but a hole. */
	if (archive_entry_sparse_count(entry) == 0)
		archive_entry_sparse_add_entry(entry, st->st_size, 0);
}

/* Exactly size bytes, whatever happens to the file meanwhile: zeroes for what is gone. */
static int copy_data(struct tar_writer *w, int fd, int64_t size, const char *path, struct err *err)
{
	int64_t done = 0;

	while (done < size) {
		size_t want = (size_t)MIN((int64_t)BLOCK, size - done);
		ssize_t n = RETRY_EINTR(pread(fd, w->block, want, done));

		if (n < 0)
			return err_sys(err, -errno, "read '%s'", path);
		if (n == 0) {
			memset(w->block, 0, want);
			n = (ssize_t)want;
		}
		if (archive_write_data(w->archive, w->block, (size_t)n) < 0)
			return fail(w, err, path);
		done += n;
	}
	return 0;
}

static int write_entry(struct tar_writer *w, struct archive_entry *entry, int fd,
		       const struct stat *st, const char *path, struct err *err)
{
	if (archive_write_header(w->archive, entry) < ARCHIVE_WARN)
		return fail(w, err, path);
	return fd < 0 ? 0 : copy_data(w, fd, st->st_size, path, err);
}

int tar_writer_add(struct tar_writer *w, int dir_fd, const char *name, const char *path,
		   struct err *err)
{
	auto_close int fd = -EBADF;
	struct archive_entry *entry;
	auto_free char *proc_path = NULL;
	const char *first;
	struct stat st;
	int r = 0;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		/* Removed by whoever else works in the tree. */
		return errno == ENOENT ? 0 : err_sys(err, -errno, "read '%s'", path);
	if (S_ISSOCK(st.st_mode))
		return 0;
	first = first_name(w, &st, path);
	if (S_ISREG(st.st_mode) && !first) {
		fd = fd_open_at(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		if (fd < 0)
			return fd == -ENOENT ? 0 : err_sys(err, fd, "read '%s'", path);
		if (fstat(fd, &st) < 0)
			return err_sys(err, -errno, "read '%s'", path);
	}
	entry = archive_entry_new();
	st.st_uid = inside(w->uids, st.st_uid);
	st.st_gid = inside(w->gids, st.st_gid);
	archive_entry_copy_stat(entry, &st);
	archive_entry_copy_pathname(entry, path);
	/* Names of users are the host's, not the image's; access times change by reading. */
	archive_entry_unset_atime(entry);
	archive_entry_unset_ctime(entry);
	archive_entry_unset_birthtime(entry);
	if (first)
		archive_entry_copy_hardlink(entry, first);
	else if (S_ISLNK(st.st_mode))
		r = read_link(dir_fd, name, entry);
	if (first)
		archive_entry_set_size(entry, 0);
	proc_path = *name ? xasprintf("%s/%s", fd_path(dir_fd).text, name) :
			    xasprintf("%s/.", fd_path(dir_fd).text);
	if (r == 0 && !first)
		add_xattrs(entry, proc_path);
	if (r == 0 && fd >= 0)
		add_sparse(entry, fd, &st);
	r = r < 0 ? err_sys(err, r, "read '%s'", path) : write_entry(w, entry, fd, &st, path, err);
	archive_entry_free(entry);
	return r;
}

/* --- trees --- */

struct tree {
	struct tar_writer *w;
	dev_t dev;
	bool one_fs;
	unsigned int depth;
};

static int add_below(struct tree *t, int dir_fd, const char *path, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(dir_fd, ".", &names);

	if (r < 0)
		return err_sys(err, r, "read directory '%s'", path);
	if (++t->depth > DEPTH_MAX)
		return err_set(err, ERR_INVALID, "read '%.200s...': more than %d directories deep",
			       path, DEPTH_MAX);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *child = str_eq(path, ".") ? xstrdup(names.v[i]) :
							    xasprintf("%s/%s", path, names.v[i]);
		auto_close int fd = -EBADF;
		struct stat st;

		r = tar_writer_add(t->w, dir_fd, names.v[i], child, err);
		if (r < 0 || fstatat(dir_fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode) || (t->one_fs && st.st_dev != t->dev))
			continue;
		fd = fd_open_at(dir_fd, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (fd >= 0)
			r = add_below(t, fd, child, err);
	}
	t->depth--;
	return r;
}

int tar_writer_add_tree(struct tar_writer *w, int dir_fd, const char *name, const char *path,
			bool one_fs, struct err *err)
{
	struct tree t = { .w = w, .one_fs = one_fs };
	auto_close int fd = -EBADF;
	struct stat st;
	int r = tar_writer_add(w, dir_fd, name, path, err);

	if (r < 0)
		return r;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return err_sys(err, -errno, "read '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return 0;
	t.dev = st.st_dev;
	fd = fd_open_at(dir_fd, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(err, fd, "read directory '%s'", path);
	return add_below(&t, fd, path, err);
}

/* --- what is not on disk --- */

int tar_writer_begin(struct tar_writer *w, const char *path, uint64_t size, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	archive_entry_copy_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_size(entry, (la_int64_t)size);
	r = archive_write_header(w->archive, entry) < ARCHIVE_WARN ? fail(w, err, path) : 0;
	archive_entry_free(entry);
	return r;
}

int tar_writer_data(struct tar_writer *w, const void *data, size_t len, struct err *err)
{
	if (len > 0 && archive_write_data(w->archive, data, len) < 0)
		return fail(w, err, "data");
	return 0;
}

int tar_writer_add_data(struct tar_writer *w, const char *path, const void *data, size_t len,
			struct err *err)
{
	int r = tar_writer_begin(w, path, len, err);

	return r < 0 ? r : tar_writer_data(w, data, len, err);
}

int tar_writer_whiteout(struct tar_writer *w, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *name = slash ? xasprintf("%.*s/" WHITEOUT_PREFIX "%s", (int)(slash - path),
						 path, slash + 1) :
				       xasprintf(WHITEOUT_PREFIX "%s", path);

	return tar_writer_add_data(w, name, NULL, 0, err);
}

int tar_writer_finish(struct tar_writer *w, struct err *err)
{
	return archive_write_close(w->archive) < ARCHIVE_WARN ? fail(w, err, "end") : 0;
}

void tar_writer_close(struct tar_writer *w)
{
	if (!w)
		return;
	if (w->archive) {
		/* Not archive_write_free() alone: that would write the end of the archive. */
		(void)archive_write_fail(w->archive);
		(void)archive_write_free(w->archive);
	}
	for (size_t i = 0; i < w->n_table; i++)
		free(w->table[i].path);
	free(w->table);
	free(w->block);
	tar_locale_leave(w->locale);
	free(w);
}
