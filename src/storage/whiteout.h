/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a layer hides what is below it. In an archive (image-spec, layer.md): an empty file .wh.NAME, or .wh..wh..opq for all that
 * its directory has. In a directory (kernel documentation, filesystems/overlayfs): a character device 0/0 of that name, or
 * the attribute trusted.overlay.opaque of the directory.
 */
#pragma once

#include <sys/stat.h>

#include "core/err.h"

#define WHITEOUT_PREFIX ".wh."

bool whiteout_is(const struct stat *st);
/* Whether the directory at path hides what is below. */
bool whiteout_is_opaque(const char *path);
/* Return: 0 or -errno. The descriptor may be one of O_PATH. */
int whiteout_set_opaque(int dir_fd);

/* For the entry `name` of an archive, which begins with the prefix and belongs in dir_fd (O_PATH); path is for errors. */

/* What overlay has in its place. What the same layer has there itself stays. */
int whiteout_unpack(int dir_fd, const char *name, const char *path, struct err *err);
/* Remove what it names, or, if it is an opaque one, all that the directory has. */
int whiteout_apply(int dir_fd, const char *name, const char *path, struct err *err);
