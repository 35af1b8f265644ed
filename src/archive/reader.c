/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/reader.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/reader_internal.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/path.h"
#include "core/str.h"
#include "storage/unpack.h"

#define RATIO_DEFAULT 1000
#define CONTAINERD_PREFIX "ctrd-checkpoint"
#define BUFFER ((size_t)1 << 20)
#define PATH_BYTES_MAX 4096

/* --- opening --- */

static struct archive_reader *new_reader(const char *name,
					 const struct archive_reader_options *options)
{
	struct archive_reader *reader = xcalloc(1, sizeof(*reader));

	reader->name = xstrdup(name);
	if (options)
		reader->options = *options;
	if (reader->options.max_bytes == 0)
		reader->options.max_bytes = UNPACK_BYTES_MAX;
	if (reader->options.max_ratio == 0)
		reader->options.max_ratio = RATIO_DEFAULT;
	reader->fd = -EBADF;
	reader->member_fd = -EBADF;
	return reader;
}

static int open_source(struct archive_reader *reader, int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "read archive '%s'", reader->name);
	if (S_ISDIR(st.st_mode)) {
		int copy = fd_open_at(fd, ".", O_RDONLY | O_DIRECTORY, 0);

		return copy < 0 ? err_sys(err, copy, "read directory '%s'", reader->name) :
				  source_dir_new(&reader->dir, copy, reader->name, err);
	}
	if (isatty(fd))
		return err_set(err, ERR_USAGE, "read archive '%s': it is a terminal", reader->name);
	return plain_open(&reader->plain, fd, reader->name, reader->options.threads, err);
}

int archive_reader_open_fd(struct archive_reader **ret, int fd, const char *name,
			   const struct archive_reader_options *options, struct err *err)
{
	auto_archive_reader struct archive_reader *reader = new_reader(name, options);
	int r = open_source(reader, fd, err);

	if (r < 0)
		return r;
	*ret = take_ptr(reader);
	return 0;
}

int archive_reader_fd(const struct archive_reader *reader)
{
	return reader->dir ? -EBADF : reader->fd;
}

int archive_reader_open(struct archive_reader **ret, const char *path,
			const struct archive_reader_options *options, struct err *err)
{
	const char *dir = str_skip_prefix(path, "dir:");
	auto_archive_reader struct archive_reader *reader = NULL;
	int r;

	if (str_eq(path, "-"))
		return archive_reader_open_fd(ret, STDIN_FILENO, "stdin", options, err);
	reader = new_reader(dir ? dir : path, options);
	reader->fd = fd_open_at(AT_FDCWD, reader->name, O_RDONLY | (dir ? O_DIRECTORY : 0), 0);
	if (reader->fd == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "read archive '%s': no such file or directory",
			       reader->name);
	if (reader->fd < 0)
		return err_sys(err, reader->fd, "read archive '%s'", reader->name);
	r = open_source(reader, reader->fd, err);
	if (r < 0)
		return r;
	*ret = take_ptr(reader);
	return 0;
}

static void forget_member(struct archive_reader *reader)
{
	free(reader->member.name);
	reader->member = (struct archive_member){ 0 };
	close_fd(&reader->member_fd);
	reader->data = NULL;
	reader->left = 0;
	reader->padding = 0;
	reader->has_member = false;
}

void archive_reader_close(struct archive_reader *reader)
{
	if (!reader)
		return;
	forget_member(reader);
	plain_close(reader->plain);
	source_dir_free(reader->dir);
	for (size_t i = 0; i < reader->n_remembered; i++) {
		free(reader->remembered[i].member.name);
		free(reader->remembered[i].data);
	}
	free(reader->remembered);
	name_set_done(&reader->names);
	close_fd(&reader->fd);
	free(reader->buffer);
	free(reader->name);
	free(reader);
}

const char *archive_reader_format(const struct archive_reader *reader)
{
	return reader->dir ? "directory" : plain_format(reader->plain);
}

bool archive_reader_can_rewind(const struct archive_reader *reader)
{
	return reader->dir || plain_can_rewind(reader->plain);
}

bool archive_reader_can_seek(const struct archive_reader *reader)
{
	return reader->dir || plain_can_seek(reader->plain);
}

