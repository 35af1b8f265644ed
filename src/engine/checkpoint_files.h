/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a checkpoint, in the container's static directory:
 *
 *	checkpoint/		CRIU's images, complete whenever the directory is there
 *	checkpoint.new/		images in the making
 *	pre-checkpoint/		memory that was written while the container ran (--pre-checkpoint)
 *	dump.log restore.log	what CRIU said
 *	stats-dump stats-restore	what CRIU measured
 *	devshm/			what was in /dev/shm
 *	network.status		addresses that the container had
 */
#pragma once

#include "engine/container.h"

#define CHECKPOINT_DIR "checkpoint"
#define CHECKPOINT_NEW_DIR "checkpoint.new"
#define CHECKPOINT_PRE_DIR "pre-checkpoint"
#define CHECKPOINT_SHM_DIR "devshm"
#define CHECKPOINT_DUMP_LOG "dump.log"
#define CHECKPOINT_RESTORE_LOG "restore.log"
#define CHECKPOINT_NETWORK_STATUS "network.status"

/* Whether there is a complete checkpoint to restore from. */
bool checkpoint_exists(const struct container *c);
/* STATIC/name; the caller owns it. */
char *checkpoint_file(const struct container *c, const char *name);
/* An empty log for CRIU, which processes of the container write to as well: with their label. */
int checkpoint_make_log(const struct container *c, const char *name, struct err *err);
/* Write down the addresses that the container has. */
int checkpoint_save_network(const struct container *c, struct err *err);
/*
 * Ask for the addresses again that the container had: changes c->config.networks in memory. Nothing when none are written
 * down.
 */
int checkpoint_request_network(struct container *c, bool ignore_ip, bool ignore_mac,
			       struct err *err);
/* Whether there is anything in the container's shared memory. */
bool checkpoint_has_shm(const struct container *c);
/* Copy what is in the container's shared memory; what an earlier checkpoint had of it goes. */
int checkpoint_save_shm(const struct container *c, struct err *err);
/* And back into one that is mounted. Nothing when there is none. */
int checkpoint_fill_shm(const struct container *c, struct err *err);
/* Remove files and directories by name, those that are there. names ends with NULL. */
void checkpoint_remove(const struct container *c, const char *const *names);
