/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New limits for a container that exists. Limits depend on each other (memory and swap, quota and
 * period), so the parts `memory` and `cpu` are merged with what is in force and written whole; the
 * other parts are written as given. Device rules are never touched. What is in force is kept in the
 * stored config.json. Schemata of resctrl are written first, because they are the easiest to take back.
 */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/str.h"
#include "runtime/cgroup/backend.h"
#include "runtime/container.h"
#include "runtime/operations.h"
#include "runtime/resctrl.h"

/* A deep copy by way of the table; cannot fail on a struct that was decoded or filled by its types. */
static void copy_resources(struct oci_resources *ret, const struct oci_resources *resources)
{
	struct json_object *value = json_encode_value(&oci_resources_desc, resources);

	if (json_decode_value(&oci_resources_desc, ret, value, "resources", NULL) < 0)
		*ret = (struct oci_resources){ 0 };
	json_object_put(value);
}

#define MERGE(to, from, member)                                                                    \
	do {                                                                                       \
		if ((from)->member.set)                                                            \
			(to)->member = (from)->member;                                             \
	} while (0)

static void merge_memory(struct oci_resources *to, const struct oci_memory *from)
{
	struct oci_memory *m;

	if (!from)
		return;
	if (!to->memory)
		to->memory = xcalloc(1, sizeof(*to->memory));
	m = to->memory;
	MERGE(m, from, limit);
	MERGE(m, from, reservation);
	MERGE(m, from, swap);
	MERGE(m, from, kernel);
	MERGE(m, from, kernel_tcp);
	MERGE(m, from, swappiness);
	MERGE(m, from, disable_oom_killer);
	MERGE(m, from, use_hierarchy);
	MERGE(m, from, check_before_update);
	/* On v1 the sum cannot stay below the part: no limit of memory means none of both. */
	if (from->limit.set && from->limit.v == -1 && !from->swap.set)
		m->swap = (struct opt_i64){ true, -1 };
}

static void merge_string(char **to, const char *from)
{
	if (!str_is_empty(from))
		replace_ptr(*to, xstrdup(from));
}

static void merge_cpu(struct oci_resources *to, const struct oci_cpu *from)
{
	struct oci_cpu *c;

	if (!from)
		return;
	if (!to->cpu)
		to->cpu = xcalloc(1, sizeof(*to->cpu));
	c = to->cpu;
	MERGE(c, from, shares);
	MERGE(c, from, quota);
	MERGE(c, from, burst);
	MERGE(c, from, period);
	MERGE(c, from, realtime_runtime);
	MERGE(c, from, realtime_period);
	MERGE(c, from, idle);
	merge_string(&c->cpus, from->cpus);
	merge_string(&c->mems, from->mems);
	/* Either a weight or idle: the one that is asked for last wins. */
	if (from->idle.set && from->idle.v != 0)
		c->shares = (struct opt_u64){ 0 };
	else if (from->shares.set && !from->idle.set && c->idle.set)
		c->idle.v = 0;
}

/* Move a list over when there is one. */
#define MERGE_LIST(to, from, member)                                                               \
	do {                                                                                       \
		if ((from)->n_##member) {                                                          \
			replace_ptr((to)->member, take_ptr((from)->member));                       \
			(to)->n_##member = (from)->n_##member;                                     \
			(from)->n_##member = 0;                                                    \
		}                                                                                  \
	} while (0)

static void merge_block_io(struct oci_resources *to, struct oci_block_io *from)
{
	struct oci_block_io *b;

	if (!from)
		return;
	if (!to->block_io)
		to->block_io = xcalloc(1, sizeof(*to->block_io));
	b = to->block_io;
	MERGE(b, from, weight);
	MERGE(b, from, leaf_weight);
	MERGE_LIST(b, from, weight_device);
	MERGE_LIST(b, from, throttle_read_bps);
	MERGE_LIST(b, from, throttle_write_bps);
	MERGE_LIST(b, from, throttle_read_iops);
	MERGE_LIST(b, from, throttle_write_iops);
}

static void merge_hugepages(struct oci_resources *to, const struct oci_resources *from)
{
	for (size_t i = 0; i < from->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *limit = &from->hugepage_limits[i];
		size_t j = 0;

		while (j < to->n_hugepage_limits &&
		       !str_eq(to->hugepage_limits[j].page_size, limit->page_size))
			j++;
		if (j == to->n_hugepage_limits)
			array_push(to->hugepage_limits, to->n_hugepage_limits)->page_size =
				xstrdup(limit->page_size);
		to->hugepage_limits[j].limit = limit->limit;
	}
}

