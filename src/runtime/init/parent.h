/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's side of the handshake (handshake.h), as stages of create, run and exec; context is the
 * struct launch.
 */
#pragma once

#include "runtime/init/handshake.h"
#include "runtime/launch.h"

/* The handshake's socket pair, and the console's: the caller's socket, or a pair of our own. */
int parent_open_sockets(void *context, struct err *err);
/* Send to the child. When it has gone, its last words or how it ended are the error. */
int parent_send(struct launch *l, enum handshake_kind kind, const int *fds, size_t n_fds,
		struct err *err);
/*
 * After something done for the child has failed with code (and *err): if the child has failed or ended
 * meanwhile, that comes first; systemd removes the cgroup of a scope whose last process has gone.
 * Without waiting; returns the code of what is in *err now.
 */
int parent_explain(struct launch *l, int code, struct err *err);
/* Wait for a message of this kind, which has no payload. */
int parent_expect(struct launch *l, enum handshake_kind kind, struct err *err);
/* Until READY; runs the hooks that the child waits for. */
int parent_converse(void *context, struct err *err);
/* Limits that the child itself may not be allowed to set. */
int parent_set_rlimits(void *context, struct err *err);
/* START, then wait until the child waits at the gate or has become its program. */
int parent_release_init(void *context, struct err *err);
/* Undo: kill and reap the child. */
void parent_kill_init(void *context);
