/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources, linux.devices of the runtime configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/specgen.h"

static struct oci_memory *limits_memory(const struct container_limits *l)
{
	struct oci_memory *m;

	if (!l->memory.set && !l->memory_swap.set && !l->memory_reservation.set &&
	    !l->memory_swappiness.set && !l->oom_kill_disable.set)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->limit = l->memory;
	m->swap = l->memory_swap;
	m->reservation = l->memory_reservation;
	m->swappiness = l->memory_swappiness;
	m->disable_oom_killer = l->oom_kill_disable;
	/* As podman: swap as much as memory where nothing is said. */
	if (l->memory.set && l->memory.v > 0 && !l->memory_swap.set && l->memory.v <= INT64_MAX / 2)
		m->swap = (struct opt_i64){ true, l->memory.v * 2 };
	return m;
}

static struct oci_cpu *limits_cpu(const struct container_limits *l)
{
	struct oci_cpu *cpu;

	if (!l->cpu_shares.set && !l->cpu_period.set && !l->cpu_quota.set &&
	    !l->cpu_rt_period.set && !l->cpu_rt_runtime.set && !l->cpuset_cpus && !l->cpuset_mems)
		return NULL;
	cpu = xcalloc(1, sizeof(*cpu));
	cpu->shares = l->cpu_shares;
	cpu->period = l->cpu_period;
	cpu->quota = l->cpu_quota;
	cpu->realtime_period = l->cpu_rt_period;
	cpu->realtime_runtime = l->cpu_rt_runtime;
	cpu->cpus = xstrdup(l->cpuset_cpus);
	cpu->mems = xstrdup(l->cpuset_mems);
	return cpu;
}

/* "8:0" for a path of a block device, which the facts have looked up. */
static int throttle_number(const struct json_string_map *numbers, const char *path,
			   int64_t *ret_major, int64_t *ret_minor, struct err *err)
{
	const char *text = json_string_map_get(numbers, path);
	unsigned int major;
	unsigned int minor;

	if (!text || sscanf(text, "%u:%u", &major, &minor) != 2)
		return err_set(err, ERR_INVALID, "%s: not a block device", path);
	*ret_major = major;
	*ret_minor = minor;
	return 0;
}

static int add_throttles(const struct container_throttle *from, size_t n,
			 struct oci_throttle_device **to, size_t *n_to,
			 const struct json_string_map *numbers, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct oci_throttle_device *d;

		*to = array_reserve_one(*to, *n_to, sizeof(**to));
		d = &(*to)[(*n_to)++];
		d->rate = from[i].value;
		r = throttle_number(numbers, from[i].path, &d->major, &d->minor, err);
	}
	return r;
}

static int limits_block_io(struct oci_resources *ret, const struct container_limits *l,
			   const struct json_string_map *numbers, struct err *err)
{
	struct oci_block_io *b;
	int r = 0;

	if (!l->blkio_weight.set && l->n_blkio_weight_device + l->n_read_bps + l->n_write_bps +
						    l->n_read_iops + l->n_write_iops ==
					    0)
		return 0;
	b = ret->block_io = xcalloc(1, sizeof(*b));
	b->weight = l->blkio_weight;
	for (size_t i = 0; r == 0 && i < l->n_blkio_weight_device; i++) {
		struct oci_weight_device *d = array_push(b->weight_device, b->n_weight_device);

		d->weight = (struct opt_u32){ true, (uint32_t)l->blkio_weight_device[i].value };
		r = throttle_number(numbers, l->blkio_weight_device[i].path, &d->major, &d->minor,
				    err);
	}
	if (r == 0)
		r = add_throttles(l->read_bps, l->n_read_bps, &b->throttle_read_bps,
				  &b->n_throttle_read_bps, numbers, err);
	if (r == 0)
		r = add_throttles(l->write_bps, l->n_write_bps, &b->throttle_write_bps,
				  &b->n_throttle_write_bps, numbers, err);
	if (r == 0)
		r = add_throttles(l->read_iops, l->n_read_iops, &b->throttle_read_iops,
				  &b->n_throttle_read_iops, numbers, err);
	if (r == 0)
		r = add_throttles(l->write_iops, l->n_write_iops, &b->throttle_write_iops,
				  &b->n_throttle_write_iops, numbers, err);
	return r;
}

