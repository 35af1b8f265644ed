/* SPDX-License-Identifier: Apache-2.0 */
/* From an archive into a directory, and from the tars in it to where their content belongs. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/fs.h>
#include <unistd.h>

#include "archive/reader_internal.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "storage/unpack.h"

static int fail(const struct archive_reader *reader, int code, const char *name, struct err *err)
{
	return err_sys(err, code, "unpack '%s': '%s'", reader->name, name);
}

/* --- tars in the tar --- */

/* A tar in the archive. */
struct inner_stream {
	struct archive_reader *reader;
	struct err err; /* why its content cannot be read */
	size_t used; /* of the piece that the tar reader has */
};

static ssize_t read_inner(void *context, const void **ret)
{
	struct inner_stream *stream = context;
	const uint8_t *data = NULL;
	size_t len;

	reader_use(stream->reader, stream->used);
	stream->used = 0;
	if (reader_peek(stream->reader, &data, &len, &stream->err) < 0)
		return -1;
	stream->used = len;
	*ret = data;
	return (ssize_t)len;
}

/* 1: somebody has taken it; 0: it is to be stored. */
static int offer_inner(struct archive_reader *reader, const struct archive_unpack_options *options,
		       const struct archive_member *member, struct err *err)
{
	auto_tar_reader struct tar_reader *tar = NULL;
	uint64_t before = reader->left;
	struct inner_stream stream = { .reader = reader };
	int r;

	if (!options->inner || member->type != ARCHIVE_REGULAR || member->kind < ARCHIVE_SHM_TAR)
		return 0;
	r = tar_reader_open_stream(&tar, read_inner, &stream, reader->name, err);
	if (r == 0)
		r = options->inner(options->context, member, tar, err);
	if (r < 0 && err_is_set(&stream.err)) {
		/* What the tar reader could not read is the better reason. */
		if (err)
			*err = stream.err;
		return stream.err.code;
	}
	if (r == 0 && reader->left != before)
		return err_set(err, ERR_INTERNAL, "unpack '%s': '%s' was read and not used",
			       reader->name, member->name);
	return r;
}

int archive_unpack_inner(struct tar_reader *tar, const struct rooted *root,
			 const struct archive_inner_options *options, struct err *err)
{
	static const struct archive_inner_options none = { 0 };
	const struct archive_inner_options *o = options ? options : &none;
	const struct unpack_options unpack_options = {
		.owner = true,
		.sparse = true,
		.no_devices = !o->allow_devices,
		.apply_whiteouts = o->whiteouts,
		.max_bytes = o->max_bytes,
		.uids = o->uids,
		.gids = o->gids,
	};

	return unpack(tar, root, &unpack_options, NULL, err);
}

int archive_remove_deleted(const struct rooted *root, char *const *paths, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *parent = path_dirname(paths[i]);
		const char *name = path_basename(paths[i]);
		auto_close int dir = rooted_openat(root, parent, O_RDONLY | O_DIRECTORY);
		int r;

		if (!*name || str_eq(name, ".") || str_eq(name, ".."))
			return err_set(err, ERR_INVALID, "remove '%s': it names nothing", paths[i]);
		if (dir == -ENOENT || dir == -ENOTDIR)
			continue;
		r = dir < 0 ? dir : fs_remove_tree(dir, name);
		if (r < 0)
			return err_sys(err, r, "remove '%s'", paths[i]);
	}
	return 0;
}

/* --- members --- */

/* An O_PATH descriptor of the directory that the member is in; it is made when it is missing. Nothing in the
 * tree is a symlink to a directory. */
static int open_parent(int dir_fd, const char *name)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	auto_close int fd = fd_open_at(dir_fd, ".", O_PATH | O_DIRECTORY, 0);

	strvec_split(&parts, name, '/', false);
	for (size_t i = 0; fd >= 0 && i + 1 < parts.n; i++) {
		int next;

		if (mkdirat(fd, parts.v[i], 0700) < 0 && errno != EEXIST)
			return -errno;
		next = fd_open_at(fd, parts.v[i], O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		close_fd(&fd);
		fd = next;
	}
	return take_fd(fd);
}

static int check_space(struct archive_reader *reader, int fd, const struct archive_member *member,
		       struct err *err)
{
	struct statfs fs;

