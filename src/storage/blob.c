/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/blob.h"

#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"

/* Below the root; caller owns. */
static char *relative_path(const char *digest)
{
	return xasprintf("blobs/sha256/%s", digest_hex(digest));
}

char *blob_path(const struct store *store, const char *digest)
{
	return store_path(store, "blobs/sha256", digest_hex(digest));
}

int blob_stat(const struct store *store, const char *digest, uint64_t *ret_size)
{
	auto_free char *path = relative_path(digest);
	struct stat st;

	if (fstatat(store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (ret_size)
		*ret_size = (uint64_t)st.st_size;
	return 0;
}

int blob_open(const struct store *store, const char *digest, struct err *err)
{
	auto_free char *path = NULL;
	int fd;

	if (!digest_is_valid(digest))
		return err_set(err, ERR_INVALID, "open blob '%s': not a sha256 digest", digest);
	path = relative_path(digest);
	fd = fd_open_at(store->root_fd, path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd == -ENOENT)
		return err_set(err, ERR_NOT_FOUND,
			       "open blob '%s': it is missing in '%s'; pull the image again",
			       digest, store->root);
	if (fd < 0)
		return err_sys(err, fd, "open blob '%s'", digest);
	return fd;
}

int blob_read(const struct store *store, const char *digest, size_t limit, struct strbuf *ret,
	      struct err *err)
{
	char found[STORE_DIGEST_MAX];
	size_t before = ret->len;
	auto_close int fd = blob_open(store, digest, err);
	int r;

	if (fd < 0)
		return fd;
	r = io_read_all(fd, limit, ret);
	if (r == -EFBIG)
		return err_set(err, ERR_INVALID, "read blob '%s': more than %zu bytes", digest,
			       limit);
	if (r < 0)
		return err_sys(err, r, "read blob '%s'", digest);
	digest_of(ret->buf + before, ret->len - before, found);
	if (!str_eq(found, digest))
		return err_set(err, ERR_CORRUPT,
			       "read blob '%s': its content has digest '%s'; remove the image and "
			       "pull it again",
			       digest, found);
	return 0;
}

int blob_verify(const struct store *store, const char *digest, bool remove, struct err *err)
{
	auto_digest struct digest_context *c = digest_new();
	auto_free unsigned char *buf = xmalloc(256 << 10);
	auto_close int fd = blob_open(store, digest, err);
	char found[STORE_DIGEST_MAX];
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = RETRY_EINTR(read(fd, buf, 256 << 10))) > 0)
		digest_update(c, buf, (size_t)n);
	if (n < 0)
		return err_sys(err, -errno, "read blob '%s'", digest);
	digest_final(c, found);
	if (str_eq(found, digest))
		return 0;
	if (remove) {
		auto_free char *path = relative_path(digest);

		(void)unlinkat(store->root_fd, path, 0);
	}
	return err_set(err, ERR_CORRUPT, "verify blob '%s': its content has digest '%s'%s", digest,
		       found, remove ? "; it was removed, try again" : "");
}

/* --- writing --- */

int blob_writer_open(struct blob_writer *ret, const struct store *store, struct err *err)
{
	int fd = fd_open_at(store->root_fd, "blobs/sha256", O_TMPFILE | O_WRONLY, 0600);

	if (fd < 0)
		return err_sys(err, fd, "make a file in '%s/blobs/sha256'", store->root);
	ret->fd = fd;
	ret->store = store;
	ret->digest = digest_new();
	ret->size = 0;
	return 0;
}

int blob_writer_add(struct blob_writer *w, const void *data, size_t len)
{
	int r = io_write_all(w->fd, data, len);

	if (r < 0)
		return r;
	digest_update(w->digest, data, len);
	w->size += len;
	return 0;
}

int blob_writer_commit(struct blob_writer *w, char ret_digest[static STORE_DIGEST_MAX],
		       struct err *err)
{
	struct fd_path from = fd_path(w->fd);
	auto_free char *to = NULL;

	digest_final(w->digest, ret_digest);
	to = relative_path(ret_digest);
	/* The content must not come after its name when the power fails. */
	if (fsync(w->fd) < 0)
		return err_sys(err, -errno, "write blob '%s'", ret_digest);
	if (linkat(AT_FDCWD, from.text, w->store->root_fd, to, AT_SYMLINK_FOLLOW) < 0 &&
	    errno != EEXIST)
		return err_sys(err, -errno, "write blob '%s'", ret_digest);
	return 0;
}

void blob_writer_done(struct blob_writer *w)
{
	close_fd(&w->fd);
	digest_free(w->digest);
	w->digest = NULL;
}

int blob_write(const struct store *store, const void *data, size_t len,
	       char ret_digest[static STORE_DIGEST_MAX], struct err *err)
{
	auto_blob_writer struct blob_writer w = BLOB_WRITER_INIT;
	int r = blob_writer_open(&w, store, err);

	if (r < 0)
		return r;
	r = blob_writer_add(&w, data, len);
	if (r < 0)
		return err_sys(err, r, "write a blob in '%s'", store->root);
	return blob_writer_commit(&w, ret_digest, err);
}
