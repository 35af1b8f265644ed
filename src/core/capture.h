/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a program to its end: a text on its stdin, what it prints in memory. Its streams are memory
 * files, not pipes, so that nobody has to read while the other writes.
 */
#pragma once

#include "core/err.h"
#include "core/strbuf.h"

struct capture {
	char *const *argv; /* argv[0]: path; borrowed, as is all that goes in */
	char *const *envp; /* NULL: ours */
	const char *input; /* NULL: nothing */
	int timeout_ms; /* -1: for ever; it is killed then (ERR_TIMEOUT) */
	size_t output_max; /* bytes of each stream; more is an error */
	bool outlives_us; /* not killed when the calling thread ends */
	struct strbuf output;
	struct strbuf messages; /* stderr */
};

#define CAPTURE_INIT                                                                               \
	{                                                                                          \
		.timeout_ms = -1, .output_max = 16U << 20, .output = STRBUF_INIT,                  \
		.messages = STRBUF_INIT                                                            \
	}

/* Return: the exit status (128 + signal), or negative with err set when it could not be run or took too long. */
int capture_run(struct capture *capture, struct err *err);
void capture_done(struct capture *capture);
/* What a program prints on its stdout, without the white space at the end; NULL when it fails. The caller owns it. */
char *capture_text(char *const *argv, int timeout_ms);

DEFINE_AUTO_VAL(capture, struct capture, capture_done)
#define auto_capture auto_cleanup(capture_cleanup_val)
