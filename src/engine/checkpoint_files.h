/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a checkpoint, in the container's static directory:
 *
 *	checkpoint/		CRIU's images, complete whenever the directory is there
 *	NAME.new		of the checkpoint in the making: images, devshm, network.status; then what it took the place of
 *	pre-checkpoint/		memory that was written while the container ran (--pre-checkpoint)
 *	checkpoint/pre-checkpoint/	the same, once a checkpoint has been built upon it (checkpoint/parent)
 *	dump.log restore.log	what CRIU said
 *	stats-dump stats-restore	what CRIU measured
 *	devshm/			what was in /dev/shm
 *	network.status		addresses that the container had
 */
#pragma once

#include "engine/container.h"
#include "spec/runtime_spec.h"

#define CHECKPOINT_DIR "checkpoint"
#define CHECKPOINT_NEW ".new"
#define CHECKPOINT_NEW_DIR CHECKPOINT_DIR CHECKPOINT_NEW
#define CHECKPOINT_PRE_DIR "pre-checkpoint"
#define CHECKPOINT_SHM_DIR "devshm"
#define CHECKPOINT_DUMP_LOG "dump.log"
#define CHECKPOINT_RESTORE_LOG "restore.log"
#define CHECKPOINT_NETWORK_STATUS "network.status"

/* Whether there is a complete checkpoint to restore from. */
bool checkpoint_exists(const struct container *c);
/* STATIC/name; the caller owns it. */
char *checkpoint_file(const struct container *c, const char *name);
/* The configuration that the container was started with, with what `update` has changed since. *ret is runtime_spec_done()'s. */
int checkpoint_load_spec(const struct container *c, struct runtime_spec *ret, struct err *err);
/* An empty log for CRIU, which processes of the container write to as well: with their label. */
int checkpoint_make_log(const struct container *c, const char *name, struct err *err);
/*
 * CRIU's processes read the images as root of the host until the ids of the new user namespace are mapped, and then as root of
 * the container: they belong to the one, and to the group of the other.
 */
int checkpoint_share_images(const struct container *c, struct err *err);
/* Write down the addresses that the container has, for the checkpoint in the making. */
int checkpoint_save_network(const struct container *c, struct err *err);
/*
 * Ask for the addresses again that the container had: changes c->config.networks in memory. Nothing when none are written
 * down.
 */
int checkpoint_request_network(struct container *c, bool ignore_ip, bool ignore_mac,
			       struct err *err);
/* Ask for the host ports again that were chosen for the container, those that are free: in memory, too. */
void checkpoint_request_ports(struct container *c);
/* No addresses are asked for any more by the container's record; what is in memory stays. */
int checkpoint_forget_static(const struct container *c, bool ignore_ip, bool ignore_mac,
			     struct err *err);
/* The same, in memory. */
void checkpoint_strip_static(struct container_config *config, bool ignore_ip, bool ignore_mac);
/* Whether there is anything in the container's shared memory. */
bool checkpoint_has_shm(const struct container *c);
/* Copy what is in the container's shared memory, for the checkpoint in the making. */
int checkpoint_save_shm(const struct container *c, struct err *err);
/* And back into one that is mounted. shm_fd: from there; NULL: from the copy. Nothing when there is none. */
int checkpoint_fill_shm(const struct container *c, const int *shm_fd, struct err *err);
/*
 * The same for the checkpoint in its place, which came from an archive and stays for later: of what has just been unpacked, before
 * there are processes; of the addresses and ports that the container got.
 */
int checkpoint_keep_shm(const struct container *c, struct err *err);
int checkpoint_keep_network(struct container *c, struct err *err);
/*
 * Give the pre-checkpoint to the checkpoint that was built upon it, or remove it where that is none. Nothing else may be
 * built upon it afterwards: the kernel has begun to count changes anew, or the processes are others.
 */
int checkpoint_settle_previous(const struct container *c, struct err *err);
/* Remove files and directories by name, those that are there. names ends with NULL. */
void checkpoint_remove(const struct container *c, const char *const *names);

/* Give the checkpoint in the making the place of the one before, or the other way round. On failure nothing is exchanged. */
int checkpoint_exchange(const struct container *c, struct err *err);
/* Remove what is in the making, or what it took the place of. */
void checkpoint_drop_new(const struct container *c);

/*
 * Whether the checkpoint has TCP connections that no restore can let go on: with a user namespace the container's network is
 * connected when the processes are there already, whose sockets then lack their addresses.
 */
bool checkpoint_loses_connections(const struct container *c);

/*
 * For the time in which the processes' end is their dump: whoever finds the container ended then, because we were killed,
 * completes the checkpoint. The mark goes with the run directory.
 */
int checkpoint_mark_ending(const struct container *c, struct err *err);
void checkpoint_unmark_ending(const struct container *c);
/* Complete one that was cut short so; nothing where there is none. The container has ended and is not cleaned up yet. */
int checkpoint_recover(struct container *c, struct err *err);
/* Its status from now on: there is a checkpoint in its place, and it ended by that. */
void checkpoint_note(struct container *c);
void checkpoint_note_end(struct container *c);
