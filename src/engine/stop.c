/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/stop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/runtime_exec.h"
#include "kernel/procfs.h"
#include "kernel/signals.h"

#define KILL_WAIT_MS 5000
#define END_WAIT_MS 500
/* conmon may be killed: then nobody writes the file, and only looking shows it. */
#define LOOK_EVERY_MS 250
#define SOON_MS 20
#define HEARS_EVERY_MS 50
/* Whoever attends goes when conmon's exit file is there; one that cannot write its output does not keep the container. */
#define ATTEND_WAIT_MS 10000

/* Whether the container has ended: file there, or neither process nor monitor. */
static bool has_ended(struct container *c)
{
	container_sync(c);
	return !container_is_alive(c) && c->status.phase != PHASE_INITIALIZED;
}

int container_attend(const struct container *c)
{
	auto_free char *path = path_join(c->run_dir, "attend");

	return lock_open(AT_FDCWD, path, LOCK_MODE_SHARED, -1);
}

void container_attend_wait(const struct engine *e, const char *id)
{
	auto_free char *dir = engine_run_dir(e, id);
	auto_free char *path = path_join(dir, "attend");
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);

	if (fd >= 0)
		(void)lock_fd(fd, LOCK_MODE_EXCLUSIVE, ATTEND_WAIT_MS);
}

/* The file follows the end of the streams within a moment: closing an inotify descriptor costs more than looking a
 * few times. */
static bool ends_soon(struct container *c)
{
	for (int i = 0; i < SOON_MS; i++) {
		if (has_ended(c))
			return true;
		clock_sleep_ms(1);
	}
	return false;
}

int container_wait_exit(struct container *c, int timeout_ms)
{
	auto_free char *dir = xasprintf("%s/exits", c->engine->tmpdir);
	auto_close int fd = -EBADF;
	uint64_t deadline = timeout_ms < 0 ?
				    UINT64_MAX :
				    clock_now_monotonic_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC;

	if (ends_soon(c))
		return 0;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd >= 0 && inotify_add_watch(fd, dir, IN_MOVED_TO | IN_CREATE) < 0)
		close_fd(&fd);
	while (!has_ended(c)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = timeout_ms < 0 ? LOOK_EVERY_MS : clock_ms_until(deadline);
		char events[4096];

		if (timeout_ms >= 0 && left == 0)
			return -ETIMEDOUT;
		(void)poll(&p, 1, fd < 0 ? 10 : MIN(left, LOOK_EVERY_MS));
		while (fd >= 0 && read(fd, events, sizeof(events)) > 0)
			;
	}
	return 0;
}

int container_signal(const char *text, struct err *err)
{
	int number = signals_from_string(text);
	int64_t value;

	if (number > 0)
		return number;
	if (parse_i64(text, &value) == 0 && value != 0)
		return err_set(err, ERR_INVALID, "valid signals are 1 through 64");
	return err_set(err, ERR_INVALID, "invalid signal: %s", text);
}

static int stop_signal(const struct container *c)
{
	int number = c->config.stop_signal ? signals_from_string(c->config.stop_signal) : SIGTERM;

	return number < 0 ? SIGTERM : number;
}

/* Without a pid namespace of its own, the end of the first process does not end the others. */
static bool needs_all(const struct container *c)
{
	const char *mode = c->config.pid;

	return mode && mode[0] && !(mode[0] == 'p' && mode[1] == 'r');
}

static int signal_it(struct container *c, int number, struct err *err)
{
	int r = runtime_kill(c, number, needs_all(c), err);

	/* It may have ended meanwhile; conmon tells a moment later. */
	if (r < 0 && container_wait_exit(c, END_WAIT_MS) == 0) {
		err_clear(err);
		return 0;
	}
	return r;
}

/* The process has gone, and its monitor can write that down nowhere, since a disk is full: it stays until its exit command ends,
 * which waits for our lock. */
static bool end_stuck_monitor(struct container *c)
{
	const struct container_status *s = &c->status;
	auto_procfs struct procfs proc = PROCFS_INIT;

	return procfs_open(&proc, NULL) == 0 &&
	       !procfs_process_is_alive(&proc, s->pid, s->pid_start_time) &&
	       procfs_process_is_alive(&proc, s->conmon_pid, s->conmon_start_time) &&
	       kill(s->conmon_pid, SIGKILL) == 0 && container_wait_exit(c, KILL_WAIT_MS) == 0;
}

static int kill_it(struct container *c, struct err *err)
{
	int r = signal_it(c, SIGKILL, err);

	if (r < 0) {
		/* The runtime cannot; the process can still be ended. */
		auto_procfs struct procfs proc = PROCFS_INIT;

		if (procfs_open(&proc, NULL) == 0 &&
		    procfs_process_is_alive(&proc, c->status.pid, c->status.pid_start_time) &&
		    kill(c->status.pid, SIGKILL) == 0)
			err_clear(err);
	}
	/* The runtime's delete knows more ways: to end a CRIU that holds the processes since its runtime was killed. */
	if (container_wait_exit(c, KILL_WAIT_MS) < 0 && !end_stuck_monitor(c) &&
	    (runtime_delete(c, NULL) < 0 || container_wait_exit(c, KILL_WAIT_MS) < 0))
		return err_set(err, ERR_TIMEOUT,
			       "container '%s' did not end %d seconds after SIGKILL",
			       c->config.name, KILL_WAIT_MS / 1000);
	err_clear(err);
	return 0;
}

