/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "runtime/cgroup/backend.h"
#include "runtime/container.h"
#include "runtime/operations.h"

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a;
	pid_t y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

int container_pids(struct runtime *rt, const char *id, pid_t **ret, size_t *ret_n, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };
	int r = container_open(&c, rt, id, false, err);

	if (r == 0)
		r = container_open_cgroup(&c, &cg, err);
	if (r < 0)
		return r;
	if (c.record.cgroup_paths.n == 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "list processes of container '%s': it has no cgroup (it was created "
			       "with --cgroup-manager disabled)",
			       id);
	r = cgroup_pids(&cg, &pids, err);
	if (r < 0)
		return err_wrap(err, r, "list processes of container '%s'", id);
	if (pids.n)
		qsort(pids.v, pids.n, sizeof(*pids.v), compare_pids);
	*ret = take_ptr(pids.v);
	*ret_n = pids.n;
	return 0;
}
