/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The systemd driver. The container's cgroup is that of a transient unit: a scope, which systemd makes
 * around the container's first process, or a slice where cgroupsPath names one. systemd knows the limits
 * as the unit's properties; the runtime then writes the cgroup's files as well, as with the cgroupfs
 * driver, because not all of them have properties.
 *
 *	open      work out unit, properties and paths; connect, to learn the manager's version and cgroup
 *	create    start the unit with the process in it. Hierarchies that systemd does not manage (v1:
 *	          freezer, cpuset and others) are made by hand, for the process to enter by itself
 *	apply     write what is to be written
 *	update    tell systemd, then write
 *	destroy   stop the unit; remove what is left by hand
 *
 * Everything else, freezing, killing, statistics, exec, works on the recorded paths.
 */
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/cgroupfs.h"
#include "kernel/procfs.h"
#include "runtime/cgroup/backend_internal.h"
#include "runtime/cgroup/plan_systemd.h"
#include "runtime/cgroup/plan_v1.h"
#include "runtime/cgroup/plan_v2.h"
#include "systemd/scope.h"
#include "systemd/sdbus.h"

struct cgroup_systemd {
	struct sdbus *bus;
	struct cgroup_systemd_name name; /* of a cgroup that is new */
	struct systemd_plan properties;
	bool is_started; /* by us: it is ours to stop */
};

bool cgroup_has_systemd(void)
{
	return sdbus_is_built();
}

static struct cgroup_systemd *state_of(struct cgroup *cg)
{
	if (!cg->systemd)
		cg->systemd = xcalloc(1, sizeof(*cg->systemd));
	return cg->systemd;
}

static int connect_manager(struct cgroup *cg, struct err *err)
{
	struct cgroup_systemd *s = state_of(cg);

	return s->bus ? 0 : sdbus_open(&s->bus, cg->rootless, err);
}

static struct systemd_plan_facts facts_of(const struct cgroup *cg, bool for_update)
{
	return (struct systemd_plan_facts){
		.version = sdbus_version(cg->systemd->bus),
		.is_v2 = cg->is_v2,
		.for_update = for_update,
	};
}

/* --- opening ------------------------------------------------------------------------------- */

static int plan_limits(const struct cgroup *cg, const struct oci_resources *res,
		       struct cgroup_plan *plan, struct err *err)
{
	int r = cg->is_v2 ? cgroup_plan_v2(plan, res, err) : cgroup_plan_v1(plan, res, err);

	if (r == 0)
		cgroup_plan_round_quota(plan);
	return r;
}

static int add_limits(const struct cgroup *cg, struct systemd_plan *properties,
		      const struct oci_resources *res, const struct systemd_plan_facts *facts,
		      struct err *err)
{
	auto_cgroup_plan struct cgroup_plan plan = CGROUP_PLAN_INIT;
	int r = plan_limits(cg, res, &plan, err);

	if (r == 0)
		systemd_plan_add_limits(properties, &plan, facts);
	return r;
}

static int plan_properties(struct cgroup *cg, const struct cgroup_opts *opts, struct err *err)
{
	struct cgroup_systemd *s = cg->systemd;
	struct systemd_plan_facts facts = facts_of(cg, false);
	struct device_rules rules;
	int r;

	systemd_plan_add_unit(&s->properties, &s->name, opts->id, &facts);
	/* A user's systemd has no say about devices. */
	if (!cg->rootless) {
		r = device_rules_from_resources(&rules, opts->resources, err);
		if (r < 0)
			return r;
		systemd_plan_add_devices(&s->properties, &rules, &facts);
		device_rules_done(&rules);
	}
	r = opts->resources ? add_limits(cg, &s->properties, opts->resources, &facts, err) : 0;
	if (r == 0 && opts->annotations)
		r = systemd_plan_add_annotations(&s->properties, opts->annotations, err);
	return r;
}

