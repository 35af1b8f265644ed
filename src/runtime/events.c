/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `events`: lines of JSON about one container. Statistics come at each interval; an out-of-memory
 * line when the kernel's count of processes that it killed for want of memory has grown, or when they
 * wait for memory because nothing may be killed. On v1 an eventfd tells us to look
 * (Documentation/admin-guide/cgroup-v1/memory.rst, section 10), on v2 inotify on memory.events; where
 * neither works the count is looked at with each interval.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <json-c/json.h>

#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "kernel/syscalls.h"
#include "runtime/cgroup/backend.h"
#include "runtime/cgroup/oom.h"
#include "runtime/cgroup/stats.h"
#include "runtime/container.h"
#include "runtime/operations.h"

/* How often to ask whether init lives, where it cannot be waited for (before Linux 5.3). */
#define POLL_INTERVAL_MS 100

/*
 * v1 tells of the want of memory before it kills (memcg1_oom_prepare() in Linux 6.12), and writes much
 * to the console between the two: so long may the count be the old one, and so often it is looked at.
 */
#define KILL_WAIT_NS (10 * NSEC_PER_SEC)
#define KILL_POLL_MS 20

/* ---- out of memory ---- */

struct oom_watch {
	int memory_fd; /* the memory cgroup's directory; -EBADF: none */
	bool is_v2;
	int event_fd; /* readable when there may be news; -EBADF: none */
	uint64_t count; /* as last seen */
	uint64_t kill_deadline; /* ns, monotonic: until then a kill is to be expected; 0: none is */
};

#define OOM_WATCH_INIT                                                                             \
	{                                                                                          \
		.memory_fd = -EBADF, .event_fd = -EBADF                                            \
	}

static void oom_watch_close(struct oom_watch *w)
{
	close_fd(&w->memory_fd);
	close_fd(&w->event_fd);
}

DEFINE_AUTO_VAL(oom_watch, struct oom_watch, oom_watch_close)
#define auto_oom_watch auto_cleanup(oom_watch_cleanup_val)

/* The count now; that of before when it cannot be read (the cgroup is gone). */
static uint64_t oom_count(const struct oom_watch *w)
{
	uint64_t count = w->count;

	if (w->memory_fd >= 0)
		(void)cgroup_oom_kills(w->memory_fd, w->is_v2, &count);
	return count;
}

static int watch_v2(const char *dir)
{
	auto_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	auto_strbuf struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/memory.events", dir);
	if (fd < 0 || inotify_add_watch(fd, path.buf, IN_MODIFY) < 0)
		return -errno;
	return take_fd(fd);
}

static int watch_v1(int dir_fd)
{
	auto_close int control = fd_open_at(dir_fd, "memory.oom_control", O_RDONLY, 0);
	auto_close int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	auto_strbuf struct strbuf line = STRBUF_INIT;
	int r;

	if (control < 0)
		return control;
	if (fd < 0)
		return -errno;
	strbuf_addf(&line, "%d %d", fd, control);
	r = io_write_file_at(dir_fd, "cgroup.event_control", line.buf);
	return r < 0 ? r : take_fd(fd);
}

/* A container without a memory cgroup has no such events. */
static void oom_watch_open(struct oom_watch *w, const struct cgroup *cg)
{
	const struct cgroup_node *node = cgroup_node_of(cg, "memory");

	if (!node)
		return;
	w->memory_fd = fd_open_at(AT_FDCWD, node->path, O_PATH | O_DIRECTORY, 0);
	if (w->memory_fd < 0)
		return;
	w->is_v2 = node->unified;
	w->event_fd = node->unified ? watch_v2(node->path) : watch_v1(w->memory_fd);
	w->count = oom_count(w);
}

/* Swallow what was reported, and say whether there was anything; how often it was does not matter. */
static bool oom_watch_drain(const struct oom_watch *w)
{
	char buf[4096];
	bool any = false;

	while (read(w->event_fd, buf, sizeof(buf)) > 0)
		any = true;
	return any;
}

/*
 * Whether there is news since the last call. What v1 tells may also be the removal of the cgroup, or
 * the want of memory of one above, which kills elsewhere: so it is a kill here that counts.
 */
