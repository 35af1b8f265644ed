/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/checkpoint_files.h"
#include "engine/conmon_cgroup.h"
#include "engine/container_network.h"
#include "engine/event.h"
#include "engine/image_use.h"
#include "engine/mounts.h"
#include "engine/network_later.h"
#include "engine/prepare.h"
#include "engine/records.h"
#include "engine/runtime_exec.h"
#include "engine/stop.h"
#include "engine/volume.h"
#include "kernel/procfs.h"
#include "storage/rootfs.h"

/*
 * Killed, they run no more code of their own, but on a busy machine their end takes its time, and until then they hold
 * mounts and files. What is there even then waits in the kernel (for a file system that does not answer).
 */
#define HELPERS_END_MS 30000
/* What has no arguments after this time hides them. */
#define HELPERS_EXEC_MS 1000

enum helper { HELPER_NO, HELPER_YES, HELPER_UNKNOWN };

static bool is_program(const char *path, const char *const *programs)
{
	for (; *programs; programs++)
		if (str_eq(path_basename(path), *programs))
			return true;
	return false;
}

/*
 * In the midst of execve(2) a process has its new program already, but no arguments yet. Runtimes run from a copy of themselves
 * in memory.
 */
static bool is_in_exec(pid_t pid, const char *const *programs)
{
	auto_free char *path = xasprintf("/proc/%d/exe", (int)pid);
	auto_free char *target = fd_readlink_path(path);

	return target && (str_has_prefix(target, "/memfd:") || is_program(target, programs));
}

/* Whether this process is one of these programs (by name) and has the id among its arguments. */
static enum helper is_helper(const struct procfs *proc, pid_t pid, const char *id,
			     const char *const *programs)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	if (procfs_read(proc, pid, "cmdline", &sb) < 0)
		return HELPER_NO;
	if (sb.len == 0)
		return is_in_exec(pid, programs) ? HELPER_UNKNOWN : HELPER_NO;
	if (!is_program(sb.buf, programs))
		return HELPER_NO;
	for (const char *s = sb.buf; s < sb.buf + sb.len; s += strlen(s) + 1)
		if (str_eq(s, id))
			return HELPER_YES;
	return HELPER_NO;
}

static const char *conmon_name(const struct container *c)
{
	const struct engine *e = c->engine;

	return e->conmon	  ? path_basename(e->conmon) :
	       e->options->conmon ? path_basename(e->options->conmon) :
				    "conmon";
}

static pid_t conmon_pid(const struct container *c)
{
	auto_free char *path = path_join(c->run_dir, "conmon.pid");
	auto_free char *line = io_read_line_at(AT_FDCWD, path);
	uint32_t pid;

	return line && parse_u32(line, &pid) == 0 ? (pid_t)pid : 0;
}

/* It would wait for a container that never starts, or write files that the next attempt takes for its own. */
static void end_conmon(const struct container *c)
{
	const char *const programs[] = { conmon_name(c), NULL };
	auto_procfs struct procfs proc = PROCFS_INIT;
	uint64_t deadline = clock_now_monotonic_ns() + HELPERS_END_MS * NSEC_PER_MSEC;
	pid_t pid = conmon_pid(c);

	if (pid <= 0 || procfs_open(&proc, NULL) < 0 ||
	    is_helper(&proc, pid, c->config.id, programs) != HELPER_YES)
		return;
	(void)kill(pid, SIGKILL);
	while (procfs_process_is_alive(&proc, pid, 0) && clock_ms_until(deadline) > 0)
		clock_sleep_ms(1);
	if (procfs_process_is_alive(&proc, pid, 0))
		log_warning("conmon (process %d) of container '%s' was killed and has not ended",
			    (int)pid, c->config.name);
}

/* Kill those among all processes; the number of them, and of those that may become some. */
static size_t kill_helpers(const struct procfs *proc, const char *id, const char *const *programs,
			   bool count_unknown)
{
	auto_closedir DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir))) {
		uint32_t pid;
		enum helper is;

		if (parse_u32(entry->d_name, &pid) < 0)
			continue;
		is = is_helper(proc, (pid_t)pid, id, programs);
		if ((is == HELPER_UNKNOWN && count_unknown) ||
		    (is == HELPER_YES && kill((pid_t)pid, SIGKILL) == 0 &&
		     procfs_process_is_alive(proc, (pid_t)pid, 0)))
			n++;
	}
	return n;
}

