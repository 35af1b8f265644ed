/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify(3) for containers: when the runtime's environment has NOTIFY_SOCKET, the container gets a
 * socket of its own (<state>/notify/notify.sock, bound to /run/notify in it), and READY=1 is passed on
 * with MAINPID set to the container's init as the host sees it.
 */
#pragma once

#include <sys/types.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/strvec.h"
#include "spec/runtime_spec.h"

struct notify_socket {
	char *host_path; /* the manager's socket, from our environment; NULL: nothing to do */
	char *directory; /* <state dir>/notify */
	int listen_fd;
};

#define NOTIFY_SOCKET_INIT                                                                         \
	{                                                                                          \
		.listen_fd = -EBADF                                                                \
	}

/* Look at our environment; when asked for, add the mount to the spec and the variable to env. */
int notify_prepare(struct notify_socket *ret, struct runtime_spec *spec, struct strvec *env,
		   const char *state_dir, struct err *err);
/* Make directory and socket below the state directory. */
int notify_listen(struct notify_socket *n, struct err *err);
/* For `start`: the socket of a container that was created earlier; nothing when there is none. */
int notify_reopen(struct notify_socket *ret, const char *state_dir, struct err *err);
/*
 * Wait until the container says READY=1 or `pid` ends, and pass it on. main_pid is what MAINPID says
 * (ours in an attached run). Does nothing without a socket.
 */
int notify_forward(struct notify_socket *n, pid_t pid, pid_t main_pid, struct err *err);
void notify_close(struct notify_socket *n);
