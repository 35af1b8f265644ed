/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_access.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strvec.h"
#include "criu/access.pb-c.h"
#include "criu/image_file.h"
#include "criu/image_filter.h"
#include "criu/images.pb-c.h"

#define TASK_DEAD 2 /* CRIU's task_core_entry.task_state */

struct reading {
	int dir_fd;
	struct criu_access *ret;
	struct image_filters *filters;
	const int *guarded;
	size_t n_guarded;
	uint32_t first_pid;
	AccessInventory *inventory;
	struct err *err;
};

void criu_access_done(struct criu_access *access)
{
	strvec_done(&access->host_namespaces);
	strvec_done(&access->lsm_profiles);
	strvec_done(&access->mounts);
	strvec_done(&access->cgroups);
}

static int damaged(const struct reading *x, const char *name)
{
	return err_set(x->err, ERR_CORRUPT, "image '%s' is missing or damaged", name);
}

/* Call each() for the entries of an image; it returns 0 or a negative errno. */
static int each_entry(struct reading *x, const char *name, uint32_t magic,
		      int (*each)(struct reading *x, const char *name, const uint8_t *data,
				  size_t len))
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open(&file, x->dir_fd, name, magic);

	while (r >= 0 && (r = image_file_next(&file)) > 0)
		if (each(x, name, file.entry, file.len) < 0)
			return -EINVAL;
	return r < 0 ? damaged(x, name) : 0;
}

/* --- threads ---------------------------------------------------------------------------------------- */

static uint64_t cap_set(const uint32_t *words, size_t n)
{
	uint64_t set = 0;

	for (size_t i = 0; i < n && i < 2; i++)
		set |= (uint64_t)words[i] << (32 * i);
	return set;
}

static void read_creds(struct reading *x, const AccessCreds *c)
{
	x->ret->capabilities |=
		cap_set(c->cap_inh, c->n_cap_inh) | cap_set(c->cap_prm, c->n_cap_prm) |
		cap_set(c->cap_eff, c->n_cap_eff) | cap_set(c->cap_bnd, c->n_cap_bnd);
	if (c->lsm_profile && !strvec_contains(&x->ret->lsm_profiles, c->lsm_profile))
		strvec_add(&x->ret->lsm_profiles, c->lsm_profile);
}

static void try_filter(struct reading *x, uint32_t place)
{
	for (size_t i = 0; x->ret->allowed_call < 0 && i < x->n_guarded; i++)
		if (image_filters_allow(x->filters, place, x->guarded[i]))
			x->ret->allowed_call = x->guarded[i];
}

/* Of threads that share the filters of their leader CRIU says nothing, but has them made for all threads. */
static bool has_leaders_filter(const struct reading *x, const AccessCore *core)
{
	return !core->tc && core->thread_core && !core->thread_core->has_seccomp_mode &&
	       image_filters_are_synced(x->filters);
}

/* Of a zombie there is only its exit code; CRIU makes a process that ends at once. */
static bool is_dead(const AccessCore *core)
{
	return core->tc && core->tc->has_task_state && core->tc->task_state == TASK_DEAD;
}

static int read_core(struct reading *x, const char *name, const uint8_t *data, size_t len)
{
	AccessCore *core = access_core__unpack(NULL, len, data);
	uint32_t mode = 0;
	uint32_t place = 0;

	if (!core)
		return damaged(x, name);
	if (is_dead(core)) {
		access_core__free_unpacked(core, NULL);
		return 0;
	}
	if (core->tc && core->tc->has_old_seccomp_mode) {
		mode = core->tc->old_seccomp_mode;
		place = core->tc->old_seccomp_filter;
	}
	if (core->thread_core && core->thread_core->has_seccomp_mode) {
		mode = core->thread_core->seccomp_mode;
		place = core->thread_core->seccomp_filter;
	}
	x->ret->n_threads++;
	if (mode == SECCOMP_MODE_FILTER)
		try_filter(x, place);
	else if (mode != SECCOMP_MODE_STRICT && !has_leaders_filter(x, core))
		x->ret->n_unfiltered++;
	if (core->thread_core && core->thread_core->creds)
		read_creds(x, core->thread_core->creds);
	access_core__free_unpacked(core, NULL);
	return 0;
}

/* --- namespaces ------------------------------------------------------------------------------------- */

static int read_first(struct reading *x, const char *name, const uint8_t *data, size_t len)
{
	CriuPstreeEntry *task = criu_pstree_entry__unpack(NULL, len, data);

	if (!task)
		return damaged(x, name);
	if (x->first_pid == 0)
		x->first_pid = task->pid;
	criu_pstree_entry__free_unpacked(task, NULL);
	return 0;
}

static int read_inventory(struct reading *x, const char *name, const uint8_t *data, size_t len)
{
	AccessInventory *inventory = access_inventory__unpack(NULL, len, data);

	if (!inventory)
		return damaged(x, name);
	if (x->inventory)
		access_inventory__free_unpacked(x->inventory, NULL);
	x->inventory = inventory;
	return 0;
}

