/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/content.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "criu/image_check.h"
#include "kernel/fuse_dir.h"

/* Smaller ones cost more this way than they save. */
#define LARGE ((uint64_t)16 << 20)
/* More than these at a time, each with its threads and buffers, are too many. */
#define LEFT_MAX 8

struct left {
	struct restore_memory *memory;
	char *name; /* in the image directory */
	uint64_t size;
	struct archive_content *content;
	bool is_private; /* of a process, not shared memory */
};

struct restore_memory {
	const struct archive_reader *reader;
	struct fuse_dir *dir;
	struct left left[LEFT_MAX];
	size_t n_left;
	char *path;
	pthread_mutex_t mutex; /* of err */
	struct err err; /* the first */
};

struct restore_memory *restore_memory_new(const struct archive_reader *reader)
{
	struct restore_memory *memory;
	struct fuse_dir *dir;
	int r;

	if (!archive_reader_can_seek(reader) || str_eq(archive_reader_format(reader), "directory"))
		return NULL;
	r = fuse_dir_new(&dir);
	if (r < 0) {
		log_debug("the memory is unpacked: no file system in user space: %s",
			  errno_text(r));
		return NULL;
	}
	memory = xcalloc(1, sizeof(*memory));
	memory->reader = reader;
	memory->dir = dir;
	/* Attributes are the default ones, which cannot fail. */
	(void)pthread_mutex_init(&memory->mutex, NULL);
	return memory;
}

static void forget_left(struct restore_memory *memory)
{
	for (size_t i = 0; i < memory->n_left; i++) {
		archive_content_free(memory->left[i].content);
		free(memory->left[i].name);
	}
	memory->n_left = 0;
}

void restore_memory_free(struct restore_memory *memory)
{
	if (!memory)
		return;
	/* First of all, since its threads use the rest. */
	fuse_dir_free(memory->dir);
	forget_left(memory);
	(void)pthread_mutex_destroy(&memory->mutex);
	free(memory->path);
	free(memory);
}

bool restore_memory_leave(struct restore_memory *memory, const struct archive_member *member,
			  uint64_t position)
{
	const char *name = str_skip_prefix(member->name, "checkpoint/");
	struct left *left;

	if (member->kind != ARCHIVE_CHECKPOINT || !name || !str_has_prefix(name, "pages-") ||
	    strchr(name, '/') || member->size < LARGE || memory->n_left == LEFT_MAX)
		return false;
	left = &memory->left[memory->n_left++];
	*left = (struct left){
		.memory = memory,
		.name = xstrdup(name),
		.size = member->size,
		.content = archive_content_new(memory->reader, position, member->size),
	};
	return true;
}

/* --- as files after all --- */

static int store(struct restore_memory *memory, int dir_fd, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < memory->n_left; i++) {
		const struct left *left = &memory->left[i];
		auto_close int fd = fd_open_at(dir_fd, left->name,
					       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

		r = fd < 0 ? err_sys(err, fd, "unpack '%s'", left->name) :
			     archive_content_store(left->content, fd, err);
	}
	forget_left(memory);
	return r;
}

/* --- damage --- */

static void note_private(struct restore_memory *memory, uint32_t id)
{
	auto_free char *name = xasprintf("pages-%" PRIu32 ".img", id);

	for (size_t i = 0; i < memory->n_left; i++)
		memory->left[i].is_private |= str_eq(memory->left[i].name, name);
}

/*
 * CRIU 4.2 goes on when it cannot read shared memory, which is zeroes then. So what is not of a page map of a process is read through
 * before CRIU is started.
 */
static int check_shared(struct restore_memory *memory, int dir_fd, const struct strvec *names,
			struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		const char *id = str_skip_prefix(names->v[i], "pagemap-");
		uint32_t pages_id = 0;

		if (!id || *id < '0' || *id > '9')
			continue;
		r = criu_images_pages_id(dir_fd, names->v[i], &pages_id, err);
		if (r == 0)
			note_private(memory, pages_id);
	}
	for (size_t i = 0; r == 0 && i < memory->n_left; i++)
		if (!memory->left[i].is_private)
			r = archive_content_check(memory->left[i].content, err);
	return r;
}

/* --- served --- */

static int read_left(void *context, uint64_t offset, size_t len, const uint8_t **ret)
{
	const struct left *left = context;
	struct restore_memory *memory = left->memory;
	struct err err = ERR_INIT;
	int r = archive_content_read(left->content, offset, len, ret, &err);

	if (r == 0)
		return 0;
	(void)pthread_mutex_lock(&memory->mutex);
	if (!err_is_set(&memory->err))
		memory->err = err;
	(void)pthread_mutex_unlock(&memory->mutex);
	return -EIO;
}

static void close_left(void *context)
{
	const struct left *left = context;

	archive_content_rest(left->content);
}

static int add_file(struct restore_memory *memory, int dir_fd, const char *name)
{
	struct stat st;
	int fd;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL; /* a link to the images of a pre-dump */
	fd = fd_open_at(dir_fd, name, O_RDONLY | O_NOFOLLOW, 0);
	return fd < 0 ? fd : fuse_dir_add_file(memory->dir, name, fd);
}

static int add_all(struct restore_memory *memory, int dir_fd, const struct strvec *names)
{
	static const struct fuse_dir_ops ops = { .read = read_left, .closed = close_left };
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++)
		r = add_file(memory, dir_fd, names->v[i]);
	for (size_t i = 0; r == 0 && i < memory->n_left; i++)
		fuse_dir_add(memory->dir, memory->left[i].name, memory->left[i].size, &ops,
			     &memory->left[i]);
	return r < 0 ? r : fuse_dir_start(memory->dir, (unsigned int)memory->n_left);
}

int restore_memory_serve(struct restore_memory *memory, const char *images, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_close int dir_fd = -EBADF;
	int r;

	if (memory->n_left == 0)
		return 0;
	dir_fd = fd_open_at(AT_FDCWD, images, O_RDONLY | O_DIRECTORY, 0);
	if (dir_fd < 0)
		return err_sys(err, dir_fd, "open '%s'", images);
	r = fs_list(dir_fd, ".", &names);
	if (r < 0)
		return err_sys(err, r, "read '%s'", images);
	r = check_shared(memory, dir_fd, &names, err);
	if (r < 0)
		return r;
	r = add_all(memory, dir_fd, &names);
	if (r < 0) {
		log_debug("the memory is unpacked: it cannot be served beside '%s': %s", images,
			  errno_text(r));
		fuse_dir_free(memory->dir);
		memory->dir = NULL;
		return store(memory, dir_fd, err);
	}
	memory->path = xasprintf("/proc/%d/fd/%d", getpid(), fuse_dir_fd(memory->dir));
	log_debug("criu reads the memory from the archive, in '%s'", memory->path);
	return 0;
}

const char *restore_memory_path(const struct restore_memory *memory)
{
	return memory->path;
}

int restore_memory_explain(struct restore_memory *memory, int r, struct err *err)
{
	struct err found;

	(void)pthread_mutex_lock(&memory->mutex);
	found = memory->err;
	(void)pthread_mutex_unlock(&memory->mutex);
	if (!err_is_set(&found))
		return r;
	if (err)
		*err = found;
	return found.code;
}