/* A frozen process does not take signals: it gets this one as it goes on. */
static int signal_paused(struct container *c, int number, struct err *err)
{
	int r;

	(void)runtime_kill(c, number, needs_all(c), NULL);
	/* A runtime may thaw by itself what it kills: what it says then about the state is no failure. */
	r = runtime_resume(c, err);
	if (r < 0 && (number == SIGKILL || container_wait_exit(c, END_WAIT_MS) == 0)) {
		log_debug("%s", err ? err->msg : "the runtime cannot resume the container");
		err_clear(err);
		r = 0;
	}
	return r;
}

static bool has_in_mask(const struct procfs *proc, pid_t pid, const char *mask, int number)
{
	auto_free char *text = procfs_status_field(proc, pid, mask);

	return !text || (strtoull(text, NULL, 16) >> (number - 1) & 1) != 0;
}

/*
 * The first process of a pid namespace does not get a signal that it neither catches nor blocks (pid_namespaces(7)): a program
 * that has just begun, a script that is about to execute the server.
 */
static bool is_deaf_to(const struct container *c, int number)
{
	auto_procfs struct procfs proc = PROCFS_INIT;

	return procfs_open(&proc, NULL) == 0 &&
	       !has_in_mask(&proc, c->status.pid, "SigCgt", number) &&
	       !has_in_mask(&proc, c->status.pid, "SigBlk", number);
}

/*
 * Send the signal and wait for the end; -ETIMEDOUT. When it was surely lost, it is sent once more as soon as it can be received:
 * else who stops what has just been started waits in vain, and then it is killed.
 */
static int ask_to_end(struct container *c, int number, int timeout_ms, struct err *err)
{
	const uint64_t deadline = clock_now_monotonic_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC;
	bool was_lost;
	int r;

	do {
		was_lost = is_deaf_to(c, number);
		r = signal_it(c, number, err);
		if (r < 0)
			return r;
		was_lost = was_lost && is_deaf_to(c, number);
		while (was_lost && is_deaf_to(c, number) && clock_ms_until(deadline) > 0)
			if (container_wait_exit(c, HEARS_EVERY_MS) == 0)
				return 0;
	} while (was_lost && clock_ms_until(deadline) > 0);
	return container_wait_exit(c, clock_ms_until(deadline));
}

int container_stop_now(struct container *c, uint32_t timeout_s, struct err *err)
{
	char name[SIGNALS_NAME_MAX];
	int r;

	if (has_ended(c) || c->status.phase == PHASE_INITIALIZED || c->status.pid == 0)
		return 0;
	if (c->status.phase == PHASE_PAUSED) {
		r = signal_paused(c, timeout_s == 0 ? SIGKILL : stop_signal(c), err);
		if (r < 0)
			return r;
	}
	if (timeout_s > 0) {
		r = ask_to_end(c, stop_signal(c), (int)MIN(timeout_s, 2000000U) * 1000, err);
		if (r != -ETIMEDOUT)
			return r;
		signals_to_string(stop_signal(c), name);
		log_warning("StopSignal %s failed to stop container %s in %u seconds, resorting to "
			    "SIGKILL",
			    name, c->config.name, timeout_s);
	}
	return kill_it(c, err);
}

int container_stop(struct container *c, uint32_t timeout_s, struct err *err)
{
	int r;

	if (!container_is_alive(c)) {
		if (c->status.phase == PHASE_STOPPED || c->status.phase == PHASE_INITIALIZED)
			return container_cleanup(c, err);
		return 0;
	}
	c->status.stopped_by_user = true;
	if (c->status.phase == PHASE_RUNNING)
		c->status.phase = PHASE_STOPPING;
	r = container_save(c, err);
	if (r == 0)
		r = container_stop_now(c, timeout_s, err);
	if (r < 0)
		return r;
	r = container_cleanup(c, err);
	event_container(c, "stop");
	return r;
}

/* What its user ends does not come back by its restart policy. */
static void note_end_by_user(struct container *c, int signal_number)
{
	struct err err = ERR_INIT;

	if (!c->config.restart_policy ||
	    (signal_number != SIGKILL && signal_number != SIGTERM && signal_number != SIGINT &&
	     signal_number != SIGQUIT && signal_number != stop_signal(c)))
		return;
	c->status.stopped_by_user = true;
	if (container_is_alive(c) && container_save(c, &err) < 0)
		log_warning("%s", err.msg);
}

int container_kill(struct container *c, int signal_number, struct err *err)
{
	bool paused = c->status.phase == PHASE_PAUSED;
	bool locked;
	int r;

	if (c->status.phase != PHASE_RUNNING && c->status.phase != PHASE_STOPPING &&
	    c->status.phase != PHASE_PAUSED)
		return err_set(
			err, ERR_STATE,
			"can only kill running containers. %s is in state %s: container state "
			"improper",
			c->config.id, container_phase_to_string(c->status.phase));
	/* So that its end is told of after this. Who holds the lock is a stop, which says for itself that the user ends it, or
	 * takes the container down anyway: a kill does not wait for it. */
	locked = c->lock_fd < 0 && container_try_lock(c);
	if (locked)
		note_end_by_user(c, signal_number);
	r = runtime_kill(c, signal_number, false, err);
	if (r == 0)
		event_container(c, "kill");
	if (locked)
		container_unlock(c);
	/* Who kills it and looks at once is to see that it has ended. One that is frozen may not die yet. */
	if (r == 0 && signal_number == SIGKILL && !paused)
		(void)container_wait_exit(c, KILL_WAIT_MS);
	return r;
}
