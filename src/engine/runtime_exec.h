/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI runtime as a program: one call, one process. Creating and exec go through conmon. */
#pragma once

#include "engine/container.h"

/*
 * c->runtime: that which the container was made with, whatever new ones are made with now. One that is not where it was may
 * be told by --runtime. ERR_NOT_FOUND.
 */
int container_find_runtime(struct container *c, struct err *err);
/* Its name, for archives and for inspect. */
const char *container_runtime_name(const struct container *c);
/* Options of the runtime that stand before its command, as its caller and conmon give them. */
void runtime_global_args(const struct engine *e, const struct container_config *config,
			 struct strvec *ret);
/* Whether the runtime makes the cgroup through systemd (--systemd-cgroup). */
bool runtime_uses_systemd(const struct container *c);
/*
 * Run `RUNTIME [options] args...` and wait. Its stderr becomes the error (ERR_REMOTE), "OCI runtime
 * error: ..." in front. ret_output: its stdout, owned by the caller; NULL: not wanted.
 */
int runtime_call(struct container *c, const char *const *args, char **ret_output, struct err *err);

int runtime_start(struct container *c, struct err *err);
/* all: every process of the container. No error when there is none left to signal. */
int runtime_kill(struct container *c, int signal_number, bool all, struct err *err);
/* Kill and remove whatever the runtime has of it. No error when it has nothing. */
int runtime_delete(struct container *c, struct err *err);
/* Whether it has a command `checkpoint` that it would execute. */
bool runtime_can_checkpoint(struct container *c);
int runtime_pause(struct container *c, struct err *err);
int runtime_resume(struct container *c, struct err *err);
int runtime_update(struct container *c, const char *resources_file, struct err *err);
