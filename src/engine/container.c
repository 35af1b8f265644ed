/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/lock.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/container_network.h"
#include "engine/records.h"
#include "kernel/procfs.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

/* Exit code of what ended without anybody seeing it. */
#define EXIT_CODE_UNKNOWN 255

/* --- the state machine ---------------------------------------------------------------------------- */

static const struct transition {
	enum container_phase from;
	enum container_event event;
	enum container_phase to;
} transitions[] = {
	{ PHASE_CREATED, EVENT_INIT, PHASE_INITIALIZED },
	{ PHASE_EXITED, EVENT_INIT, PHASE_INITIALIZED },
	{ PHASE_CREATED, EVENT_RESTORE, PHASE_RUNNING },
	{ PHASE_EXITED, EVENT_RESTORE, PHASE_RUNNING },
	{ PHASE_INITIALIZED, EVENT_START, PHASE_RUNNING },
	{ PHASE_RUNNING, EVENT_PAUSE, PHASE_PAUSED },
	{ PHASE_PAUSED, EVENT_UNPAUSE, PHASE_RUNNING },
	{ PHASE_RUNNING, EVENT_STOP, PHASE_STOPPING },
	{ PHASE_STOPPING, EVENT_STOP, PHASE_STOPPING },
	{ PHASE_INITIALIZED, EVENT_EXIT, PHASE_STOPPED },
	{ PHASE_RUNNING, EVENT_EXIT, PHASE_STOPPED },
	{ PHASE_PAUSED, EVENT_EXIT, PHASE_STOPPED },
	{ PHASE_STOPPING, EVENT_EXIT, PHASE_STOPPED },
	{ PHASE_CREATED, EVENT_CLEANUP, PHASE_CREATED },
	{ PHASE_STOPPED, EVENT_CLEANUP, PHASE_EXITED },
	{ PHASE_EXITED, EVENT_CLEANUP, PHASE_EXITED },
	/* A container that was never started goes back to where it was. */
	{ PHASE_INITIALIZED, EVENT_CLEANUP, PHASE_CREATED },
	{ PHASE_CREATED, EVENT_REMOVE, PHASE_REMOVING },
	{ PHASE_EXITED, EVENT_REMOVE, PHASE_REMOVING },
	{ PHASE_REMOVING, EVENT_REMOVE, PHASE_REMOVING },
	/* What a reboot ends it has ended in every respect. */
	{ PHASE_CREATED, EVENT_REBOOT, PHASE_CREATED },
	{ PHASE_INITIALIZED, EVENT_REBOOT, PHASE_CREATED },
	{ PHASE_RUNNING, EVENT_REBOOT, PHASE_EXITED },
	{ PHASE_PAUSED, EVENT_REBOOT, PHASE_EXITED },
	{ PHASE_STOPPING, EVENT_REBOOT, PHASE_EXITED },
	{ PHASE_STOPPED, EVENT_REBOOT, PHASE_EXITED },
	{ PHASE_EXITED, EVENT_REBOOT, PHASE_EXITED },
	{ PHASE_REMOVING, EVENT_REBOOT, PHASE_REMOVING },
};

enum container_phase container_next_phase(enum container_phase phase, enum container_event event)
{
	for (size_t i = 0; i < ARRAY_SIZE(transitions); i++)
		if (transitions[i].from == phase && transitions[i].event == event)
			return transitions[i].to;
	return 0;
}

static const char *const event_words[EVENT_MAX_] = {
	[EVENT_INIT] = "initialize", [EVENT_RESTORE] = "restore",  [EVENT_START] = "start",
	[EVENT_PAUSE] = "pause",     [EVENT_UNPAUSE] = "unpause",  [EVENT_STOP] = "stop",
	[EVENT_EXIT] = "end",	     [EVENT_CLEANUP] = "clean up", [EVENT_REMOVE] = "remove",
	[EVENT_REBOOT] = "refresh",
};

/* Scripts look for podman's words. */
static int refuse(const struct container *c, enum container_event event, struct err *err)
{
	const char *phase = container_phase_to_string(c->status.phase);

	if (event == EVENT_UNPAUSE)
		return err_set(err, ERR_STATE,
			       "\"%s\" is not paused, can't unpause: container state improper",
			       c->config.id);
	if (event == EVENT_PAUSE && c->status.phase == PHASE_PAUSED)
		return err_set(err, ERR_STATE, "\"%s\" is already paused: container state improper",
			       c->config.id);
	if (event == EVENT_PAUSE)
		return err_set(err, ERR_STATE,
			       "\"%s\" is not running, can't pause: container state improper",
			       phase);
	return err_set(err, ERR_STATE, "%s container '%s': it is %s: container state improper",
		       event_words[event], c->config.name, phase);
}

int container_advance(struct container *c, enum container_event event, struct err *err)
{
	enum container_phase next = container_next_phase(c->status.phase, event);

	if (!next)
		return refuse(c, event, err);
	c->status.phase = next;
	c->dirty = true;
	return 0;
}

bool container_is_alive(const struct container *c)
{
	enum container_phase p = c->status.phase;

	return p == PHASE_RUNNING || p == PHASE_PAUSED || p == PHASE_STOPPING;
}

