/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/conmon_cgroup.h"

#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/facts.h"
#include "kernel/cgroupfs.h"

/* Every v1 hierarchy that a process is moved in costs milliseconds (the kernel waits for RCU), so only the
 * one by which sessions are ended counts there. */
static bool counts(const struct cgroupfs_hierarchy *h)
{
	return h->unified || str_eq(h->controllers, "name=systemd");
}

int conmon_cgroup_enter(const struct container *c, pid_t pid, struct err *err)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	const char *parent = c->config.cgroup_parent ? c->config.cgroup_parent : "/floe";
	bool split = str_eq(c->config.cgroups, "split");
	auto_free char *own = NULL;
	int r;

	if (!split && (c->engine->cgroup_manager != ENGINE_CGROUPFS ||
		       (c->config.cgroups && !str_eq(c->config.cgroups, "enabled"))))
		return 0;
	r = cgroupfs_open(&cgroups, NULL);
	if (r == 0 && split)
		r = facts_own_cgroup(&cgroups, &own);
	if (r < 0)
		return err_sys(err, r, "look for cgroups");
	for (size_t i = 0; i < cgroups.n; i++) {
		auto_free char *dir = NULL;
		auto_free char *file = NULL;
		auto_free char *text = xasprintf("%d", (int)pid);

		if (!counts(&cgroups.v[i]) || (cgroups.v[i].unified && cgroups.mode != CGROUPFS_V2))
			continue;
		dir = xasprintf("%s%s/%s", cgroups.v[i].mount_point, split ? own : parent,
				split ? "supervisor" : "conmon");
		file = path_join(dir, "cgroup.procs");
		r = fs_mkdir_all(AT_FDCWD, dir, 0755, 0755);
		if (r == 0)
			r = io_write_file_at(AT_FDCWD, file, text);
		/* Without it the container runs all the same. */
		if (r < 0)
			log_debug("move conmon to '%s': %s", dir, errno_text(r));
	}
	return 0;
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
