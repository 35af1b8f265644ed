/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace made beside: the kernel takes longer for it than for the other namespaces and all
 * mounts of a container together, and somebody else can wait for it.
 *
 * A helper process makes it, which shares memory and descriptors with its parent, so that it costs no more
 * than a thread. It is none, because a thread would leave its traces in the C library of a process that is
 * cloned meanwhile: setresuid(3) of the clone may wait for a thread that it does not have.
 */
#pragma once

#include <sys/types.h>

#include "core/auto.h"

struct network_maker {
	pid_t pid; /* 0: none, or reaped */
	void *stack;
	int fd; /* of the namespace, once it is made */
};

/* *m must stay where it is until network_maker_done(). -errno: no helper is to be had. */
int network_maker_start(struct network_maker *m);
/* Wait for the helper. The namespace, with its loopback interface up, as a descriptor that stays *m's. Negative: it could
 * not be made; why is for the next one who tries to say. */
int network_maker_finish(struct network_maker *m);
/* Also of one that was never started; then it is all zero. */
void network_maker_done(struct network_maker *m);
