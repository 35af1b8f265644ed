/* SPDX-License-Identifier: Apache-2.0 */
/* Lexical path algebra: no system call, no symlink is followed. Results are owned by the caller. */
#pragma once

#include "core/macro.h"

/* Go's path.Clean: single slashes, no "." or "name/..", ".." at the root dropped; "" gives ".". */
char *path_clean(const char *path);
/* Whether a component of it is "..", so that it may lead out of where it begins. */
bool path_has_dotdot(const char *path);
/* a + "/" + b, cleaned; either may be empty. */
char *path_join(const char *a, const char *b);
/* Whether path is dir itself or below it; both cleaned. */
bool path_is_below(const char *path, const char *dir);
/* The part behind the last slash; points into path. */
const char *path_basename(const char *path);
/* The part before the last slash: "/a/b" gives "/a", "/a" gives "/", "a" gives ".". */
char *path_dirname(const char *path);
/* path made absolute against the current directory (or base when not NULL), and cleaned. NULL and
 * errno when the current directory is gone. */
char *path_absolute(const char *path, const char *base);
