/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling a snapshot from a running container, without disturbing it.
 *
 * Nothing is stopped, so everything may change and go away while it is looked at. A process is looked
 * at through its directory in procfs, held open (kernel/procfs_task.h): what is read later belongs to
 * the same process or is an error that says "gone", which only ends the looking at it. Descriptors
 * and mappings that disappear in between are passed over.
 */
#pragma once

#include "core/err.h"
#include "core/rooted.h"
#include "kernel/procfs_task.h"
#include "runtime/checkpoint/options.h"
#include "runtime/checkpoint/preflight_snapshot.h"
#include "runtime/container.h"

/* Everything. *ret is the caller's, also after a failure. */
int preflight_collect(struct preflight_snapshot *ret, const struct container *c,
		      const struct checkpoint_options *opts, struct err *err);

/* The parts, which share this while they work. */

/* Where a text was seen before: text to number. */
struct preflight_index {
	struct preflight_index_slot {
		char *key; /* owned */
		size_t value;
	} * slots;
	size_t n_slots; /* a power of two */
	size_t n;
};

/* A thread that was in state D: it is stuck if it is still in the same wait later. */
struct preflight_suspect {
	size_t process;
	int thread;
	uint64_t switches; /* of its context, by then */
};

struct preflight_collector {
	struct preflight_snapshot *s;
	const struct container *c;
	struct procfs proc;
	struct preflight_index files; /* what a file is: index of snapshot->files */
	struct preflight_index mappings; /* the same, as the maps of processes show it */
	struct rooted *roots; /* of snapshot->mount_namespaces, in the same order */
	size_t n_roots;
	unsigned int shm_major; /* of the kernel's mount for shared memory */
	unsigned int shm_minor;
	struct preflight_suspect *suspects;
	size_t n_suspects;
	uint64_t suspects_since_ns; /* monotonic; when the first was seen */
};

/* The value of the key, or NULL; and with a new value for a key that is not there. */
const size_t *preflight_index_find(const struct preflight_index *index, const char *key);
void preflight_index_add(struct preflight_index *index, const char *key, size_t value);
void preflight_index_done(struct preflight_index *index);

/* preflight_collect_process.c: init, its descendants, and what else is in the cgroup. */
int preflight_collect_processes(struct preflight_collector *k, struct cgroup *cg, struct err *err);
/* Ask again, after a tenth of a second, about processes that could not be stopped. */
void preflight_collect_stuck(struct preflight_collector *k);

/* preflight_collect_files.c: descriptors, mappings, program and directories of one process. */
void preflight_collect_files(struct preflight_collector *k, const struct procfs_task *task,
			     size_t process);
/* The kernel's device number for shared memory. */
void preflight_collect_shm_device(struct preflight_collector *k);

/* preflight_collect_watch.c: whether CRIU will find what an inotify or fanotify descriptor watches. */
struct procfs_fdinfo;
void preflight_collect_watches(struct preflight_collector *k, struct preflight_file *file,
			       const struct procfs_fdinfo *info);

/* preflight_collect_sockets.c */
void preflight_collect_sockets(struct preflight_collector *k);

/* preflight_collect_host.c: mounts' contents, programs, features, space. */
void preflight_collect_mount_states(struct preflight_collector *k);
int preflight_collect_host(struct preflight_collector *k, struct cgroup *cg,
			   const struct checkpoint_options *opts, struct err *err);

/* Note what could not be looked at; takes the text over. */
void preflight_unseen(struct preflight_collector *k, char *text);
/* The mount namespace of a process; its mounts are read when it is new. NULL: unreadable. The pointer
 * is good until the next call. */
const struct preflight_mounts *preflight_collect_mounts(struct preflight_collector *k,
							const struct procfs_task *task,
							uint64_t ns);
/* In any of the container's mount namespaces; NULL: in none. */
const struct mountinfo_entry *preflight_find_mount(const struct preflight_snapshot *s, int id,
						   size_t *ret_namespace);
