/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories of our own on the host. Errors are negative errnos. */
#pragma once

#include <sys/types.h>

#include "core/macro.h"

struct stat;
struct strvec;

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
/* The same, not synced, for a path that a user has named: what is there and is no regular file (a device, a pipe) is written to
 * and stays, and so does a link, of which /dev/stdout is one: what it leads to is written to, or made. */
int fs_write_output(const char *path, const void *data, size_t len, mode_t mode);
/* Take back such an output: only a regular file is removed. */
void fs_remove_output(const char *path);

/* Remove dir_fd/name and everything below it. Symlinks are removed, not followed; mount points are
 * not crossed (-EBUSY or -EXDEV). 0 when it does not exist. */
int fs_remove_tree(int dir_fd, const char *name);
/* Whether a path exists (also a dangling symlink). */
bool fs_exists(int dir_fd, const char *path);
/* Whether both are of the same file, under whatever names; also of a namespace's. */
bool fs_is_same_file(const struct stat *a, const struct stat *b);
/* The names in a directory, all of them or an error, sorted by their bytes, without "." and ".."; "." for dir_fd itself,
 * which may be O_PATH. */
int fs_list(int dir_fd, const char *path, struct strvec *ret);
/* The paths (dir/NAME) of those that have the suffix, appended in order of name. */
int fs_list_paths(const char *dir, const char *suffix, struct strvec *ret);
