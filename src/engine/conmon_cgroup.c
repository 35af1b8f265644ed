/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/conmon_cgroup.h"

#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/str.h"
#include "engine/facts.h"
#include "kernel/cgroupfs.h"

/* On version 1 only the hierarchy by which sessions are ended counts. */
static const struct cgroupfs_hierarchy *choose(const struct cgroupfs *cgroups)
{
	return cgroupfs_find(cgroups, cgroups->mode == CGROUPFS_V2 ? "" : "name=systemd");
}

static int open_directory(const char *dir, bool unified, struct conmon_cgroup *ret)
{
	/* A thread's own move by `tasks` waits for nobody. */
	auto_free char *file = path_join(dir, unified ? "cgroup.procs" : "tasks");
	int r = fs_mkdir_all(AT_FDCWD, dir, 0755, 0755);

	if (r < 0)
		return r;
	if (unified)
		ret->dir_fd = fd_open_at(AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0);
	ret->procs_fd = fd_open_at(AT_FDCWD, file, O_WRONLY, 0);
	return ret->procs_fd < 0 ? ret->procs_fd : 0;
}

int conmon_cgroup_open(const struct container *c, struct conmon_cgroup *ret, struct err *err)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	const struct cgroupfs_hierarchy *h;
	const char *parent = c->config.cgroup_parent ? c->config.cgroup_parent : "/floe";
	bool split = str_eq(c->config.cgroups, "split");
	auto_free char *own = NULL;
	auto_free char *dir = NULL;
	int r;

	if (!split && (c->engine->cgroup_manager != ENGINE_CGROUPFS ||
		       (c->config.cgroups && !str_eq(c->config.cgroups, "enabled"))))
		return 0;
	r = cgroupfs_open(&cgroups, NULL);
	if (r == 0 && split)
		r = facts_own_cgroup(&cgroups, &own);
	if (r < 0)
		return err_sys(err, r, "look for cgroups");
	h = choose(&cgroups);
	if (!h)
		return 0;
	dir = xasprintf("%s%s/%s", h->mount_point, split ? own : parent,
			split ? "supervisor" : "conmon");
	r = open_directory(dir, h->unified, ret);
	/* Without it the container runs all the same. */
	if (r < 0)
		log_debug("put conmon into '%s': %s", dir, errno_text(r));
	return 0;
}

void conmon_cgroup_close(struct conmon_cgroup *cgroup)
{
	close_fd(&cgroup->dir_fd);
	close_fd(&cgroup->procs_fd);
}

static int enter(void *context)
{
	const int *procs_fd = context;

	(void)!write(*procs_fd, "0", 1);
	return 0;
}

int conmon_cgroup_spawn(const struct conmon_cgroup *cgroup, struct proc *ret,
			struct proc_spawn_opts *opts)
{
	int procs_fd = cgroup->procs_fd;

	if (cgroup->dir_fd >= 0) {
		opts->cgroup_fd = &cgroup->dir_fd;
		if (proc_spawn(ret, opts) == 0)
			return 0;
		/* compat: Linux 5.7; and who is in a cgroup with other owners may not be born in this. */
		opts->cgroup_fd = NULL;
	}
	if (procs_fd >= 0) {
		opts->setup = enter;
		opts->setup_context = &procs_fd;
	}
	return proc_spawn(ret, opts);
}

/* rmdir(2) refuses those with processes. */
static void remove_below(const char *path)
{
	char *copy = xstrdup(path);
	char *const paths[] = { copy, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	while (fts && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_DP)
			(void)rmdir(entry->fts_accpath);
	if (fts)
		(void)fts_close(fts);
	free(copy);
}

void container_cgroup_sweep(const struct container *c)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	const char *path = c->status.cgroup;

	/* A name with the id in it is nobody else's. */
	if (c->engine->cgroup_manager != ENGINE_CGROUPFS || !path || !strstr(path, c->config.id) ||
	    cgroupfs_open(&cgroups, NULL) < 0)
		return;
	for (size_t i = 0; i < cgroups.n; i++) {
		auto_free char *dir = xasprintf("%s/%s", cgroups.v[i].mount_point, path);

		if (fs_exists(AT_FDCWD, dir))
			remove_below(dir);
	}
}
