/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be in a checkpoint archive: podman's, CRI-O's and containerd's members, in one table. Whatever
 * is not in it does not belong there.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/macro.h"

enum archive_member_kind {
	ARCHIVE_MEMBER_NONE = 0,
	/* documents, each at most JSON_TEXT_MAX */
	ARCHIVE_CONFIG, /* config.dump */
	ARCHIVE_SPEC, /* spec.dump */
	ARCHIVE_NETWORK_STATUS, /* network.status */
	ARCHIVE_DELETED_FILES, /* deleted.files */
	ARCHIVE_BIND_MOUNTS, /* bind.mounts, CRI-O */
	ARCHIVE_CRI_STATUS, /* status.dump, containerd */
	ARCHIVE_STATUS, /* status, containerd */
	ARCHIVE_POD_OPTIONS, /* pod.options */
	ARCHIVE_POD_DUMP, /* pod.dump */
	ARCHIVE_STATS, /* stats-dump */
	ARCHIVE_DOCUMENT_MAX_, /* the kinds above are documents */
	/* files */
	ARCHIVE_DUMP_LOG, /* dump.log */
	ARCHIVE_LOG, /* ctr.log, container.log, io.kubernetes.cri-o.LogPath */
	ARCHIVE_CHECKPOINT, /* checkpoint and the images in it */
	ARCHIVE_PRE_CHECKPOINT, /* pre-checkpoint likewise */
	ARCHIVE_ARTIFACT, /* artifacts and what is below */
	/* tars in the tar */
	ARCHIVE_SHM_TAR, /* devshm-checkpoint.tar */
	ARCHIVE_ROOTFS_TAR, /* rootfs-diff.tar */
	ARCHIVE_VOLUME_TAR, /* volumes/NAME.tar, and volumes itself */
	ARCHIVE_MEMBER_KIND_MAX_
};

enum archive_member_type { ARCHIVE_REGULAR, ARCHIVE_DIRECTORY, ARCHIVE_SYMLINK };

struct archive_member {
	char *name; /* clean, relative, without the archive's prefix */
	enum archive_member_kind kind;
	enum archive_member_type type;
	uint64_t size; /* of a regular one */
};

/*
 * The kind of a member of this clean name and type, by the table. *ret_max is the most that its size may be.
 * link: the target of a symlink, else NULL; only checkpoint/parent -> ../pre-checkpoint is one.
 * Return: 0, ERR_INVALID with what is wrong.
 */
int archive_member_classify(const char *name, enum archive_member_type type, const char *link,
			    enum archive_member_kind *ret, uint64_t *ret_max, struct err *err);
/* The file's usual name: "config.dump"; of directories "checkpoint". */
const char *archive_member_kind_to_string(enum archive_member_kind kind);
/* NAME of volumes/NAME.tar, which the caller owns; NULL for anything else. */
char *archive_member_volume(const struct archive_member *member) MUST_CHECK;
