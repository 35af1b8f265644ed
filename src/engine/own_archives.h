/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which checkpoints this engine has written itself. Their containers ran here with everything that they ask for, by the word of
 * who may run containers, and so they are no strangers when they come back.
 *
 * Theory of operation. A file is told by what nobody but root can bring about again: device, inode, when it was made and last
 * written, and size. A copy is another file, and so is one that was changed; both are judged like a stranger's.
 */
#pragma once

#include "engine/engine.h"

/* Remember the archive at the path, if it is a regular file; others (pipes, directories) stay strangers. */
int own_archives_add(struct engine *e, const char *path, struct err *err);
/* Whether the open file was remembered, and is still what it was. fd negative: no. */
bool own_archives_have(struct engine *e, int fd);
