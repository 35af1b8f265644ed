/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/subgroup.h"

#include <string.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/path.h"
#include "core/strvec.h"
#include "kernel/cgroupfs.h"

static int move_node(struct cgroup_node *node, const char *sub, const char *text, struct err *err)
{
	auto_free char *path = path_join(node->path, sub);

	/* path_join() has resolved "..": what is left must still be below. */
	if (!path_is_below(path, node->path))
		return err_set(err, ERR_USAGE, "--cgroup '%s' leads out of the container's cgroup",
			       text);
	replace_ptr(node->path, take_ptr(path));
	close_fd(&node->dir_fd);
	return 0;
}

static bool is_named(const struct cgroup_node *node, const struct strvec *controllers)
{
	auto_strvec struct strvec own = STRVEC_INIT;

	strvec_split(&own, node->controllers, ',', true);
	for (size_t i = 0; i < own.n; i++)
		if (strvec_contains(controllers, own.v[i]))
			return true;
	return false;
}

int cgroup_select_subgroup(struct cgroup *cg, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	auto_strvec struct strvec controllers = STRVEC_INIT;
	auto_free char *list = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	size_t n_moved = 0;

	if (list)
		strvec_split(&controllers, list, ',', false);
	for (size_t i = 0; i < cg->n_nodes; i++) {
		int r;

		if (list && !cg->is_v2 && !is_named(&cg->node[i], &controllers))
			continue;
		r = move_node(&cg->node[i], colon ? colon + 1 : text, text, err);
		if (r < 0)
			return r;
		n_moved++;
	}
	if (n_moved == 0)
		return err_set(err, ERR_USAGE, "--cgroup '%s': the container has no cgroup of '%s'",
			       text, list ? list : "");
	return 0;
}

static bool passes_controllers_down(const struct cgroup_node *node)
{
	auto_free char *file = path_join(node->path, "cgroup.subtree_control");
	auto_free char *line = io_read_line_at(AT_FDCWD, file);

	return line && *line;
}

int cgroup_follow_process(struct cgroup *cg, pid_t pid, struct err *err)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups cgroups = PROCFS_CGROUPS_INIT;
	auto_free char *own = NULL;
	struct cgroupfs_hierarchy *h;
	struct cgroup_node *node;
	int r;

	if (!cg->is_v2 || cg->n_nodes != 1 || !passes_controllers_down(&cg->node[0]))
		return 0;
	node = &cg->node[0];
	r = cgroupfs_open(&fs, NULL);
	if (r == 0)
		r = procfs_open(&proc, NULL);
	if (r == 0)
		r = procfs_read_cgroups(&proc, pid, &cgroups);
	if (r < 0)
		return err_sys(err, r, "find the cgroup of the container's init");
	h = cgroupfs_find(&fs, "");
	own = h ? cgroupfs_own_path(&fs, h, &cgroups) : NULL;
	if (!own)
		return 0;
	replace_ptr(node->path, path_join(h->mount_point, own));
	close_fd(&node->dir_fd);
	return 0;
}