static bool oom_watch_news(struct oom_watch *w)
{
	bool told = oom_watch_drain(w);
	uint64_t count = oom_count(w);
	bool killed = count > w->count;

	w->count = count;
	if (killed)
		w->kill_deadline = 0;
	else if (told && !w->is_v2)
		w->kill_deadline = clock_now_monotonic_ns() + KILL_WAIT_NS;
	return killed || (told && !w->is_v2 && cgroup_oom_waits(w->memory_fd));
}

/* Whether the count has to be looked at soon without being told. */
static bool oom_watch_expects(struct oom_watch *w)
{
	if (w->kill_deadline && clock_now_monotonic_ns() >= w->kill_deadline)
		w->kill_deadline = 0;
	return w->kill_deadline > 0;
}

/* ---- lines ---- */

static int write_line(struct json_object *event, FILE *out, struct err *err)
{
	auto_free char *text = json_value_to_text(event, JSON_COMPACT);

	if (fprintf(out, "%s\n", text) < 0 || fflush(out) == EOF)
		return err_sys(err, -errno, "write event");
	return 0;
}

static int report(const char *type, const char *id, struct json_object *data, FILE *out,
		  struct err *err)
{
	struct json_object *event = json_object_new_object();
	int r;

	json_object_object_add(event, "type", json_object_new_string(type));
	json_object_object_add(event, "id", json_object_new_string(id));
	if (data)
		json_object_object_add(event, "data", data);
	r = write_line(event, out, err);
	json_object_put(event);
	return r;
}

static int report_stats(const struct container *c, struct cgroup *cg, FILE *out, struct err *err)
{
	struct cgroup_stats stats;
	struct json_object *data;
	int r = cgroup_stats_read(cg, &stats, err);

	if (r < 0)
		return r;
	data = json_encode_value(&cgroup_stats_desc, &stats);
	json_done(&cgroup_stats_desc, &stats);
	/* Parts of the document that have nothing in them here: no hardware, no interfaces of ours. */
	json_object_object_add(data, "intel_rdt", json_object_new_object());
	json_object_object_add(data, "network_interfaces", NULL);
	return report("stats", c->id, data, out, err);
}

static int report_oom(struct oom_watch *w, const struct container *c, FILE *out, struct err *err)
{
	return oom_watch_news(w) ? report("oom", c->id, NULL, out, err) : 0;
}

/* ---- the loop ---- */

/* Wait for news or the deadline. */
static void wait_for(int pidfd, struct oom_watch *w, uint64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = w->event_fd, .events = POLLIN },
	};
	int timeout = clock_ms_until(deadline);

	if (pidfd < 0 && timeout > POLL_INTERVAL_MS)
		timeout = POLL_INTERVAL_MS;
	if (timeout > KILL_POLL_MS && oom_watch_expects(w))
		timeout = KILL_POLL_MS;
	(void)poll(fds, ARRAY_SIZE(fds), timeout);
}

static int follow(const struct container *c, struct cgroup *cg, uint64_t interval_ms, FILE *out,
		  struct err *err)
{
	uint64_t interval_ns = interval_ms * NSEC_PER_MSEC;
	uint64_t deadline = clock_now_monotonic_ns() + interval_ns;
	auto_close int pidfd = sys_pidfd_open(c->record.pid);
	auto_oom_watch struct oom_watch watch = OOM_WATCH_INIT;
	int r = 0;

	oom_watch_open(&watch, cg);
	while (r == 0 && container_init_is_alive(c)) {
		wait_for(pidfd, &watch, deadline);
		r = report_oom(&watch, c, out, err);
		if (r < 0 || clock_now_monotonic_ns() < deadline)
			continue;
		if (container_init_is_alive(c))
			r = report_stats(c, cg, out, err);
		deadline = clock_now_monotonic_ns() + interval_ns;
	}
	return r < 0 ? r : report_oom(&watch, c, out, err);
}

int container_events(struct runtime *rt, const char *id, uint64_t interval_ms, bool once, FILE *out,
		     struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r = container_open(&c, rt, id, false, err);

	if (r < 0)
		return r;
	if (!container_init_is_alive(&c))
		return err_set(err, ERR_STATE, "container with id %s is not running", id);
	r = container_open_cgroup(&c, &cg, err);
	if (r < 0)
		return r;
	return once ? report_stats(&c, &cg, out, err) : follow(&c, &cg, interval_ms, out, err);
}
