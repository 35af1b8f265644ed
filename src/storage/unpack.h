/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacking of archives that strangers made.
 *
 * Every path is resolved inside the destination as by a process that is chrooted there
 * (core/rooted.h); ".." in a name is refused. An entry replaces what has its name; a directory over a
 * directory keeps its content. Whiteouts become overlay's own, when asked for. Of extended attributes
 * only user.*, security.capability and POSIX ACLs are taken: overlay's would redirect lookups.
 */
#pragma once

#include "core/rooted.h"
#include "kernel/idmap.h"
#include "storage/tar_reader.h"

#define UNPACK_ENTRIES_MAX ((uint64_t)8 << 20)
#define UNPACK_BYTES_MAX ((uint64_t)1 << 40)
#define UNPACK_DEPTH_MAX 1024

struct unpack_options {
	bool whiteouts; /* layer archive: .wh.* in overlay's form */
	bool apply_whiteouts; /* layer archive: .wh.* remove what they name in the destination */
	const struct strvec *lowers; /* directories, highest first, whose directories give their
				      * attributes to those that the archive does not name; or NULL */
	bool no_devices; /* ERR_INVALID for one */
	bool sparse; /* runs of zeroes in files become holes */
	bool owner; /* chown as the archive says */
	/* The archive's owners are ids inside of these, and root is mounted with them; NULL or empty: as they are. */
	const struct idmap *uids;
	const struct idmap *gids;
	uint64_t max_bytes; /* 0: UNPACK_BYTES_MAX */
	uint64_t max_entries; /* 0: UNPACK_ENTRIES_MAX */
	/* Leave an existing directory from being replaced by something else, and the reverse. */
	bool no_replace_dir;
	/* Directories that exist keep their owner, mode and times. */
	bool keep_existing_dirs;
	/* Rename the first component: entries are put below `rename_to` instead of `rename_from` (cp). */
	const char *rename_from;
	const char *rename_to;
	uid_t force_uid; /* with force_owner */
	gid_t force_gid;
	bool force_owner;
};

struct unpack_result {
	uint64_t n_entries;
	uint64_t bytes; /* of regular files */
};

/* All entries of reader into root. ERR_INVALID for hostile content, ERR_CORRUPT for a damaged one. */
int unpack(struct tar_reader *reader, const struct rooted *root,
	   const struct unpack_options *options, struct unpack_result *ret, struct err *err);
