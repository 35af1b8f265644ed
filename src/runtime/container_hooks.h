/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks of a container at the points of its life where the runtime process runs them. */
#pragma once

#include "core/err.h"
#include "runtime/container.h"
#include "spec/restore_hooks.h"

/* The state document that a hook gets on stdin; the caller owns it. pid 0: the record's. */
char *container_hook_state(const struct container *c, enum container_status status, int pid);
/* What goes to the agent that linux.seccomp.listenerPath of spec names with the listener of the process `pid`; the caller owns
 * it. status: creating for the container's first process, running for those of exec. */
char *container_listener_state(const struct container *c, enum container_status status,
			       const struct runtime_spec *spec, int pid);
/* prestart, then createRuntime; c->spec must be loaded. A failure is the creation's failure. */
int container_run_create_hooks(const struct container *c, struct err *err);
/* poststart; when one fails the container is killed and the error returned. */
int container_run_poststart(const struct container *c, struct err *err);
/* Those that the annotation org.floe.hooks.post-restore lists, in order, until one fails. */
int container_run_post_restore(const struct container *c, const struct restore_hooks *hooks,
			       struct err *err);
/* poststop, after everything else is gone; failures are warnings. */
void container_run_poststop(const struct container *c);
