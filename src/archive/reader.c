/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/reader.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/reader_internal.h"
#include "archive/tar_header.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/json_table.h"
#include "core/path.h"
#include "core/str.h"
#include "storage/unpack.h"

/* Long names, attributes: what stands in front of a header. */
#define EXTENSION_MAX ((uint64_t)1 << 20)
#define RATIO_DEFAULT 1000
/* Up to here an archive may be of nothing but zeroes. */
#define RATIO_FREE ((uint64_t)16 << 30)
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

uint64_t archive_reader_archive_bytes(const struct archive_reader *reader)
{
	return reader->dir ? source_dir_bytes(reader->dir) : plain_size(reader->plain);
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

/* --- bytes of the tar --- */

static int invalid(const struct archive_reader *reader, struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "read archive '%s': %s", reader->name, what);
}

static int truncated(const struct archive_reader *reader, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "read archive '%s': it ends too early", reader->name);
}

static int check_ratio(const struct archive_reader *reader, uint64_t bytes, struct err *err)
{
	if (bytes > RATIO_FREE && bytes / reader->options.max_ratio > plain_consumed(reader->plain))
		return err_set(err, ERR_INVALID,
			       "read archive '%s': its content is more than %u times as large as "
			       "itself",
			       reader->name, reader->options.max_ratio);
	return 0;
}

/* Have a piece with something in it: 1, 0 at the end. */
static int have_piece(struct archive_reader *reader, struct err *err)
{
	int r;

	if (reader->piece_len > 0)
		return 1;
	r = plain_next(reader->plain, &reader->piece, &reader->piece_len, err);
	if (r <= 0)
		return r;
	r = check_ratio(reader, reader->position, err);
	return r < 0 ? r : 1;
}

static void use_piece(struct archive_reader *reader, size_t len)
{
	reader->piece += len;
	reader->piece_len -= len;
	reader->position += len;
}

static int take_bytes(struct archive_reader *reader, void *buf, size_t len, struct err *err)
{
	uint8_t *to = buf;

	while (len > 0) {
		int r = have_piece(reader, err);
		size_t n = MIN(len, reader->piece_len);

		if (r <= 0)
			return r < 0 ? r : truncated(reader, err);
		memcpy(to, reader->piece, n);
		use_piece(reader, n);
		to += n;
		len -= n;
	}
	return 0;
}

static int pass_bytes(struct archive_reader *reader, uint64_t len, struct err *err)
{
	size_t n = (size_t)MIN(len, (uint64_t)reader->piece_len);

	use_piece(reader, n);
	len -= n;
	if (len > 0 && plain_can_seek(reader->plain)) {
		reader->position += len;
		plain_seek(reader->plain, reader->position);
		return 0;
	}
	while (len > 0) {
		int r = have_piece(reader, err);

		if (r <= 0)
			return r < 0 ? r : truncated(reader, err);
		n = (size_t)MIN(len, (uint64_t)reader->piece_len);
		use_piece(reader, n);
		len -= n;
	}
	return 0;
}

/* --- headers --- */

/* The content of an extension block, without NULs at its end. */
static int take_extension(struct archive_reader *reader, uint64_t size, struct strbuf *sb,
			  struct err *err)
{
	int r;

	if (size > EXTENSION_MAX)
		return invalid(reader, err, "a header is too large");
	r = take_bytes(reader, strbuf_reserve(sb, (size_t)size), (size_t)size, err);
	if (r < 0)
		return r;
	strbuf_advance(sb, (size_t)size);
	return pass_bytes(reader, tar_padded(size) - size, err);
}

static int take_records(struct archive_reader *reader, const struct tar_block *block,
			struct tar_override *override, struct err *err)
{
	struct tar_override global = { 0 };
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = take_extension(reader, block->size, &sb, err);

	if (r < 0)
		return r;
	r = tar_override_parse(block->type == 'g' ? &global : override, sb.buf, sb.len);
	/* A name for all members: some readers believe it, others do not. */
	if (r == 0 && (global.path || global.link || global.has_size || global.sparse))
		r = -EBADMSG;
	tar_override_done(&global);
	return r < 0 ? err_set(err, ERR_CORRUPT, "read archive '%s': a header is damaged",
			       reader->name) :
		       0;
}

static int take_long_name(struct archive_reader *reader, const struct tar_block *block,
			  struct tar_override *override, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = take_extension(reader, block->size, &sb, err);

	if (r < 0)
		return r;
	if (block->type == 'L')
		replace_ptr(override->path, xstrdup(sb.buf));
	else
		replace_ptr(override->link, xstrdup(sb.buf));
	return 0;
}

