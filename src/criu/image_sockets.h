/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that CRIU binds unix sockets to at a restore (files.img). It binds each to the name that the
 * program gave to bind(2), and removes the file where that name was removed: a socket whose file has got
 * another name loses it. Who knows the other name can put it here in place of the first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"

/* The kernel takes a name of 108 bytes without a final zero; CRIU writes it down with one, and then refuses it. */
#define CRIU_SOCKET_NAME_MAX 107

struct criu_bound_socket {
	uint32_t ino; /* as in "socket:[INO]", of the time of the dump */
	char *path; /* to bind it to in place of its name; NULL: leave it; owned */
};

struct criu_bound_sockets {
	struct criu_bound_socket *v; /* in the order of their inodes */
	size_t n;
};

#define CRIU_BOUND_SOCKETS_INIT                                                                    \
	{                                                                                          \
		0                                                                                  \
	}

/* Those that a restore binds to paths, thus not the ends of connections. ERR_CORRUPT. */
int criu_images_bound_sockets(struct criu_bound_sockets *ret, int dir_fd, struct err *err);
/* NULL when it is not there. */
struct criu_bound_socket *criu_bound_sockets_find(const struct criu_bound_sockets *sockets,
						  uint32_t ino);
/* Whether a socket can be bound to that path: it takes CRIU_SOCKET_NAME_MAX bytes, of a path or of its last part. */
bool criu_can_bind_to(const char *path);
/* Write the paths, absolute ones, into the image. On failure it is as it was. */
int criu_images_rename_sockets(int dir_fd, const struct criu_bound_sockets *sockets,
			       struct err *err);
void criu_bound_sockets_done(struct criu_bound_sockets *sockets);

DEFINE_AUTO_VAL(criu_bound_sockets, struct criu_bound_sockets, criu_bound_sockets_done)
#define auto_criu_bound_sockets auto_cleanup(criu_bound_sockets_cleanup_val)
