/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/tuning.h"

#include <string.h>
#include <sys/stat.h>

#include "core/log.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "criu/find.h"
#include "kernel/nftables.h"
#include "kernel/procfs.h"
#include "runtime/checkpoint/request.h"
#include "runtime/namespace/plan.h"

/* Number of lines behind the heading; -1 when it cannot be told. */
static int count_lines(const struct procfs *proc, pid_t pid, const char *name, int n_heading)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int n = 0;
	int r = procfs_read(proc, pid, name, &text);

	if (r == -ENOENT)
		return 0; /* a kernel without IPv6 */
	if (r < 0)
		return -1;
	for (const char *p = text.buf; (p = strchr(p, '\n')); p++)
		n++;
	return n < n_heading ? -1 : n - n_heading;
}

static bool has_only_loopback(const struct procfs *proc, pid_t pid)
{
	return count_lines(proc, pid, "net/dev", 2) == 1;
}

static bool has_no_tcp(const struct procfs *proc, pid_t pid)
{
	return count_lines(proc, pid, "net/tcp", 1) == 0 &&
	       count_lines(proc, pid, "net/tcp6", 1) == 0;
}

/* Every socket of net/tcp or net/tcp6 is in state 0A, which is LISTEN. */
static bool is_only_listening(const struct procfs *proc, pid_t pid, const char *name)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const char *line;
	int r = procfs_read(proc, pid, name, &text);

	if (r == -ENOENT)
		return true; /* a kernel without IPv6 */
	if (r < 0)
		return false;
	line = strchr(text.buf, '\n');
	for (; line && line[1]; line = strchr(line + 1, '\n')) {
		char state[3];

		if (sscanf(line, " %*[^:]: %*s %*s %2s", state) != 1 || !str_eq(state, "0A"))
			return false;
	}
	return true;
}

static bool needs_no_lock(const struct container *c)
{
	auto_procfs struct procfs proc = PROCFS_INIT;

	if (procfs_open(&proc, NULL) < 0)
		return false;
	if (has_no_tcp(&proc, c->record.pid))
		return true;
	/* Nothing comes from outside. But where both ends of a connection are inside, the restored end
	 * must not be heard before the other is there: its packets would be answered by a reset. */
	return has_only_loopback(&proc, c->record.pid) &&
	       is_only_listening(&proc, c->record.pid, "net/tcp") &&
	       is_only_listening(&proc, c->record.pid, "net/tcp6");
}

/* Whether any of the container's cgroups has a directory below it: a directory's link count is two
 * and one for each directory in it. */
static bool has_sub_cgroups(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_nodes; i++) {
		struct stat st;

		if (stat(cg->node[i].path, &st) < 0 || st.st_nlink > 2)
			return true;
	}
	return false;
}

static bool has_cgroup_namespace(const struct container *c)
{
	struct namespace_plan plan = NAMESPACE_PLAN_INIT;

	return namespace_plan_make(&plan, c->spec, NULL) < 0 ||
	       namespace_plan_has(&plan, NAMESPACE_CGROUP);
}

static bool has_stopped_process(struct cgroup *cg)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };
	struct procfs_stat stat;

	if (procfs_open(&proc, NULL) < 0 || cgroup_pids(cg, &pids, NULL) < 0)
		return false;
	for (size_t i = 0; i < pids.n; i++)
		if (procfs_read_stat(&proc, pids.v[i], &stat) == 0 && stat.state == 'T')
			return true;
	return false;
}

static enum checkpoint_network_lock choose_lock(const struct container *c, const char *criu_path,
						int criu_version)
{
	if (criu_version >= CRIU_VERSION_LOCK_SKIP && needs_no_lock(c))
		return CHECKPOINT_NETWORK_LOCK_SKIP;
	/* The restore takes the method that the image names. */
	if (criu_version >= CRIU_VERSION_LSM && criu_path && criu_has_nftables(criu_path) &&
	    nftables_is_available())
		return CHECKPOINT_NETWORK_LOCK_NFTABLES;
	return CHECKPOINT_NETWORK_LOCK_DEFAULT;
}

static const char *lock_to_string(enum checkpoint_network_lock lock)
{
	return lock == CHECKPOINT_NETWORK_LOCK_SKIP	? "skipped" :
	       lock == CHECKPOINT_NETWORK_LOCK_NFTABLES ? "by nftables" :
							  "as asked for";
}

void checkpoint_tuning_make(struct checkpoint_tuning *ret, const struct container *c,
			    struct cgroup *cg, const struct checkpoint_options *opts,
			    const char *criu_path, int criu_version)
{
	*ret = (struct checkpoint_tuning){
		.network_lock = opts->network_lock,
		.cgroups_mode = opts->cgroups_mode,
		.use_freezer = cg->is_v2 || !has_stopped_process(cg),
	};
	if (ret->network_lock == CHECKPOINT_NETWORK_LOCK_DEFAULT)
		ret->network_lock = choose_lock(c, criu_path, criu_version);
	if (ret->cgroups_mode == CHECKPOINT_CGROUPS_DEFAULT && !has_cgroup_namespace(c) &&
	    !has_sub_cgroups(cg))
		ret->cgroups_mode = CHECKPOINT_CGROUPS_IGNORE;
	ret->may_freeze_early = ret->use_freezer &&
				(cg->is_v2 ? ret->cgroups_mode != CHECKPOINT_CGROUPS_FULL :
					     ret->cgroups_mode == CHECKPOINT_CGROUPS_IGNORE);
	log_debug("checkpoint: network lock %s, cgroups %s, freezer %s",
		  lock_to_string(ret->network_lock),
		  ret->cgroups_mode == CHECKPOINT_CGROUPS_IGNORE ? "left to the runtime" :
								   "by criu",
		  ret->use_freezer ? "used" : "not used");
}