/*
 * An attempt was cut short while conmon and the runtime were at work for it: they go on, and nobody has written down
 * which processes they are. What is named in their arguments tells them.
 */
static void end_creation(struct container *c)
{
	auto_free char *marker = path_join(c->run_dir, CONTAINER_CREATION_MARKER);
	auto_free char *scope = io_read_line_at(AT_FDCWD, marker);
	auto_procfs struct procfs proc = PROCFS_INIT;
	uint64_t begin = clock_now_monotonic_ns();
	uint64_t deadline = begin + HELPERS_END_MS * NSEC_PER_MSEC;
	uint64_t exec_deadline = begin + HELPERS_EXEC_MS * NSEC_PER_MSEC;
	const char *const programs[] = {
		conmon_name(c),
		container_find_runtime(c, NULL) == 0 ? path_basename(c->runtime) : NULL,
		NULL,
	};
	size_t left;

	if (!fs_exists(AT_FDCWD, marker) || procfs_open(&proc, NULL) < 0)
		return;
	/* conmon may be about to start the runtime: until there are none. */
	while ((left = kill_helpers(&proc, c->config.id, programs,
				    clock_ms_until(exec_deadline) > 0)) > 0 &&
	       clock_ms_until(deadline) > 0)
		clock_sleep_ms(2);
	if (left > 0)
		log_warning("%zu processes that made container '%s' were killed and have not ended",
			    left, c->config.name);
	if (runtime_delete(c, NULL) < 0)
		log_debug("the runtime has nothing of container '%s'", c->config.name);
	/* One that was killed over it does not know of the cgroups that it has made. */
	container_cgroup_sweep(c);
	if (!str_is_empty(scope))
		conmon_cgroup_end_scope(scope);
	(void)unlink(marker);
}

static void remove_at(const char *dir, const char *name)
{
	auto_free char *path = path_join(dir, name);

	(void)unlink(path);
}

static void remove_exit_file(const struct container *c)
{
	auto_free char *path = xasprintf("%s/exits/%s", c->engine->tmpdir, c->config.id);

	(void)unlink(path);
}

/* What conmon makes anew for every run, but for the exit file. */
static void remove_conmon_files(const struct container *c)
{
	static const char *const names[] = { "attach", "ctl", "winsz", "oom" };
	auto_free char *persist = xasprintf("%s/persist/%s", c->engine->tmpdir, c->config.id);

	auto_free char *sessions = path_join(c->static_dir, "exec");
	auto_free char *notify = path_join(c->static_dir, "notify");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		remove_at(c->static_dir, names[i]);
	(void)fs_remove_tree(AT_FDCWD, sessions);
	(void)fs_remove_tree(AT_FDCWD, notify);
	(void)fs_remove_tree(AT_FDCWD, persist);
	remove_at(c->run_dir, "conmon.pid");
	remove_at(c->run_dir, "pidfile");
	remove_at(c->run_dir, "oci-log");
}

/* More than one where an earlier attempt was cut short. */
static int unmount_shm(const struct container *c, struct err *err)
{
	auto_free char *path = path_join(c->run_dir, "shm");

	while (umount2(path, UMOUNT_NOFOLLOW) == 0)
		;
	if (errno == EBUSY && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOENT)
		return err_sys(err, -errno, "unmount '%s'", path);
	return 0;
}

/* Keep the first error, tell the others. */
static int keep(int r, int next, struct err *err, struct err *next_err)
{
	if (next >= 0)
		return r;
	if (r < 0) {
		log_warning("%s", next_err->msg);
		return r;
	}
	if (err)
		*err = *next_err;
	return next;
}

/* Whether an earlier attempt got as far as making anything. */
static bool has_remains(const struct container *c)
{
	/* The network may be taken down last. */
	return fs_exists(AT_FDCWD, c->run_dir) || c->status.netns;
}

static int remove_files(struct container *c, struct err *err)
{
	static const char *const images[] = { CHECKPOINT_DIR, CHECKPOINT_NEW_DIR,
					      CHECKPOINT_PRE_DIR, NULL };
	auto_free char *dir = path_dirname(c->static_dir);
	int r = container_remove_rootfs(c, err);

	if (r < 0)
		return r;
	checkpoint_remove(c, images);
	r = fs_remove_tree(AT_FDCWD, dir);
	return r < 0 ? err_sys(err, r, "remove the files of container '%s'", c->config.name) : 0;
}

