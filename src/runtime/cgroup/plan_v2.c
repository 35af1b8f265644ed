/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/plan_v2.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/strvec.h"

static int unsupported(const char *limit, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "cannot set %s: cgroup v2 has no such limit", limit);
}

/*
 * Logarithm and power without libm, which would be one more library for every start to load. Both
 * are good to 1e-12, and the results are integers up to 10000.
 */
static double log2_of(double x)
{
	double result = 0;
	double bit = 0.5;

	while (x >= 2) {
		x /= 2;
		result += 1;
	}
	for (int i = 0; i < 48; i++) {
		x *= x;
		if (x >= 2) {
			x /= 2;
			result += bit;
		}
		bit /= 2;
	}
	return result;
}

static double power_of_10(double y)
{
	double whole = 1;
	double sum = 1;
	double term = 1;

	while (y >= 1) {
		y -= 1;
		whole *= 10;
	}
	for (int i = 1; i < 32; i++) {
		term *= y * 2.302585092994046 / i; /* ln 10 */
		sum += term;
	}
	return whole * sum;
}

uint64_t cgroup_cpu_shares_to_weight(uint64_t shares)
{
	double weight;
	double l;

	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2_of((double)shares);
	weight = power_of_10((l * l + 125 * l) / 612.0 - 7.0 / 34.0);
	/* Rounded up, but 100.0000000001 is the 100 that 1024 stands for. */
	return (uint64_t)(weight - 1e-9) + 1;
}

uint32_t cgroup_blkio_weight_to_io_weight(uint32_t weight)
{
	return weight ? 1 + (weight - 10) * 9999 / 990 : 0;
}

/* -1 is "max". */
static struct cgroup_write *add_i64(struct cgroup_plan *plan, const char *controller,
				    const char *limit, const char *file, int64_t v)
{
	if (v == -1)
		return cgroup_plan_add(plan, controller, limit, file, "max");
	return cgroup_plan_add(plan, controller, limit, file, "%" PRId64, v);
}

static void plan_pids(struct cgroup_plan *plan, const struct oci_pids *p)
{
	/* 0 is what podman up to 4 writes for "no limit"; crun and runc up to 1.3 pass over it too. */
	if (!p->limit.set || p->limit.v == 0)
		return;
	add_i64(plan, "pids", "pids.limit", "pids.max", MAX(p->limit.v, (int64_t)-1));
}

/* The specification's swap is memory and swap together, v2's is swap alone. */
static int plan_swap(struct cgroup_plan *plan, const struct oci_memory *m, struct err *err)
{
	int64_t limit = m->limit.set ? m->limit.v : 0;
	int64_t swap = m->swap.set ? m->swap.v : 0;
	struct cgroup_write *w;

	if (limit == -1 && swap == 0)
		swap = -1; /* as v1: no limit of memory means none of swap */
	if (swap == 0)
		return 0;
	if (swap != -1) {
		if (limit == 0)
			return err_set(err, ERR_INVALID,
				       "unable to set swap limit without memory limit");
		if (limit < 0)
			return err_set(err, ERR_INVALID, "invalid memory value: %" PRId64, limit);
		if (swap < limit)
			return err_set(err, ERR_INVALID,
				       "memory+swap limit should be >= memory limit");
		swap -= limit;
	}
	w = add_i64(plan, "memory", "memory.swap", "memory.swap.max", swap);
	/* A kernel without swap accounting has no swap for the container to be kept from. */
	if (swap <= 0)
		w->flags = CGROUP_WRITE_OPTIONAL;
	return 0;
}

static int check_memory(const struct oci_memory *m, struct err *err)
{
	if (cgroup_wants_i64(&m->kernel_tcp))
		return unsupported("memory.kernelTCP", err);
	if (m->swappiness.set && m->swappiness.v != UINT64_MAX)
		return unsupported("memory.swappiness", err);
	if (m->disable_oom_killer.set && m->disable_oom_killer.v)
		return unsupported("memory.disableOOMKiller", err);
	if (m->use_hierarchy.set && !m->use_hierarchy.v)
		return unsupported("memory.useHierarchy false", err);
	return 0;
}

