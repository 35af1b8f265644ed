/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the runtime, one per command. Options are plain structs whose strings are
 * borrowed from the caller; the command line fills them from its tables, tests fill them by hand.
 * Each returns 0 or a negative errno with *err set, and leaves nothing behind when it fails, unless
 * its comment says otherwise.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/strvec.h"
#include "runtime/runtime.h"

struct create_options {
	const char *id;
	const char *bundle; /* NULL: the current directory */
	const char *config; /* NULL: config.json of the bundle */
	const char *console_socket; /* NULL: none */
	const char *pid_file; /* NULL: none; relative to the current directory */
	const char *pidfd_socket; /* NULL: none */
	bool no_pivot;
	bool no_new_keyring;
	uint32_t preserve_fds; /* descriptors 3 .. 3+N-1 are handed to the container */
	bool detach; /* run only */
	bool keep; /* run only: do not delete after the exit */
	bool no_subreaper; /* run only */
};

/* Set the container up; its init waits for container_start(). */
int container_create(struct runtime *rt, const struct create_options *opts, struct err *err);
int container_start(struct runtime *rt, const char *id, struct err *err);
/*
 * create, start and, unless opts->detach, wait: signals are forwarded to the container's init, a
 * terminal is relayed, and the container is deleted at its end unless opts->keep.
 * *ret_exit_code: the container's status (128 + signal), 0 when detached.
 */
int container_run(struct runtime *rt, const struct create_options *opts, int *ret_exit_code,
		  struct err *err);

struct exec_options {
	const char *id;
	const char
		*process_file; /* --process; when set, all that follows up to detach is ignored */
	char *const *args; /* NULL-terminated; without --process */
	const char *cwd;
	struct strvec env;
	struct opt_bool_cli {
		bool set, v;
	} tty;
	const char *user; /* UID[:GID] */
	struct strvec additional_gids;
	struct strvec caps;
	bool no_new_privs;
	const char *apparmor;
	const char *process_label;
	bool detach;
	const char *console_socket;
	const char *pid_file;
	const char *pidfd_socket;
	uint32_t preserve_fds;
	struct strvec cgroups; /* "[ctrl[,ctrl]:]path" */
	bool ignore_paused;
	const char *wait_fifo; /* the program runs once somebody has opened it for reading */
};

int container_exec(struct runtime *rt, const struct exec_options *opts, int *ret_exit_code,
		   struct err *err);

struct kill_options {
	const char *id;
	int signal;
	bool all; /* every process of the cgroup, and success when there is none */
};

int container_kill(struct runtime *rt, const struct kill_options *opts, struct err *err);

/* force: kill what runs; success when the container does not exist, and a directory that an
 * interrupted create left is removed. */
int container_delete(struct runtime *rt, const char *id, bool force, struct err *err);

int container_pause(struct runtime *rt, const char *id, struct err *err);
int container_resume(struct runtime *rt, const char *id, struct err *err);

/* Options of checkpoint and restore: runtime/checkpoint/options.h. */
struct checkpoint_options;
struct restore_options;
int container_checkpoint(struct runtime *rt, const char *id, const struct checkpoint_options *opts,
			 struct err *err);
/* opts->detach false: waits as container_run() does. */
int container_restore(struct runtime *rt, const struct create_options *create,
		      const struct restore_options *opts, int *ret_exit_code, struct err *err);

/*
 * The resources as in the OCI document (struct oci_resources), merged as `runc update` merges. rdt: its
 * l3_cache_schema and mem_bw_schema are written into the container's group of resctrl, which is made
 * when it has none; NULL: nothing. All or nothing.
 */
struct oci_resources;
struct oci_intel_rdt;
int container_update(struct runtime *rt, const char *id, const struct oci_resources *resources,
		     const struct oci_intel_rdt *rdt, struct err *err);
/* The mounts of file, a document like config.json of which its mounts count. All or nothing, for `add`;
 * `remove` takes those of the container's list whose destinations are named. */
int container_add_mounts(struct runtime *rt, const char *id, const char *file, struct err *err);
int container_remove_mounts(struct runtime *rt, const char *id, const char *file, struct err *err);
/* Pids of the container, as the runtime's pid namespace sees them; *ret owned by the caller. */
int container_pids(struct runtime *rt, const char *id, pid_t **ret, size_t *ret_n, struct err *err);
/* One statistics event, or one every interval_ms until the container stops. Writes JSON lines. */
int container_events(struct runtime *rt, const char *id, uint64_t interval_ms, bool once, FILE *out,
		     struct err *err);
