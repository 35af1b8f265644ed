/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's records in the data base: containers, volumes, secrets. */
#pragma once

#include "core/strvec.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "storage/db.h"

/* The open data base, made when it is missing; the same one every time. */
int record_db(struct engine *e, struct db **ret, struct err *err);

/* db_set_passing() of that data base. */
bool record_set_passing(struct engine *e, bool passing);

/* ERR_EXISTS when id or name is taken. */
int record_add(struct engine *e, const struct container_config *config,
	       const struct container_status *status, struct err *err);
/* ERR_NOT_FOUND when there is no such record. */
int record_load(struct engine *e, const char *id, struct container_config *ret_config,
		struct container_status *ret_status, struct err *err);
int record_save_status(struct engine *e, const char *id, const struct container_status *status,
		       struct err *err);
int record_save_config(struct engine *e, const struct container_config *config, struct err *err);
/* No error when it is gone already. */
int record_remove(struct engine *e, const char *id, struct err *err);
/* The same for one whose network is taken down later (engine/network_later.h): what is to be done stays on record, and is
 * found, listed and forgotten by these. */
int record_remove_but_network(struct engine *e, const char *id, struct err *err);
int record_load_network(struct engine *e, const char *id, struct container_config *ret_config,
			struct container_status *ret_status, struct err *err);
int record_networks_later(struct engine *e, struct strvec *ret, struct err *err);
int record_forget_network(struct engine *e, const char *id, struct err *err);

/*
 * How a container has ended: one that is there, or has been removed in the last five minutes. -ENOENT: neither, or it has
 * not ended.
 */
int record_load_end(struct engine *e, const char *id, int *ret_code, int64_t *ret_finished_ns);

/* The id for a name, an id, or the beginning of one that is unique; the caller owns it. ERR_NOT_FOUND,
 * ERR_INVALID when several begin so. */
int record_find(struct engine *e, const char *name_or_id, char **ret_id, struct err *err);
/* All ids, oldest first. */
int record_ids(struct engine *e, struct strvec *ret, struct err *err);
/* Ids of the containers that depend on this one. */
int record_dependents(struct engine *e, const char *id, struct strvec *ret, struct err *err);
/* Ids of the containers that use this volume. */
int record_volume_users(struct engine *e, const char *volume, struct strvec *ret, struct err *err);

/* Return: 0 or an error that ends it. It may move config and status out. */
typedef int record_callback(void *context, struct container_config *config,
			    struct container_status *status, struct err *err);

/* Every container in one go, oldest first. */
int record_each(struct engine *e, record_callback *each, void *context, struct err *err);
/* The same for who only shows them: of one that is damaged there is a warning. */
int record_each_readable(struct engine *e, record_callback *each, void *context, struct err *err);
/* As that, faster, and in no order: of the configuration only what container_brief_desc names, the rest as if absent. */
int record_each_brief(struct engine *e, record_callback *each, void *context, struct err *err);
