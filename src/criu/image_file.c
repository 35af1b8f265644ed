/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_file.h"

#include <endian.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"

static int read_u32(struct image_file *file, uint32_t *ret)
{
	uint32_t v;

	if (file->left < sizeof(v))
		return -ENODATA;
	if (fread(&v, sizeof(v), 1, file->stream) != 1)
		return ferror(file->stream) ? -EIO : -ENODATA;
	file->left -= sizeof(v);
	*ret = le32toh(v);
	return 0;
}

static int read_magic(struct image_file *file, uint32_t want)
{
	uint32_t magic;
	int r = read_u32(file, &magic);

	if (r < 0)
		return r;
	if (magic == IMAGE_MAGIC_COMMON || magic == IMAGE_MAGIC_SERVICE)
		r = read_u32(file, &magic);
	else if (magic != IMAGE_MAGIC_INVENTORY)
		r = -EBADMSG;
	if (r == 0 && want && magic != want)
		r = -EBADMSG;
	return r;
}

int image_file_open(struct image_file *ret, int dir_fd, const char *name, uint32_t want)
{
	auto_close int fd = fd_open_at(dir_fd, name, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;
	int r;

	*ret = (struct image_file)IMAGE_FILE_INIT;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	ret->stream = fdopen(fd, "re");
	if (!ret->stream)
		return -errno;
	(void)take_fd(fd);
	ret->left = (uint64_t)st.st_size;
	r = read_magic(ret, want);
	if (r < 0)
		image_file_close(ret);
	return r;
}

int image_file_open_memory(struct image_file *ret, const void *data, size_t len, uint32_t want)
{
	int r;

	*ret = (struct image_file)IMAGE_FILE_INIT;
	if (len == 0)
		return -ENODATA;
	/* Nothing is written through it. */
	ret->stream = fmemopen((void *)(uintptr_t)data, len, "r");
	if (!ret->stream)
		return -errno;
	ret->left = len;
	r = read_magic(ret, want);
	if (r < 0)
		image_file_close(ret);
	return r;
}

/* Length of the next entry: 1, 0 at the end. */
static int next_length(struct image_file *file)
{
	uint32_t len;
	int r;

	if (file->left == 0)
		return 0;
	r = read_u32(file, &len);
	if (r < 0)
		return r;
	if (len > file->left)
		return -ENODATA;
	if (len > IMAGE_ENTRY_MAX)
		return -EBADMSG;
	file->len = len;
	file->left -= len;
	return 1;
}

int image_file_next(struct image_file *file)
{
	int r = next_length(file);

	if (r <= 0)
		return r;
	replace_ptr(file->entry, xmalloc(file->len ? file->len : 1));
	if (file->len > 0 && fread(file->entry, file->len, 1, file->stream) != 1)
		return ferror(file->stream) ? -EIO : -ENODATA;
	return 1;
}

int image_file_skip(struct image_file *file)
{
	int r = next_length(file);

	if (r <= 0)
		return r;
	return fseeko(file->stream, (off_t)file->len, SEEK_CUR) < 0 ? -errno : 1;
}

void image_file_close(struct image_file *file)
{
	if (file->stream)
		(void)fclose(file->stream);
	free(file->entry);
	*file = (struct image_file)IMAGE_FILE_INIT;
}