	/* Zeroes take no space, so this is for what is large beyond any doubt. */
	if (member->size < ((uint64_t)1 << 30) || fstatfs(fd, &fs) < 0 || fs.f_blocks == 0)
		return 0;
	if (member->size / (uint64_t)fs.f_bsize > fs.f_blocks)
		return err_set(err, ERR_INVALID,
			       "unpack '%s': member '%s' is larger than the file system",
			       reader->name, member->name);
	return 0;
}

static int write_content(struct archive_reader *reader, int fd, const struct archive_member *member,
			 struct err *err)
{
	uint64_t done = 0;
	int r = 0;

	/* A plain directory's files are shared where the file system can do that (ioctl_ficlone(2)). */
	if (reader->dir && member->size > 0 && ioctl(fd, FICLONE, reader->member_fd) == 0) {
		reader_use(reader, (size_t)reader->left);
		done = member->size;
	}
	while (done < member->size) {
		const uint8_t *data;
		size_t len;

		r = reader_peek(reader, &data, &len, err);
		if (r < 0)
			return r;
		r = io_pwrite_sparse(fd, data, len, (off_t)done);
		if (r < 0)
			return fail(reader, r, member->name, err);
		reader_use(reader, len);
		done += len;
	}
	return ftruncate(fd, (off_t)member->size) < 0 ? fail(reader, -errno, member->name, err) : 0;
}

static int store(struct archive_reader *reader, int dir_fd, const struct archive_member *member,
		 struct err *err)
{
	auto_close int parent = open_parent(dir_fd, member->name);
	const char *name = path_basename(member->name);
	auto_close int fd = -EBADF;
	int r = 0;

	if (parent < 0)
		return fail(reader, parent, member->name, err);
	if (member->type == ARCHIVE_SYMLINK)
		r = symlinkat("../pre-checkpoint", parent, name);
	else if (member->type == ARCHIVE_DIRECTORY && mkdirat(parent, name, 0700) < 0)
		/* Made for what is below it. */
		r = errno == EEXIST ? 0 : -1;
	if (r < 0)
		return fail(reader, -errno, member->name, err);
	if (member->type != ARCHIVE_REGULAR)
		return 0;
	fd = fd_open_at(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(reader, fd, member->name, err);
	r = check_space(reader, fd, member, err);
	return r < 0 ? r : write_content(reader, fd, member, err);
}

static bool is_left(const struct archive_reader *reader,
		    const struct archive_unpack_options *options,
		    const struct archive_member *member)
{
	return options->leave && member->type == ARCHIVE_REGULAR && reader->plain &&
	       !reader->data && plain_can_seek(reader->plain) &&
	       options->leave(options->context, member, reader->position);
}

static void count(struct archive_unpack_result *result, const struct archive_member *member)
{
	result->n_members++;
	result->bytes += member->size;
	result->has_checkpoint |= member->kind == ARCHIVE_CHECKPOINT;
	result->has_pre_checkpoint |= member->kind == ARCHIVE_PRE_CHECKPOINT;
	if (member->kind == ARCHIVE_CHECKPOINT)
		result->checkpoint_bytes += member->size;
	if (member->kind == ARCHIVE_CHECKPOINT && str_has_prefix(member->name, "checkpoint/pages-"))
		result->pages_bytes += member->size;
	if (member->kind == ARCHIVE_ROOTFS_TAR)
		result->rootfs_bytes += member->size;
}

int archive_reader_unpack(struct archive_reader *reader, int dir_fd,
			  const struct archive_unpack_options *options,
			  struct archive_unpack_result *ret, struct err *err)
{
	static const struct archive_unpack_options none = { 0 };
	struct archive_unpack_result result = { 0 };
	const struct archive_member *member;
	int r;

	if (!options)
		options = &none;
	if (reader->started)
		return err_set(err, ERR_INTERNAL, "unpack '%s': it is not at its beginning",
			       reader->name);
	reader_set_ahead(reader, true);
	while ((r = archive_reader_next(reader, &member, err)) > 0) {
		if (options->skip_kinds & 1U << member->kind)
			continue;
		count(&result, member);
		if (is_left(reader, options, member))
			continue;
		r = offer_inner(reader, options, member, err);
		if (r == 0)
			r = store(reader, dir_fd, member, err);
		if (r < 0)
			break;
	}
	reader_set_ahead(reader, false);
	if (r == 0 && ret)
		*ret = result;
	return r;
}
