/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/externals.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/path.h"

#define MASK_SOURCE "/dev/null"

static void add(struct externals *e, enum external_kind kind, char *destination, const char *source)
{
	struct external *x = array_push(e->v, e->n);

	x->kind = kind;
	x->destination = destination;
	x->source = xstrdup(source);
}

/* Cgroup mounts are binds of the host's, v1 one for each hierarchy, unless the container has a cgroup
 * namespace, in which they are mounts of its own. */
static void add_cgroup(struct externals *e, const struct mount_plan *mounts,
		       const struct mount_op *op, const struct mount_cgroup_facts *cgroup)
{
	if (!cgroup || mounts->facts.has_cgroup_ns)
		return;
	if (mounts->facts.cgroup_mode == MOUNT_CGROUP_V2 && cgroup->v2_mount_point)
		add(e, EXTERNAL_CGROUP, path_clean(op->destination), cgroup->v2_mount_point);
	if (mounts->facts.cgroup_mode != MOUNT_CGROUP_V1)
		return;
	for (size_t i = 0; i < cgroup->n_v1; i++)
		add(e, EXTERNAL_CGROUP,
		    path_join(op->destination, path_basename(cgroup->v1[i].mount_point)),
		    cgroup->v1[i].own_dir);
}

void externals_make(struct externals *ret, const struct mount_plan *mounts,
		    const struct device_plan *devices, const struct mount_cgroup_facts *cgroup)
{
	*ret = (struct externals)EXTERNALS_INIT;
	for (size_t i = 0; i < mounts->n_ops; i++) {
		const struct mount_op *op = &mounts->ops[i];

		if (op->kind == MOUNT_OP_BIND) {
			add(ret, EXTERNAL_BIND, path_clean(op->destination), op->source);
			ret->v[ret->n - 1].source_is_link = op->src_nofollow;
		} else if (op->kind == MOUNT_OP_CGROUP) {
			add_cgroup(ret, mounts, op, cgroup);
		}
	}
	for (size_t i = 0; i < devices->n_nodes; i++)
		add(ret, EXTERNAL_DEVICE, path_clean(devices->nodes[i].path),
		    devices->nodes[i].path);
	for (size_t i = 0; i < mounts->n_masked_paths; i++)
		add(ret, EXTERNAL_MASK, path_clean(mounts->masked_paths[i]), MASK_SOURCE);
}

static void external_done(struct external *x)
{
	free(x->destination);
	free(x->source);
}

void externals_set_destination(struct externals *externals, size_t i, char *destination)
{
	if (destination) {
		replace_ptr(externals->v[i].destination, destination);
		return;
	}
	external_done(&externals->v[i]);
	externals->n--;
	memmove(&externals->v[i], &externals->v[i + 1],
		(externals->n - i) * sizeof(externals->v[0]));
}

void externals_follow_sources(struct externals *externals)
{
	for (size_t i = 0; i < externals->n; i++) {
		struct external *x = &externals->v[i];
		char *real = x->kind == EXTERNAL_BIND && !x->source_is_link ?
				     realpath(x->source, NULL) :
				     NULL;

		if (real)
			replace_ptr(x->source, real);
	}
}

void externals_done(struct externals *externals)
{
	for (size_t i = 0; i < externals->n; i++)
		external_done(&externals->v[i]);
	free(externals->v);
	*externals = (struct externals)EXTERNALS_INIT;
}

void externals_add_to_dump(const struct externals *externals, CriuOpts *opts)
{
	for (size_t i = 0; i < externals->n; i++) {
		const struct external *x = &externals->v[i];

		criu_opts_add_ext_mount(opts, x->destination,
					x->kind == EXTERNAL_MASK ? MASK_SOURCE : x->destination);
	}
}

void externals_add_to_restore(const struct externals *externals, CriuOpts *opts)
{
	for (size_t i = 0; i < externals->n; i++) {
		const struct external *x = &externals->v[i];

		criu_opts_add_ext_mount(
			opts, x->kind == EXTERNAL_MASK ? MASK_SOURCE : x->destination, x->source);
	}
}