static int plan_memory(struct cgroup_plan *plan, const struct oci_memory *m, struct err *err)
{
	int r = check_memory(m, err);

	if (r < 0)
		return r;
	r = plan_swap(plan, m, err);
	if (r < 0)
		return r;
	if (cgroup_wants_i64(&m->limit))
		add_i64(plan, "memory", "memory.limit", "memory.max", m->limit.v);
	if (cgroup_wants_i64(&m->reservation))
		add_i64(plan, "memory", "memory.reservation", "memory.low", m->reservation.v);
	if (m->check_before_update.set && m->check_before_update.v) {
		plan->check_memory = m->limit.set && m->limit.v > 0 ? m->limit.v : 0;
		plan->check_memory_and_swap = m->swap.set && m->swap.v > 0 ? m->swap.v : 0;
	}
	return 0;
}

static void plan_throttle(struct cgroup_plan *plan, const char *limit, const char *key,
			  const struct oci_throttle_device *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].rate == 0) /* v1's way to take a limit away, an error in v2 */
			cgroup_plan_add(plan, "io", limit, "io.max",
					"%" PRId64 ":%" PRId64 " %s=max", v[i].major, v[i].minor,
					key);
		else
			cgroup_plan_add(plan, "io", limit, "io.max",
					"%" PRId64 ":%" PRId64 " %s=%" PRIu64, v[i].major,
					v[i].minor, key, v[i].rate);
}

static int plan_weights(struct cgroup_plan *plan, const struct oci_block_io *io, struct err *err)
{
	struct cgroup_write *w;

	if (cgroup_wants_u32(&io->leaf_weight))
		return unsupported("blockIO.leafWeight", err);
	if (cgroup_wants_u32(&io->weight)) {
		w = cgroup_plan_add(plan, "io", "blockIO.weight", "io.bfq.weight", "%u",
				    io->weight.v);
		w->fallback_file = xstrdup("io.weight");
		w->fallback_value = xasprintf("%u", cgroup_blkio_weight_to_io_weight(io->weight.v));
	}
	for (size_t i = 0; i < io->n_weight_device; i++) {
		const struct oci_weight_device *d = &io->weight_device[i];

		if (cgroup_wants_u32(&d->leaf_weight))
			return unsupported("blockIO.weightDevice.leafWeight", err);
		if (cgroup_wants_u32(&d->weight))
			cgroup_plan_add(plan, "io", "blockIO.weightDevice", "io.bfq.weight",
					"%" PRId64 ":%" PRId64 " %u", d->major, d->minor,
					d->weight.v);
	}
	return 0;
}

static int plan_block_io(struct cgroup_plan *plan, const struct oci_block_io *io, struct err *err)
{
	int r = plan_weights(plan, io, err);

	if (r < 0)
		return r;
	plan_throttle(plan, "blockIO.throttleReadBpsDevice", "rbps", io->throttle_read_bps,
		      io->n_throttle_read_bps);
	plan_throttle(plan, "blockIO.throttleWriteBpsDevice", "wbps", io->throttle_write_bps,
		      io->n_throttle_write_bps);
	plan_throttle(plan, "blockIO.throttleReadIOPSDevice", "riops", io->throttle_read_iops,
		      io->n_throttle_read_iops);
	plan_throttle(plan, "blockIO.throttleWriteIOPSDevice", "wiops", io->throttle_write_iops,
		      io->n_throttle_write_iops);
	return 0;
}

static void plan_cpu_max(struct cgroup_plan *plan, const struct oci_cpu *c)
{
	uint64_t period = cgroup_wants_u64(&c->period) ? c->period.v : 100000;

	if (!cgroup_wants_i64(&c->quota) && !cgroup_wants_u64(&c->period))
		return;
	if (c->quota.set && c->quota.v > 0)
		cgroup_plan_add(plan, "cpu", "cpu.quota", "cpu.max", "%" PRId64 " %" PRIu64,
				c->quota.v, period);
	else
		cgroup_plan_add(plan, "cpu", c->quota.set ? "cpu.quota" : "cpu.period", "cpu.max",
				"max %" PRIu64, period);
}

