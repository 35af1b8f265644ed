/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/writer.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <linux/fs.h>
#include <unistd.h>

#include "archive/members.h"
#include "archive/name_set.h"
#include "archive/output.h"
#include "archive/stream.h"
#include "archive/tar_header.h"
#include "archive/tree_internal.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"

#define LEVEL_DEFAULT 1
/* Files up to this size are read at once instead of by the workers. */
#define SMALL_MAX ((uint64_t)256 << 10)

struct archive_writer {
	struct output output;
	struct archive_writer_options options;
	struct stream *stream; /* with a directory: of the current member, or NULL */
	int member_fd; /* of a directory's current member */
	struct name_set names;
	struct archive_writer_result result;
	time_t now;
	bool failed;
};

static const char *const codec_names[] = {
	[ARCHIVE_CODEC_ZSTD] = "zstd",
	[ARCHIVE_CODEC_GZIP] = "gzip",
	[ARCHIVE_CODEC_NONE] = "none",
};

int archive_codec_from_string(const char *name, enum archive_codec *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(codec_names); i++) {
		if (strcasecmp(name, codec_names[i]) == 0) {
			*ret = (enum archive_codec)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* --- opening --- */

static struct stream *new_stream(const struct archive_writer *w, int fd)
{
	struct stream_options options = {
		.codec = w->output.is_dir ? ARCHIVE_CODEC_NONE : w->options.codec,
		.level = w->options.level ? w->options.level : LEVEL_DEFAULT,
		.threads = w->options.threads,
		.early_sync = !w->options.no_sync,
		.name = w->output.name,
	};

	return stream_new(fd, &options);
}

static struct archive_writer *new_writer(const struct archive_writer_options *options)
{
	struct archive_writer *w = xcalloc(1, sizeof(*w));

	if (options)
		w->options = *options;
	w->output = (struct output)OUTPUT_INIT;
	w->member_fd = -EBADF;
	w->now = time(NULL);
	return w;
}

int archive_writer_open(struct archive_writer **ret, const char *target,
			const struct archive_writer_options *options, struct err *err)
{
	auto_archive_writer struct archive_writer *w = new_writer(options);
	int r = output_open(&w->output, target, err);

	if (r < 0)
		return r;
	if (!w->output.is_dir)
		w->stream = new_stream(w, w->output.fd);
	*ret = take_ptr(w);
	return 0;
}

void archive_writer_close(struct archive_writer *w)
{
	if (!w)
		return;
	stream_free(w->stream);
	close_fd(&w->member_fd);
	output_close(&w->output);
	name_set_done(&w->names);
	free(w);
}

bool archive_writer_follow(struct archive_writer *w, int dir_fd)
{
	return w->stream && stream_follow(w->stream, dir_fd);
}

void archive_writer_follow_end(struct archive_writer *w)
{
	if (w->stream)
		stream_follow_end(w->stream);
}

uint64_t archive_writer_followed(const struct archive_writer *w)
{
	return w->stream ? stream_followed(w->stream) : 0;
}

/* --- members --- */

static int check_name(struct archive_writer *w, const char *path, enum archive_member_type type,
		      const char *link, struct err *err)
{
	auto_free char *name = path_clean(path);
	enum archive_member_kind kind;
	uint64_t max;

	if (!name_set_add(&w->names, name))
		return err_set(err, ERR_INTERNAL, "write '%s': two members '%s'", w->output.name,
			       name);
	if (archive_member_classify(name, type, link, &kind, &max, err) < 0)
		return err_wrap(err, -EINVAL, "write '%s'", w->output.name);
	return 0;
}

/* What comes before the content of a member that is a regular file. */
static int begin_file(struct archive_writer *w, const struct tar_header *header, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = check_name(w, header->path, ARCHIVE_REGULAR, NULL, err);

	if (r < 0)
		return r;
	w->result.n_members++;
	if (w->output.is_dir) {
		w->member_fd = output_create(&w->output, header->path, err);
		if (w->member_fd < 0)
			return w->member_fd;
		w->stream = new_stream(w, w->member_fd);
		return 0;
	}
	tar_header_format(&sb, header);
	r = stream_bytes(w->stream, sb.buf, sb.len, err);
	/* Who reads a large one in steps of frames gets each from one. */
	return r < 0 || header->size < stream_chunk_size(w->stream) ? r :
								      stream_cut(w->stream, err);
}

static int end_file(struct archive_writer *w, uint64_t size, struct err *err)
{
	int r;

	if (!w->output.is_dir)
		return stream_zeroes(w->stream, tar_padded(size) - size, err);
	r = stream_finish(w->stream, err);
	w->result.tar_bytes += stream_bytes_in(w->stream);
	w->result.archive_bytes += stream_bytes_out(w->stream);
	stream_free(w->stream);
	w->stream = NULL;
	if (r == 0 && !w->options.no_sync && fdatasync(w->member_fd) < 0)
		r = err_sys(err, -errno, "write '%s'", w->output.name);
	close_fd(&w->member_fd);
	return r;
}

int archive_writer_add_data(struct archive_writer *w, const char *name, const void *data,
			    size_t len, struct err *err)
{
	struct tar_header header = {
		.path = name, .type = '0', .mode = 0600, .size = len, .mtime = { w->now, 0 }
	};
	int r = begin_file(w, &header, err);

	if (r == 0)
		r = stream_bytes(w->stream, data, len, err);
	return r < 0 ? r : end_file(w, len, err);
}

/* --- content of files --- */

static int copy_small(struct archive_writer *w, int fd, uint64_t size, const char *path,
		      struct err *err)
{
	auto_free uint8_t *data = xmalloc(size ? size : 1);
	int r = io_pread_exact(fd, data, size, 0);

	if (r <= 0)
		return r < 0 ? err_sys(err, r, "read '%s'", path) :
			       err_set(err, ERR_STATE, "read '%s': it became shorter meanwhile",
				       path);
	return stream_bytes(w->stream, data, size, err);
}

/* Where a hole is found page by page, as on a tmpfs, looking takes longer than reading what could be one. */
static bool has_holes(const struct stat *st, uint64_t size)
{
	return (uint64_t)st->st_blocks * 512 < size;
}

/* Runs of data by the workers; what is between is not read. */
static int copy_large(struct archive_writer *w, struct stream_file *file, int fd, uint64_t size,
		      const char *path, struct err *err)
{
	uint64_t at = 0;
	struct stat st;
	int r = fstat(fd, &st) < 0 ? err_sys(err, -errno, "read '%s'", path) :
				     stream_take_ahead(w->stream, &st, &at, err);

	if (r < 0)
		return r;
	if (!has_holes(&st, size))
		return stream_range(w->stream, file, at, size - at, err);
	while (r == 0 && at < size) {
		off_t found = lseek(fd, (off_t)at, SEEK_DATA);
		uint64_t data = found < 0 ? (errno == ENXIO ? size : at) : (uint64_t)found;
		uint64_t end = size;

		data = MIN(data, size);
		if (found >= 0) {
			found = lseek(fd, (off_t)data, SEEK_HOLE);
			end = found < 0 ? size : MIN((uint64_t)found, size);
		}
		r = stream_zeroes(w->stream, data - at, err);
		if (r == 0)
			r = stream_range(w->stream, file, data, end - data, err);
		at = end;
	}
	return r;
}

/* The first size bytes of fd, which is taken over. */
static int copy_content(struct archive_writer *w, int fd, uint64_t size, const char *path,
			unsigned int flags, struct err *err)
{
	struct stream_file *file;
	int r;

	if (size <= SMALL_MAX) {
		r = copy_small(w, fd, size, path, err);
		close_fd(&fd);
		return r;
	}
	/* On a file system that shares blocks a directory costs nothing. */
	if (w->output.is_dir && ioctl(w->member_fd, FICLONE, fd) == 0) {
		w->result.tar_bytes += size;
		w->result.archive_bytes += size;
		r = ftruncate(w->member_fd, (off_t)size) < 0 ?
			    err_sys(err, -errno, "write '%s'", w->output.name) :
			    0;
		close_fd(&fd);
		return r;
	}
	file = stream_file_new(fd, path);
	if (flags & ARCHIVE_TREE_PRIVATE)
		stream_file_map(file, size);
	r = copy_large(w, file, fd, size, path, err);
	stream_file_release(file);
	return r;
}

int archive_writer_add_file(struct archive_writer *w, int dir_fd, const char *path,
			    const char *name, struct err *err)
{
	auto_close int fd = fd_open_at(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct tar_header header = { .path = name, .type = '0', .mode = 0600 };
	struct stat st;
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : err_sys(err, fd, "read '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "read '%s': it is no regular file", path);
	header.size = (uint64_t)st.st_size;
	header.mtime.tv_sec = st.st_mtim.tv_sec;
	r = begin_file(w, &header, err);
	if (r == 0)
		r = copy_content(w, take_fd(fd), header.size, path, 0, err);
	return r < 0 ? r : end_file(w, header.size, err);
}

/* --- trees --- */

static int copy_entry(struct archive_writer *w, const struct archive_tree *tree,
		      const struct tree_entry *entry, struct err *err)
{
	uint64_t size = (uint64_t)entry->st.st_size;
	int fd;

	if (size == 0)
		return 0;
	fd = tree_entry_open(tree, entry, err);
	if (fd < 0)
		return fd;
	return copy_content(w, fd, size, entry->path, entry->flags, err);
}

/* One that is no regular file, as a member. */
static int add_other(struct archive_writer *w, const struct tree_entry *entry, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	enum archive_member_type type = entry->type == '5' ? ARCHIVE_DIRECTORY : ARCHIVE_SYMLINK;
	int r = check_name(w, entry->path, type, entry->link, err);

	if (r < 0)
		return r;
	w->result.n_members++;
	if (w->output.is_dir)
		return output_make(&w->output, entry->path, entry->link, err);
	tree_entry_format(entry, &sb);
	return stream_bytes(w->stream, sb.buf, sb.len, err);
}

static int add_entry(struct archive_writer *w, const struct archive_tree *tree,
		     const struct tree_entry *entry, struct err *err)
{
	struct tar_header header = {
		.path = entry->path,
		.type = '0',
		.mode = 0600,
		.size = (uint64_t)entry->st.st_size,
		.mtime = { entry->st.st_mtim.tv_sec, 0 },
	};
	int r;

	if (entry->type != '0')
		return add_other(w, entry, err);
	r = begin_file(w, &header, err);
	if (r == 0)
		r = copy_entry(w, tree, entry, err);
	return r < 0 ? r : end_file(w, header.size, err);
}

/* Where there is one that was followed there is little room in front of it: what is large and before it comes after it. */
static size_t find_followed(const struct archive_writer *w, const struct archive_tree *tree)
{
	size_t i = 0;

	if (!w->stream)
		return 0;
	while (i < tree->n_entries && stream_followed_of(w->stream, &tree->entries[i].st) == 0)
		i++;
	return i < tree->n_entries ? i : 0;
}

static bool is_large(const struct tree_entry *entry)
{
	return entry->type == '0' && (uint64_t)entry->st.st_size > SMALL_MAX;
}

int archive_writer_add_tree(struct archive_writer *w, const struct archive_tree *tree,
			    struct err *err)
{
	size_t followed = find_followed(w, tree);
	int r = 0;

	for (size_t i = 0; r == 0 && i < tree->n_entries; i++) {
		if (i >= followed || !is_large(&tree->entries[i]))
			r = add_entry(w, tree, &tree->entries[i], err);
		for (size_t k = 0; r == 0 && i == followed && k < followed; k++)
			if (is_large(&tree->entries[k]))
				r = add_entry(w, tree, &tree->entries[k], err);
	}
	return r;
}

int archive_writer_add_tar(struct archive_writer *w, const char *name,
			   const struct archive_tree *tree, struct err *err)
{
	struct tar_header header = {
		.path = name,
		.type = '0',
		.mode = 0600,
		.size = archive_tree_size(tree),
		.mtime = { w->now, 0 },
	};
	int r = begin_file(w, &header, err);

	for (size_t i = 0; r == 0 && i < tree->n_entries; i++) {
		const struct tree_entry *entry = &tree->entries[i];
		auto_strbuf struct strbuf sb = STRBUF_INIT;
		uint64_t size = (uint64_t)entry->st.st_size;

		tree_entry_format(entry, &sb);
		r = stream_bytes(w->stream, sb.buf, sb.len, err);
		if (r < 0 || entry->type != '0')
			continue;
		r = copy_entry(w, tree, entry, err);
		if (r == 0)
			r = stream_zeroes(w->stream, tar_padded(size) - size, err);
	}
	if (r == 0)
		r = stream_zeroes(w->stream, TAR_END, err);
	return r < 0 ? r : end_file(w, header.size, err);
}

/* --- the end --- */

void archive_writer_withdraw(struct archive_writer *w)
{
	output_withdraw(&w->output);
}

int archive_writer_commit(struct archive_writer *w, struct archive_writer_result *ret,
			  struct err *err)
{
	int r = 0;

	if (!w->output.is_dir) {
		r = stream_zeroes(w->stream, TAR_END, err);
		if (r == 0)
			r = stream_finish(w->stream, err);
		w->result.tar_bytes = stream_bytes_in(w->stream);
		w->result.archive_bytes = stream_bytes_out(w->stream);
	}
	if (r == 0)
		r = output_commit(&w->output, !w->options.no_sync, err);
	if (r == 0 && ret)
		*ret = w->result;
	return r;
}
