/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation between the runtime (parent) and the container's init (child) from clone(2) to
 * execve(2): framed messages (core/msg.h) over one SEQPACKET pair.
 *
 *    child (init)                     parent (runtime)
 *
 *    [clone into new namespaces]
 *                                     write uid_map, gid_map
 *                      <-----------   MAPPED            only with a new user namespace
 *                      <-----------   NETWORK (fd)      only where a helper has made the namespace
 *    session, keyring, root mount,    make the v1 cgroups (at the same time)
 *    mounts
 *    ROOT_MOUNTED      ----------->   open bind sources on the host side: only where init may not
 *                      <-----------   SOURCES (fds)     do that itself, and behind its root mount,
 *                                                      see mount_open_sources()
 *                      <-----------   CGROUP (fds)      descriptors by which init joins them
 *    joins its cgroup, mounts it ...  write limits (at the same time)
 *    SOURCE            ----------->   open a bind source that an earlier mount has brought
 *                      <-----------   SOURCE_OPENED (fd)
 *    HOOKS             ----------->   prestart, createRuntime hooks; network devices
 *                      <-----------   HOOKS_DONE        only where there is something to do
 *    createContainer hooks, pivot_root, console ...
 *    READY             ----------->   rlimits that need privilege, state.json, pid file
 *                      <-----------   START (now)       run: go on at once
 *                      <-----------   START (fifo)      create: wait on exec.fifo
 *                                     START comes ahead of READY, so that nobody waits, where init can
 *                                     do all of that itself (struct launch, starts_ahead)
 *    SECCOMP_FD        ----------->   hand the listener to its agent
 *                      <-----------   SECCOMP_DONE      only with a filter that notifies
 *    [create: opens exec.fifo for writing, writes '0'; `start` reads it]
 *    startContainer hooks, execve: the socket closes
 *
 *    Where mounts are filled, or the parent is asked for their sources, init joins its cgroup before them
 *    (init/child.c).
 *
 *    FAILED (struct err) from the child at any time: the parent returns it as its own error.
 *    After `create` has gone, the same struct err goes to `start` through exec.fifo.
 *
 * Closing the socket is the end for the other side: the child exits when its parent is gone before
 * START, the parent reaps the child and reports how it ended. What the child's intermediate process
 * (needed where a user namespace is joined) must tell goes the same way: INIT_PID.
 */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "core/msg.h"

enum handshake_kind {
	HANDSHAKE_MAPPED = 1,
	HANDSHAKE_ROOT_MOUNTED,
	HANDSHAKE_SOURCES, /* a descriptor per slot of the mount plan; none on an old kernel */
	HANDSHAKE_CGROUP, /* descriptors for cgroup_entry_from_fds() */
	HANDSHAKE_NETWORK, /* the new network namespace; nothing: init is to make it */
	HANDSHAKE_SOURCE, /* payload: size_t, number of the mount in the plan */
	HANDSHAKE_SOURCE_OPENED,
	HANDSHAKE_HOOKS,
	HANDSHAKE_HOOKS_DONE,
	HANDSHAKE_READY,
	HANDSHAKE_START_NOW,
	HANDSHAKE_START_FIFO,
	HANDSHAKE_INIT_PID, /* payload: pid_t */
	HANDSHAKE_SECCOMP_FD, /* the notify listener, or its number in the child (int) */
	HANDSHAKE_SECCOMP_DONE, /* the parent has its copy; the child's own closes with execve */
	HANDSHAKE_FAILED, /* payload: struct err, cut behind its text */
	HANDSHAKE_KIND_MAX_
};

const char *handshake_kind_to_string(unsigned int kind);

/* -EPIPE (ERR_REMOTE) when the other side has gone; it may have sent FAILED before. */
int handshake_send(int fd, enum handshake_kind kind, const void *payload, size_t len,
		   const int *fds, size_t n_fds, struct err *err);
/*
 * Wait for exactly this kind; *ret may be NULL. FAILED becomes *err (and its code the result). An
 * unexpected kind or the end is an error that names both; -EPIPE (ERR_REMOTE) for the end.
 */
int handshake_expect(int fd, enum handshake_kind kind, int timeout_ms, struct msg *ret,
		     struct err *err);
/* Any kind, into *ret; FAILED and the end as above. */
int handshake_receive(int fd, int timeout_ms, struct msg *ret, struct err *err);
void handshake_send_failure(int fd, const struct err *failure);

/* SECCOMP_FD with the number of a descriptor of the child, by write(2) alone: once a filter with a
 * listener is loaded, every other call may be held up by it. */
int handshake_write_seccomp_fd(int fd, int listener_fd, struct err *err);

/* A struct err as bytes and back, for the socket and for exec.fifo. */
size_t handshake_pack_err(const struct err *failure, void *buf, size_t size);
int handshake_unpack_err(const void *buf, size_t len, struct err *ret);
