/* SPDX-License-Identifier: Apache-2.0 */
/* Run a backend's program: a document on its stdin, another on its stdout. */
#pragma once

#include "core/err.h"
#include "core/strbuf.h"

struct network_exec {
	char *const *argv; /* argv[0]: path */
	char *const *envp; /* NULL: ours */
	const char *input; /* NULL: nothing */
	int timeout_ms;
	struct strbuf output;
	struct strbuf messages; /* stderr */
};

/* Return: the exit status (128 + signal), or negative with err set when it could not be run or took too long. */
int network_exec(struct network_exec *exec, struct err *err);
void network_exec_done(struct network_exec *exec);

DEFINE_AUTO_VAL(network_exec, struct network_exec, network_exec_done)
#define auto_network_exec auto_cleanup(network_exec_cleanup_val)