bool container_has_ended(const struct container *c)
{
	return c->status.phase == PHASE_STOPPED || c->status.phase == PHASE_EXITED;
}

/* --- life of the handle --------------------------------------------------------------------------- */

const char *container_boot_id(void)
{
	static char id[40];

	if (!id[0]) {
		auto_free char *line = io_read_line_at(AT_FDCWD, BOOT_ID_FILE);

		(void)snprintf(id, sizeof(id), "%s", line ? line : "unknown");
	}
	return id;
}

const char *container_short_id(const char *id, char ret[static 13])
{
	(void)snprintf(ret, 13, "%s", id);
	return ret;
}

void container_from(struct container *ret, struct engine *e, struct container_config *config,
		    struct container_status *status)
{
	*ret = (struct container){
		.engine = e, .config = *config, .status = *status, .lock_fd = -EBADF
	};
	*config = (struct container_config){ 0 };
	*status = (struct container_status){ 0 };
	ret->static_dir = engine_static_dir(e, ret->config.id);
	ret->run_dir = engine_run_dir(e, ret->config.id);
}

int container_open_id(struct container *ret, struct engine *e, const char *id, struct err *err)
{
	struct container_config config;
	struct container_status status;
	int r = record_load(e, id, &config, &status, err);

	if (r < 0)
		return r;
	container_from(ret, e, &config, &status);
	container_sync_loaded(ret);
	return 0;
}

int container_open(struct container *ret, struct engine *e, const char *name, struct err *err)
{
	auto_free char *id = NULL;
	int r = record_find(e, name, &id, err);

	return r < 0 ? r : container_open_id(ret, e, id, err);
}

int container_open_locked(struct container *ret, struct engine *e, const char *name,
			  struct err *err)
{
	int r = container_open(ret, e, name, err);

	if (r == 0)
		r = container_lock(ret, err);
	if (r < 0) {
		container_close(ret);
		*ret = (struct container)CONTAINER_INIT;
	}
	return r;
}

int container_open_damaged(struct container *ret, struct engine *e, const char *name,
			   struct err *err)
{
	struct container_config config = { 0 };
	struct container_status status = { .phase = PHASE_STOPPED };
	struct err damage = ERR_INIT;
	int r = record_find(e, name, &config.id, err);

	if (r < 0)
		return r;
	config.name = xstrndup(config.id, 12);
	container_from(ret, e, &config, &status);
	r = container_lock(ret, &damage);
	if (r == -ENOENT || ret->lock_fd < 0)
		return err_wrap(err, r, "%s", damage.msg);
	return 0;
}

void container_close(struct container *c)
{
	container_unlock(c);
	container_config_done(&c->config);
	container_status_done(&c->status);
	replace_ptr(c->static_dir, NULL);
	replace_ptr(c->run_dir, NULL);
	replace_ptr(c->runtime, NULL);
}

int container_reload(struct container *c, struct err *err)
{
	struct container_config config;
	struct container_status status;
	int r = record_load(c->engine, c->config.id, &config, &status, err);

	if (r < 0)
		return r;
	container_config_done(&c->config);
	container_status_done(&c->status);
	c->config = config;
	c->status = status;
	c->dirty = false;
	container_sync_loaded(c);
	return 0;
}

static int lock_within(struct container *c, int timeout_ms, struct err *err)
{
	auto_free char *path = NULL;
	int fd;
	int r;

	if (c->lock_fd >= 0)
		return 0;
	path = xasprintf("%s/locks/%s", c->engine->tmpdir, c->config.id);
	fd = lock_open_living(AT_FDCWD, path, LOCK_MODE_EXCLUSIVE, timeout_ms);
	if (fd < 0)
		return err_sys(err, fd, "lock container '%s': open '%s'", c->config.name, path);
	c->lock_fd = fd;
	r = container_reload(c, err);
	/* Removed while we waited, or before we made the file again. */
	if (r == -ENOENT)
		(void)unlink(path);
	return r;
}

int container_lock(struct container *c, struct err *err)
{
	return lock_within(c, -1, err);
}

bool container_try_lock(struct container *c)
{
	if (lock_within(c, 0, NULL) == 0)
		return true;
	container_unlock(c);
	return false;
}

bool container_is_locked(const struct engine *e, const char *id)
{
	auto_free char *path = xasprintf("%s/locks/%s", e->tmpdir, id);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);

	return fd >= 0 && lock_fd(fd, LOCK_MODE_SHARED, 0) == -ETIMEDOUT;
}

void container_unlock(struct container *c)
{
	close_fd(&c->lock_fd);
}

/* What a refresh after a power cut finds out by itself, and what would have been removed by now. */
static bool status_is_passing(const struct container *c)
{
	return c->config.auto_remove ||
	       (c->status.phase != PHASE_CREATED && c->status.phase != PHASE_EXITED);
}