/* CRIU makes a new namespace where the first process's differs from that of who dumped it, and only there. */
static int read_ids(struct reading *x, const char *name, const uint8_t *data, size_t len)
{
	AccessIds *own = access_ids__unpack(NULL, len, data);
	const AccessIds *host = x->inventory ? x->inventory->root_ids : NULL;
	struct strvec *v = &x->ret->host_namespaces;

	if (!own)
		return damaged(x, name);
	if (!host || own->pid_ns_id == host->pid_ns_id)
		strvec_add(v, "pid");
	if (!host || own->net_ns_id == host->net_ns_id)
		strvec_add(v, "network");
	if (!host || own->ipc_ns_id == host->ipc_ns_id)
		strvec_add(v, "ipc");
	if (!host || own->uts_ns_id == host->uts_ns_id)
		strvec_add(v, "uts");
	if (!host || own->mnt_ns_id == host->mnt_ns_id)
		strvec_add(v, "mount");
	access_ids__free_unpacked(own, NULL);
	return 0;
}

static int read_namespaces(struct reading *x)
{
	auto_free char *name = NULL;
	int r = each_entry(x, "inventory.img", 0, read_inventory);

	if (r == 0)
		r = each_entry(x, "pstree.img", IMAGE_MAGIC_PSTREE, read_first);
	if (r < 0)
		return r;
	name = xasprintf("ids-%" PRIu32 ".img", x->first_pid);
	return each_entry(x, name, 0, read_ids);
}

/* --- mounts ----------------------------------------------------------------------------------------- */

/* CRIU's numbers of the kinds that containers have of their own; others come from outside, by a key. */
static bool is_containers_own(uint32_t fstype)
{
	switch (fstype) {
	case 1: /* proc */
	case 2: /* sysfs */
	case 5: /* tmpfs */
	case 6: /* devpts */
	case 12: /* cgroup */
	case 14: /* mqueue */
	case 23: /* cgroup2 */
		return true;
	default:
		return false;
	}
}

static int read_mount(struct reading *x, const char *name, const uint8_t *data, size_t len)
{
	AccessMount *m = access_mount__unpack(NULL, len, data);
	const char *place;

	if (!m)
		return damaged(x, name);
	place = m->mountpoint ? m->mountpoint : "?";
	if ((str_eq(place, "/") || str_eq(place, "./")) && (m->shared_id || m->master_id))
		x->ret->root_is_shared = true;
	/* The root is what the runtime says that it is. */
	if (!is_containers_own(m->fstype) && !m->ext_key && !m->ext_mount && !str_eq(place, "/") &&
	    !str_eq(place, "./"))
		strvec_addf(&x->ret->mounts, "file system of kind %u (source '%s') on '%s'",
			    m->fstype, m->source ? m->source : "", place);
	access_mount__free_unpacked(m, NULL);
	return 0;
}

/* --- cgroups ---------------------------------------------------------------------------------------- */

static void read_cgroup_dir(struct reading *x, const AccessCgroupDir *dir, unsigned int depth)
{
	if (dir->dir_name && strstr(dir->dir_name, ".."))
		strvec_addf(&x->ret->cgroups, "cgroup '%s'", dir->dir_name);
	for (size_t i = 0; i < dir->n_properties; i++) {
		const char *name = dir->properties[i]->name;

		if (name && (strchr(name, '/') || str_eq(name, "release_agent")))
			strvec_addf(&x->ret->cgroups, "cgroup file '%s'", name);
	}
	for (size_t i = 0; depth < 32 && i < dir->n_children; i++)
		read_cgroup_dir(x, dir->children[i], depth + 1);
}

static int read_cgroup(struct reading *x, const char *name, const uint8_t *data, size_t len)
{
	AccessCgroup *cgroup = access_cgroup__unpack(NULL, len, data);

	if (!cgroup)
		return damaged(x, name);
	for (size_t i = 0; i < cgroup->n_controllers; i++)
		for (size_t k = 0; k < cgroup->controllers[i]->n_dirs; k++)
			read_cgroup_dir(x, cgroup->controllers[i]->dirs[k], 0);
	access_cgroup__free_unpacked(cgroup, NULL);
	return 0;
}

/* --- all of it -------------------------------------------------------------------------------------- */

static int read_files(struct reading *x)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(x->dir_fd, ".", &names);

	if (r < 0)
		return err_sys(x->err, r, "read the images");
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *name = names.v[i];

		if (str_has_prefix(name, "core-"))
			r = each_entry(x, name, IMAGE_MAGIC_CORE, read_core);
		else if (str_has_prefix(name, "mountpoints-"))
			r = each_entry(x, name, 0, read_mount);
		else if (str_eq(name, "cgroup.img"))
			r = each_entry(x, name, IMAGE_MAGIC_CGROUP, read_cgroup);
		else if (str_eq(name, "apparmor.img"))
			x->ret->has_apparmor_policy = true;
	}
	return r;
}

int criu_images_access(struct criu_access *ret, int dir_fd, const int *guarded, size_t n_guarded,
		       struct err *err)
{
	struct criu_access access = CRIU_ACCESS_INIT;
	struct reading x = { .dir_fd = dir_fd,
			     .ret = &access,
			     .guarded = guarded,
			     .n_guarded = n_guarded,
			     .err = err };
	int r = image_filters_load(&x.filters, dir_fd, err);

	if (r == 0)
		r = read_namespaces(&x);
	if (r == 0)
		r = read_files(&x);
	if (x.inventory)
		access_inventory__free_unpacked(x.inventory, NULL);
	image_filters_free(x.filters);
	if (r < 0)
		criu_access_done(&access);
	else
		*ret = access;
	return r;
}