void reader_set_ahead(struct archive_reader *reader, bool ahead)
{
	if (reader->plain)
		plain_set_ahead(reader->plain, ahead);
}

/* --- names --- */

/* Take the archive's prefix off: 1, 0 for the prefix itself. */
static int strip_prefix(struct archive_reader *reader, const char *name, const char **ret,
			struct err *err)
{
	const char *rest = str_skip_prefix(name, CONTAINERD_PREFIX);
	enum prefix prefix = rest && (!*rest || *rest == '/') ? PREFIX_CONTAINERD : PREFIX_NONE;

	if (str_eq(name, "."))
		return 0;
	if (reader->prefix != PREFIX_UNKNOWN && reader->prefix != prefix)
		return err_set(err, ERR_INVALID,
			       "read archive '%s': member '%.200s' is not where the others are",
			       reader->name, name);
	reader->prefix = prefix;
	*ret = prefix == PREFIX_NONE ? name : *rest ? rest + 1 : rest;
	return **ret != '\0';
}

/* Check a member and make it the current one: 1, 0 when it is only the root. name is not clean. */
int reader_accept(struct archive_reader *reader, const char *raw, enum archive_member_type type,
		  const char *link, uint64_t size, struct err *err)
{
	auto_free char *clean = NULL;
	const char *name = NULL;
	enum archive_member_kind kind;
	uint64_t max;
	int r;

	if (*raw == '/' || strlen(raw) > PATH_BYTES_MAX || path_has_dotdot(raw))
		return err_set(err, ERR_INVALID,
			       "read archive '%s': the name of member '%.200s' leads out of it",
			       reader->name, raw);
	clean = path_clean(raw);
	r = strip_prefix(reader, clean, &name, err);
	if (r < 0 || (r == 0 && type == ARCHIVE_DIRECTORY))
		return r;
	if (r == 0)
		return reader_invalid(reader, err, "its root is no directory");
	r = archive_member_classify(name, type, link, &kind, &max, err);
	if (r < 0)
		return err_wrap(err, r, "read archive '%s'", reader->name);
	if (!name_set_add(&reader->names, name) || reader->names.n > MEMBERS_MAX)
		return err_set(err, ERR_INVALID, "read archive '%s': %s '%.200s'", reader->name,
			       reader->names.n > MEMBERS_MAX ? "too many members: " :
							       "a second member",
			       name);
	if (size > max || size > reader->options.max_bytes - reader->bytes)
		return err_set(err, ERR_INVALID,
			       "read archive '%s': member '%.200s' is too large: %llu bytes",
			       reader->name, name, (unsigned long long)size);
	reader->bytes += size;
	reader->member = (struct archive_member){ xstrdup(name), kind, type, size };
	reader->left = size;
	reader->has_member = true;
	return 1;
}

/* --- members --- */

static int next_of_dir(struct archive_reader *reader, struct err *err)
{
	int r = 0;

	while (r == 0) {
		auto_free char *link = NULL;
		enum archive_member_type type;
		const char *name;
		uint64_t size;

		r = source_dir_next(reader->dir, &name, &type, &size, &link, &reader->member_fd,
				    err);
		if (r <= 0) {
			reader->ended = r == 0;
			return r;
		}
		r = reader_accept(reader, name, type, link, size, err);
	}
	return r;
}

static int finish_member(struct archive_reader *reader, struct err *err)
{
	int r = 0;

	if (reader->has_member && reader->plain && !reader->data)
		r = reader_pass_bytes(reader, reader->left + reader->padding, err);
	forget_member(reader);
	return r;
}

int reader_next_from_source(struct archive_reader *reader, struct err *err)
{
	int r = finish_member(reader, err);

	if (r < 0 || reader->ended)
		return r;
	r = reader->dir ? next_of_dir(reader, err) : reader_next_of_tar(reader, err);
	if (r == 0 && reader->plain)
		plain_drain(reader->plain);
	return r;
}

int archive_reader_next(struct archive_reader *reader, const struct archive_member **ret,
			struct err *err)
{
	int r = 1;