int specgen_limits(struct oci_resources *ret, const struct container_limits *l,
		   const struct json_string_map *numbers, bool cgroup_v2, struct err *err)
{
	ret->memory = limits_memory(l);
	ret->cpu = limits_cpu(l);
	if (l->pids.set) {
		ret->pids = xcalloc(1, sizeof(*ret->pids));
		/* 0 means no limit to podman, -1 to the runtime. */
		ret->pids->limit = (struct opt_i64){ true, l->pids.v == 0 ? -1 : l->pids.v };
	}
	if (l->unified.n > 0 && !cgroup_v2)
		return err_set(err, ERR_UNSUPPORTED,
			       "--cgroup-conf: this machine has no cgroups of version 2");
	json_string_map_set_all(&ret->unified, &l->unified);
	return limits_block_io(ret, l, numbers, err);
}

static void add_rule(struct oci_resources *r, bool allow, const char *type, int64_t major,
		     int64_t minor, const char *access)
{
	struct oci_device_rule *rule = array_push(r->devices, r->n_devices);

	rule->allow = allow;
	rule->type = xstrdup(type);
	if (major >= 0)
		rule->major = (struct opt_i64){ true, major };
	if (minor >= 0)
		rule->minor = (struct opt_i64){ true, minor };
	rule->access = xstrdup(access);
}

static int64_t rule_number(const char *text, bool *ok)
{
	uint64_t v;

	if (str_eq(text, "*"))
		return -1;
	*ok = *ok && parse_u64(text, &v) == 0 && v <= UINT32_MAX;
	return *ok ? (int64_t)v : -1;
}

/* --device-cgroup-rule "c 189:* rwm" */
int specgen_device_rule(struct oci_resources *to, const char *text, struct err *err)
{
	char type[2] = "";
	char major_text[16] = "";
	char minor_text[16] = "";
	char access[4] = "";
	int used = 0;
	bool ok = (sscanf(text, "%1[acb] %15[0-9*]:%15[0-9*] %3[rwm]%n", type, major_text,
			  minor_text, access, &used) == 4 ||
		   sscanf(text, "%1[acb] %15[0-9*] %3[rwm]%n", type, major_text, access, &used) ==
			   3) &&
		  !text[used];
	int64_t major = ok ? rule_number(major_text, &ok) : -1;
	/* Without it, any. */
	int64_t minor = ok && *minor_text ? rule_number(minor_text, &ok) : -1;

	if (!ok)
		return err_set(
			err, ERR_INVALID,
			"device rule '%s': expected TYPE MAJOR:MINOR ACCESS, as 'c 189:* rwm'",
			text);
	add_rule(to, true, type, major, minor, access);
	return 0;
}

static void add_device(struct runtime_spec *spec, const struct spec_device *from)
{
	struct oci_linux *l = spec->linux_;
	struct oci_device *d = array_push(l->devices, l->n_devices);
	const char type[2] = { from->type, 0 };

	d->path = xstrdup(from->path);
	d->type = xstrdup(type);
	d->major = (struct opt_i64){ true, from->major };
	d->minor = (struct opt_i64){ true, from->minor };
	d->file_mode = (struct opt_u32){ true, from->mode };
	d->uid = (struct opt_u32){ true, from->uid };
	d->gid = (struct opt_u32){ true, from->gid };
	if (from->access)
		add_rule(l->resources, true, type, from->major, from->minor, from->access);
}

int specgen_resources(struct runtime_spec *spec, const struct container_config *c,
		      const struct spec_facts *f, struct err *err)
{
	struct oci_resources *to = spec->linux_->resources = xcalloc(1, sizeof(*to));
	int r = 0;

	add_rule(to, c->privileged, NULL, -1, -1, "rwm");
	for (size_t i = 0; i < f->n_devices; i++)
		add_device(spec, &f->devices[i]);
	for (size_t i = 0; r == 0 && i < c->n_device_cgroup_rules; i++)
		r = specgen_device_rule(to, c->device_cgroup_rules[i], err);
	return r < 0 ? r : specgen_limits(to, &c->limits, &f->throttle_numbers, f->cgroup_v2, err);
}
