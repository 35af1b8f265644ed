/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's streams on a container's (or exec session's): conmon's attach socket is one SEQPACKET
 * connection; packets from it begin with 2 (stdout) or 3 (stderr), what is sent is input as it is.
 */
#pragma once

#include "core/err.h"

#define ATTACH_KEYS_MAX 16

struct attach_options {
	const char *dir; /* where the socket and conmon's fifos are */
	bool stdin_open; /* pass our stdin on */
	bool stdout_open;
	bool stderr_open;
	bool tty; /* raw mode, sizes; where stdin is a terminal */
	bool sig_proxy; /* signals that we get go to pidfd */
	int pidfd; /* the process; -EBADF: none */
	/* What conmon writes when all output is out; NULL: none. It holds the streams longer than that in the end:
	 * until its exit command is done, which waits for those who attend. */
	const char *exit_file;
	const char *detach_keys; /* "ctrl-p,ctrl-q"; "": none */
};

struct attach {
	struct attach_options options;
	int socket;
	int signals; /* signalfd */
	bool raw; /* the terminal's mode was changed */
	struct attach_terminal *terminal; /* the mode before */
	unsigned char keys[ATTACH_KEYS_MAX];
	size_t n_keys;
};

#define ATTACH_INIT                                                                                \
	{                                                                                          \
		.socket = -EBADF, .signals = -EBADF                                                \
	}

/* ERR_COMMAND when keys (NULL: the default ones) are none that attach_open() takes. */
int attach_keys_check(const char *keys, struct err *err);
/* Connect and prepare the terminal. ERR_COMMAND for bad detach keys. */
int attach_open(struct attach *ret, const struct attach_options *options, struct err *err);
/* Copy until the other side ends (0) or the user types the detach keys (1). */
int attach_loop(struct attach *a, struct err *err);
/* The terminal as it was. */
void attach_close(struct attach *a);
