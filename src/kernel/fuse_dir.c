/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fuse_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/fuse.h>
#include <linux/mount.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "kernel/syscalls.h"

#define THREADS_MAX 4
/* Nobody may write: enough for all requests, and not below FUSE_MIN_READ_BUFFER. */
#define REQUEST_MAX 16384
#define WRITE_MAX 4096
/* What one READ asks for: as much as the kernel allows by default (fs.fuse.max_pages_limit). */
#define READ_PAGES 256
/* Nothing changes: the kernel may believe for this many seconds what it has been told. */
#define VALID_S 86400

/* Nodes are numbered by their files from here on; FUSE_ROOT_ID is 1. */
#define FIRST_NODE 2

struct file {
	char *name;
	uint64_t size;
	int fd;
	const struct fuse_dir_ops *ops;
	void *context;
	pthread_mutex_t mutex; /* around a read and its reply */
};

struct fuse_dir {
	int fd; /* of the connection */
	int mount_fd;
	int stop_fd;
	struct file **files;
	size_t n_files;
	pthread_t threads[THREADS_MAX];
	unsigned int n_threads;
};

/* A request as a thread has read it. */
struct request {
	struct fuse_dir *dir;
	uint8_t *content; /* of a file that is read from its descriptor: READ_PAGES pages */
	union {
		struct fuse_in_header head;
		uint8_t bytes[REQUEST_MAX];
	} in;
};

/* --- replies --- */

/* A request that was given up meanwhile (ENOENT) wants no reply, and a connection that has ended none either. */
static void reply(const struct request *q, int error, const void *data, size_t len)
{
	struct fuse_out_header head = {
		.len = (uint32_t)(sizeof(head) + len),
		.error = error,
		.unique = q->in.head.unique,
	};
	struct iovec parts[] = {
		{ &head, sizeof(head) },
		{ (void *)(uintptr_t)data, len },
	};

	(void)RETRY_EINTR(writev(q->dir->fd, parts, len > 0 ? 2 : 1));
}

static void reply_error(const struct request *q, int error)
{
	reply(q, error, NULL, 0);
}

/* --- what there is --- */

static struct file *file_of(const struct request *q)
{
	uint64_t i = q->in.head.nodeid - FIRST_NODE;

	return q->in.head.nodeid >= FIRST_NODE && i < q->dir->n_files ? q->dir->files[i] : NULL;
}

static struct fuse_attr attr_of(const struct request *q, uint64_t node)
{
	struct fuse_attr attr = { .ino = node, .nlink = 1, .mode = S_IFDIR | 0700 };

	if (node >= FIRST_NODE) {
		attr.mode = S_IFREG | 0600;
		attr.size = q->dir->files[node - FIRST_NODE]->size;
		attr.blocks = (attr.size + 511) / 512;
	}
	return attr;
}

static void serve_lookup(const struct request *q, const char *name)
{
	struct fuse_entry_out out = { .entry_valid = VALID_S, .attr_valid = VALID_S };

	for (size_t i = 0; q->in.head.nodeid == FUSE_ROOT_ID && i < q->dir->n_files; i++) {
		if (!str_eq(q->dir->files[i]->name, name))
			continue;
		out.nodeid = FIRST_NODE + i;
		out.attr = attr_of(q, out.nodeid);
		reply(q, 0, &out, sizeof(out));
		return;
	}
	reply_error(q, -ENOENT);
}

static void serve_getattr(const struct request *q)
{
	struct fuse_attr_out out = { .attr_valid = VALID_S };

	if (q->in.head.nodeid != FUSE_ROOT_ID && !file_of(q)) {
		reply_error(q, -ENOENT);
		return;
	}
	out.attr = attr_of(q, q->in.head.nodeid);
	reply(q, 0, &out, sizeof(out));
}

/* Entries from the one of that number on, as many as there is room for. */
static void serve_readdir(const struct request *q, const struct fuse_read_in *in)
{
	uint64_t entries[512];
	size_t room = MIN((size_t)in->size, sizeof(entries));
	size_t len = 0;

	for (uint64_t i = in->offset; i < q->dir->n_files; i++) {
		const char *name = q->dir->files[i]->name;
		struct fuse_dirent entry = {
			.ino = FIRST_NODE + i,
			.off = i + 1,
			.namelen = (uint32_t)strlen(name),
			.type = S_IFREG >> 12,
		};
		size_t size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
		uint8_t *to = (uint8_t *)entries + len;

		if (size > room - len)
			break;
		memset(to, 0, size);
		memcpy(to, &entry, FUSE_NAME_OFFSET);
		memcpy(to + FUSE_NAME_OFFSET, name, entry.namelen);
		len += size;
	}
	reply(q, 0, entries, len);
}

