/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/socket_names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/str.h"
#include "criu/image_sockets.h"
#include "runtime/checkpoint/socket_place.h"

struct search {
	struct procfs proc;
	struct procfs_task init;
	struct rooted root;
	struct sock_diag_list known;
	struct criu_bound_sockets *sockets; /* of the image */
	bool *is_open; /* for each whether it is still in question; owned */
	size_t n_left; /* so many are */
	struct socket_view view;
};

/* Its question is answered. */
static void settle(struct search *search, size_t i)
{
	search->is_open[i] = false;
	search->n_left--;
}

static int open_search(struct search *search, pid_t init)
{
	auto_close int netns = -EBADF;
	int r = procfs_open(&search->proc, NULL);

	if (r == 0)
		r = procfs_task_open(&search->init, &search->proc, init);
	if (r == 0)
		r = rooted_open(&search->root, search->init.fd, "root");
	if (r < 0)
		return r;
	netns = fd_open_at(search->init.fd, "ns/net", O_RDONLY, 0);
	return netns < 0 ? netns : sock_diag_collect_unix(&search->known, netns);
}

static void close_search(struct search *search)
{
	free(search->is_open);
	sock_diag_list_done(&search->known);
	rooted_close(&search->root);
	procfs_task_close(&search->init);
	procfs_close(&search->proc);
}

static void drop_unsuspected(struct search *search)
{
	for (size_t i = 0; i < search->sockets->n; i++) {
		const struct sock_diag_socket *k =
			sock_diag_find(&search->known, search->sockets->v[i].ino);

		if (!k || !socket_is_suspect(&search->view, k))
			settle(search, i);
	}
}

static void warn(enum socket_place place, const struct procfs_task *holder,
		 const struct sock_diag_socket *k, const char *path)
{
	if (place == SOCKET_LINKED || place == SOCKET_MOVED_AND_LINKED)
		log_warning("process %d: unix socket '%s' has other names (hard links), which will "
			    "not lead to it after a restore; use symbolic links",
			    holder->pid, path);
	if (place == SOCKET_LOST)
		log_warning("process %d: unix socket '%s' is not at that name any more, and no "
			    "other was found beside it or it is too long for a socket, so that a "
			    "restore leaves the socket without its present name; keep the socket "
			    "in the directory that it was made in",
			    holder->pid, k->name);
	if (place == SOCKET_UNKNOWN)
		log_warning("process %d: where the file of unix socket '%s' is now could not be "
			    "found out, so that a restore makes it at that name; if it was "
			    "renamed, let the program bind it to its final name",
			    holder->pid, k->name);
}

static void look(struct search *search, size_t i, const struct procfs_task *holder, int descriptor)
{
	const struct sock_diag_socket *k =
		sock_diag_find(&search->known, search->sockets->v[i].ino);
	auto_free char *path = NULL;
	enum socket_place place = socket_find_place(&search->view, k, holder, descriptor, &path);

	warn(place, holder, k, path);
	if (place == SOCKET_MOVED || place == SOCKET_MOVED_AND_LINKED) {
		log_debug("unix socket '%s' is '%s' now, and will be after a restore", k->name,
			  path);
		search->sockets->v[i].path = take_ptr(path);
	}
	settle(search, i);
}

static bool inode_of(const struct procfs_task *task, int descriptor, uint64_t *ret)
{
	auto_free char *name = xasprintf("fd/%d", descriptor);
	auto_free char *link = procfs_task_readlink(task, name);
	size_t len = link ? strlen(link) : 0;

	if (!link || !str_has_prefix(link, "socket:[") || link[len - 1] != ']')
		return false;
	link[len - 1] = '\0';
	return parse_u64(link + strlen("socket:["), ret) == 0;
}

static void look_through(struct search *search, pid_t pid)
{
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
	auto_procfs_numbers struct procfs_numbers fds = PROCFS_NUMBERS_INIT;

	if (procfs_task_open(&task, &search->proc, pid) < 0 ||
	    procfs_task_list(&task, "fd", &fds) < 0)
		return;
	for (size_t i = 0; i < fds.n && search->n_left > 0; i++) {
		const struct criu_bound_socket *s = NULL;
		uint64_t ino;

		if (inode_of(&task, fds.v[i], &ino))
			s = criu_bound_sockets_find(search->sockets, (uint32_t)ino);
		if (s && search->is_open[s - search->sockets->v])
			look(search, (size_t)(s - search->sockets->v), &task, fds.v[i]);
	}
}

static void find_paths(struct search *search, struct cgroup *cg)
{
	auto_cgroup_pids struct cgroup_pids pids = { 0 };

	drop_unsuspected(search);
	if (search->n_left == 0 || cgroup_pids(cg, &pids, NULL) < 0)
		return;
	for (size_t i = 0; i < pids.n && search->n_left > 0; i++)
		look_through(search, pids.v[i]);
}

static bool has_paths(const struct criu_bound_sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		if (sockets->v[i].path)
			return true;
	return false;
}

int socket_names_keep(int images_fd, pid_t init, struct cgroup *cg, struct err *err)
{
	auto_criu_bound_sockets struct criu_bound_sockets sockets = CRIU_BOUND_SOCKETS_INIT;
	struct search search = { .proc = PROCFS_INIT,
				 .init = PROCFS_TASK_INIT,
				 .root = ROOTED_INIT,
				 .known = SOCK_DIAG_LIST_INIT,
				 .sockets = &sockets };
	int r = criu_images_bound_sockets(&sockets, images_fd, err);

	if (r < 0 || sockets.n == 0)
		return r;
	search.n_left = sockets.n;
	search.is_open = xcalloc(sockets.n, sizeof(*search.is_open));
	memset(search.is_open, true, sockets.n);
	search.view = (struct socket_view){ .init = &search.init,
					    .root = &search.root,
					    .effort = SOCKET_EFFORT };
	r = open_search(&search, init);
	if (r == 0)
		find_paths(&search, cg);
	close_search(&search);
	if (r == -ENOTRECOVERABLE) {
		r = err_sys(err, r, "come back from the network namespace of process %d",
			    (int)init);
		err_append(err, "; make the checkpoint again");
		return r;
	}
	if (r < 0)
		log_warning("the names of unix sockets could not be looked at: %s", errno_text(r));
	return has_paths(&sockets) ? criu_images_rename_sockets(images_fd, &sockets, err) : 0;
}
