/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an archive goes: a descriptor, a file that gets its name when it is whole, or a directory. Used by
 * archive/writer.c, whose header tells what targets there are.
 */
#pragma once

#include <sys/stat.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/macro.h"
#include "core/strvec.h"

struct output {
	char *name; /* for errors */
	int fd; /* what is written to; or the directory */
	bool is_dir;
	bool borrowed; /* fd is not ours */
	/* of a file of ours */
	int parent_fd; /* negative: nothing gets a name */
	char *final_name; /* in the parent */
	char *temporary; /* its name so far; NULL: it has none (O_TMPFILE) */
	/* of a directory */
	bool made; /* it did not exist */
	struct strvec entries; /* what is in it, parents first */
	bool committed;
};

#define OUTPUT_INIT                                                                                \
	{                                                                                          \
		.fd = -EBADF, .parent_fd = -EBADF                                                  \
	}

/* output is OUTPUT_INIT. */
int output_open(struct output *output, const char *target, struct err *err);
/* The same for the path of a file, whatever it looks like, with this mode less the umask. */
int output_open_file(struct output *output, const char *path, mode_t mode, struct err *err);
/* Sync (when `sync`) and give the name. */
int output_commit(struct output *output, bool sync, struct err *err);
/* Take back what was committed: the file loses its name. What is no file or directory of ours stays. */
void output_withdraw(struct output *output);
/* Removes what was not committed. */
void output_close(struct output *output);

/* In a directory: a new file, mode 0600, with the directories above it: a descriptor. */
int output_create(struct output *output, const char *path, struct err *err);
/* A directory (link NULL) or a symlink. */
int output_make(struct output *output, const char *path, const char *link, struct err *err);

DEFINE_AUTO_VAL(output, struct output, output_close)
#define auto_output auto_cleanup(output_cleanup_val)
