/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/socket_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/un.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "criu/image_sockets.h"
#include "kernel/syscalls.h"

#define DELETED " (deleted)"
#define EFFORT_OF_ENTRY 1
#define EFFORT_OF_STAT 16

/* Whether a restore binds it to a path; not so the ends of connections, which have the listener's name. */
static bool is_bound(const struct sock_diag_socket *socket)
{
	return socket->family == AF_UNIX && socket->name && socket->file_ino != 0 &&
	       (socket->type == SOCK_DGRAM || socket->state != TCP_ESTABLISHED);
}

/* A relative name is one of a directory that nobody remembers; one that is too long for CRIU another way must be found
 * to say. */
bool socket_is_suspect(const struct socket_view *view, const struct sock_diag_socket *socket)
{
	auto_close int fd = -EBADF;
	struct stat st;

	if (!is_bound(socket))
		return false;
	if (socket->name[0] == '/' && strlen(socket->name) <= CRIU_SOCKET_NAME_MAX)
		fd = rooted_openat(view->root, socket->name, O_PATH);
	return fd < 0 || fstat(fd, &st) < 0 || st.st_nlink != 1 || st.st_dev != socket->file_dev ||
	       (uint32_t)st.st_ino != socket->file_ino;
}

int socket_borrow(const struct procfs_task *holder, int descriptor)
{
	auto_close int pidfd = sys_pidfd_open(holder->pid);

	return pidfd < 0 ? pidfd : sys_pidfd_getfd(pidfd, descriptor);
}

/* Its file as a handle (Linux 4.11, CAP_NET_ADMIN over the network namespace). */
static int open_file(const struct procfs_task *holder, int descriptor, uint32_t ino)
{
	auto_close int fd = socket_borrow(holder, descriptor);
	struct stat st;
	int file;

	if (fd < 0)
		return fd;
	/* By now it may be another one. */
	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || (uint32_t)st.st_ino != ino)
		return -ESTALE;
	file = ioctl(fd, SIOCUNIXFILE);
	return file < 0 ? -errno : file;
}

/* The root that the kernel's paths begin at: that of the mount namespace, as which the first process's
 * is taken for those in its namespace, whose own may be below it (chroot). */
static int open_root(const struct socket_view *view, const struct procfs_task *holder,
		     struct rooted *ret)
{
	uint64_t own = 0;
	uint64_t theirs = 0;

	if (procfs_task_namespace(view->init, "mnt", &own) == 0 &&
	    procfs_task_namespace(holder, "mnt", &theirs) == 0 && own != theirs)
		return rooted_open(ret, holder->fd, "root");
	return rooted_open(ret, view->init->fd, "root");
}

static bool leads_to(const struct rooted *root, const char *path, int flags,
		     const struct stat *file)
{
	auto_close int fd = rooted_openat(root, path, O_PATH | flags);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && fs_is_same_file(&st, file);
}

static bool spend(struct socket_view *view, size_t effort)
{
	if (view->effort < effort)
		return false;
	view->effort -= effort;
	return true;
}

static bool is_entry_of(int dir_fd, const struct dirent *e, const struct stat *file)
{
	struct stat st;

	return (e->d_type == DT_SOCK || e->d_type == DT_UNKNOWN) &&
	       fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fs_is_same_file(&st, file);
}

static char *find_entry(struct socket_view *view, DIR *dir, const struct stat *file, bool by_number)
{
	const struct dirent *e;

	rewinddir(dir);
	while (spend(view, EFFORT_OF_ENTRY) && (e = readdir(dir))) {
		if (by_number && e->d_ino != file->st_ino)
			continue;
		if (!spend(view, EFFORT_OF_STAT))
			break;
		if (is_entry_of(dirfd(dir), e, file))
			return xstrdup(e->d_name);
	}
	return NULL;
}

/* Another name of the file in that directory. Numbers in directories are quick to compare, but on stacked
 * file systems not always those of stat(2). */
static char *find_beside(struct socket_view *view, const struct rooted *root, const char *directory,
			 const struct stat *file)
{
	auto_close int fd = rooted_openat(root, directory, O_RDONLY | O_DIRECTORY);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	auto_free char *name = NULL;

	if (!dir)
		return NULL;
	(void)take_fd(fd);
	name = find_entry(view, dir, file, true);
	if (!name)
		name = find_entry(view, dir, file, false);
	return name ? path_join(directory, name) : NULL;
}

/* As CRIU has it: it takes the name off the path to get the directory. */
static bool is_end_of(const char *name, const char *path)
{
	auto_free char *end = NULL;

	if (str_has_prefix(name, "./"))
		name += 2;
	end = xasprintf("/%s", name);
	return str_has_suffix(path, end);
}

/* Its name leads to it. */
static enum socket_place in_place(const char *name, const struct stat *file, const char *path)
{
	if (strlen(name) > CRIU_SOCKET_NAME_MAX && !criu_can_bind_to(path))
		return SOCKET_BAD_NAME;
	if (strlen(name) > CRIU_SOCKET_NAME_MAX)
		return file->st_nlink > 1 ? SOCKET_MOVED_AND_LINKED : SOCKET_MOVED;
	return file->st_nlink > 1 ? SOCKET_LINKED : SOCKET_IN_PLACE;
}

/* path: what the kernel says; without the note that it was removed afterwards. */
static enum socket_place place_of(struct socket_view *view, const struct rooted *root,
				  const char *name, const struct stat *file, char **path)
{
	bool is_deleted = str_has_suffix(*path, DELETED);
	auto_free char *directory = NULL;
	char *other;

	if (is_deleted)
		(*path)[strlen(*path) - strlen(DELETED)] = '\0';
	if (name[0] != '/' && !is_end_of(name, *path))
		return SOCKET_BAD_NAME;
	if (file->st_nlink == 0)
		return SOCKET_UNLINKED;
	if (!is_deleted && (name[0] != '/' || leads_to(root, name, 0, file)))
		return in_place(name, file, *path);
	if (is_deleted) {
		directory = path_dirname(*path);
		other = find_beside(view, root, directory, file);
		if (!other)
			return SOCKET_LOST;
		replace_ptr(*path, other);
	}
	if (!leads_to(root, *path, O_NOFOLLOW, file) || !criu_can_bind_to(*path))
		return SOCKET_LOST;
	return file->st_nlink > 1 ? SOCKET_MOVED_AND_LINKED : SOCKET_MOVED;
}

enum socket_place socket_find_place(struct socket_view *view, const struct sock_diag_socket *socket,
				    const struct procfs_task *holder, int descriptor,
				    char **ret_path)
{
	auto_close int file = open_file(holder, descriptor, socket->ino);
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_free char *path = NULL;
	struct stat st;
	enum socket_place place;

	*ret_path = NULL;
	if (file < 0 || fstat(file, &st) < 0 || open_root(view, holder, &root) < 0)
		return SOCKET_UNKNOWN;
	path = fd_readlink(file);
	if (!path || path[0] != '/')
		return SOCKET_UNKNOWN;
	place = place_of(view, &root, socket->name, &st, &path);
	*ret_path = take_ptr(path);
	return place;
}
