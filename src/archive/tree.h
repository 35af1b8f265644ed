/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of the file system that are to become entries of a tar, collected before anything is
 * written. Collecting reads names and attributes, but no content, so that the exact size of the tar is
 * known at once: the tar of a volume stands inside a checkpoint archive, behind a
 * header that says how long it is.
 *
 * The format is POSIX pax with SCHILY.xattr.*, readable by GNU tar, bsdtar and Go's archive/tar. Names
 * are as given, and so are uid and gid; names of users are left out. Of extended attributes there are
 * user.*, security.capability and POSIX ACLs. Sockets are left out. Of an inode with several names the
 * first is a file, the others are links to it, also across calls. Holes are written as zeroes, without
 * being read.
 *
 * Consistency. An object is opened again when it is written, below the directory that it was collected
 * from, without leaving it and without following a symlink. It must still be the same inode and at
 * least as long as it was; what has been appended meanwhile is left out. Anything else fails the whole
 * archive (ERR_STATE, with the name). Whoever archives something that is being changed takes a snapshot
 * first.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/macro.h"

struct archive_tree;

enum archive_tree_flags {
	/* What is mounted below is left out; its directory is kept, empty. */
	ARCHIVE_TREE_ONE_FS = 1 << 0,
	/*
	 * Owner 0:0 and modes 0600, 0700: for our own files, whatever umask they were made with. Nobody else cuts them
	 * short, so that they may be read as memory.
	 */
	ARCHIVE_TREE_PRIVATE = 1 << 1,
};

struct archive_tree *archive_tree_new(void) MUST_CHECK;
/*
 * The object dir_fd/name (name "": dir_fd itself), as `path` in the tar; not what is below it. dir_fd
 * is borrowed (a duplicate is kept); name may have several components, none of them a symlink. An
 * object that is not there (any more) is left out.
 */
int archive_tree_add(struct archive_tree *tree, int dir_fd, const char *name, const char *path,
		     unsigned int flags, struct err *err);
/*
 * The same with everything below it, sorted by name. A path of "." or "" gives "./" for the object
 * itself and "./NAME" or "NAME" for what is below.
 */
int archive_tree_add_all(struct archive_tree *tree, int dir_fd, const char *name, const char *path,
			 unsigned int flags, struct err *err);
/* Objects so far. */
size_t archive_tree_count(const struct archive_tree *tree);
/* Bytes of the tar with these entries, its end included. */
uint64_t archive_tree_size(const struct archive_tree *tree);
/* NULL is fine. */
void archive_tree_free(struct archive_tree *tree);

DEFINE_AUTO_PTR(archive_tree, struct archive_tree, archive_tree_free)
#define auto_archive_tree auto_cleanup(archive_tree_cleanup_ptr)