/* Where systemd will put the unit in this hierarchy, as path below its mount point. */
static char *path_below_mount(const struct cgroup_systemd *s, const struct cgroupfs *fs,
			      struct cgroupfs_hierarchy *h)
{
	auto_free char *path = path_join(sdbus_control_group(s->bus), s->name.path);
	struct procfs_cgroup entry = {
		.hierarchy = h->unified ? 0 : 1,
		.controllers = h->controllers,
		.path = path,
	};
	struct procfs_cgroups cgroups = { .v = &entry, .n = 1 };

	return cgroupfs_own_path(fs, h, &cgroups);
}

static int add_nodes(struct cgroup *cg, const struct cgroupfs *fs, struct err *err)
{
	for (size_t i = 0; i < fs->n; i++) {
		struct cgroupfs_hierarchy *h = &fs->v[i];
		auto_free char *path = path_below_mount(cg->systemd, fs, h);

		if (cg->n_nodes == CGROUP_HIERARCHIES_MAX)
			return err_set(err, ERR_UNSUPPORTED,
				       "more than %d cgroup hierarchies are mounted",
				       CGROUP_HIERARCHIES_MAX);
		*array_push(cg->node, cg->n_nodes) = (struct cgroup_node){
			.controllers = xstrdup(h->controllers),
			.path = xasprintf("%s%s", h->mount_point, path),
			.mount_len = strlen(h->mount_point),
			.unified = h->unified,
			.dir_fd = -EBADF,
		};
	}
	return 0;
}

static int find_hierarchies(struct cgroupfs *fs, struct err *err)
{
	int r = cgroupfs_open(fs, NULL);

	if (r < 0)
		return err_sys(err, r, "read '/proc/self/mountinfo'");
	if (fs->mode == CGROUPFS_NONE)
		return err_set(err, ERR_UNSUPPORTED,
			       "no cgroup hierarchy is mounted; mount one at '/sys/fs/cgroup', or "
			       "use --cgroup-manager=disabled");
	return 0;
}

int cgroup_systemd_open(struct cgroup *cg, const struct cgroup_opts *opts, struct err *err)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	int r = cgroup_path_parse_systemd(opts->cgroups_path, opts->id, opts->rootless,
					  &state_of(cg)->name, err);

	cg->wants_process = true;
	if (r == 0)
		r = find_hierarchies(&fs, err);
	if (r == 0)
		r = connect_manager(cg, err);
	if (r < 0)
		return r;
	cg->is_v2 = fs.mode == CGROUPFS_V2;
	r = plan_properties(cg, opts, err);
	return r < 0 ? r : add_nodes(cg, &fs, err);
}

void cgroup_systemd_close(struct cgroup *cg)
{
	struct cgroup_systemd *s = cg->systemd;

	if (!s)
		return;
	sdbus_close(s->bus);
	cgroup_systemd_name_done(&s->name);
	systemd_plan_done(&s->properties);
	free(s);
	cg->systemd = NULL;
}

void cgroup_release_in_child(struct cgroup *cg)
{
	if (cg->systemd && cg->systemd->bus)
		sdbus_release_in_child(cg->systemd->bus);
}

/* --- making -------------------------------------------------------------------------------- */

/* systemd lets anybody start a slice that is there because other units are in it, and stopping it, when
 * the container is deleted, would stop them. */
static int check_slice(const struct cgroup *cg, struct err *err)
{
	if (cgroup_exists(cg))
		return err_set(
			err, ERR_EXISTS,
			"start unit '%s': its cgroup exists already; a container needs a unit "
			"of its own",
			cg->systemd->name.unit);
	return 0;
}

static int start_unit(struct cgroup *cg, pid_t pid, struct err *err)
{
	struct cgroup_systemd *s = cg->systemd;
	struct err failure = ERR_INIT;
	auto_close int pidfd = -EBADF;
	int r = 0;

	if (!s->name.is_slice)
		r = systemd_scope_add_process(s->bus, &s->properties, pid, &pidfd, err);
	else
		r = check_slice(cg, err);
	if (r < 0)
		return r;
	r = sdbus_start_unit(s->bus, s->name.unit, &s->properties, &failure);
	if (r < 0 && failure.kind == ERR_EXISTS)
		err_append(&failure, "; a container needs a unit of its own");
	if (r == 0) {
		s->is_started = true;
		r = sdbus_wait_job(s->bus, s->name.unit, &failure);
	}
	if (r < 0 && s->is_started)
		sdbus_reset_failed(s->bus, s->name.unit);
	if (r < 0 && err)
		*err = failure;
	return r;
}

