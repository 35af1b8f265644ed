/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals of containers. The pty is made inside the container, from its own devpts; the master
 * goes outside, over a socket: to a console socket that the caller gave (conmon, containerd), or to
 * the foreground runtime, which relays it (runtime/foreground.h).
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"

struct terminal {
	int master_fd;
	int slave_fd;
};

#define TERMINAL_INIT                                                                              \
	{                                                                                          \
		.master_fd = -EBADF, .slave_fd = -EBADF                                            \
	}

/*
 * In the container, after pivot_root: open /dev/pts/ptmx and its slave (through the master, Linux
 * 4.13 TIOCGPTPEER, so that no path of the image is followed), set the size (0: leave) and the
 * owner.
 */
int terminal_open(struct terminal *ret, int host_ptmx_fd, uint16_t rows, uint16_t columns,
		  uid_t uid, struct err *err);
/*
 * Have the terminal not make "\r\n" of "\n", for the one who relays its output: our own terminal does
 * that, and what is no terminal (`run ... | grep 'end$'`) shall not get it at all. To be called before
 * the container's program runs.
 */
void terminal_keep_newlines(int fd);
/* Make the slave 0, 1, 2 and the controlling terminal of this new session. */
int terminal_attach(struct terminal *t, struct err *err);

/* Connect to a console socket (AF_UNIX, stream) by a path of the host; one that is not there or that
 * nobody listens on yet is waited for, a quarter of a second at most. Return: descriptor. */
int terminal_connect_socket(const char *path, struct err *err);
/* Send one descriptor with a short text, as the console socket protocol wants it. */
int terminal_send_fd(int socket_fd, int fd, const char *text, struct err *err);
/* Receive one descriptor that was sent so; -EPROTO without one. */
int terminal_receive_fd(int socket_fd, int *ret_fd);
