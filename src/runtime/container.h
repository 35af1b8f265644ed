/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One container as the state root holds it: its directory <root>/<id>/, the record in it, and the
 * state machine.
 *
 * The directory (0711) holds:
 *   state.json   the record; written atomically as the last act of `create`, so a directory without
 *                it is a create that did not finish (or never will: then `delete --force` removes it)
 *   status       a symlink to it: whoever waits for a container of crun waits for this name
 *   config.json  the configuration as it was at create; later changes of the bundle have no effect
 *   exec.fifo    there while init waits for `start`
 *   lock         flock'ed by every operation that changes something
 *   notify/      sd_notify socket, where asked for
 *   criu-root/   a mount point during restore only
 *
 *   status    what is true                                     legal operations
 *   creating  no state.json yet                                delete --force
 *   created   init lives, exec.fifo exists                     start kill delete exec update
 *   running   init lives, no exec.fifo                         kill exec pause update checkpoint
 *   paused    as running (or created), cgroup frozen                      resume kill exec(--ignore-paused) checkpoint
 *   stopped   init is gone (or a zombie, or its pid is reused) delete
 *
 * Liveness is pid and start time together (/proc/PID/stat field 22).
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/json_table.h"
#include "runtime/runtime.h"
#include "spec/runtime_spec.h"

enum container_status {
	CONTAINER_CREATING,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_STOPPED,
};

/* state.json. Owned by struct container. */
struct container_record {
	char *version; /* of the format: "1" */
	char *id;
	int pid; /* of init, in the pid namespace of the runtime; 0 while none */
	uint64_t pid_start_time; /* clock ticks since boot */
	char *created; /* RFC 3339 with nanoseconds, UTC */
	char *bundle; /* absolute */
	char *rootfs; /* absolute */
	uint32_t owner; /* uid that created it */
	int cgroup_driver; /* enum runtime_cgroup_driver + 1 */
	struct json_string_map cgroup_paths; /* "" or controller: path on the host */
	struct json_string_map annotations; /* the configuration's, for `state` */
	bool rootless;
	bool has_time_namespace; /* a restore put it into one that the configuration does not name */
	char *external_descriptors; /* what stdio was at create, as text of descriptors.json */
	char *intel_rdt_path; /* group that we created, to be removed */
	struct json_extra extra;
};

struct container {
	const struct runtime *rt; /* borrowed */
	char *id;
	int dir_fd; /* <root>/<id>; owned */
	int lock_fd; /* -EBADF while not locked; owned */
	struct container_record record;
	struct runtime_spec *spec; /* NULL until container_load_spec() */
};

#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		.dir_fd = -EBADF, .lock_fd = -EBADF                                                \
	}

/* [A-Za-z0-9_+.-]+ and neither "." nor ".."; ERR_INVALID otherwise. */
int container_id_check(const char *id, struct err *err);

/*
 * Open an existing container and read its record. ERR_NOT_FOUND: `container 'x' does not exist`.
 * The directory without a record (a create that is under way or died) is ERR_STATE unless
 * `allow_incomplete`, which leaves the record zeroed.
 */
int container_open(struct container *ret, const struct runtime *rt, const char *id,
		   bool allow_incomplete, struct err *err);
/* Take the life-cycle lock (waits up to 30 s; ERR_TIMEOUT) and read the record again. */
int container_lock(struct container *c, struct err *err);
void container_unlock(struct container *c);
/* Fill c->spec from the stored config.json. */
int container_load_spec(struct container *c, struct err *err);
void container_close(struct container *c);

int container_save_record(struct container *c, struct err *err);
/* The same in two steps, for whoever must be quick in the end: nobody sees the record before it is
 * published. Once, for a container that has none yet. */
int container_prepare_record(const struct container *c, struct err *err);
int container_publish_record(const struct container *c, struct err *err);
/* Write c->spec as the stored config.json. */
int container_save_spec(const struct container *c, struct err *err);

struct cgroup;
/* Open the container's cgroup by its recorded paths; the caller closes it. */
int container_open_cgroup(const struct container *c, struct cgroup *ret, struct err *err);

/* What it is now; asks the kernel. */
enum container_status container_status(const struct container *c);
const char *container_status_to_string(enum container_status status);
/* Whether init lives: pid and start time match and it is no zombie. */
bool container_init_is_alive(const struct container *c);
/* ERR_STATE `cannot <verb> container 'x': it is <status>` unless status is among `allowed`, a mask of
 * 1 << enum container_status. */
int container_require(const struct container *c, unsigned int allowed, const char *verb,
		      struct err *err);
/* Note what stdin, stdout and stderr of process pid are, for a later checkpoint. */
void container_record_descriptors(struct container *c, pid_t pid);
/* Signal init through a pidfd, after the check that it is still the same process. 0, or -ESRCH. */
int container_signal_init(const struct container *c, int sig);

/* The document of the `state` and `list` commands, but for the owner's name; to be freed with
 * json_done(&container_state_desc, ret). */
struct container_state;
void container_state_fill(const struct container *c, enum container_status status,
			  struct container_state *ret);

/* Ids in the state root, sorted. A missing root is an empty list. */
int container_list_ids(const struct runtime *rt, struct strvec *ret, struct err *err);

DEFINE_AUTO_VAL(container, struct container, container_close)
#define auto_container auto_cleanup(container_cleanup_val)