/* Behind the end there are zeroes, if anything. */
static int check_end(struct archive_reader *reader, struct err *err)
{
	int r;

	while ((r = have_piece(reader, err)) > 0) {
		if (reader->piece[0] != 0 ||
		    memcmp(reader->piece, reader->piece + 1, reader->piece_len - 1) != 0)
			return err_set(err, ERR_CORRUPT,
				       "read archive '%s': something follows its end",
				       reader->name);
		use_piece(reader, reader->piece_len);
	}
	return r;
}

/* The header of the next member with everything that stands in front of it: 1, 0 at the end. */
static int take_header(struct archive_reader *reader, struct tar_block *block,
		       struct tar_override *override, struct err *err)
{
	for (;;) {
		uint8_t raw[TAR_BLOCK];
		int r = take_bytes(reader, raw, sizeof(raw), err);

		if (r < 0)
			return r;
		r = tar_block_parse(block, raw);
		if (r == 0) {
			r = take_bytes(reader, raw, sizeof(raw), err);
			if (r == 0 && tar_block_parse(block, raw) != 0)
				return err_set(err, ERR_CORRUPT,
					       "read archive '%s': a header is damaged",
					       reader->name);
			return r < 0 ? r : check_end(reader, err);
		}
		if (r < 0)
			return err_set(err, ERR_CORRUPT,
				       reader->position == TAR_BLOCK ?
					       "read archive '%s': it is no tar archive" :
					       "read archive '%s': a header is damaged",
				       reader->name);
		if (block->type == 'x' || block->type == 'g')
			r = take_records(reader, block, override, err);
		else if (block->type == 'L' || block->type == 'K')
			r = take_long_name(reader, block, override, err);
		else
			return 1;
		if (r < 0)
			return r;
	}
}

/* --- names --- */

/* "./a/b/" to "a/b"; "" for the root. NULL for a name that is refused. */
static char *clean_name(const char *raw)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	auto_strvec struct strvec kept = STRVEC_INIT;

	if (*raw == '/' || strlen(raw) > PATH_BYTES_MAX)
		return NULL;
	strvec_split(&parts, raw, '/', false);
	for (size_t i = 0; i < parts.n; i++) {
		if (str_eq(parts.v[i], ".."))
			return NULL;
		if (!str_eq(parts.v[i], "."))
			strvec_add(&kept, parts.v[i]);
	}
	return kept.n ? strvec_join(&kept, "/") : xstrdup("");
}

/* Take the archive's prefix off: 1, 0 for the prefix itself. */
static int strip_prefix(struct archive_reader *reader, const char *name, const char **ret,
			struct err *err)
{
	const char *rest = str_skip_prefix(name, CONTAINERD_PREFIX);
	enum prefix prefix = rest && (!*rest || *rest == '/') ? PREFIX_CONTAINERD : PREFIX_NONE;

	if (!*name)
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
static int accept_member(struct archive_reader *reader, const char *raw,
			 enum archive_member_type type, const char *link, uint64_t size,
			 struct err *err)
{
	auto_free char *clean = clean_name(raw);
	const char *name = NULL;
	enum archive_member_kind kind;
	uint64_t max;
	int r;

	if (!clean)
		return err_set(err, ERR_INVALID,
			       "read archive '%s': the name of member '%.200s' leads out of it",
			       reader->name, raw);
	r = strip_prefix(reader, clean, &name, err);
	if (r < 0 || (r == 0 && type == ARCHIVE_DIRECTORY))
		return r;
	if (r == 0)
		return invalid(reader, err, "its root is no directory");
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

static int type_of(const struct archive_reader *reader, const struct tar_block *block,
		   const char *path, enum archive_member_type *ret, struct err *err)
{
	bool slash = str_has_suffix(path, "/");

	if ((block->type == '0' || block->type == '7') && !slash)
		*ret = ARCHIVE_REGULAR;
	else if (block->type == '5' && block->size == 0)
		*ret = ARCHIVE_DIRECTORY;
	else if (block->type == '2' && block->size == 0)
		*ret = ARCHIVE_SYMLINK;
	else
		return err_set(err, ERR_INVALID,
			       "read archive '%s': member '%.200s' is neither file nor directory",
			       reader->name, path);
	return 0;
}

static int next_of_tar(struct archive_reader *reader, struct err *err)
{
	int r = 0;

	while (r == 0) {
		struct tar_override override = { 0 };
		enum archive_member_type type = ARCHIVE_REGULAR;
		const char *path;
		struct tar_block block;

		r = take_header(reader, &block, &override, err);
		if (r <= 0) {
			reader->ended = r == 0;
			tar_override_done(&override);
			return r;
		}
		path = override.path ? override.path : block.path;
		if (override.has_size)
			block.size = override.size;
		r = override.sparse ?
			    invalid(reader, err, "a sparse member; unpack and pack it without") :
			    type_of(reader, &block, path, &type, err);
		if (r == 0)
			r = accept_member(reader, path, type,
					  type != ARCHIVE_SYMLINK ? NULL :
					  override.link		  ? override.link :
								    block.link,
					  block.size, err);
		tar_override_done(&override);
	}
	if (r > 0)
		reader->padding = tar_padded(reader->left) - reader->left;
	return r;
}

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
		r = accept_member(reader, name, type, link, size, err);
	}
	return r;
}

