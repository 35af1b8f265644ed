/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack of unpacked layers seen as one tree, without mounting it: the lookup rules of overlay
 * (whiteouts, opaque directories) in user space. Layers never change, so they are walked by path.
 */
#pragma once

#include <sys/stat.h>

#include "storage/layer.h"

/* One directory of that tree: where it lies in the layers that contribute to it. */
struct lower_dir {
	struct strvec paths; /* highest first; empty: there is no such directory */
};

/* The root of the layers (lowest first, as layers_load() gives them). */
void lower_dir_root(const struct store *store, const struct layers *layers, struct lower_dir *ret);
void lower_dir_done(struct lower_dir *dir);
/*
 * The entry of this name: 1 and *ret_st, *ret_path (its place in the highest layer that has it; caller
 * owns; may be NULL), 0 when there is none, or -errno. ret_dir (may be NULL): the directory, empty
 * when it is none.
 */
int lower_dir_entry(const struct lower_dir *dir, const char *name, struct stat *ret_st,
		    char **ret_path, struct lower_dir *ret_dir);
/* All names, sorted. Return: 0 or -errno. */
int lower_dir_names(const struct lower_dir *dir, struct strvec *ret);

DEFINE_AUTO_VAL(lower_dir, struct lower_dir, lower_dir_done)
#define auto_lower_dir auto_cleanup(lower_dir_cleanup_val)