/* --- files --- */

static void serve_open(const struct request *q, const struct fuse_open_in *in)
{
	const struct file *file = file_of(q);
	struct fuse_open_out out = { 0 };

	if (!file) {
		reply_error(q, -ENOENT);
		return;
	}
	if ((in->flags & O_ACCMODE) == O_WRONLY || in->flags & O_TRUNC) {
		reply_error(q, -EROFS);
		return;
	}
	out.open_flags = file->ops ? FOPEN_DIRECT_IO : FOPEN_KEEP_CACHE;
	reply(q, 0, &out, sizeof(out));
}

static void serve_read(const struct request *q, const struct fuse_read_in *in)
{
	struct file *file = file_of(q);
	const uint8_t *data = q->content;
	size_t len = 0;
	int r = 0;

	if (!file || in->size > READ_PAGES * (size_t)sysconf(_SC_PAGESIZE)) {
		reply_error(q, -EINVAL);
		return;
	}
	if (in->offset < file->size)
		len = (size_t)MIN((uint64_t)in->size, file->size - in->offset);
	(void)pthread_mutex_lock(&file->mutex);
	if (len > 0 && file->ops)
		r = file->ops->read(file->context, in->offset, len, &data);
	else if (len > 0)
		r = io_pread_exact(file->fd, q->content, len, in->offset) == 1 ? 0 : -EIO;
	reply(q, r, data, r < 0 ? 0 : len);
	(void)pthread_mutex_unlock(&file->mutex);
}

static void serve_release(const struct request *q)
{
	struct file *file = file_of(q);

	if (file && file->ops && file->ops->closed) {
		(void)pthread_mutex_lock(&file->mutex);
		file->ops->closed(file->context);
		(void)pthread_mutex_unlock(&file->mutex);
	}
	reply_error(q, 0);
}

/* A reader gives back what it does not need any more: there is nothing of it anywhere. */
static void serve_fallocate(const struct request *q, const struct fuse_fallocate_in *in)
{
	const uint32_t hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	reply_error(q, in->mode == hole ? 0 : -EROFS);
}

/* --- the connection --- */

static void serve_init(const struct request *q, const struct fuse_init_in *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = MIN(in->minor, (uint32_t)FUSE_KERNEL_MINOR_VERSION),
		.max_readahead = in->max_readahead,
		.flags = FUSE_ASYNC_READ | FUSE_MAX_PAGES,
		.max_write = WRITE_MAX,
		.time_gran = 1,
		.max_pages = READ_PAGES,
	};

	if (in->major == FUSE_KERNEL_VERSION)
		reply(q, 0, &out, sizeof(out));
	else
		reply_error(q, -EPROTO);
}

static void serve(const struct request *q, const void *in)
{
	static const struct fuse_open_out opened = { 0 };
	static const struct fuse_statfs_out space = { .st = { .bsize = 4096, .namelen = 255 } };

	switch (q->in.head.opcode) {
	case FUSE_INIT:
		serve_init(q, in);
		break;
	case FUSE_LOOKUP:
		serve_lookup(q, in);
		break;
	case FUSE_GETATTR:
		serve_getattr(q);
		break;
	case FUSE_OPEN:
		serve_open(q, in);
		break;
	case FUSE_READ:
		serve_read(q, in);
		break;
	case FUSE_RELEASE:
		serve_release(q);
		break;
	case FUSE_FALLOCATE:
		serve_fallocate(q, in);
		break;
	case FUSE_WRITE:
	case FUSE_SETATTR:
	case FUSE_CREATE:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_SYMLINK:
	case FUSE_LINK:
	case FUSE_UNLINK:
	case FUSE_RMDIR:
	case FUSE_RENAME:
	case FUSE_RENAME2:
		reply_error(q, -EROFS);
		break;
	case FUSE_OPENDIR:
		reply(q, 0, &opened, sizeof(opened));
		break;
	case FUSE_READDIR:
		serve_readdir(q, in);
		break;
	case FUSE_RELEASEDIR:
		reply_error(q, 0);
		break;
	case FUSE_STATFS:
		reply(q, 0, &space, sizeof(space));
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* these have no reply */
	default:
		/* The kernel does without, and does not ask again. */
		reply_error(q, -ENOSYS);
	}
}

