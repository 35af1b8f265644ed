/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what is on disk is what the records say, and the way back where it is not: after a power cut, a
 * full disk, or somebody's hand in our directories. Looking changes nothing. Repairing takes away what
 * nobody needs, makes again what can be made again, and removes an image or a container that has lost a
 * part only when it is told to (force).
 *
 * Nobody adds content while it looks (the store's content lock); what it finds all the same is looked for a
 * second time a moment later, so that what another command is just doing is no damage.
 */
#pragma once

#include "engine/container.h"
#include "storage/store.h"

struct check;

struct check_kind {
	const char *name; /* what is wrong, behind the object's name */
	/* The way back. ERR_STATE: only by force, and why. NULL: there is none. */
	int (*repair)(struct check *check, const char *id, bool force, struct err *err);
};

struct check_finding {
	const struct check_kind *kind;
	char *what; /* "layer", "volume" ...: what the id is of */
	char *id;
};

struct check {
	struct engine *engine;
	struct store *store;
	bool quick; /* contents are not read */
	struct check_finding *v;
	size_t n;
};

void check_init(struct check *ret, struct engine *e, bool quick);
void check_done(struct check *check);
/* Look at everything. ERR_TIMEOUT when content is being added all the time. */
int check_run(struct check *check, struct err *err);
/* One of the findings. */
int check_repair(struct check *check, const struct check_finding *finding, bool force,
		 struct err *err);

/* For the parts: note a finding. */
void check_add(struct check *check, const struct check_kind *kind, const char *what,
	       const char *id);
/* check_store.c: data base, blobs, layers, images; check_containers.c: containers and what is theirs, volumes,
 * secrets. */
int check_store(struct check *check, struct err *err);
int check_containers(struct check *check, struct err *err);

DEFINE_AUTO_VAL(check, struct check, check_done)
#define auto_check auto_cleanup(check_cleanup_val)