int container_save(struct container *c, struct err *err)
{
	bool before = record_set_passing(c->engine, status_is_passing(c));
	int r;

	replace_ptr(c->status.boot_id, xstrdup(container_boot_id()));
	r = record_save_status(c->engine, c->config.id, &c->status, err);
	(void)record_set_passing(c->engine, before);
	if (r < 0)
		return err_wrap(err, r, "save state of container '%s'", c->config.name);
	c->dirty = false;
	return 0;
}

/* --- what is the case now ------------------------------------------------------------------------- */

void container_forget_processes(struct container *c)
{
	struct container_status *s = &c->status;

	s->pid = 0;
	s->pid_start_time = 0;
	s->conmon_pid = 0;
	s->conmon_start_time = 0;
	for (size_t i = 0; i < s->n_execs; i++) {
		free(s->execs[i].id);
		for (size_t k = 0; k < s->execs[i].n_command; k++)
			free(s->execs[i].command[k]);
		free(s->execs[i].command);
	}
	free(s->execs);
	s->execs = NULL;
	s->n_execs = 0;
}

/* The machine has been started anew since the record was written: nothing that it speaks of is there. */
static void refresh(struct container *c)
{
	struct container_status *s = &c->status;
	bool was_alive = container_is_alive(c);

	s->phase = container_next_phase(s->phase, EVENT_REBOOT);
	if (was_alive) {
		s->exit_code = EXIT_CODE_UNKNOWN;
		replace_ptr(s->error, xstrdup("ended by a restart of the machine"));
	}
	container_forget_processes(c);
	s->mounted = false;
	replace_ptr(s->mount_point, NULL);
	container_network_forget(s);
	replace_ptr(s->boot_id, xstrdup(container_boot_id()));
	c->dirty = true;
}

/* conmon's exit file: its time is the container's end. -ENOENT while it is not there. */
static int read_exit_file(const struct container *c, int *ret_code, int64_t *ret_time_ns)
{
	auto_free char *path = xasprintf("%s/exits/%s", c->engine->tmpdir, c->config.id);
	auto_free char *line = io_read_line_at(AT_FDCWD, path);
	struct stat st;
	int64_t code;

	/* -1: conmon has ended it after its time (--timeout). */
	if (!line || stat(path, &st) < 0 || parse_i64(line, &code) < 0 || code < -1 || code > 255)
		return -ENOENT;
	*ret_code = (int)code;
	*ret_time_ns = st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_mtim.tv_nsec;
	return 0;
}

static bool was_out_of_memory(const struct container *c)
{
	auto_free char *a = xasprintf("%s/persist/%s/oom", c->engine->tmpdir, c->config.id);
	auto_free char *b = xasprintf("%s/oom", c->static_dir);

	return fs_exists(AT_FDCWD, a) || fs_exists(AT_FDCWD, b);
}

/* Who was to stop it holds the lock until that is done: without, a stop was killed, or could not do it. */
static bool is_stop_given_up(const struct container *c)
{
	auto_procfs struct procfs proc = PROCFS_INIT;

	return c->status.phase == PHASE_STOPPING &&
	       (c->lock_fd >= 0 || !container_is_locked(c->engine, c->config.id)) &&
	       procfs_open(&proc, NULL) == 0 &&
	       procfs_process_is_alive(&proc, c->status.pid, c->status.pid_start_time);
}

void container_sync_loaded(struct container *c)
{
	if (is_stop_given_up(c))
		c->status.phase = PHASE_RUNNING;
	container_sync(c);
}

/* Of a process that has gone, with nobody having told how. False: its monitor will. */
static bool find_late_end(struct container *c, const struct procfs *proc, int64_t *ret_ended)
{
	struct container_status *s = &c->status;

	if (procfs_process_is_alive(proc, s->conmon_pid, s->conmon_start_time))
		return false;
	/* conmon may have written it after we looked and before it went. */
	if (read_exit_file(c, &s->exit_code, ret_ended) < 0 &&
	    record_load_end(c->engine, c->config.id, &s->exit_code, ret_ended) < 0) {
		s->exit_code = EXIT_CODE_UNKNOWN;
		*ret_ended = (int64_t)clock_now_realtime_ns();
		replace_ptr(s->error, xstrdup("its monitor (conmon) was killed"));
	}
	return true;
}

void container_sync(struct container *c)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	struct container_status *s = &c->status;
	int64_t ended = 0;

	if (s->boot_id && !str_eq(s->boot_id, container_boot_id())) {
		refresh(c);
		return;
	}
	if (!container_is_alive(c) && s->phase != PHASE_INITIALIZED)
		return;
	if (read_exit_file(c, &s->exit_code, &ended) < 0) {
		if (procfs_open(&proc, NULL) < 0 ||
		    procfs_process_is_alive(&proc, s->pid, s->pid_start_time))
			return;
		/* Somebody may have put it on record and taken the file away, while conmon's exit command waits for us. */
		if (record_load_end(c->engine, c->config.id, &s->exit_code, &ended) < 0 &&
		    !find_late_end(c, &proc, &ended))
			return;
	}
	s->phase = container_next_phase(s->phase, EVENT_EXIT);
	s->finished_ns = ended;
	s->oom_killed = was_out_of_memory(c);
	c->dirty = true;
}