static void merge_rdma(struct oci_resources *to, const struct oci_resources *from)
{
	for (size_t i = 0; i < from->n_rdma; i++) {
		const struct oci_rdma *device = &from->rdma[i];
		size_t j = 0;

		while (j < to->n_rdma && !str_eq(to->rdma[j].key, device->key))
			j++;
		if (j == to->n_rdma)
			array_push(to->rdma, to->n_rdma)->key = xstrdup(device->key);
		MERGE(&to->rdma[j], device, hca_handles);
		MERGE(&to->rdma[j], device, hca_objects);
	}
}

/* The parts that are taken over whole are moved out of changes, which stays valid. */
static void merge(struct oci_resources *to, struct oci_resources *changes)
{
	merge_memory(to, changes->memory);
	merge_cpu(to, changes->cpu);
	merge_block_io(to, changes->block_io);
	merge_hugepages(to, changes);
	merge_rdma(to, changes);
	if (changes->pids && changes->pids->limit.set) {
		if (!to->pids)
			to->pids = xcalloc(1, sizeof(*to->pids));
		to->pids->limit = changes->pids->limit;
	}
	if (changes->network) {
		if (!to->network)
			to->network = xcalloc(1, sizeof(*to->network));
		MERGE(to->network, changes->network, class_id);
		MERGE_LIST(to->network, changes->network, priorities);
	}
	json_string_map_set_all(&to->unified, &changes->unified);
}

/*
 * What undoes the changes: the old values, and where there was none of a limit that is set now, no
 * limit.
 */
static void make_undo(struct oci_resources *ret, const struct oci_resources *old,
		      const struct oci_resources *changes)
{
	static const struct opt_i64 unlimited = { true, -1 };
	struct oci_resources none = { 0 };

	if (changes->memory) {
		none.memory = xcalloc(1, sizeof(*none.memory));
		if (changes->memory->limit.set)
			none.memory->limit = unlimited;
		if (changes->memory->swap.set)
			none.memory->swap = unlimited;
	}
	if (changes->cpu) {
		none.cpu = xcalloc(1, sizeof(*none.cpu));
		if (changes->cpu->quota.set)
			none.cpu->quota = unlimited;
		if (changes->cpu->shares.set)
			none.cpu->shares = (struct opt_u64){ true, 1024 };
	}
	if (changes->pids && changes->pids->limit.set) {
		none.pids = xcalloc(1, sizeof(*none.pids));
		none.pids->limit = unlimited;
	}
	copy_resources(ret, old);
	/* Old values go over the defaults. */
	merge(&none, ret);
	json_done(&oci_resources_desc, ret);
	*ret = none;
}

static bool is_empty(const struct oci_resources *r)
{
	return !r->memory && !r->cpu && !r->pids && !r->block_io && !r->n_hugepage_limits &&
	       !r->network && !r->n_rdma && !r->unified.n;
}

/* The stored configuration, with its resources there, to be changed in place. */
static struct oci_resources *resources_of(struct runtime_spec *spec)
{
	if (!spec->linux_)
		spec->linux_ = xcalloc(1, sizeof(*spec->linux_));
	if (!spec->linux_->resources)
		spec->linux_->resources = xcalloc(1, sizeof(*spec->linux_->resources));
	return spec->linux_->resources;
}

/* Write `changes`, its dependent parts completed from the merged values; all or nothing. */
static int apply(struct container *c, struct oci_resources *changes, struct err *err)
{
	struct oci_resources *stored = resources_of(c->spec);
	struct oci_resources undo = { 0 };
	struct oci_resources write = { 0 };
	struct oci_resources copy = { 0 };
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r = container_open_cgroup(c, &cg, err);

	if (r < 0)
		return r;
	make_undo(&undo, stored, changes);
	copy_resources(&copy, changes);
	merge(stored, &copy);
	/* The written parts: shallow, owned by `changes` and `stored`. */
	write = *changes;
	write.memory = changes->memory ? stored->memory : NULL;
	write.cpu = changes->cpu ? stored->cpu : NULL;
	write.devices = NULL;
	write.n_devices = 0;
	r = cgroup_update(&cg, &write, &undo, err);
	if (r == 0) {
		r = container_save_spec(c, err);
		if (r < 0 && cgroup_update(&cg, &undo, NULL, NULL) < 0)
			log_warning("update container '%s': the old limits could not be set again",
				    c->id);
	}
	json_done(&oci_resources_desc, &copy);
	json_done(&oci_resources_desc, &undo);
	return r;
}