static void *run(void *context)
{
	struct fuse_dir *dir = context;
	auto_free struct request *q = xcalloc(1, sizeof(*q));
	auto_free uint8_t *content = xmalloc(READ_PAGES * (size_t)sysconf(_SC_PAGESIZE));
	struct pollfd fds[] = {
		{ .fd = dir->fd, .events = POLLIN },
		{ .fd = dir->stop_fd, .events = POLLIN },
	};

	q->dir = dir;
	q->content = content;
	for (;;) {
		ssize_t n;

		if (RETRY_EINTR(poll(fds, ARRAY_SIZE(fds), -1)) < 0 || fds[1].revents)
			break;
		/* One byte is left for the NUL behind a name. */
		n = read(dir->fd, q->in.bytes, sizeof(q->in.bytes) - 1);
		if (n >= (ssize_t)sizeof(q->in.head)) {
			q->in.bytes[n] = '\0';
			serve(q, q->in.bytes + sizeof(q->in.head));
		} else if (n >= 0 || (errno != EAGAIN && errno != EINTR && errno != ENOENT)) {
			break; /* ENODEV: the last reader has gone with the mount */
		}
	}
	return NULL;
}

/* --- life cycle --- */

static int set(int fs_fd, const char *key, const char *value)
{
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0);
}

static int make_mount(const struct fuse_dir *dir)
{
	auto_close int fs_fd = sys_fsopen("fuse", FSOPEN_CLOEXEC);
	char number[16];
	int r;

	if (fs_fd < 0)
		return fs_fd;
	(void)snprintf(number, sizeof(number), "%d", dir->fd);
	r = set(fs_fd, "fd", number);
	if (r == 0)
		r = set(fs_fd, "rootmode", "40000");
	if (r == 0)
		r = set(fs_fd, "user_id", "0");
	if (r == 0)
		r = set(fs_fd, "group_id", "0");
	/* Who gets at it at all may use it, under whatever ids. */
	if (r == 0)
		r = sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, "allow_other", NULL, 0);
	if (r == 0)
		r = sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	/* Not read-only, which would keep readers from opening files for reading and writing. */
	return sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
			   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int fuse_dir_new(struct fuse_dir **ret)
{
	auto_fuse_dir struct fuse_dir *dir = xcalloc(1, sizeof(*dir));

	dir->mount_fd = dir->stop_fd = -EBADF;
	dir->fd = fd_open_at(AT_FDCWD, "/dev/fuse", O_RDWR | O_NONBLOCK, 0);
	if (dir->fd < 0)
		return dir->fd;
	dir->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dir->stop_fd < 0)
		return -errno;
	dir->mount_fd = make_mount(dir);
	if (dir->mount_fd < 0)
		return dir->mount_fd;
	*ret = take_ptr(dir);
	return 0;
}

static struct file *add(struct fuse_dir *dir, const char *name, uint64_t size)
{
	struct file **slot = array_push(dir->files, dir->n_files);
	struct file *file = xcalloc(1, sizeof(*file));

	*slot = file;
	file->name = xstrdup(name);
	file->size = size;
	file->fd = -EBADF;
	/* Attributes are the default ones, which cannot fail. */
	(void)pthread_mutex_init(&file->mutex, NULL);
	return file;
}

int fuse_dir_add_file(struct fuse_dir *dir, const char *name, int fd)
{
	auto_close int owned = fd;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	add(dir, name, (uint64_t)st.st_size)->fd = take_fd(owned);
	return 0;
}

void fuse_dir_add(struct fuse_dir *dir, const char *name, uint64_t size,
		  const struct fuse_dir_ops *ops, void *context)
{
	struct file *file = add(dir, name, size);

	file->ops = ops;
	file->context = context;
}

int fuse_dir_start(struct fuse_dir *dir, unsigned int n_threads)
{
	sigset_t all;
	sigset_t before;
	int r = 0;

	n_threads = MIN(MAX(n_threads, 1U), (unsigned int)THREADS_MAX);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (r == 0 && dir->n_threads < n_threads) {
		r = pthread_create(&dir->threads[dir->n_threads], NULL, run, dir);
		dir->n_threads += r == 0;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return dir->n_threads > 0 ? 0 : -r;
}

int fuse_dir_fd(const struct fuse_dir *dir)
{
	return dir->mount_fd;
}

void fuse_dir_free(struct fuse_dir *dir)
{
	if (!dir)
		return;
	if (dir->stop_fd >= 0)
		(void)eventfd_write(dir->stop_fd, 1);
	for (unsigned int i = 0; i < dir->n_threads; i++)
		(void)pthread_join(dir->threads[i], NULL);
	/* The end of the connection, whoever has the mount still. */
	close_fd(&dir->fd);
	close_fd(&dir->mount_fd);
	close_fd(&dir->stop_fd);
	for (size_t i = 0; i < dir->n_files; i++) {
		(void)pthread_mutex_destroy(&dir->files[i]->mutex);
		close_fd(&dir->files[i]->fd);
		free(dir->files[i]->name);
		free(dir->files[i]);
	}
	free(dir->files);
	free(dir);
}
