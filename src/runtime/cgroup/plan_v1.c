/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/plan_v1.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/str.h"

/*
 * The two limits constrain each other (memory <= memory+swap), so their order depends on which way
 * they move: lowering works limit first; raising fails then with EINVAL, and the limit is done again
 * after memsw.
 */
static void plan_memory_and_swap(struct cgroup_plan *plan, const struct oci_memory *m)
{
	const char *limit_file = "memory.limit_in_bytes";
	const char *memsw_file = "memory.memsw.limit_in_bytes";
	bool unlimited_without_swap = m->limit.set && m->limit.v == -1 &&
				      !cgroup_wants_i64(&m->swap);

	if (cgroup_wants_i64(&m->limit))
		cgroup_plan_add(plan, "memory", "memory.limit", limit_file, "%" PRId64, m->limit.v)
			->flags = CGROUP_WRITE_DEFER;
	if (unlimited_without_swap)
		cgroup_plan_add(plan, "memory", "memory.limit", memsw_file, "-1")->flags =
			CGROUP_WRITE_OPTIONAL;
	else if (cgroup_wants_i64(&m->swap))
		cgroup_plan_add(plan, "memory", "memory.swap", memsw_file, "%" PRId64, m->swap.v)
			->flags = m->swap.v == -1 ? CGROUP_WRITE_OPTIONAL : 0;
}

static int plan_memory(struct cgroup_plan *plan, const struct oci_memory *m, struct err *err)
{
	if (m->swappiness.set && m->swappiness.v > 100 && m->swappiness.v != UINT64_MAX)
		return err_set(err, ERR_INVALID,
			       "invalid memory.swappiness %" PRIu64 ": it must be 0 to 100",
			       m->swappiness.v);
	plan_memory_and_swap(plan, m);
	if (cgroup_wants_i64(&m->reservation))
		cgroup_plan_add(plan, "memory", "memory.reservation", "memory.soft_limit_in_bytes",
				"%" PRId64, m->reservation.v);
	if (cgroup_wants_i64(&m->kernel_tcp))
		cgroup_plan_add(plan, "memory", "memory.kernelTCP",
				"memory.kmem.tcp.limit_in_bytes", "%" PRId64, m->kernel_tcp.v);
	if (m->use_hierarchy.set && m->use_hierarchy.v)
		cgroup_plan_add(plan, "memory", "memory.useHierarchy", "memory.use_hierarchy", "1")
			->flags = CGROUP_WRITE_OPTIONAL;
	if (m->disable_oom_killer.set && m->disable_oom_killer.v)
		cgroup_plan_add(plan, "memory", "memory.disableOOMKiller", "memory.oom_control",
				"1");
	/* -1 by way of an unsigned member: callers that mean "not set". */
	if (m->swappiness.set && m->swappiness.v <= 100)
		cgroup_plan_add(plan, "memory", "memory.swappiness", "memory.swappiness",
				"%" PRIu64, m->swappiness.v);
	return 0;
}

