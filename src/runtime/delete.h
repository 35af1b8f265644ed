/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a container, for the operations that end in it: delete, run, checkpoint. */
#pragma once

#include "runtime/container.h"

/* Remove cgroup, directory and what else belongs to a container whose init has ended, then run the
 * poststop hooks. */
int container_destroy(struct container *c, struct err *err);
/* Run the poststart hooks, which needs the stored configuration. Where one fails, the life cycle goes on
 * with the end of the container (step 12 of the specification), and this fails. */
int container_run_poststart_or_destroy(struct container *c, struct err *err);
/* The same as container_destroy() at the end of an attached run, whose lock was given up meanwhile: takes it again; a container
 * that somebody else has deleted is no error. */
int container_destroy_after_exit(struct container *c, struct err *err);
/* Only the directory (dir_fd) of the state root, with a mount that a dead restore may have left. */
int container_remove_directory(const struct runtime *rt, const char *id, int dir_fd,
			       struct err *err);