static int finish_member(struct archive_reader *reader, struct err *err)
{
	int r = 0;

	if (reader->has_member && reader->plain && !reader->data)
		r = pass_bytes(reader, reader->left + reader->padding, err);
	forget_member(reader);
	return r;
}

static int next_from_source(struct archive_reader *reader, struct err *err)
{
	int r = finish_member(reader, err);

	if (r < 0 || reader->ended)
		return r;
	r = reader->dir ? next_of_dir(reader, err) : next_of_tar(reader, err);
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
		r = next_from_source(reader, err);
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
			       truncated(reader, err);
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
	r = have_piece(reader, err);
	if (r <= 0)
		return r < 0 ? r : truncated(reader, err);
	*ret = reader->piece;
	*ret_len = (size_t)MIN(reader->left, (uint64_t)reader->piece_len);
	return 0;
}

void reader_use(struct archive_reader *reader, size_t len)
{
	reader->left -= len;
	if (reader->plain && !reader->data)
		use_piece(reader, len);
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
	return reader->plain && !reader->data ? pass_bytes(reader, len, err) : 0;
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

/* --- documents --- */

void archive_documents_done(struct archive_documents *documents)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents->v); i++)
		free(documents->v[i].text);
	*documents = (struct archive_documents){ 0 };
}

static bool have_enough(const struct archive_documents *documents)
{
	return documents->v[ARCHIVE_CONFIG].text && documents->v[ARCHIVE_SPEC].text &&
	       documents->v[ARCHIVE_NETWORK_STATUS].text;
}

static int take_document(struct archive_reader *reader, const struct archive_member *member,
			 struct archive_documents *documents, struct err *err)
{
	struct archive_document *document = &documents->v[member->kind];

	return archive_reader_slurp(reader, JSON_TEXT_MAX, &document->text, &document->len, err);
}

static int documents_of_file(struct archive_reader *reader, struct archive_documents *documents,
			     struct err *err)
{
	const struct archive_member *member;
	int r;

	while ((r = archive_reader_next(reader, &member, err)) > 0) {
		if (member->kind >= ARCHIVE_DOCUMENT_MAX_)
			continue;
		r = take_document(reader, member, documents, err);
		if (r < 0)
			return r;
		/* What would have to be decompressed on the way is not worth the others. */
		if (have_enough(documents) && !archive_reader_can_seek(reader))
			break;
	}
	return r < 0 ? r : archive_reader_rewind(reader, err);
}

/* Keep the current member, whose content is small, for later. */
static int remember(struct archive_reader *reader, struct archive_documents *documents,
		    struct err *err)
{
	struct remembered *kept;
	char *data = NULL;
	size_t len = 0;
	int r = archive_reader_slurp(reader, (size_t)REMEMBERED_MAX, &data, &len, err);

	if (r < 0)
		return r;
	if (reader->member.kind < ARCHIVE_DOCUMENT_MAX_)
		documents->v[reader->member.kind] =
			(struct archive_document){ xmemdup(data, len + 1), len };
	kept = array_push(reader->remembered, reader->n_remembered);
	kept->member = reader->member;
	kept->data = data;
	kept->member.size = len;
	reader->member.name = NULL;
	return 0;
}

static int documents_of_pipe(struct archive_reader *reader, struct archive_documents *documents,
			     struct err *err)
{
	uint64_t budget = REMEMBERED_MAX;
	int r;

	while (!have_enough(documents) && (r = next_from_source(reader, err)) != 0) {
		if (r < 0)
			return r;
		if (reader->member.size > budget) {
			reader->pending = true;
			break;
		}
		budget -= reader->member.size;
		r = remember(reader, documents, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int archive_reader_documents(struct archive_reader *reader, struct archive_documents *ret,
			     struct err *err)
{
	auto_archive_documents struct archive_documents documents = { 0 };
	int r = archive_reader_can_rewind(reader) ? documents_of_file(reader, &documents, err) :
						    documents_of_pipe(reader, &documents, err);

	if (r < 0)
		return r;
	*ret = documents;
	documents = (struct archive_documents){ 0 };
	return 0;
}
