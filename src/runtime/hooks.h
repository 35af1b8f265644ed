/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run the configuration's hooks. A hook runs in the namespaces, root and current directory of the
 * caller, with the state document on stdin:
 *
 *   prestart, createRuntime, poststart, poststop   by the runtime process
 *   createContainer    by the init child before pivot_root, cwd = the rootfs (hook paths are the host's)
 *   startContainer     by the init child just before execve (hook paths are the container's)
 */
#pragma once

#include "core/err.h"
#include "spec/runtime_spec.h"

struct hooks_options {
	const char *name; /* "createRuntime", for errors */
	const struct oci_hook *hooks;
	size_t n_hooks;
	const char *state; /* the state document as JSON text */
	/* Environment of hooks that give none; NULL: that of the caller. */
	char *const *default_env;
	const char *cwd; /* NULL: the caller's */
};

/*
 * Run them in order and stop at the first that fails: exit status other than 0, a signal, not
 * startable, or still there after its timeout (then it is killed by SIGKILL). ERR_REMOTE (ERR_TIMEOUT):
 *   error running createRuntime hook #0: exit status 1, stdout: ..., stderr: ...
 * The outputs are cut to what fits. Output of background processes that a hook leaves behind is not
 * waited for. The caller must have no SIGCHLD handler that reaps.
 */
int hooks_run(const struct hooks_options *opts, struct err *err);

/* For poststop: run all, whatever fails; failures are logged as warnings. */
void hooks_run_all(const struct hooks_options *opts);
