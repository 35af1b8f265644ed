/* SPDX-License-Identifier: Apache-2.0 */
/* Another process in a running container: a session with a directory (ROOT/containers/ID/userdata/exec/SESSION) and a
 * conmon of its own. */
#pragma once

#include "engine/attach.h"
#include "engine/conmon.h"
#include "engine/container.h"
#include "engine/preserve_fds.h"
#include "engine/specgen.h"
#include "spec/runtime_spec.h"

struct exec_options {
	char *const *command;
	size_t n_command;
	char *const *env; /* NAME=VALUE */
	size_t n_env;
	const char *workdir;
	const char *user;
	bool tty;
	bool interactive;
	bool privileged;
	bool detach;
	struct preserve_fds preserve;
	bool no_session; /* leave no trace of it in the container's record; not with detach */
	const char *detach_keys;
};

/*
 * Run it. Attached: copies streams, and *ret_exit_code is its exit code. Detached: returns at once, *ret_session is
 * the session's id (owned by the caller). -EACCES and -ENOENT: 126 and 127. The container is not locked.
 */
int exec_session_run(struct container *c, const struct exec_options *options, int *ret_exit_code,
		     char **ret_session, struct err *err);
/* The session has ended: forget it and its directory. tell: also as an event, for one that was detached. */
int exec_session_end(struct container *c, const char *session, bool tell, struct err *err);
