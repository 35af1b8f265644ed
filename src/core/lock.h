/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advisory locks between our own processes: flock(2) on a lock file, held as long as the descriptor
 * is open; the kernel releases it when the process dies.
 */
#pragma once

#include "core/macro.h"

enum lock_mode { LOCK_MODE_SHARED, LOCK_MODE_EXCLUSIVE };

/* Open (create with mode 0600) and lock dir_fd/name. timeout_ms -1: wait for ever, 0: try.
 * Return: descriptor; -ETIMEDOUT when another process holds it. */
int lock_open(int dir_fd, const char *name, enum lock_mode mode, int timeout_ms);
/* The same of a file that goes with what it stands for: removed while we waited it would keep nobody else out, so that what has
 * its name now is locked instead. */
int lock_open_living(int dir_fd, const char *name, enum lock_mode mode, int timeout_ms);
/* The same on an open file or directory. Return: 0 or -errno. */
int lock_fd(int fd, enum lock_mode mode, int timeout_ms);