/* Period, quota and burst constrain each other as well, also with the parent's. */
static int plan_cpu(struct cgroup_plan *plan, const struct oci_cpu *c, struct err *err)
{
	/* The kernel would clamp these without a word. */
	if (cgroup_wants_u64(&c->shares) && (c->shares.v < 2 || c->shares.v > 262144))
		return err_set(err, ERR_INVALID,
			       "invalid cpu.shares %" PRIu64 ": the %s allowed cpu-shares is %d",
			       c->shares.v, c->shares.v < 2 ? "minimum" : "maximum",
			       c->shares.v < 2 ? 2 : 262144);
	if (c->idle.set)
		cgroup_plan_add(plan, "cpu", "cpu.idle", "cpu.idle", "%" PRId64, c->idle.v)->flags =
			c->idle.v ? 0 : CGROUP_WRITE_OPTIONAL;
	if (cgroup_wants_u64(&c->shares))
		cgroup_plan_add(plan, "cpu", "cpu.shares", "cpu.shares", "%" PRIu64, c->shares.v);
	if (c->burst.set)
		cgroup_plan_add(plan, "cpu", "cpu.burst", "cpu.cfs_burst_us", "%" PRIu64,
				c->burst.v)
			->flags = CGROUP_WRITE_DEFER | (c->burst.v ? 0 : CGROUP_WRITE_OPTIONAL);
	if (cgroup_wants_u64(&c->period))
		cgroup_plan_add(plan, "cpu", "cpu.period", "cpu.cfs_period_us", "%" PRIu64,
				c->period.v)
			->flags = CGROUP_WRITE_DEFER;
	if (cgroup_wants_i64(&c->quota))
		cgroup_plan_add(plan, "cpu", "cpu.quota", "cpu.cfs_quota_us", "%" PRId64,
				c->quota.v);
	if (cgroup_wants_u64(&c->realtime_period))
		cgroup_plan_add(plan, "cpu", "cpu.realtimePeriod", "cpu.rt_period_us", "%" PRIu64,
				c->realtime_period.v)
			->flags = CGROUP_WRITE_DEFER;
	if (cgroup_wants_i64(&c->realtime_runtime))
		cgroup_plan_add(plan, "cpu", "cpu.realtimeRuntime", "cpu.rt_runtime_us", "%" PRId64,
				c->realtime_runtime.v);
	return 0;
}

static void plan_cpuset(struct cgroup_plan *plan, const struct oci_cpu *c)
{
	if (!str_is_empty(c->cpus))
		cgroup_plan_add(plan, "cpuset", "cpu.cpus", "cpuset.cpus", "%s", c->cpus);
	if (!str_is_empty(c->mems))
		cgroup_plan_add(plan, "cpuset", "cpu.mems", "cpuset.mems", "%s", c->mems);
}

static void plan_pids(struct cgroup_plan *plan, const struct oci_pids *p)
{
	/* 0 is what podman up to 4 writes for "no limit"; crun and runc up to 1.3 pass over it too. */
	if (!p->limit.set || p->limit.v == 0)
		return;
	if (p->limit.v < 0)
		cgroup_plan_add(plan, "pids", "pids.limit", "pids.max", "max");
	else
		cgroup_plan_add(plan, "pids", "pids.limit", "pids.max", "%" PRId64, p->limit.v);
}

static void add_weight(struct cgroup_plan *plan, const char *limit, const char *file,
		       const char *bfq_file, uint32_t weight)
{
	struct cgroup_write *w = cgroup_plan_add(plan, "blkio", limit, file, "%u", weight);

	if (bfq_file)
		w->fallback_file = xstrdup(bfq_file);
}

static void plan_weight_devices(struct cgroup_plan *plan, const struct oci_block_io *io)
{
	for (size_t i = 0; i < io->n_weight_device; i++) {
		const struct oci_weight_device *d = &io->weight_device[i];

		if (cgroup_wants_u32(&d->weight))
			cgroup_plan_add(plan, "blkio", "blockIO.weightDevice",
					"blkio.weight_device", "%" PRId64 ":%" PRId64 " %u",
					d->major, d->minor, d->weight.v)
				->fallback_file = xstrdup("blkio.bfq.weight_device");
		if (cgroup_wants_u32(&d->leaf_weight))
			cgroup_plan_add(plan, "blkio", "blockIO.weightDevice",
					"blkio.leaf_weight_device", "%" PRId64 ":%" PRId64 " %u",
					d->major, d->minor, d->leaf_weight.v);
	}
}

static void plan_throttle(struct cgroup_plan *plan, const char *limit, const char *file,
			  const struct oci_throttle_device *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cgroup_plan_add(plan, "blkio", limit, file, "%" PRId64 ":%" PRId64 " %" PRIu64,
				v[i].major, v[i].minor, v[i].rate);
}