/*
 * Network and storage, at the same time: the kernel lets grace periods of RCU pass for each interface and
 * each rule. Meanwhile, with ret_removed, the container's files go as well; it says whether they did. That
 * something is left is known by run_dir, which therefore stays.
 */
static int release(struct container *c, bool network_later, bool *ret_removed, struct err *err)
{
	struct network_job job = NETWORK_JOB_INIT;
	struct err next = ERR_INIT;
	int r = network_later ? 0 : container_network_teardown_begin(c, &job, err);

	r = keep(r, unmount_shm(c, &next), err, &next);
	r = keep(r, mounts_clean_up(c, &next), err, &next);
	r = keep(r, container_unmount_rootfs(c, &next), err, &next);
	if (ret_removed && r == 0) {
		r = remove_files(c, err);
		*ret_removed = r == 0;
	}
	return keep(r, container_network_teardown_finish(c, &job, &next), err, &next);
}

int container_scrub(struct container *c, struct err *err)
{
	struct err next = ERR_INIT;
	int r = 0;

	if (!has_remains(c))
		return 0;
	end_creation(c);
	if (conmon_pid(c) > 0 || c->status.pid > 0)
		r = runtime_delete(c, err);
	end_conmon(c);
	r = keep(r, release(c, false, NULL, &next), err, &next);
	remove_conmon_files(c);
	remove_exit_file(c);
	return r;
}

static int clean_up(struct container *c, bool network_later, bool *ret_removed, struct err *err)
{
	const pid_t conmon = c->status.conmon_pid;
	const uint64_t conmon_start_time = c->status.conmon_start_time;
	struct err next = ERR_INIT;
	int saved;
	int r = 0;

	if (container_is_alive(c))
		return err_set(err, ERR_STATE,
			       "clean up container '%s': it is %s: container state improper",
			       c->config.name, container_phase_to_string(c->status.phase));
	if (c->status.phase == PHASE_CREATED && !has_remains(c))
		return 0;
	if (c->status.phase == PHASE_EXITED && !has_remains(c))
		return c->dirty ? container_save(c, err) : 0;
	/* Whoever has seen the end gets here, and only the first in this phase. */
	if (c->status.phase == PHASE_STOPPED)
		event_container(c, "died");
	end_creation(c);
	if (checkpoint_recover(c, &next) < 0)
		log_warning("%s", next.msg);
	/* Before its exit file goes: readers take no lock, and must find the exit code in one of the two. */
	if (c->dirty)
		r = container_save(c, err);
	if (r == 0)
		remove_exit_file(c);
	if (r == 0 && (c->status.phase != PHASE_EXITED || conmon_pid(c) > 0))
		r = runtime_delete(c, err);
	r = keep(r, release(c, network_later, r < 0 ? NULL : ret_removed, &next), err, &next);
	remove_conmon_files(c);
	(void)fs_remove_tree(AT_FDCWD, c->run_dir);
	container_forget_processes(c);
	/* Whether somebody comes for the network is seen by it. */
	if (network_later) {
		c->status.conmon_pid = conmon;
		c->status.conmon_start_time = conmon_start_time;
	}
	r = keep(r, container_advance(c, EVENT_CLEANUP, &next), err, &next);
	saved = container_save(c, &next);
	/* What no record says is said by the file alone, also that the container has ended. */
	if (saved == 0)
		remove_exit_file(c);
	r = keep(r, saved, err, &next);
	event_container(c, "cleanup");
	return r;
}

int container_cleanup(struct container *c, struct err *err)
{
	return clean_up(c, false, NULL, err);
}

/* --- removal ---------------------------------------------------------------------------------------- */

