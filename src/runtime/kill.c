/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/operations.h"

#include "runtime/cgroup/backend.h"
#include "runtime/container.h"
#include "runtime/namespace/plan.h"

/* Whether the end of init ends all of the container's processes, as it does in a pid namespace of
 * its own. When in doubt, no. */
static bool has_private_pid_namespace(struct container *c)
{
	struct namespace_plan plan = NAMESPACE_PLAN_INIT;

	if (container_load_spec(c, NULL) < 0 || namespace_plan_make(&plan, c->spec, NULL) < 0)
		return false;
	return namespace_plan_creates(&plan, NAMESPACE_PID);
}

static int kill_all(const struct container *c, int sig, struct err *err)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r = container_open_cgroup(c, &cg, err);

	if (r < 0)
		return r;
	/* No cgroup (--cgroup-manager disabled): init is the one process that can be told. */
	if (cg.n_nodes == 0) {
		r = container_signal_init(c, sig);
		return r < 0 && r != -ESRCH ? err_sys(err, r, "signal container '%s'", c->id) : 0;
	}
	return sig == SIGKILL ? cgroup_kill(&cg, err) : cgroup_signal(&cg, sig, err);
}

/* A frozen process does not die of SIGKILL on v1 until it is thawed. */
static int thaw_for_kill(const struct container *c, struct err *err)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r = container_open_cgroup(c, &cg, err);

	return r < 0 ? r : cgroup_thaw(&cg, err);
}

/* A container without a pid namespace of its own may have processes although its init has ended. */
static bool has_processes(const struct container *c)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };

	return container_open_cgroup(c, &cg, NULL) == 0 && cgroup_pids(&cg, &pids, NULL) == 0 &&
	       pids.n > 0;
}

int container_kill(struct runtime *rt, const struct kill_options *opts, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	enum container_status status;
	bool to_all;
	bool had_processes = false;
	int r = container_open(&c, rt, opts->id, false, err);

	if (r < 0)
		return r;
	status = container_status(&c);
	to_all = opts->all || (opts->signal == SIGKILL && !has_private_pid_namespace(&c));
	if (to_all && status == CONTAINER_STOPPED)
		had_processes = has_processes(&c);
	if (to_all)
		r = kill_all(&c, opts->signal, err);
	if (r < 0)
		return r;
	if (status == CONTAINER_STOPPED || status == CONTAINER_CREATING)
		return opts->all || had_processes ?
			       0 :
			       err_set(err, ERR_STATE, "container not running: '%s' is %s", c.id,
				       container_status_to_string(status));
	if (!to_all) {
		r = container_signal_init(&c, opts->signal);
		if (r == -ESRCH)
			return err_set(err, ERR_STATE, "container not running: '%s' is stopped",
				       c.id);
		if (r < 0)
			return err_sys(err, r, "signal container '%s'", c.id);
	}
	if (opts->signal == SIGKILL && status == CONTAINER_PAUSED)
		return thaw_for_kill(&c, err);
	return 0;
}
