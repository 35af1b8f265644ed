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
 *					takes the container's lock, the network down, and
 *					the record away
 *
 * The record goes from one table to the other in one transaction, so that at any time one of them says what there is. The
 * addresses stay taken as long. Who needs what is still taken, a set-up above all, waits for the exit command, and does
 * its work when it was killed: whoever has the lock and finds the record does it.
 */
#pragma once

#include "engine/container.h"

/* Whether somebody will come to take the network of this container down: it is locked, and has ended. */
bool network_later_is_possible(const struct container *c);
/* Take down the network of the container of this id; nothing when that is done, or was never left. Waits for who is doing it. */
int network_later_finish(struct engine *e, const char *id, struct err *err);
/* The same of all. */
int network_later_finish_all(struct engine *e, struct err *err);
/* Whether somebody is doing it just now. */
bool network_later_is_under_way(const struct engine *e, const char *id);
