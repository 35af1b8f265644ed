/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attached `run`, `exec` and `restore`: forward signals to the container's process, relay its
 * terminal, wait for its end. All by one poll loop over a signalfd, without threads.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/err.h"

struct foreground {
	sigset_t old_mask;
	int signal_fd;
	int console_fd; /* pty master, -EBADF without a terminal; owned */
	bool subreaper;
};

#define FOREGROUND_INIT                                                                            \
	{                                                                                          \
		.signal_fd = -EBADF, .console_fd = -EBADF                                          \
	}

/* Before the clone: block the signals, so that none is lost or kills us between. The child must
 * restore old_mask. */
int foreground_prepare(struct foreground *fg, bool become_subreaper, struct err *err);
/*
 * Until the child `pid` has ended: every signal but SIGCHLD, SIGWINCH, SIGURG (and those that are
 * ours alone) goes to it; other children that come to us as subreaper are reaped. With console_fd
 * our own terminal is put into raw mode, sizes follow SIGWINCH, and it is restored at the end.
 * *ret_status as of waitpid(2).
 */
int foreground_wait(struct foreground *fg, pid_t pid, int *ret_status, struct err *err);
void foreground_done(struct foreground *fg);

DEFINE_AUTO_VAL(foreground, struct foreground, foreground_done)
#define auto_foreground auto_cleanup(foreground_cleanup_val)