/* Whether the process is in the unit's cgroup of this hierarchy. systemd may name the directory
 * otherwise than expected (it escapes some names); what counts is where the process is. */
static int look_where_it_is(struct cgroup *cg, struct cgroup_node *node, const char *path,
			    struct err *err)
{
	auto_free char *unit = path ? cgroup_path_to_unit(path) : NULL;

	node->joined = str_eq(unit, cg->systemd->name.unit);
	if (node->joined)
		replace_ptr(node->path,
			    xasprintf("%.*s%s", (int)node->mount_len, node->path, path));
	else if (cg->is_v2)
		return err_set(err, ERR_REMOTE,
			       "systemd has started unit '%s', but the container's process is in "
			       "cgroup '%s'",
			       cg->systemd->name.unit, path ? path : "");
	return 0;
}

/* Which hierarchies systemd has put the process into. */
static int find_process(struct cgroup *cg, pid_t pid, struct err *err)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups cgroups = PROCFS_CGROUPS_INIT;
	int r = find_hierarchies(&fs, err);

	if (r < 0)
		return r;
	r = procfs_open(&proc, NULL);
	if (r == 0)
		r = procfs_read_cgroups(&proc, pid, &cgroups);
	if (r < 0)
		return err_sys(err, r, "read '/proc/%d/cgroup'", (int)pid);
	for (size_t i = 0; r == 0 && i < fs.n && i < cg->n_nodes; i++) {
		auto_free char *path = cgroupfs_own_path(&fs, &fs.v[i], &cgroups);

		r = look_where_it_is(cg, &cg->node[i], path, err);
	}
	return r;
}

static int prepare_node(struct cgroup *cg, struct cgroup_node *node, struct err *err)
{
	if (!node->joined)
		return cgroup_fs_create_node(cg, node, err);
	/* Controllers that systemd does not know: hugetlb, rdma, misc. */
	if (node->unified && cg->is_v2)
		cgroup_fs_enable_controller(node, NULL);
	node->ready = true;
	return 0;
}

static int systemd_create(struct cgroup *cg, pid_t pid, bool unified_only, struct err *err)
{
	int r;

	if (unified_only)
		return 0; /* nothing can be made before there is a process */
	if (pid <= 0)
		return err_set(err, ERR_INTERNAL, "the systemd cgroup driver needs a process");
	r = start_unit(cg, pid, err);
	if (r == 0 && !cg->systemd->name.is_slice)
		r = find_process(cg, pid, err);
	for (size_t i = 0; r == 0 && i < cg->n_nodes; i++)
		r = prepare_node(cg, &cg->node[i], err);
	if (r == 0)
		cg->wants_process = false;
	return r;
}

/* --- limits -------------------------------------------------------------------------------- */

static int plan_writes(struct cgroup *cg, const struct oci_resources *res, struct cgroup_plan *plan,
		       struct err *err)
{
	int r = cgroup_plan_limits(cg, plan, res, err);

	if (r == 0)
		cgroup_plan_round_quota(plan);
	return r;
}

static int write_limits(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	auto_cgroup_plan struct cgroup_plan plan = CGROUP_PLAN_INIT;
	int r = plan_writes(cg, res, &plan, err);

	return r < 0 ? r : cgroup_execute(cg, &plan, err);
}

static int systemd_apply(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	int r = cgroup_apply_devices(cg, res, err);

	return r < 0 || !res ? r : write_limits(cg, res, err);
}

