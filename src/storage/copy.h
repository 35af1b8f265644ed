/* SPDX-License-Identifier: Apache-2.0 */
/* Full copies of trees, for vfs: by reflink where the file system has them (ioctl_ficlone(2)). */
#pragma once

#include "storage/lower.h"

/* The tree of the layers, into the directory dest, which is empty. */
int copy_lower_tree(const struct lower_dir *root, const char *dest, struct err *err);
/* Write it to disk: its file system's data, for a record is to say that it is whole. */
int copy_sync(const char *dest, struct err *err);
