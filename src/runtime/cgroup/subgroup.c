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
		return err_set(
			err, ERR_USAGE,
			"--cgroup '%s': bad sub cgroup path: %s is not a sub cgroup path of the "
			"container's cgroup",
			text, sub);
	replace_ptr(node->path, take_ptr(path));
	close_fd(&node->dir_fd);
	return 0;
}

static bool has_controller(const struct cgroup_node *node, const char *name)
{
	auto_strvec struct strvec own = STRVEC_INIT;

	strvec_split(&own, node->controllers, ',', true);
	return strvec_contains(&own, name);
}

static int move_controller(struct cgroup *cg, const char *name, const char *sub, const char *text,
			   struct err *err)
{
	for (size_t i = 0; i < cg->n_nodes; i++)
		if (has_controller(&cg->node[i], name))
			return move_node(&cg->node[i], sub, text, err);
	return err_set(err, ERR_USAGE,
		       "--cgroup '%s': unknown controller '%s': the container has no cgroup of it",
		       text, name);
}

/* Controllers that are mounted together have one node, which moves once. */
static bool is_moved_already(struct cgroup *cg, const struct strvec *names, size_t n)
{
	for (size_t i = 0; i < cg->n_nodes; i++) {
		if (!has_controller(&cg->node[i], names->v[n]))
			continue;
		for (size_t j = 0; j < n; j++)
			if (has_controller(&cg->node[i], names->v[j]))
				return true;
	}
	return false;
}

int cgroup_select_subgroup(struct cgroup *cg, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	const char *sub = colon ? colon + 1 : text;
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *list = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	int r = 0;

	if (cg->n_nodes == 0)
		return err_set(err, ERR_USAGE, "--cgroup '%s': the container has no cgroup", text);
	if (list && !cg->is_v2)
		strvec_split(&names, list, ',', false);
	if (list && !cg->is_v2 && names.n == 0)
		return err_set(err, ERR_USAGE, "--cgroup '%s': unknown controller ''", text);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (!is_moved_already(cg, &names, i))
			r = move_controller(cg, names.v[i], sub, text, err);
	for (size_t i = 0; r == 0 && !(list && !cg->is_v2) && i < cg->n_nodes; i++)
		r = move_node(&cg->node[i], sub, text, err);
	return r;
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
