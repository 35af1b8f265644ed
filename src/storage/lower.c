/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/lower.h"

#include <fcntl.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/str.h"
#include "storage/whiteout.h"

void lower_dir_root(const struct store *store, const struct layers *layers, struct lower_dir *ret)
{
	*ret = (struct lower_dir){ 0 };
	for (size_t i = layers->n; i-- > 0;) {
		char *path = layer_diff_path(store, layers->v[i].chain_id);
		bool opaque = whiteout_is_opaque(path);

		strvec_add_take(&ret->paths, path);
		if (opaque)
			break;
	}
}

void lower_dir_done(struct lower_dir *dir)
{
	strvec_done(&dir->paths);
}

int lower_dir_entry(const struct lower_dir *dir, const char *name, struct stat *ret_st,
		    char **ret_path, struct lower_dir *ret_dir)
{
	struct lower_dir below = { 0 };
	bool found = false;

	for (size_t i = 0; i < dir->paths.n; i++) {
		auto_free char *path = xasprintf("%s/%s", dir->paths.v[i], name);
		struct stat st;
		bool last;

		if (lstat(path, &st) < 0) {
			if (errno == ENOENT || errno == ENOTDIR)
				continue;
			lower_dir_done(&below);
			return -errno;
		}
		/* A directory goes on below, anything else ends the search. */
		if (whiteout_is(&st) || (found && !S_ISDIR(st.st_mode)))
			break;
		last = !S_ISDIR(st.st_mode) || whiteout_is_opaque(path);
		if (!found) {
			*ret_st = st;
			if (ret_path)
				*ret_path = xstrdup(path);
			found = true;
		}
		if (S_ISDIR(st.st_mode))
			strvec_add_take(&below.paths, take_ptr(path));
		if (last)
			break;
	}
	if (ret_dir && found)
		*ret_dir = below;
	else
		lower_dir_done(&below);
	return found;
}

int lower_dir_names(const struct lower_dir *dir, struct strvec *ret)
{
	auto_strvec struct strvec all = STRVEC_INIT;

	for (size_t i = 0; i < dir->paths.n; i++) {
		int r = fs_list(AT_FDCWD, dir->paths.v[i], &all);

		if (r < 0)
			return r;
	}
	strvec_sort(&all);
	for (size_t i = 0; i < all.n; i++) {
		auto_free char *path = NULL;
		struct stat st;

		if (i > 0 && str_eq(all.v[i], all.v[i - 1]))
			continue;
		if (lower_dir_entry(dir, all.v[i], &st, &path, NULL) > 0)
			strvec_add(ret, all.v[i]);
	}
	return 0;
}
