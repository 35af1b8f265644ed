/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freezing. v1: the state is asked for and then read until it has arrived; new tasks may keep it at
 * FREEZING for ever, so it is asked for again, and now and then thawed for a moment, which lets
 * children that were born unfrozen be caught (what runc found to work). v2: one write, then
 * cgroup.events tells.
 */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "runtime/cgroup/backend_internal.h"

#define FREEZE_TIMEOUT_MS 10000

/* The v1 freezer, else the v2 tree (Linux 5.2); NULL and an error when there is neither. */
static struct cgroup_node *freezer_node(const struct cgroup *cg)
{
	struct cgroup_node *node = cg->is_v2 ? NULL : cgroup_node_find(cg, "freezer");

	return node ? node : cgroup_unified(cg);
}

static struct cgroup_node *require_freezer(const struct cgroup *cg, const char *what,
					   struct err *err)
{
	struct cgroup_node *node = freezer_node(cg);

	if (!node)
		(void)err_set(err, ERR_UNSUPPORTED,
			      "%s the container: it has no cgroup with a freezer", what);
	return node;
}

static int freeze_v1_once(struct cgroup_node *node, bool *ret_frozen)
{
	auto_strbuf struct strbuf state = STRBUF_INIT;
	int r = cgroup_node_write(node, "freezer.state", "FROZEN");

	if (r == 0)
		r = cgroup_node_read(node, "freezer.state", &state);
	*ret_frozen = r == 0 && str_eq(state.buf, "FROZEN");
	return r;
}

static int freeze_v1(struct cgroup_node *node, uint64_t deadline)
{
	bool frozen = false;

	for (unsigned int i = 1;; i++) {
		int r = freeze_v1_once(node, &frozen);

		if (r < 0 || frozen)
			return r;
		if (clock_now_monotonic_ns() >= deadline)
			return -ETIMEDOUT;
		if (i % 50 == 0) {
			(void)cgroup_node_write(node, "freezer.state", "THAWED");
			clock_sleep_ms(10);
		} else if (i % 5 == 0) {
			clock_sleep_ms(1);
		}
	}
}

static bool events_say(const char *events, const char *line)
{
	size_t len = strlen(line);

	for (const char *s = events; s; s = strchr(s, '\n')) {
		if (*s == '\n')
			s++;
		if (strncmp(s, line, len) == 0 && (s[len] == '\n' || s[len] == '\0'))
			return true;
	}
	return false;
}

static int wait_for_event(struct cgroup_node *node, const char *line, uint64_t deadline)
{
	auto_close int fd = cgroup_node_open(node, "cgroup.events", O_RDONLY);

	if (fd < 0)
		return fd;
	for (;;) {
		auto_strbuf struct strbuf events = STRBUF_INIT;
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int r;

		if (lseek(fd, 0, SEEK_SET) < 0)
			return -errno;
		r = io_read_all(fd, 4096, &events);
		if (r < 0)
			return r;
		if (events_say(events.buf, line))
			return 0;
		if (clock_now_monotonic_ns() >= deadline)
			return -ETIMEDOUT;
		/* Reading has re-armed the notification; the limit is for kernels that lose one. */
		(void)poll(&p, 1, MIN(clock_ms_until(deadline), 100));
	}
}

static int freeze_v2(struct cgroup_node *node, uint64_t deadline)
{
	int r = cgroup_node_write(node, "cgroup.freeze", "1");

	return r < 0 ? r : wait_for_event(node, "frozen 1", deadline);
}

static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

int cgroup_freeze(struct cgroup *cg, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + FREEZE_TIMEOUT_MS * NSEC_PER_MSEC;
	struct cgroup_node *node = require_freezer(cg, "freeze", err);
	int r;

	if (!node)
		return err_kind_errno(ERR_UNSUPPORTED);
	r = node->unified ? freeze_v2(node, deadline) : freeze_v1(node, deadline);
	if (r == 0)
		return 0;
	(void)cgroup_thaw(cg, NULL);
	if (r == -ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT,
			       "unable to freeze '%s' within %d s (a process of the container may "
			       "be in uninterruptible sleep)",
			       node->path, FREEZE_TIMEOUT_MS / 1000);
	return err_sys(err, r, "freeze cgroup '%s'", node->path);
}

int cgroup_thaw(struct cgroup *cg, struct err *err)
{
	struct cgroup_node *node = require_freezer(cg, "thaw", err);
	int r;

	if (!node)
		return err_kind_errno(ERR_UNSUPPORTED);
	if (node->unified) {
		r = cgroup_node_write(node, "cgroup.freeze", "0");
		if (r == 0)
			r = wait_for_event(node, "frozen 0",
					   clock_now_monotonic_ns() +
						   FREEZE_TIMEOUT_MS * NSEC_PER_MSEC);
	} else {
		r = cgroup_node_write(node, "freezer.state", "THAWED");
	}
	/* systemd removes a scope when the last process has ended. */
	return r < 0 && !is_gone(r) ? err_sys(err, r, "thaw cgroup '%s'", node->path) : 0;
}

int cgroup_is_frozen(struct cgroup *cg, bool *ret, struct err *err)
{
	struct cgroup_node *node = freezer_node(cg);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	*ret = false;
	if (!node)
		return 0;
	/* freezer.state would also tell of a parent that is frozen. */
	r = cgroup_node_read(node, node->unified ? "cgroup.freeze" : "freezer.self_freezing",
			     &text);
	if (r < 0)
		return is_gone(r) ? 0 : err_sys(err, r, "read the freezer of '%s'", node->path);
	*ret = str_eq(text.buf, "1");
	return 0;
}

const char *cgroup_freezer_path(const struct cgroup *cg)
{
	const struct cgroup_node *node = freezer_node(cg);

	return node ? node->path : NULL;
}
