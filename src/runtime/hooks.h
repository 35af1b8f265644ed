/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run the configuration's hooks. A hook runs in the namespaces and root of the caller, with the state
 * document on stdin:
 *
 *   prestart, createRuntime, poststart, poststop   by the runtime process, cwd = the bundle
 *   createContainer    by the init child before pivot_root, cwd = the rootfs (hook paths are the host's)
 *   startContainer     by the init child just before execve (hook paths are the container's)
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "spec/runtime_spec.h"

/* Where output goes that is not captured for an error; each -EBADF: captured. Owned. */
struct hooks_output {
	int out_fd;
	int err_fd;
};

#define HOOKS_OUTPUT_INIT                                                                          \
	{                                                                                          \
		.out_fd = -EBADF, .err_fd = -EBADF                                                 \
	}

struct hooks_options {
	const char *name; /* "createRuntime", for errors */
	const struct oci_hook *hooks;
	size_t n_hooks;
	const char *state; /* the state document as JSON text */
	/* Environment of hooks that give none; NULL: that of the caller. */
	char *const *default_env;
	const char *cwd; /* NULL: the caller's */
	const struct hooks_output *output; /* NULL: captured; borrowed */
};

/*
 * Run them in order and stop at the first that fails: exit status other than 0, a signal, not
 * startable, or still there after its timeout (then it is killed by SIGKILL). ERR_REMOTE (ERR_TIMEOUT):
 *   error running createRuntime hook #0: exit status 1, stdout: ..., stderr: ...
 * The outputs are cut to what fits. Output of background processes that a hook leaves behind is not
 * waited for. The caller must have no SIGCHLD handler that reaps.
 */
int hooks_run(const struct hooks_options *opts, struct err *err);

/* The files that the annotations run.oci.hooks.stdout and .stderr name, if they do; appended to. */
int hooks_output_open(struct hooks_output *ret, const struct runtime_spec *spec, struct err *err);
void hooks_output_close(struct hooks_output *output);

DEFINE_AUTO_VAL(hooks_output, struct hooks_output, hooks_output_close)
#define auto_hooks_output auto_cleanup(hooks_output_cleanup_val)

/* For poststop: run all, whatever fails; failures are logged as warnings. */
void hooks_run_all(const struct hooks_options *opts);
