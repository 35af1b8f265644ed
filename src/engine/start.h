/* SPDX-License-Identifier: Apache-2.0 */
/* From a record to a running process. The container is locked. */
#pragma once

#include "engine/container.h"

/* Prepare it and have the runtime create it: `initialized`. On failure nothing of the attempt is left;
 * -EACCES and -ENOENT are the runtime's reasons for exit codes 126 and 127. */
int container_init(struct container *c, struct err *err);
/* For a container that is to go on from a checkpoint. */
struct init_restore {
	const char *images; /* directory of CRIU's images */
	struct strvec runtime_opts; /* behind the runtime's command */
	/* In place of container_prepare(): bundle, mounts, network. */
	int (*prepare)(void *context, struct container *c, struct err *err);
	void *context;
};

/* The same with the processes of a checkpoint, which run at once: `running`. */
int container_init_restored(struct container *c, const struct init_restore *restore,
			    struct err *err);
/* Start what is initialized: `running`. */
int container_start(struct container *c, struct err *err);
/*
 * Start what the container depends on (namespaces of others, --requires) and does not run, and what that depends on. The
 * container's own lock is given up meanwhile when something has to be started, and its record read again.
 */
int container_start_dependencies(struct container *c, struct err *err);
/* 1: it has ended, but is being started again, or will be; 0: it stays as it is. Waits for who has the container, whose record is
 * read again; it is not locked before. */
int container_is_to_restart(struct container *c, struct err *err);
/* After a container has ended and was cleaned up: start it again if its policy says so. 1: started. */
int container_restart_by_policy(struct container *c, struct err *err);

/* The global options of floe that lead to this very engine, for conmon's exit command. */
void engine_self_args(const struct engine *e, struct strvec *ret);