	reader->started = true;
	if (reader->next_remembered < reader->n_remembered) {
		const struct remembered *next = &reader->remembered[reader->next_remembered++];

		*ret = &next->member;
		reader->data = next->data;
		reader->left = next->member.size;
		return 1;
	}
	if (reader->pending) {
		/* It was met behind those that are remembered. */
		reader->pending = false;
		reader->data = NULL;
		reader->left = reader->member.size;
	} else {
		if (reader->data) {
			reader->data = NULL;
			reader->left = 0;
		}
		r = reader_next_from_source(reader, err);
	}
	*ret = &reader->member;
	return r;
}

int archive_reader_rewind(struct archive_reader *reader, struct err *err)
{
	int r = 0;

	forget_member(reader);
	if (reader->dir)
		source_dir_rewind(reader->dir);
	else
		r = plain_rewind(reader->plain, err);
	name_set_done(&reader->names);
	reader->piece_len = 0;
	reader->position = 0;
	reader->prefix = PREFIX_UNKNOWN;
	reader->bytes = 0;
	reader->ended = reader->started = false;
	return r;
}

/* --- content --- */

static int peek_file(struct archive_reader *reader, const uint8_t **ret, size_t *ret_len,
		     struct err *err)
{
	ssize_t n;

	if (!reader->buffer)
		reader->buffer = xmalloc(BUFFER);
	n = RETRY_EINTR(pread(reader->member_fd, reader->buffer,
			      (size_t)MIN(reader->left, (uint64_t)BUFFER),
			      (off_t)(reader->member.size - reader->left)));
	if (n <= 0)
		return n < 0 ? err_sys(err, -errno, "read '%s'", reader->member.name) :
			       reader_truncated(reader, err);
	*ret = reader->buffer;
	*ret_len = (size_t)n;
	return 0;
}

int reader_peek(struct archive_reader *reader, const uint8_t **ret, size_t *ret_len,
		struct err *err)
{
	int r;

	*ret_len = 0;
	if (reader->left == 0)
		return 0;
	if (reader->data) {
		const struct remembered *m = &reader->remembered[reader->next_remembered - 1];

		*ret = (const uint8_t *)reader->data + (m->member.size - reader->left);
		*ret_len = (size_t)reader->left;
		return 0;
	}
	if (reader->dir)
		return peek_file(reader, ret, ret_len, err);
	r = reader_have_piece(reader, err);
	if (r <= 0)
		return r < 0 ? r : reader_truncated(reader, err);
	*ret = reader->piece;
	*ret_len = (size_t)MIN(reader->left, (uint64_t)reader->piece_len);
	return 0;
}

void reader_use(struct archive_reader *reader, size_t len)
{
	reader->left -= len;
	if (reader->plain && !reader->data)
		reader_use_piece(reader, len);
}

int archive_reader_read(struct archive_reader *reader, void *buf, size_t len, size_t *ret_len,
			struct err *err)
{
	const uint8_t *data;
	size_t n;
	int r = reader_peek(reader, &data, &n, err);

	if (r < 0)
		return r;
	n = MIN(n, len);
	if (n > 0)
		memcpy(buf, data, n);
	reader_use(reader, n);
	*ret_len = n;
	return 0;
}

int archive_reader_skip(struct archive_reader *reader, uint64_t len, struct err *err)
{
	len = MIN(len, reader->left);
	reader->left -= len;
	return reader->plain && !reader->data ? reader_pass_bytes(reader, len, err) : 0;
}

int archive_reader_slurp(struct archive_reader *reader, size_t limit, char **ret, size_t *ret_len,
			 struct err *err)
{
	uint64_t size = reader->left;
	auto_free char *data = NULL;
	size_t done = 0;

	if (size > limit)
		return err_set(err, ERR_INVALID,
			       "read archive '%s': a member is too large: %llu bytes", reader->name,
			       (unsigned long long)size);
	data = xmalloc((size_t)size + 1);
	while (done < size) {
		size_t n;
		int r = archive_reader_read(reader, data + done, (size_t)size - done, &n, err);

		if (r < 0)
			return r;
		done += n;
	}
	data[size] = '\0';
	*ret = take_ptr(data);
	*ret_len = (size_t)size;
	return 0;
}
