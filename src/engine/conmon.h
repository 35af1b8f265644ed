/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conmon, the monitor of one container or of one exec session: it starts the runtime, holds the
 * container's streams and terminal, writes log and exit file, and in the end runs `floe container
 * cleanup`. Its command line is a pure plan; the conversation over the pipes is:
 *
 *	floe				conmon
 *	  spawn in its cgroup --------> waits
 *	  start pipe: one byte -------> forks; the runtime creates the container
 *	  <------------ sync pipe: {"data": PID} or {"data": -1, "message": "..."}
 *	exec only:
 *	  <------------ attach pipe: {"data": 0}, the socket is there
 *	  start pipe: one byte -------> the runtime starts the process
 *	  <------------ sync pipe: {"data": EXIT CODE}
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/strvec.h"
#include "engine/conmon_cgroup.h"

struct conmon_params {
	const char *conmon;
	const char *id;
	const char *uuid; /* of an exec session; NULL: the id */
	const char *name;
	const char *runtime;
	const struct strvec *runtime_args; /* before the runtime's command */
	const struct strvec *runtime_opts; /* behind it */
	const char *bundle;
	const char *pidfile;
	const char *conmon_pidfile;
	const char *exit_dir;
	const char *persist_dir; /* NULL: none */
	const char *log_driver; /* k8s-file json-file journald none passthrough */
	const char *log_path;
	int64_t log_size_max; /* 0: no limit */
	const char *log_tag;
	const char *log_level;
	bool no_sync_log; /* conmon 2.1.3; the log goes with the container */
	const char *oci_log;
	bool systemd_cgroup;
	bool tty;
	bool interactive;
	uint32_t timeout; /* seconds; 0: none */
	const char *sdnotify_socket;
	const struct strvec *exit_command;
	/* one of: */
	const char *restore_path; /* a checkpoint's images */
	const char *exec_spec; /* process.json; then this is an exec session */
	bool exec_attach;
};

/* argv of conmon. Pure. */
void conmon_plan(const struct conmon_params *params, struct strvec *ret);

struct conmon {
	int sync_fd; /* conmon writes */
	int start_fd; /* we write */
	int attach_fd; /* conmon writes; exec only */
	int pid; /* of the process that was spawned; conmon's own is in its pid file */
};

#define CONMON_INIT                                                                                \
	{                                                                                          \
		.sync_fd = -EBADF, .start_fd = -EBADF, .attach_fd = -EBADF                         \
	}

struct conmon_streams {
	int fds[3]; /* its stdin, stdout, stderr; negative: /dev/null */
	const int *preserve; /* descriptors for the container, from 3 on */
	size_t n_preserve;
	const int *hold; /* that it only keeps open */
	size_t n_hold;
};

/* Spawn it in that cgroup and keep the other ends of the pipes. */
int conmon_spawn(struct conmon *ret, const struct strvec *argv, const char *cwd, bool exec_attach,
		 const struct conmon_streams *streams, const struct conmon_cgroup *cgroup,
		 struct err *err);
/* Write the start byte. A conmon that has gone is no failure of this: conmon_receive() tells. */
int conmon_go(struct conmon *c, struct err *err);
/*
 * The next message of the sync pipe: its number, and its text (owned by the caller, NULL for none).
 * -EPIPE (ERR_REMOTE) when conmon went away without one.
 */
int conmon_receive(int fd, int *ret_data, char **ret_message, struct err *err);
/* Wait until its first process has gone, which forks, writes the pid file and goes at once; but maybe after the other has
 * told of the container. */
void conmon_await_fork(struct conmon *c);
void conmon_close(struct conmon *c);
DEFINE_AUTO_VAL(conmon, struct conmon, conmon_close)
#define auto_conmon auto_cleanup(conmon_cleanup_val)

/* What a runtime's message means for the exit code: -EACCES (126), -ENOENT (127) or -EIO (125), with
 * *err filled. text may be NULL. */
int conmon_runtime_error(const char *oci_log, const char *text, struct err *err);

/* The attach socket dir/attach, connected. timeout_ms: until it is there. */
int conmon_attach_open(const char *dir, int timeout_ms);
/* Ask conmon to resize the terminal. Errors do not matter. */
void conmon_resize(const char *dir, unsigned int rows, unsigned int columns);
