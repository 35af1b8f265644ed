/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/backend.h"
#include "runtime/container.h"
#include "runtime/operations.h"

/* Open, lock, and check that the container is in one of these states, bits by enum container_status. */
static int open_in_state(struct container *c, struct cgroup *cg, const struct runtime *rt,
			 const char *id, unsigned int allowed, const char *verb, struct err *err)
{
	int r = container_open(c, rt, id, false, err);

	if (r == 0)
		r = container_lock(c, err);
	if (r == 0)
		r = container_require(c, allowed, verb, err);
	if (r == 0)
		r = container_open_cgroup(c, cg, err);
	return r;
}

int container_pause(struct runtime *rt, const char *id, struct err *err)
{
	/* A created one too, as runc and crun have it: its process waits in the cgroup. */
	static const unsigned int allowed = 1U << CONTAINER_CREATED | 1U << CONTAINER_RUNNING;
	auto_container struct container c = CONTAINER_INIT;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r = open_in_state(&c, &cg, rt, id, allowed, "pause", err);

	if (r < 0)
		return r;
	r = cgroup_freeze(&cg, err);
	return r < 0 ? err_wrap(err, r, "pause container '%s'", id) : 0;
}

int container_resume(struct runtime *rt, const char *id, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r = open_in_state(&c, &cg, rt, id, 1U << CONTAINER_PAUSED, "resume", err);

	if (r < 0)
		return r;
	r = cgroup_thaw(&cg, err);
	return r < 0 ? err_wrap(err, r, "resume container '%s'", id) : 0;
}
