/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the file is that a unix socket is bound to. CRIU binds a restored socket to the name that the
 * program gave to bind(2), or to none where the file was removed under that name. Many programs give
 * another name before they listen, so that nobody sees the socket too early (rename(2), or link(2) and
 * unlink(2)); then clients would look for the socket in vain.
 *
 * The kernel knows the file (SIOCUNIXFILE), and its present name unless that came by link(2): then
 * it is looked for beside the first one. Descriptors and names are of the mount namespace that the
 * holder of the socket is in.
 */
#pragma once

#include <stdint.h>

#include "core/rooted.h"
#include "kernel/procfs_task.h"
#include "kernel/sock_diag.h"

enum socket_place {
	SOCKET_UNKNOWN, /* could not be looked at, or has no file */
	SOCKET_IN_PLACE, /* its name leads to it */
	SOCKET_UNLINKED, /* no name does */
	SOCKET_MOVED, /* another name does, or its own is too long for CRIU */
	SOCKET_MOVED_AND_LINKED, /* several others do, of which one can be kept */
	SOCKET_LINKED, /* its own does, and so do others */
	SOCKET_LOST, /* another name does, which was not found or is too long */
	SOCKET_BAD_NAME, /* its name is a relative one that is no end of the path, or too long: CRIU gives up */
};

/* Of the container's first process; borrowed. */
struct socket_view {
	const struct procfs_task *init;
	const struct rooted *root;
	/* What may still be spent on reading directories: the container decides how long they are, and it
	 * may be frozen meanwhile. */
	size_t effort;
};

#define SOCKET_EFFORT ((size_t)4 << 20) /* about a second */

/* Whether its name may not lead to it, or not it alone: a cheap look, which errs on this side. */
bool socket_is_suspect(const struct socket_view *view, const struct sock_diag_socket *socket);
/* Look at it through a process that has it open. *ret_path: the path of the file, or the first one that it
 * had; the caller's; NULL for SOCKET_UNKNOWN. */
enum socket_place socket_find_place(struct socket_view *view, const struct sock_diag_socket *socket,
				    const struct procfs_task *holder, int descriptor,
				    char **ret_path);

/* A second descriptor of the process's own, for a moment (Linux 5.6). */
int socket_borrow(const struct procfs_task *holder, int descriptor);