static int remove_dependents(struct container *c, const struct remove_options *o, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = record_dependents(c->engine, c->config.id, &ids, err);

	if (r < 0 || ids.n == 0)
		return r;
	if (!o->depend)
		return err_set(err, ERR_EXISTS,
			       "container %s has dependent containers which must be removed before "
			       "it: %s: container already exists",
			       c->config.id, ids.v[0]);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		auto_container struct container other = CONTAINER_INIT;

		r = container_open_locked(&other, c->engine, ids.v[i], err);
		if (r == 0)
			r = container_remove(&other, o, err);
		if (r == 0 && o->dependents)
			strvec_add(o->dependents, ids.v[i]);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

int container_refuse_removal(const struct container *c, struct err *err)
{
	return err_set(err, ERR_STATE,
		       "cannot remove container %s as it is %s - running or paused containers "
		       "cannot be removed without force: container state improper",
		       c->config.id, container_phase_to_string(c->status.phase));
}

static int end_it(struct container *c, const struct remove_options *o, struct err *err)
{
	if (!container_is_alive(c))
		return 0;
	if (!o->force)
		return container_refuse_removal(c, err);
	return container_stop_now(
		c, o->timeout_s < 0 ? c->config.stop_timeout : (uint32_t)o->timeout_s, err);
}

static void remove_anonymous_volumes(struct container *c)
{
	for (size_t i = 0; i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];
		struct err err = ERR_INIT;

		if (m->anonymous && str_eq(m->type, "volume") &&
		    volume_remove(c->engine, m->source, &err) < 0 && err.kind != ERR_NOT_FOUND &&
		    err.kind != ERR_STATE)
			log_warning("%s", err.msg);
	}
}

/* Those of an import that was cut short: nobody else has had them. */
static void remove_import_volumes(struct container *c)
{
	for (size_t i = 0; i < c->status.n_import_volumes; i++) {
		struct err err = ERR_INIT;

		if (volume_remove(c->engine, c->status.import_volumes[i], &err) < 0)
			log_debug("%s", err.msg);
	}
}

/* --rmi: what somebody else uses, or has open, stays. */
static void remove_image(struct container *c)
{
	auto_strvec struct strvec users = STRVEC_INIT;
	auto_free char *mount = xasprintf("image-%s", c->config.image_id);
	struct err err = ERR_INIT;
	struct store *store;
	int r = engine_store(c->engine, &store, &err);

	if (r == 0)
		r = image_users(c->engine, c->config.image_id, &users, &err);
	if (r == 0)
		r = rootfs_exists(store, mount, &err);
	if (r == 0 && users.n > 0)
		log_warning(
			"Failed to remove image: image used by %s: image is in use by a container",
			users.v[0]);
	if (r == 0 && users.n == 0) {
		r = image_delete(store, c->config.image_id, &err);
		if (r == 0)
			event_object(c->engine, "image", "remove", c->config.image_id,
				     c->config.image_name);
		if (r == 0)
			r = store_collect(store, NULL, &err);
	}
	if (r < 0)
		log_warning("remove image '%s': %s", c->config.image_name, err.msg);
}

static int remove_record(const struct container *c, bool network_later, struct err *err)
{
	int r = 0;

	if (!network_later)
		return record_remove(c->engine, c->config.id, err);
	r = fault_point("network later", "record", err);
	return r < 0 ? r : record_remove_but_network(c->engine, c->config.id, err);
}

static int remove_it(struct container *c, const struct remove_options *o, struct err *err)
{
	auto_free char *lock = xasprintf("%s/locks/%s", c->engine->tmpdir, c->config.id);
	struct err next = ERR_INIT;
	bool network_later = false;
	bool removed = false;
	int r = remove_dependents(c, o, err);

	if (r == 0)
		r = end_it(c, o, err);
	if (r < 0)
		return r;
	/* What cannot be taken back in order is taken away by force: a container must not be for ever. */
	network_later = o->network_later && network_later_is_possible(c);
	r = clean_up(c, network_later, c->config.auto_remove ? &removed : NULL, &next);
	if (r < 0) {
		if (!o->force)
			return err_wrap(err, r, "%s", next.msg);
		log_warning("%s", next.msg);
		(void)container_scrub(c, NULL);
	}
	r = removed ? 0 : remove_files(c, err);
	if (r < 0)
		return r;
	r = fs_remove_tree(AT_FDCWD, c->run_dir);
	if (r < 0)
		return err_sys(err, r, "remove the files of container '%s'", c->config.name);
	r = remove_record(c, network_later && c->status.netns, err);
	if (r < 0)
		return r;
	if (o->volumes || c->config.auto_remove)
		remove_anonymous_volumes(c);
	if (c->status.importing)
		remove_import_volumes(c);
	event_container(c, "remove");
	(void)unlink(lock);
	return 0;
}

int container_remove(struct container *c, const struct remove_options *o, struct err *err)
{
	bool before = record_set_passing(c->engine, c->config.auto_remove);
	int r = remove_it(c, o, err);

	(void)record_set_passing(c->engine, before);
	if (r == 0 && c->config.auto_remove_image && c->config.image_id)
		remove_image(c);
	return r;
}
