/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, and waiting for the end. The container is locked but for container_wait_exit(). */
#pragma once

#include "engine/container.h"

/* Send the stop signal, wait, kill, wait; then it is `stopped`. No error when it does not run. */
int container_stop_now(struct container *c, uint32_t timeout_s, struct err *err);
/* The same, then cleaned up; notes that the user wanted it. */
int container_stop(struct container *c, uint32_t timeout_s, struct err *err);
int container_kill(struct container *c, int signal_number, struct err *err);
/* A signal that a user names, by name or number: its number, or ERR_INVALID in podman's words. */
int container_signal(const char *text, struct err *err);

/*
 * Wait until conmon has written the exit file (or has vanished) without holding the lock; timeout_ms -1: for
 * ever. 0, or -ETIMEDOUT.
 */
int container_wait_exit(struct container *c, int timeout_ms);

/*
 * Who wants to know the exit code attends: as long as the descriptor is open, conmon's exit command leaves the container
 * as it is (and with --rm, there). Negative errno when there is nothing to attend.
 */
int container_attend(const struct container *c);
/* For the exit command: wait until nobody attends any more. */
void container_attend_wait(const struct engine *e, const char *id);