/* ---- resctrl ---- */

/* What is to be taken back when the rest of the update fails. */
struct rdt_undo {
	struct resctrl_plan plan;
	char *old; /* schemata; NULL: nothing was changed */
	bool entered; /* the container had no group before */
};

/* All processes into a group of the container's own, which it did not have. */
static int enter_rdt(struct container *c, struct rdt_undo *undo, struct err *err)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };
	int r = container_open_cgroup(c, &cg, err);

	if (r == 0)
		r = cgroup_pids(&cg, &pids, err);
	if (r == 0)
		r = resctrl_enter(&undo->plan, c->record.pid, &c->record.intel_rdt_path, err);
	if (r < 0)
		return r;
	undo->entered = true;
	/* One that has ended meanwhile cannot be moved. */
	for (size_t i = 0; i < pids.n; i++)
		(void)resctrl_join(&undo->plan, pids.v[i], NULL);
	return container_save_record(c, err);
}

static void undo_rdt(struct container *c, struct rdt_undo *undo)
{
	if (undo->old && resctrl_restore(&undo->plan, undo->old, NULL) < 0)
		log_warning("update container '%s': the old schemata could not be set again",
			    c->id);
	if (undo->entered && resctrl_remove(c->record.intel_rdt_path, NULL) == 0) {
		replace_ptr(c->record.intel_rdt_path, NULL);
		(void)container_save_record(c, NULL);
	}
}

static int update_rdt(struct container *c, const struct oci_intel_rdt *rdt, struct rdt_undo *undo,
		      struct err *err)
{
	struct oci_intel_rdt *stored = c->spec->linux_ ? c->spec->linux_->intel_rdt : NULL;
	/* Borrowed; what is not given stays as it is. */
	struct oci_intel_rdt change = {
		.clos_id = stored ? stored->clos_id : NULL,
		.l3_cache_schema = rdt->l3_cache_schema,
		.mem_bw_schema = rdt->mem_bw_schema,
	};
	int r = resctrl_plan_make(&undo->plan, &change, c->id, NULL, err);

	if (r < 0)
		return r;
	return stored ? resctrl_rewrite(&undo->plan, &undo->old, err) : enter_rdt(c, undo, err);
}

static void store_rdt(struct container *c, const struct oci_intel_rdt *rdt)
{
	struct oci_linux *linux_ = c->spec->linux_;

	if (!linux_->intel_rdt)
		linux_->intel_rdt = xcalloc(1, sizeof(*linux_->intel_rdt));
	merge_string(&linux_->intel_rdt->l3_cache_schema, rdt->l3_cache_schema);
	merge_string(&linux_->intel_rdt->mem_bw_schema, rdt->mem_bw_schema);
}

static int update(struct container *c, const struct oci_resources *resources,
		  const struct oci_intel_rdt *rdt, struct err *err)
{
	struct rdt_undo undo = { .plan = RESCTRL_PLAN_INIT };
	int r = 0;

	(void)resources_of(c->spec);
	if (rdt)
		r = update_rdt(c, rdt, &undo, err);
	if (r == 0 && rdt)
		store_rdt(c, rdt);
	if (r == 0 && !is_empty(resources)) {
		struct oci_resources changes;

		copy_resources(&changes, resources);
		r = apply(c, &changes, err);
		json_done(&oci_resources_desc, &changes);
	} else if (r == 0 && rdt) {
		r = container_save_spec(c, err);
	}
	if (r < 0)
		undo_rdt(c, &undo);
	free(undo.old);
	resctrl_plan_done(&undo.plan);
	return r;
}

int container_update(struct runtime *rt, const char *id, const struct oci_resources *resources,
		     const struct oci_intel_rdt *rdt, struct err *err)
{
	static const unsigned int allowed = 1U << CONTAINER_CREATED | 1U << CONTAINER_RUNNING |
					    1U << CONTAINER_PAUSED;
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open(&c, rt, id, false, err);

	if (r == 0)
		r = container_lock(&c, err);
	if (r == 0)
		r = container_require(&c, allowed, "update", err);
	if (r == 0)
		r = container_load_spec(&c, err);
	if (r < 0)
		return r;
	r = update(&c, resources, rdt, err);
	return r < 0 ? err_wrap(err, r, "update container '%s'", id) : 0;
}
