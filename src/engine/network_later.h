/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks that outlive their container by a moment. Most of what taking a network down takes is waiting for the kernel,
 * and `run --rm` in the foreground does not wait for that:
 *
 *	floe run --rm			conmon, now the exit command (`container cleanup`)
 *	-------------			--------------------------------------------------
 *	takes all else away		waits for those who attend
 *	record -> networks_later
 *	ends, with the exit code
 *					lingers, when nobody else can tell
 *					takes the container's lock, the network down, and
 *					the record away
 *
 * The record goes from one table to the other in one transaction, so that at any time one of them says what there is. The
 * addresses stay taken as long. Who needs what is still taken (a port, an address, a name) does the work itself, or waits
 * for who is at it: whoever has the lock and finds the record does it.
 *
 * It lingers for commands in a row. Of what a network takes most is the bridge (and its name server), which goes with the last
 * container on it and comes back with the next; who comes within that time finds it there. With published ports it does not, nor
 * where other containers are, who could ask for its name, and whose bridge stays anyway.
 */
#pragma once

#include "engine/container.h"

/* Whether somebody will come to take the network of this container down: it is locked, and has ended. */
bool network_later_is_possible(const struct container *c);
/* The exit command: leave the others some time to use the bridge before it is taken down, should that be the last of it. */
void network_later_linger(struct engine *e, const char *id);
/* Take down the network of the container of this id; nothing when that is done, or was never left. Waits for who is doing it. */
int network_later_finish(struct engine *e, const char *id, struct err *err);
/* The same of all. */
int network_later_finish_all(struct engine *e, struct err *err);
/*
 * network_allocate(), behind the end of those that are in its way: all, when the request names ports, addresses or a MAC, or
 * when nothing else is free; those with a name that is asked for; those whose exit command is gone.
 */
int network_later_allocate(struct engine *e, const struct network_env *env,
			   struct network_request *request, struct err *err);
/* Whether somebody is doing it just now, or is about to. */
bool network_later_is_under_way(struct engine *e, const char *id);
