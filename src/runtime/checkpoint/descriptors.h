/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the standard descriptors of a container's init were, as /proc/PID/fd/N names them:
 * "pipe:[123]", "/dev/null", "/dev/pts/0", "socket:[45]". The dump keeps them beside CRIU's images in
 * descriptors.json, a list of three strings as runc and crun write it; the restore replaces each pipe
 * by the descriptor with the same number that it was started with. The others come back by path or,
 * a terminal, by its orphaned master.
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "criu/message.h"

#define DESCRIPTORS_FILE "descriptors.json"
#define DESCRIPTORS_COUNT 3

struct descriptors {
	char *v[DESCRIPTORS_COUNT]; /* owned; never NULL once filled */
};

#define DESCRIPTORS_INIT                                                                           \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

/* Read from the image directory. ERR_CORRUPT when the file is missing ("not an image of a
 * container"), malformed, or has not three strings. */
int descriptors_load(struct descriptors *ret, int images_dir_fd, struct err *err);
/* Write (mode 0600, by rename). */
int descriptors_save(const struct descriptors *descriptors, int images_dir_fd, struct err *err);
/* Take the file away where an earlier checkpoint left one. */
int descriptors_remove(int images_dir_fd, struct err *err);
/* The text of the file, without a newline; the caller owns it. */
char *descriptors_format(const struct descriptors *descriptors);
int descriptors_parse(struct descriptors *ret, const char *text, size_t len, struct err *err);
void descriptors_done(struct descriptors *descriptors);

/* Make each pipe one that criu's own descriptor with that number replaces. */
void descriptors_add_to_restore(const struct descriptors *descriptors, CriuOpts *opts);

DEFINE_AUTO_VAL(descriptors, struct descriptors, descriptors_done)
#define auto_descriptors auto_cleanup(descriptors_cleanup_val)