static void plan_block_io(struct cgroup_plan *plan, const struct oci_block_io *io)
{
	if (cgroup_wants_u32(&io->weight))
		add_weight(plan, "blockIO.weight", "blkio.weight", "blkio.bfq.weight",
			   io->weight.v);
	if (cgroup_wants_u32(&io->leaf_weight))
		add_weight(plan, "blockIO.leafWeight", "blkio.leaf_weight", NULL,
			   io->leaf_weight.v);
	plan_weight_devices(plan, io);
	plan_throttle(plan, "blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device",
		      io->throttle_read_bps, io->n_throttle_read_bps);
	plan_throttle(plan, "blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device",
		      io->throttle_write_bps, io->n_throttle_write_bps);
	plan_throttle(plan, "blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device",
		      io->throttle_read_iops, io->n_throttle_read_iops);
	plan_throttle(plan, "blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device",
		      io->throttle_write_iops, io->n_throttle_write_iops);
}

static void plan_hugetlb(struct cgroup_plan *plan, const struct oci_resources *res)
{
	for (size_t i = 0; i < res->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *h = &res->hugepage_limits[i];
		auto_free char *file = xasprintf("hugetlb.%s.limit_in_bytes", h->page_size);
		auto_free char *reserved =
			xasprintf("hugetlb.%s.rsvd.limit_in_bytes", h->page_size);

		cgroup_plan_add(plan, "hugetlb", "hugepageLimits", file, "%" PRIu64, h->limit);
		cgroup_plan_add(plan, "hugetlb", "hugepageLimits", reserved, "%" PRIu64, h->limit)
			->flags = CGROUP_WRITE_OPTIONAL; /* Linux 5.7 */
	}
}

static void plan_network(struct cgroup_plan *plan, const struct oci_network *n)
{
	if (cgroup_wants_u32(&n->class_id))
		cgroup_plan_add(plan, "net_cls", "network.classID", "net_cls.classid", "%u",
				n->class_id.v);
	for (size_t i = 0; i < n->n_priorities; i++)
		cgroup_plan_add(plan, "net_prio", "network.priorities", "net_prio.ifpriomap",
				"%s %u", n->priorities[i].name, n->priorities[i].priority);
}

int cgroup_plan_v1(struct cgroup_plan *plan, const struct oci_resources *res, struct err *err)
{
	int r = cgroup_plan_check_resources(res, err);

	if (r < 0)
		return r;
	if (res->unified.n > 0)
		return err_set(err, ERR_INVALID,
			       "invalid configuration: cannot use unified on cgroup v1");
	if (res->memory) {
		r = plan_memory(plan, res->memory, err);
		if (r < 0)
			return r;
	}
	if (res->cpu) {
		r = plan_cpu(plan, res->cpu, err);
		if (r < 0)
			return r;
		plan_cpuset(plan, res->cpu);
	}
	if (res->pids)
		plan_pids(plan, res->pids);
	if (res->block_io)
		plan_block_io(plan, res->block_io);
	plan_hugetlb(plan, res);
	if (res->network)
		plan_network(plan, res->network);
	cgroup_plan_add_rdma(plan, res);
	return 0;
}

int cgroup_plan_v1_devices(struct cgroup_plan *plan, const struct device_rules *rules,
			   struct err *err)
{
	struct device_exceptions x;
	int r = device_exceptions_from_rules(&x, rules, err);

	if (r < 0)
		return r;
	/* The default first: it clears the exceptions that came with the parent or were there. */
	cgroup_plan_add(plan, "devices", "devices",
			x.default_allow ? "devices.allow" : "devices.deny", "a");
	for (size_t i = 0; i < x.n; i++)
		cgroup_plan_add(plan, "devices", "devices",
				x.default_allow ? "devices.deny" : "devices.allow", "%s",
				device_rule_to_string(&x.v[i]).text);
	device_exceptions_done(&x);
	return 0;
}
