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
#include "systemd/scope.h"

#define SCOPE_PREFIX "floe-conmon-"

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

/* The one that the container's conmon is in, where that is of our making; the caller owns it. */
static char *path_of_container(const struct container *c, const struct cgroupfs *cgroups)
{
	auto_free char *path = NULL;
	const char *name;

	if (c->status.conmon_pid <= 0 || facts_cgroup_of(cgroups, c->status.conmon_pid, &path) < 0)
		return NULL;
	name = path_basename(path);
	return str_has_prefix(name, SCOPE_PREFIX) || str_eq(name, SPLIT_MONITORS) ? take_ptr(path) :
										    NULL;
}

/*
 * Version 2 gives controllers to those below a cgroup only while no process is in it: we go, too. Where others stay the
 * runtime will say what it cannot have.
 */
static void leave_split(const char *own, const struct cgroupfs_hierarchy *h)
{
	auto_free char *dir = xasprintf("%s%s/" SPLIT_SELF, h->mount_point, own);
	auto_conmon_cgroup struct conmon_cgroup place = CONMON_CGROUP_INIT;
	int r = open_directory(dir, true, &place);

	if (r == 0 && write(place.procs_fd, "0", 1) < 0)
		r = -errno;
	if (r < 0)
		log_debug("enter '%s': %s", dir, errno_text(r));
}

/* Below the mount point of the hierarchy; NULL: in none that we make. */
static char *choose_path(const struct container *c, const struct cgroupfs *cgroups,
			 const struct cgroupfs_hierarchy *h, struct conmon_cgroup *ret)
{
	const char *parent = c->config.cgroup_parent;
	auto_free char *own = NULL;

	if (str_eq(c->config.cgroups, "split")) {
		if (facts_split_cgroup(cgroups, &own) < 0)
			return NULL;
		if (cgroups->mode == CGROUPFS_V2)
			leave_split(own, h);
		return xasprintf("%s/" SPLIT_MONITORS, own);
	}
	if (c->engine->cgroup_manager == ENGINE_CGROUPFS)
		return xasprintf("%s/conmon", parent ? parent : "/floe");
	ret->slice = xstrdup(parent ? path_basename(parent) : "machine.slice");
	ret->id = xstrdup(c->config.id);
	return NULL;
}

int conmon_cgroup_open(const struct container *c, bool for_exec, struct conmon_cgroup *ret,
		       struct err *err)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	const struct cgroupfs_hierarchy *h;
	auto_free char *path = NULL;
	auto_free char *dir = NULL;
	int r;

	if (str_eq(c->config.cgroups, "disabled") || str_eq(c->config.cgroups, "no-conmon"))
		return 0;
	r = cgroupfs_open(&cgroups, NULL);
	if (r < 0)
		return err_sys(err, r, "look for cgroups");
	h = choose(&cgroups);
	if (h && for_exec)
		path = path_of_container(c, &cgroups);
	if (h && !path)
		path = choose_path(c, &cgroups, h, ret);
	if (ret->slice && !for_exec)
		ret->marker = path_join(c->run_dir, CONTAINER_CREATION_MARKER);
	if (!path)
		return 0;
	dir = xasprintf("%s%s", h->mount_point, path);
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
	replace_ptr(cgroup->slice, NULL);
	replace_ptr(cgroup->id, NULL);
	replace_ptr(cgroup->marker, NULL);
}

/*
 * The name is of this process alone: an earlier conmon of the container may still be cleaning up in its scope.
 */
static void start_scope(const struct conmon_cgroup *cgroup, pid_t pid)
{
	auto_free char *unit = xasprintf(SCOPE_PREFIX "%s-%d.scope", cgroup->id, (int)pid);
	auto_free char *description = xasprintf("floe's monitor of container %s", cgroup->id);
	struct err err = ERR_INIT;
	struct sdbus *bus = NULL;
	int r = 0;

	/* For who finds that we have been killed before it was there. */
	if (cgroup->marker)
		r = fs_write_atomic(AT_FDCWD, cgroup->marker, unit, strlen(unit), 0600,
				    FS_VOLATILE);
	if (r < 0)
		err_sys(&err, r, "write '%s'", cgroup->marker);
	else
		r = sdbus_open(&bus, false, &err);
	if (r == 0)
		r = systemd_scope_start(bus, unit, cgroup->slice, description, pid, &err);
	if (r < 0)
		log_debug("put conmon into a scope: %s", err.msg);
	sdbus_close(bus);
}

static bool is_own_scope(const char *unit)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	auto_free char *own = NULL;

	return cgroupfs_open(&cgroups, NULL) == 0 && facts_cgroup_of(&cgroups, 0, &own) == 0 &&
	       str_eq(path_basename(own), unit);
}

void conmon_cgroup_end_scope(const char *unit)
{
	struct err err = ERR_INIT;
	struct sdbus *bus = NULL;
	int r;

	/* With this process in it, it ends as others do. */
	if (is_own_scope(unit))
		return;
	r = sdbus_open(&bus, false, &err);
	if (r == 0)
		r = sdbus_stop_unit(bus, unit, &err);
	if (r < 0)
		log_debug("%s", err.msg);
	sdbus_close(bus);
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
	int r;

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
	r = proc_spawn(ret, opts);
	if (r == 0 && cgroup->slice)
		start_scope(cgroup, ret->pid);
	return r;
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
