/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named volumes: a directory below VOLUMEPATH each, with a record. A volume that nobody has used yet takes
 * over what the image has at the place where it is mounted (copy-up), and the owner of that directory.
 */
#pragma once

#include "core/rooted.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/specgen.h"

struct volume {
	char *name;
	char *mountpoint;
	int64_t created_ns;
	char *driver; /* local */
	struct json_string_map labels;
	struct json_string_map options; /* type device o */
	bool anonymous;
	bool needs_copy_up;
	bool needs_chown;
	uint32_t uid;
	uint32_t gid;
	/* While needs_chown: what the last first user got. Somebody has chosen otherwise when the directory is not so any more. */
	uint32_t given_uid;
	uint32_t given_gid;
	uint32_t given_mode; /* 0: there was no user yet */
	uint32_t mount_count; /* by `volume mount` */
	char **holders; /* ids of the containers for which it is mounted */
	size_t n_holders;
};

struct volumes {
	struct volume *v;
	size_t n;
};

void volume_done(struct volume *volume);
void volumes_done(struct volumes *volumes);
DEFINE_AUTO_VAL(volume, struct volume, volume_done)
DEFINE_AUTO_VAL(volumes, struct volumes, volumes_done)
#define auto_volume auto_cleanup(volume_cleanup_val)
#define auto_volumes auto_cleanup(volumes_cleanup_val)

struct volume_options {
	const char *name; /* NULL: 64 random hex digits */
	struct json_string_map labels; /* borrowed */
	struct json_string_map options;
	bool anonymous;
	bool ignore; /* no error when it exists */
	struct opt_u32 uid;
	struct opt_u32 gid;
};

/* ERR_EXISTS, ERR_INVALID. ret_name: owned by the caller; NULL: not wanted. */
int volume_create(struct engine *e, const struct volume_options *options, char **ret_name,
		  struct err *err);
/* By name, or the beginning of one that is unique. ERR_NOT_FOUND. */
int volume_load(struct engine *e, const char *name, struct volume *ret, struct err *err);
/* A record for a directory that is there already, VOLUMEPATH/NAME/_data, as it is. */
int volume_adopt(struct engine *e, const char *name, struct err *err);
/* Its directory, empty, where that is gone. */
int volume_remake(struct engine *e, const char *name, struct err *err);
int volume_list(struct engine *e, struct volumes *ret, struct err *err);
/* ERR_STATE while a container uses it. */
int volume_remove(struct engine *e, const char *name, struct err *err);
/*
 * Where a subpath of a volume or image is, owned by the caller: "..", and symlinks that a container has made in it, stay
 * within, so that nobody gets the host's files by them. ERR_SYSTEM when there is nothing.
 */
int volume_subpath(const char *dir, const char *subpath, char **ret_path, struct err *err);
/*
 * The directory to bind for a container's mount, owned by the caller: made when it is missing, filled
 * and given to the user as the first use wants it. root: the container's.
 */
int volume_mount_for(struct engine *e, const struct container_mount *mount,
		     const struct rooted *root, const struct spec_user *user, char **ret_path,
		     struct err *err);
/* What is in it is all that it is to have, and it has its owner: its first use adds nothing. */
int volume_note_filled(struct engine *e, const char *name, struct err *err);
/* Its record, changed; who changes one holds the lock: a descriptor to close. */
int volume_save(struct engine *e, const struct volume *v, struct err *err);
int volume_lock(struct engine *e, const char *name, struct err *err);
/* Its directory, made when it is missing. */
int volume_make_directory(const struct volume *v, struct err *err);
/* Change the owner of a tree on the host, links not followed. -1 and errno. */
int volume_chown_tree(const char *path, uint32_t uid, uint32_t gid);
