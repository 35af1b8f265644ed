/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One container in the hands of one process.
 *
 * Whoever changes a container holds its lock (flock on TMPDIR/locks/ID) and has read its record since; a
 * reader needs no lock. Nothing is kept that could be wrong after a crash: what the record says is
 * compared with the boot, the exit file and the processes whenever it is read (container_sync), and what
 * an earlier attempt has left behind is removed before the next one (container_scrub in cleanup.h).
 */
#pragma once

#include "engine/config.h"
#include "engine/engine.h"

struct container {
	struct engine *engine; /* borrowed */
	struct container_config config;
	struct container_status status;
	char *static_dir;
	char *run_dir;
	char *runtime; /* path of its OCI runtime, once it was looked for: container_find_runtime() */
	int lock_fd; /* -EBADF while not locked */
	bool dirty; /* the status in memory is newer than the record */
};

/*
 * File in run_dir that is there from before conmon is started until the runtime has answered; with the name of the
 * scope, once systemd is asked to make one for conmon. Left behind, it tells container_scrub() of processes at work.
 */
#define CONTAINER_CREATION_MARKER "creating"

#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		.lock_fd = -EBADF                                                                  \
	}

/* By name, id or beginning of an id. ERR_NOT_FOUND. */
int container_open(struct container *ret, struct engine *e, const char *name, struct err *err);
/* By full id. */
int container_open_id(struct container *ret, struct engine *e, const char *id, struct err *err);
/* The same, and locked. timeout_ms: -1 waits for ever, 0 fails at once (ERR_TIMEOUT). */
int container_open_locked(struct container *ret, struct engine *e, const char *name,
			  struct err *err);
/* One whose record cannot be read, locked: nothing but its id is known, for container_remove(). */
int container_open_damaged(struct container *ret, struct engine *e, const char *name,
			   struct err *err);
/* From a configuration and status that are taken over. */
void container_from(struct container *ret, struct engine *e, struct container_config *config,
		    struct container_status *status);
void container_close(struct container *c);
DEFINE_AUTO_VAL(container, struct container, container_close)
#define auto_container auto_cleanup(container_cleanup_val)

/* Lock and read the record again. ERR_NOT_FOUND when it has been removed meanwhile. */
int container_lock(struct container *c, struct err *err);
/* The same without waiting; false: somebody else is at work on it, or it is gone. */
bool container_try_lock(struct container *c);
void container_unlock(struct container *c);
/* Whether somebody is at work on the container of this id just now. */
bool container_is_locked(const struct engine *e, const char *id);
/* Read the record again. */
int container_reload(struct container *c, struct err *err);
/* Write the status. */
int container_save(struct container *c, struct err *err);

/* Its processes and exec sessions are no more. */
void container_forget_processes(struct container *c);
/* Bring the status up to what is the case now: reboot, exit file, vanished processes. Sets dirty. */
void container_sync(struct container *c);
/* The same of a record that was just read: one whose stop was given up half-way runs. */
void container_sync_loaded(struct container *c);

/* --- the state machine ---------------------------------------------------------------------------- */

enum container_event {
	EVENT_INIT, /* the runtime has created it */
	EVENT_RESTORE, /* the runtime has let it go on from a checkpoint */
	EVENT_START,
	EVENT_PAUSE,
	EVENT_UNPAUSE,
	EVENT_STOP, /* somebody waits for its end */
	EVENT_EXIT, /* its process has ended */
	EVENT_CLEANUP, /* nothing of it is left in runtime, mounts, network */
	EVENT_REMOVE,
	EVENT_REBOOT,
	EVENT_MAX_
};

/* The phase that follows, 0 when the event cannot happen in this one. */
enum container_phase container_next_phase(enum container_phase phase, enum container_event event);
/* ERR_STATE with a sentence when it cannot. */
int container_advance(struct container *c, enum container_event event, struct err *err);

bool container_is_alive(const struct container *c); /* running, paused or stopping */
bool container_has_ended(const struct container *c); /* `exited` to users, cleaned up or not */
/* This boot's id; a static string. */
const char *container_boot_id(void);
const char *container_short_id(const char *id, char ret[static 13]);
