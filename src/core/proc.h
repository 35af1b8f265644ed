/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: start a program, wait with a deadline, kill. Errors are negative errnos. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/macro.h"
#include "core/strbuf.h"

struct proc {
	pid_t pid; /* 0 when none */
};

#define PROC_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}

struct proc_spawn_opts {
	char *const *argv; /* argv[0] is the program's path (no PATH search) unless path is set */
	const char *path; /* program when it differs from argv[0] */
	char *const *envp; /* NULL: ours */
	const char *cwd; /* NULL: ours */
	int stdio[3]; /* descriptors for 0, 1, 2; negative: /dev/null */
	const int *pass_fds; /* become 3, 4, ... in the child; everything else is closed */
	size_t n_pass_fds;
	/* Runs in the child before anything else is arranged there; a failure (negative errno) is
	 * reported as if exec had failed. NULL: nothing. */
	int (*setup)(void *context);
	void *setup_context;
	/* Be born in this v2 cgroup (CLONE_INTO_CGROUP, Linux 5.7); NULL: in ours. Where that does not
	 * work, proc_spawn() fails. */
	const int *cgroup_fd;
	bool die_with_parent; /* SIGKILL when the calling thread ends */
	bool new_session;
};

/*
 * fork and exec with default signal dispositions and an empty mask. A failing exec is reported here,
 * as the child's errno.
 */
int proc_spawn(struct proc *ret, const struct proc_spawn_opts *opts);
/* Reap; the status as of waitpid(2). timeout_ms -1: for ever. -ETIMEDOUT leaves it running. */
int proc_wait(struct proc *p, int timeout_ms, int *ret_status);
/* SIGKILL and reap; nothing when it is not running. */
void proc_kill(struct proc *p);
/* All signals at their default dispositions, also those that are ignored. */
void proc_default_signals(void);
/* CPUs that this process may run on (sched_getaffinity(2)), at least 1. */
unsigned int proc_n_cpus(void);
/* "exit status 3" or "signal: killed", as Go prints it; in a static buffer. */
const char *proc_status_to_string(int status);
/* Exit code as shells give it: status, or 128 + signal. */
int proc_status_to_exit_code(int status);

DEFINE_AUTO_VAL(proc, struct proc, proc_kill)
#define auto_proc auto_cleanup(proc_cleanup_val)
