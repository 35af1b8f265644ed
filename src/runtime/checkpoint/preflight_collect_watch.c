/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_collect.h"

#include "core/alloc.h"
#include "kernel/procfs_fdinfo.h"
#include "runtime/checkpoint/watch_search.h"

static void look_for(const struct preflight_collector *k, const struct procfs_watch *w,
		     struct preflight_watch *ret)
{
	struct watch_view view = {
		.root = &k->roots[0],
		.mounts = &k->s->mount_namespaces[0].mounts,
		.scan_paths = &k->s->options.scan_paths,
	};

	ret->is_lost = watch_search(&view, w, &ret->fs_type, &ret->path) == WATCH_LOST;
}

void preflight_collect_watches(struct preflight_collector *k, struct preflight_file *file,
			       const struct procfs_fdinfo *info)
{
	for (size_t i = 0; k->n_roots && i < info->n_watches; i++) {
		const struct procfs_watch *w = &info->watches[i];
		struct preflight_watch found = { 0 };
		size_t ns;

		if (w->of_file_system)
			continue;
		if (w->of_mount)
			found.is_lost = !preflight_find_mount(k->s, w->mnt_id, &ns);
		else
			look_for(k, w, &found);
		if (found.is_lost)
			*array_push(file->watches, file->n_watches) = found;
		else
			free(found.path);
	}
}
