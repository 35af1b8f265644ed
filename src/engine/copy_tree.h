/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "core/macro.h"

/*
 * Copy what is below the directory from_fd into the directory to_fd (both may be O_PATH): files, links,
 * hard links among them, devices, with owner, mode, times and extended attributes; by reflink where the file system
 * has them. Symlinks are copied, never followed. Return: 0 or a negative errno.
 */
int copy_tree(int from_fd, int to_fd);
/* The same with the directory itself: its owner, mode, times and extended attributes. */
int copy_tree_whole(int from_fd, int to_fd);
/* The content of a file from where both are, at most `limit` bytes. Return: 0 or a negative errno. */
int copy_content(int from_fd, int to_fd, uint64_t limit);
