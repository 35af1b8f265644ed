/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_collect.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif

/* The kernel's name of the protocol, "TCP"; NULL: gone. */
static char *protocol_name(const struct procfs_task *task, int descriptor)
{
	auto_free char *path = xasprintf("%s/fd/%d", fd_path(task->fd).text, descriptor);
	char name[64];
	ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);

	if (n <= 0)
		return NULL;
	name[n] = '\0';
	return xstrdup(name);
}

static void collect_netns(const struct preflight_collector *k, int fd, struct preflight_file *f)
{
	auto_close int ns = ioctl(fd, SIOCGSKNS);
	struct stat st;

	if (ns >= 0 && fstat(ns, &st) == 0 && st.st_ino != k->s->processes[0].ns[PREFLIGHT_NS_NET])
		f->netns = st.st_ino;
}

static void collect_credentials(int fd, struct preflight_file *f)
{
	int v = 0;
	socklen_t len = sizeof(v);

	if (getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &v, &len) == 0)
		f->passes_credentials = v != 0;
}

/* Whether the descriptor still is that socket. */
static bool is_still(const struct procfs_task *task, int descriptor, const struct preflight_file *f)
{
	auto_free char *name = xasprintf("fd/%d", descriptor);
	auto_free char *link = procfs_task_readlink(task, name);

	return str_eq(link, f->path);
}

/* What sock_diag does not know is of another kind, of another network namespace, or in no use yet. */
static bool needs_look(const struct preflight_collector *k, const struct preflight_file *f,
		       bool *ret_credentials)
{
	const struct sock_diag_socket *known = sock_diag_find(&k->s->sockets, (uint32_t)f->ino);

	*ret_credentials = known && known->family == AF_UNIX && known->state != TCP_LISTEN &&
			   known->read_queue > 0;
	return !known || *ret_credentials;
}

static void look_at_socket(struct preflight_collector *k, const struct preflight_use *u)
{
	struct preflight_file *f = &k->s->files[u->file];
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
	auto_close int fd = -EBADF;
	bool credentials;

	if (!needs_look(k, f, &credentials) ||
	    procfs_task_open(&task, &k->proc, k->s->processes[u->process].pid) < 0)
		return;
	f->protocol = protocol_name(&task, u->descriptor);
	fd = socket_borrow(&task, u->descriptor);
	if (fd < 0 || !is_still(&task, u->descriptor, f))
		return;
	if (credentials)
		collect_credentials(fd, f);
	else
		collect_netns(k, fd, f);
}

/* A restore connects to the same path, in the container's root. */
static void look_at_peer(struct preflight_collector *k, const struct preflight_file *f)
{
	const struct sock_diag_socket *known = sock_diag_find(&k->s->sockets, (uint32_t)f->ino);
	const struct sock_diag_socket *peer;
	auto_close int fd = -EBADF;
	struct stat st;

	if (!known || known->family != AF_UNIX || !known->peer ||
	    preflight_has_socket(k->s, known->peer))
		return;
	peer = sock_diag_find(&k->s->sockets, known->peer);
	if (!peer || !peer->name || peer->name[0] != '/')
		return;
	fd = rooted_openat(&k->roots[0], peer->name, O_PATH);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
		strvec_add(&k->s->unreachable_sockets, peer->name);
}

static void look_at_place(struct preflight_collector *k, struct socket_view *view,
			  const struct preflight_use *u)
{
	struct preflight_file *f = &k->s->files[u->file];
	const struct sock_diag_socket *known = sock_diag_find(&k->s->sockets, (uint32_t)f->ino);
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;

	if (known && f->place == SOCKET_UNKNOWN && socket_is_suspect(view, known) &&
	    procfs_task_open(&task, &k->proc, k->s->processes[u->process].pid) == 0)
		f->place = socket_find_place(view, known, &task, u->descriptor, &f->socket_path);
}

void preflight_collect_sockets(struct preflight_collector *k)
{
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
	auto_close int netns = -EBADF;
	struct preflight_snapshot *s = k->s;
	struct socket_view view = { .init = &task, .root = k->roots, .effort = SOCKET_EFFORT };
	int r = procfs_task_open(&task, &k->proc, s->processes[0].pid);

	if (r == 0)
		netns = fd_open_at(task.fd, "ns/net", O_RDONLY, 0);
	if (r == 0)
		r = netns < 0 ? netns : sock_diag_collect(&s->sockets, netns);
	if (r < 0 && !procfs_task_is_gone(r)) {
		preflight_unseen(k,
				 xasprintf("the sockets could not be listed: %s", errno_text(r)));
		return;
	}
	for (size_t i = 0; k->n_roots && i < s->n_files; i++)
		if (S_ISSOCK(s->files[i].mode))
			look_at_peer(k, &s->files[i]);
	for (size_t i = 0; i < s->n_uses; i++) {
		const struct preflight_file *f = &s->files[s->uses[i].file];

		if (!S_ISSOCK(f->mode) || f->path[0] == '/')
			continue;
		if (!f->protocol)
			look_at_socket(k, &s->uses[i]);
		if (k->n_roots)
			look_at_place(k, &view, &s->uses[i]);
	}
}
