/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/facts.h"

#include <stdio.h>
#include <sys/stat.h>

#include "core/fd.h"
#include "core/fs.h"
#include "core/rooted.h"
#include "core/str.h"
#include "runtime/checkpoint/request.h"

static void fill_cgroup(struct checkpoint_plans *plans)
{
	for (size_t i = 0; i < plans->cgroupfs.n; i++) {
		const struct cgroupfs_hierarchy *h = &plans->cgroupfs.v[i];

		if (h->unified) {
			if (plans->cgroupfs.mode == CGROUPFS_V2)
				plans->cgroup.v2_mount_point = h->mount_point;
			continue;
		}
		/* A dump does not look at the container's own directory. */
		plans->v1[plans->cgroup.n_v1++] = (struct mount_cgroup_hierarchy){
			.mount_point = h->mount_point,
			.options = h->controllers,
			.own_dir = h->mount_point,
		};
	}
	plans->cgroup.v1 = plans->v1;
}

int checkpoint_plans_make(struct checkpoint_plans *ret, const struct runtime_spec *spec,
			  const char *bundle, struct err *err)
{
	struct mount_facts facts;
	int r = cgroupfs_open(&ret->cgroupfs, NULL);

	if (r < 0)
		return err_sys(err, r, "find the cgroup hierarchies");
	fill_cgroup(ret);
	mount_facts_init(&facts, spec, bundle);
	facts.cgroup_mode = ret->cgroupfs.mode == CGROUPFS_V2 ? MOUNT_CGROUP_V2 :
			    ret->cgroup.n_v1		      ? MOUNT_CGROUP_V1 :
								MOUNT_CGROUP_NONE;
	r = mount_plan_make(&ret->mounts, spec, &facts, err);
	if (r == 0)
		r = device_plan_make(&ret->devices, spec, &ret->mounts, err);
	if (r == 0)
		externals_make(&ret->externals, &ret->mounts, &ret->devices, &ret->cgroup);
	return r;
}

/* Whether a mask is in force at path: it is there and no directory (those are tmpfs, dumped as any). */
static bool is_masked_file(const struct rooted *root, const char *path)
{
	auto_close int fd = rooted_openat(root, path, O_PATH);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode);
}

int externals_resolve(struct externals *externals, const struct rooted *root, bool drop_masks,
		      struct err *err)
{
	for (size_t i = 0; i < externals->n;) {
		struct external *e = &externals->v[i];
		char *resolved;

		if (e->kind == EXTERNAL_MASK && drop_masks &&
		    !is_masked_file(root, e->destination)) {
			externals_set_destination(externals, i, NULL);
			continue;
		}
		resolved = rooted_resolve(root, e->destination);
		if (!resolved)
			return err_sys(err, -errno, "resolve '%s' in the container's root",
				       e->destination);
		externals_set_destination(externals, i, resolved);
		i++;
	}
	return 0;
}

int checkpoint_plans_resolve(struct checkpoint_plans *plans, pid_t pid, struct err *err)
{
	auto_rooted struct rooted root = ROOTED_INIT;
	char path[32];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	r = rooted_open(&root, AT_FDCWD, path);
	if (r < 0)
		return err_sys(err, r, "open the container's root '%s'", path);
	return externals_resolve(&plans->externals, &root, true, err);
}

void checkpoint_plans_done(struct checkpoint_plans *plans)
{
	externals_done(&plans->externals);
	mount_plan_done(&plans->mounts);
	device_plan_done(&plans->devices);
	cgroupfs_close(&plans->cgroupfs);
}

int checkpoint_namespace_inode(const struct runtime_spec *spec, const char *type, uint64_t *ret,
			       struct err *err)
{
	for (size_t i = 0; i < spec->linux_->n_namespaces; i++) {
		const struct oci_namespace *ns = &spec->linux_->namespaces[i];
		struct stat st;

		if (!str_eq(ns->type, type) || str_is_empty(ns->path))
			continue;
		if (stat(ns->path, &st) < 0)
			return err_sys(err, -errno, "examine %s namespace '%s'", type, ns->path);
		*ret = st.st_ino;
	}
	return 0;
}

const char *checkpoint_config_file(void)
{
	static const char *const files[] = { CHECKPOINT_CONFIG_FILES };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (fs_exists(AT_FDCWD, files[i]))
			return files[i];
	return NULL;
}
