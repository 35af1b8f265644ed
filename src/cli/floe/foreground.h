/* SPDX-License-Identifier: Apache-2.0 */
/* A container whose caller waits for it. */
#pragma once

#include "cli/cli.h"
#include "engine/container.h"

struct foreground_options {
	bool with_stdin;
	bool with_stdout;
	bool with_stderr;
	bool sig_proxy;
	const char *detach_keys; /* NULL: ctrl-p,ctrl-q */
};

/*
 * Create it in the runtime, attach, start, wait for its end, clean up; remove it with --rm. It is locked, and
 * not any more afterwards. Returns the exit code.
 */
int foreground_run(struct container *c, const struct foreground_options *o, struct err *err);
/* Attach to one that runs; the exit code is its own. */
int foreground_attach(struct container *c, const struct foreground_options *o, struct err *err);
/* 126 and 127 for what a runtime could not execute: prints the error then. Else r as it is. */
int foreground_exit_code(int r, const struct err *err);
