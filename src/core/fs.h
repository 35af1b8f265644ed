/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories of our own on the host. Errors are negative errnos. */
#pragma once

#include <sys/types.h>

#include "core/macro.h"

/* mkdir -p: parents with parent_mode, the last with mode. 0 when it exists already. */
int fs_mkdir_all(int dir_fd, const char *path, mode_t parent_mode, mode_t mode);

enum fs_durability {
	FS_VOLATILE, /* atomic by rename, but not synced: for state that a reboot ends anyway */
	FS_DURABLE, /* file and directory are synced as well */
};

/* Replace dir_fd/name by a file with this content: temporary file in the same directory, rename.
 * On failure nothing has changed. */
int fs_write_atomic(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
		    enum fs_durability durability);
/* Remove dir_fd/name and everything below it. Symlinks are removed, not followed; mount points are
 * not crossed (-EBUSY or -EXDEV). 0 when it does not exist. */
int fs_remove_tree(int dir_fd, const char *name);
/* The paths (dir/NAME) of what is in the directory and whose name has the suffix, in order of name. */
struct strvec;
int fs_list_sorted(const char *dir, const char *suffix, struct strvec *ret);
/* Whether a path exists (also a dangling symlink). */
bool fs_exists(int dir_fd, const char *path);
struct strvec;
/* The names in a directory (dir_fd itself, which may be O_PATH), sorted by their bytes, without "." and "..". */
int fs_list(int dir_fd, struct strvec *ret);
