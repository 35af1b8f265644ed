/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_spec.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"

/* Two names of the same place, wherever /var/run is a link to /run. */
static const char *place(const char *destination)
{
	return str_has_prefix(destination, "/var/run/") ? destination + 4 : destination;
}

static struct oci_mount *find_mount(struct runtime_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (spec->mounts[i].destination &&
		    str_eq(place(spec->mounts[i].destination), place(destination)))
			return &spec->mounts[i];
	return NULL;
}

static void set_source(struct runtime_spec *spec, const char *destination, const char *source)
{
	struct oci_mount *m = find_mount(spec, destination);

	if (m)
		replace_ptr(m->source, xstrdup(source));
}

static void set_sources(struct runtime_spec *spec, const struct spec_facts *f)
{
	for (size_t i = 0; i < f->n_binds; i++)
		set_source(spec, f->binds[i].destination, f->binds[i].source);
	for (size_t i = 0; i < f->n_mounts; i++)
		if (str_eq(f->mounts[i].type, "bind") || str_eq(f->mounts[i].type, "volume"))
			set_source(spec, f->mounts[i].destination, f->mounts[i].source);
	if (f->init_path)
		set_source(spec, "/run/podman-init", f->init_path);
}

/* Those that it joined have other paths now. One that it had of its own stays its own. */
static void set_namespaces(struct runtime_spec *spec, const struct spec_facts *f)
{
	for (size_t i = 0; i < spec->linux_->n_namespaces; i++) {
		struct oci_namespace *ns = &spec->linux_->namespaces[i];
		const char *path = NULL;

		for (size_t k = 0; k < f->n_namespaces; k++)
			if (str_eq(f->namespaces[k].type, ns->type))
				path = f->namespaces[k].path;
		replace_ptr(ns->path, xstrdup(path));
	}
}

/* --- what has changed since it was started ------------------------------------------------------------ */

#define TAKE(member)                                                                               \
	do {                                                                                       \
		if (from->member.set)                                                              \
			to->member = from->member;                                                 \
	} while (0)

#define TAKE_LIST(member)                                                                          \
	do {                                                                                       \
		if (from->n_##member > 0) {                                                        \
			free(to->member);                                                          \
			to->member = take_ptr(from->member);                                       \
			to->n_##member = from->n_##member;                                         \
			from->n_##member = 0;                                                      \
		}                                                                                  \
	} while (0)

static void take_memory(struct oci_memory *to, const struct oci_memory *from)
{
	TAKE(limit);
	/* It is of both together: a new limit of memory makes the old one void. */
	if (from->limit.set || from->swap.set)
		to->swap = from->swap;
	TAKE(reservation);
	TAKE(swappiness);
	TAKE(disable_oom_killer);
}

static void take_cpu(struct oci_cpu *to, const struct oci_cpu *from)
{
	TAKE(shares);
	TAKE(quota);
	TAKE(period);
	TAKE(realtime_runtime);
	TAKE(realtime_period);
	if (from->cpus)
		replace_ptr(to->cpus, xstrdup(from->cpus));
	if (from->mems)
		replace_ptr(to->mems, xstrdup(from->mems));
}

static void take_block_io(struct oci_block_io *to, struct oci_block_io *from)
{
	TAKE(weight);
	TAKE_LIST(weight_device);
	TAKE_LIST(throttle_read_bps);
	TAKE_LIST(throttle_write_bps);
	TAKE_LIST(throttle_read_iops);
	TAKE_LIST(throttle_write_iops);
}

/* Where one of the two has nothing, all of the other's. */
#define TAKE_PART(part, take)                                                                      \
	do {                                                                                       \
		if (from->part && to->part)                                                        \
			take(to->part, from->part);                                                \
		else if (from->part)                                                               \
			to->part = take_ptr(from->part);                                           \
	} while (0)

static void take_pids(struct oci_pids *to, const struct oci_pids *from)
{
	TAKE(limit);
}

static void take_resources(struct oci_resources *to, struct oci_resources *from)
{
	TAKE_PART(memory, take_memory);
	TAKE_PART(cpu, take_cpu);
	TAKE_PART(pids, take_pids);
	TAKE_PART(block_io, take_block_io);
	json_string_map_set_all(&to->unified, &from->unified);
}

int restore_spec_update(struct runtime_spec *spec, const struct container_config *g,
			const struct json_string_map *throttle_numbers, struct err *err)
{
	struct oci_resources limits = { 0 };
	int r;

	if (!spec->linux_ || !spec->process)
		return 0;
	if (!spec->linux_->resources)
		spec->linux_->resources = xcalloc(1, sizeof(*spec->linux_->resources));
	/* Whether the machine has what `unified` is about was asked when it was given. */
	r = specgen_limits(&limits, &g->limits, throttle_numbers, true, err);
	if (r == 0)
		take_resources(spec->linux_->resources, &limits);
	json_done(&oci_resources_desc, &limits);
	specgen_set_rlimits(spec->process, g);
	return r;
}

/* --- this machine ------------------------------------------------------------------------------------- */

int restore_spec_adapt(struct runtime_spec *spec, const struct container_config *config,
		       struct spec_facts *f, struct err *err)
{
	struct oci_hooks *frozen_hooks = spec->hooks;

	if (!spec->linux_ || !spec->process)
		return err_set(err, ERR_INVALID,
			       "restore container '%s': its runtime configuration has no %s",
			       config->name, spec->linux_ ? "process" : "linux");
	if (!spec->root)
		spec->root = xcalloc(1, sizeof(*spec->root));
	replace_ptr(spec->root->path, xstrdup(f->rootfs));
	set_sources(spec, f);
	set_namespaces(spec, f);
	replace_ptr(spec->linux_->cgroups_path, xstrdup(f->cgroups_path));
	/* Programs of the host: this one's. Those of the other go with the facts. */
	spec->hooks = take_ptr(f->hooks);
	f->hooks = frozen_hooks;
	return 0;
}