/* The unit of a cgroup, by its path; the caller owns the name. */
static char *unit_of(const struct cgroup *cg)
{
	const struct cgroup_node *node = cgroup_node_find(cg, "name=systemd");

	if (cg->systemd && cg->systemd->name.unit)
		return xstrdup(cg->systemd->name.unit);
	if (!node)
		node = cgroup_unified(cg);
	return node ? cgroup_path_to_unit(node->path) : NULL;
}

static int systemd_update(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	auto_systemd_plan struct systemd_plan properties = SYSTEMD_PLAN_INIT;
	auto_cgroup_plan struct cgroup_plan writes = CGROUP_PLAN_INIT;
	auto_free char *unit = unit_of(cg);
	struct systemd_plan_facts facts;
	int r;

	if (!unit)
		return err_set(err, ERR_CORRUPT, "the saved cgroup path names no unit of systemd");
	r = plan_writes(cg, res, &writes, err);
	/* Before systemd writes anything. */
	if (r == 0)
		r = cgroup_check_usage(cg, &writes, err);
	if (r == 0)
		r = connect_manager(cg, err);
	if (r < 0)
		return r;
	facts = facts_of(cg, true);
	r = add_limits(cg, &properties, res, &facts, err);
	if (r == 0 && properties.n > 0) {
		cg->has_written = true;
		r = sdbus_set_properties(cg->systemd->bus, unit, &properties, err);
	}
	return r < 0 ? r : cgroup_execute(cg, &writes, err);
}

/* --- end ----------------------------------------------------------------------------------- */

/* Without systemd the cgroup can still be removed, and systemd notices that. */
static void stop_unit(struct cgroup *cg)
{
	auto_free char *unit = unit_of(cg);
	struct err err = ERR_INIT;
	int r;

	if (!unit)
		return;
	r = connect_manager(cg, &err);
	if (r < 0) {
		log_warning("%s", err.msg);
		return;
	}
	/* Its processes have ended, so it may have gone by itself. */
	r = sdbus_stop_unit(cg->systemd->bus, unit, &err);
	if (r < 0 && err.kind != ERR_NOT_FOUND)
		log_warning("%s", err.msg);
	if (r == 0 || err.kind != ERR_NOT_FOUND)
		sdbus_reset_failed(cg->systemd->bus, unit);
}

static int systemd_destroy(struct cgroup *cg, struct err *err)
{
	stop_unit(cg);
	return cgroup_backend_fs.destroy(cg, err);
}

static void systemd_undo_create(struct cgroup *cg)
{
	if (cg->systemd && cg->systemd->is_started)
		stop_unit(cg);
	cgroup_backend_fs.undo_create(cg);
}

/* --- exec ---------------------------------------------------------------------------------- */

/* "/sub" of ".../x.scope/sub"; "" for the unit itself. */
static const char *path_below_unit(const char *path, const char *unit)
{
	const char *at = path;

	while ((at = strchr(at, '/'))) {
		const char *name = at + 1 + (at[1] == '_');
		const char *rest = str_skip_prefix(name, unit);

		if (rest && (*rest == '/' || *rest == '\0'))
			return rest;
		at++;
	}
	return "";
}

/*
 * A user's session is in another branch of the v2 tree than the user's systemd, and only root may move
 * a process from one to the other; the user's systemd may ask the system's to do it.
 */
static bool systemd_place(struct cgroup *cg, pid_t pid)
{
	struct cgroup_node *node = cgroup_unified(cg);
	auto_free char *unit = unit_of(cg);
	struct err err = ERR_INIT;
	int r;

	if (!cg->rootless || !cg->is_v2 || !node || !unit)
		return false;
	r = connect_manager(cg, &err);
	if (r == 0)
		r = sdbus_attach_process(cg->systemd->bus, unit, path_below_unit(node->path, unit),
					 pid, &err);
	if (r < 0)
		log_debug("%s", err.msg);
	node->joined = r == 0;
	return r == 0;
}

const struct cgroup_backend cgroup_backend_systemd = {
	.name = "systemd",
	.create = systemd_create,
	.undo_create = systemd_undo_create,
	.apply = systemd_apply,
	.update = systemd_update,
	.destroy = systemd_destroy,
	.place = systemd_place,
};