static int plan_cpu(struct cgroup_plan *plan, const struct oci_cpu *c, struct err *err)
{
	if (cgroup_wants_u64(&c->realtime_period))
		return unsupported("cpu.realtimePeriod", err);
	if (cgroup_wants_i64(&c->realtime_runtime))
		return unsupported("cpu.realtimeRuntime", err);
	if (c->idle.set)
		cgroup_plan_add(plan, "cpu", "cpu.idle", "cpu.idle", "%" PRId64, c->idle.v)->flags =
			c->idle.v ? 0 : CGROUP_WRITE_OPTIONAL;
	if (cgroup_wants_u64(&c->shares))
		cgroup_plan_add(plan, "cpu", "cpu.shares", "cpu.weight", "%" PRIu64,
				cgroup_cpu_shares_to_weight(c->shares.v));
	/* More than the quota is EINVAL, and the quota comes after it. */
	if (c->burst.set)
		cgroup_plan_add(plan, "cpu", "cpu.burst", "cpu.max.burst", "%" PRIu64, c->burst.v)
			->flags = CGROUP_WRITE_DEFER | (c->burst.v ? 0 : CGROUP_WRITE_OPTIONAL);
	plan_cpu_max(plan, c);
	if (!str_is_empty(c->cpus))
		cgroup_plan_add(plan, "cpuset", "cpu.cpus", "cpuset.cpus", "%s", c->cpus);
	if (!str_is_empty(c->mems))
		cgroup_plan_add(plan, "cpuset", "cpu.mems", "cpuset.mems", "%s", c->mems);
	return 0;
}

void cgroup_plan_v2_hugetlb(struct cgroup_plan *plan, const struct oci_resources *res)
{
	for (size_t i = 0; i < res->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *h = &res->hugepage_limits[i];
		auto_free char *file = xasprintf("hugetlb.%s.max", h->page_size);
		auto_free char *reserved = xasprintf("hugetlb.%s.rsvd.max", h->page_size);

		cgroup_plan_add(plan, "hugetlb", "hugepageLimits", file, "%" PRIu64, h->limit);
		cgroup_plan_add(plan, "hugetlb", "hugepageLimits", reserved, "%" PRIu64, h->limit)
			->flags = CGROUP_WRITE_OPTIONAL; /* Linux 5.7 */
	}
}

/* One write per line of the value: most files take one line at a time. */
static int plan_unified(struct cgroup_plan *plan, const struct json_string_map *unified,
			struct err *err)
{
	for (size_t i = 0; i < unified->n; i++) {
		const char *key = unified->v[i].key;
		auto_strvec struct strvec lines = STRVEC_INIT;

		if (!*key || strchr(key, '/') || str_eq(key, ".") || str_eq(key, ".."))
			return err_set(err, ERR_INVALID,
				       "unified resource \"%s\" must be a file name (no slashes)",
				       key);
		strvec_split(&lines, unified->v[i].value, '\n', false);
		for (size_t j = 0; j < lines.n; j++)
			cgroup_plan_add(plan, "", "unified", key, "%s", lines.v[j]);
	}
	return 0;
}

int cgroup_plan_v2(struct cgroup_plan *plan, const struct oci_resources *res, struct err *err)
{
	int r = cgroup_plan_check_resources(res, err);

	if (r < 0)
		return r;
	if (res->network && cgroup_wants_u32(&res->network->class_id))
		return unsupported("network.classID", err);
	if (res->network && res->network->n_priorities > 0)
		return unsupported("network.priorities", err);
	if (res->pids)
		plan_pids(plan, res->pids);
	if (res->memory)
		r = plan_memory(plan, res->memory, err);
	if (r == 0 && res->block_io)
		r = plan_block_io(plan, res->block_io, err);
	if (r == 0 && res->cpu)
		r = plan_cpu(plan, res->cpu, err);
	if (r < 0)
		return r;
	cgroup_plan_v2_hugetlb(plan, res);
	cgroup_plan_add_rdma(plan, res);
	return plan_unified(plan, &res->unified, err);
}
