/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back from any state: nothing here trusts the record more than what it finds. The container is
 * locked.
 */
#pragma once

#include "engine/container.h"

/*
 * Whatever an attempt that was cut short has left: the runtime's container, conmon, mounts, files. For a
 * container that does not run as far as its record knows. Errors are the first that was met; the rest
 * is done all the same.
 */
int container_scrub(struct container *c, struct err *err);
/* After its end: network, runtime, mounts, conmon's files; then it is `exited`, and saved. */
int container_cleanup(struct container *c, struct err *err);

struct remove_options {
	bool force; /* also when it runs */
	bool volumes; /* its anonymous volumes too */
	bool depend; /* those that depend on it first */
	struct strvec *
		dependents; /* ids of these are added, in the order of their removal; NULL: nobody asks */
	bool network_later; /* its network may be taken down behind our end (engine/network_later.h) */
	int timeout_s; /* until it is killed; -1: its own */
};

/* ERR_STATE: what a removal without force says of one that runs. */
int container_refuse_removal(const struct container *c, struct err *err);
/* Remove it entirely. ERR_STATE while it runs and force is not given, or others depend on it. */
int container_remove(struct container *c, const struct remove_options *options, struct err *err);
