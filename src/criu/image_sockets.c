/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_sockets.h"

#include <endian.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/strbuf.h"
#include "criu/image_file.h"
#include "criu/images.pb-c.h"

#define FILES "files.img"
#define USK_EXTERN 1 /* in uflags: the other end of a connection that leads out */

/* CRIU 3.0 and older has an image for each kind of file; we need a newer one anyway. */
static int open_files(struct image_file *ret, int dir_fd)
{
	return image_file_open(ret, dir_fd, FILES, IMAGE_MAGIC_FILES);
}

static int fail(struct err *err, int r)
{
	if (r == -ENODATA || r == -EBADMSG)
		return err_set(
			err, ERR_CORRUPT,
			"look for unix sockets in image '%s': %s; make the checkpoint again, "
			"with another version of CRIU if this is the same then",
			FILES, r == -ENODATA ? "it is cut short" : "it is damaged");
	return err_sys(err, r, "look for unix sockets in image '%s'", FILES);
}

static bool has_path(const CriuUnixNames *s)
{
	return s->has_name && s->name.len > 0 && s->name.data[0] != '\0';
}

/* The ends of connections have the listener's name, which CRIU gives to none of them. */
static bool is_bound(const CriuUnixNames *s)
{
	return s->has_ino && has_path(s) && !(s->uflags & USK_EXTERN) &&
	       (s->type == SOCK_DGRAM || s->state != TCP_ESTABLISHED);
}

static int compare_inodes(const void *a, const void *b)
{
	uint32_t x = ((const struct criu_bound_socket *)a)->ino;
	uint32_t y = ((const struct criu_bound_socket *)b)->ino;

	return x < y ? -1 : x > y;
}

int criu_images_bound_sockets(struct criu_bound_sockets *ret, int dir_fd, struct err *err)
{
	auto_criu_bound_sockets struct criu_bound_sockets list = CRIU_BOUND_SOCKETS_INIT;
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = open_files(&file, dir_fd);

	while (r >= 0 && (r = image_file_next(&file)) > 0) {
		CriuFileNames *f = criu_file_names__unpack(NULL, file.len, file.entry);

		if (!f)
			return fail(err, -EBADMSG);
		if (f->usk && is_bound(f->usk))
			*array_push(list.v, list.n) =
				(struct criu_bound_socket){ .ino = f->usk->ino };
		criu_file_names__free_unpacked(f, NULL);
	}
	if (r < 0)
		return fail(err, r);
	if (list.n > 0)
		qsort(list.v, list.n, sizeof(*list.v), compare_inodes);
	*ret = list;
	list = (struct criu_bound_sockets)CRIU_BOUND_SOCKETS_INIT;
	return 0;
}

struct criu_bound_socket *criu_bound_sockets_find(const struct criu_bound_sockets *sockets,
						  uint32_t ino)
{
	const struct criu_bound_socket key = { .ino = ino };

	return sockets->n == 0 ?
		       NULL :
		       bsearch(&key, sockets->v, sockets->n, sizeof(*sockets->v), compare_inodes);
}

bool criu_can_bind_to(const char *path)
{
	return strlen(path) <= CRIU_SOCKET_NAME_MAX ||
	       strlen(path_basename(path)) <= CRIU_SOCKET_NAME_MAX;
}

static const char *new_path(const struct criu_bound_sockets *sockets, const CriuFileNames *f)
{
	const struct criu_bound_socket *socket =
		f->usk && is_bound(f->usk) ? criu_bound_sockets_find(sockets, f->usk->ino) : NULL;

	return socket ? socket->path : NULL;
}

static void add_u32(struct strbuf *sb, uint32_t v)
{
	v = htole32(v);
	strbuf_add(sb, &v, sizeof(v));
}

static void add_entry(struct strbuf *sb, const void *data, size_t len)
{
	add_u32(sb, (uint32_t)len);
	strbuf_add(sb, data, len);
}

/* protobuf-c keeps the fields that it does not know. */
static void add_renamed(struct strbuf *sb, CriuFileNames *f, const char *path)
{
	bool fits = strlen(path) <= CRIU_SOCKET_NAME_MAX;
	const char *name = fits ? path : path_basename(path);
	auto_free char *directory = fits ? NULL : path_dirname(path);
	auto_free uint8_t *packed = NULL;
	CriuUnixNames *s = f->usk;
	ProtobufCBinaryData old_name = s->name;
	char *old_directory = s->name_dir;
	size_t len;

	s->name.data = (uint8_t *)(uintptr_t)name;
	s->name.len = strlen(name) + 1;
	s->name_dir = directory;
	s->has_deleted = false;
	len = criu_file_names__get_packed_size(f);
	packed = xmalloc(len);
	add_entry(sb, packed, criu_file_names__pack(f, packed));
	s->name = old_name;
	s->name_dir = old_directory;
}

static int rewrite(struct image_file *file, const struct criu_bound_sockets *sockets,
		   struct strbuf *sb)
{
	int r;

	while ((r = image_file_next(file)) > 0) {
		CriuFileNames *f = criu_file_names__unpack(NULL, file->len, file->entry);
		const char *path = f ? new_path(sockets, f) : NULL;

		if (path)
			add_renamed(sb, f, path);
		else
			add_entry(sb, file->entry, file->len);
		criu_file_names__free_unpacked(f, NULL);
	}
	return r;
}

int criu_images_rename_sockets(int dir_fd, const struct criu_bound_sockets *sockets,
			       struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct stat st;
	int r = open_files(&file, dir_fd);

	if (r < 0)
		return fail(err, r);
	add_u32(&sb, IMAGE_MAGIC_COMMON);
	add_u32(&sb, IMAGE_MAGIC_FILES);
	r = rewrite(&file, sockets, &sb);
	if (r < 0)
		return fail(err, r);
	if (fstatat(dir_fd, FILES, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, -errno);
	r = fs_write_atomic(dir_fd, FILES, sb.buf, sb.len, st.st_mode & 0777, FS_VOLATILE);
	return r < 0 ? err_sys(err, r, "write '%s'", FILES) : 0;
}

void criu_bound_sockets_done(struct criu_bound_sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		free(sockets->v[i].path);
	free(sockets->v);
	*sockets = (struct criu_bound_sockets)CRIU_BOUND_SOCKETS_INIT;
}
