/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/cgroupfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/strvec.h"

#define CGROUP_TOP "/sys/fs/cgroup"

/* Words of a v1 mount's options that are controllers; the others are flags such as xattr. */
static const char *const v1_controllers[] = {
	"cpuset",  "cpu",      "cpuacct",    "blkio",	"memory", "devices", "freezer",
	"net_cls", "net_prio", "perf_event", "hugetlb", "pids",	  "rdma",    "misc",
};

static bool is_v1_controller(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(v1_controllers); i++)
		if (str_eq(word, v1_controllers[i]))
			return true;
	return str_has_prefix(word, "name=");
}

static char *controllers_of(const char *super_options)
{
	auto_strvec struct strvec words = STRVEC_INIT;
	auto_strvec struct strvec kept = STRVEC_INIT;

	strvec_split(&words, super_options, ',', false);
	for (size_t i = 0; i < words.n; i++)
		if (is_v1_controller(words.v[i]))
			strvec_add(&kept, words.v[i]);
	return kept.n ? strvec_join(&kept, ",") : NULL;
}

static bool is_below_top(const struct cgroupfs_hierarchy *h, const char *prefix)
{
	const char *path = h->mount_point + (prefix ? strlen(prefix) : 0);

	return path_is_below(path, CGROUP_TOP);
}

/* Of two mounts of one hierarchy, whether the new one is the better. */
static bool is_better(const struct cgroupfs_hierarchy *new, const struct cgroupfs_hierarchy *old,
		      const char *prefix)
{
	bool new_below = is_below_top(new, prefix);

	if (new_below != is_below_top(old, prefix))
		return new_below;
	return str_eq(new->root, "/") && !str_eq(old->root, "/");
}

static void hierarchy_done(struct cgroupfs_hierarchy *h)
{
	free(h->controllers);
	free(h->mount_point);
	free(h->root);
}

/* Takes over the members of *h. */
static void add_hierarchy(struct cgroupfs *fs, struct cgroupfs_hierarchy *h)
{
	for (size_t i = 0; i < fs->n; i++) {
		struct cgroupfs_hierarchy *old = &fs->v[i];

		if (!str_eq(old->controllers, h->controllers))
			continue;
		if (is_better(h, old, fs->prefix)) {
			hierarchy_done(old);
			*old = *h;
		} else {
			hierarchy_done(h);
		}
		return;
	}
	*array_push(fs->v, fs->n) = *h;
}

static void add_mount(struct cgroupfs *fs, const struct mountinfo *mounts,
		      const struct mountinfo_entry *e, bool unified)
{
	struct cgroupfs_hierarchy h = {
		.controllers = unified ? xstrdup("") : controllers_of(e->super_options),
		.unified = unified,
	};

	if (!h.controllers)
		return;
	/* Somebody who hides a hierarchy wants it left alone; what is found at its path is not it. */
	if (mountinfo_is_covered(mounts, e)) {
		hierarchy_done(&h);
		return;
	}
	h.mount_point = xasprintf("%s%s", fs->prefix ? fs->prefix : "", e->mount_point);
	h.root = xstrdup(e->root);
	add_hierarchy(fs, &h);
}

static enum cgroupfs_mode mode_of(const struct cgroupfs *fs)
{
	bool v1 = false;
	bool v2 = false;

	for (size_t i = 0; i < fs->n; i++)
		*(fs->v[i].unified ? &v2 : &v1) = true;
	if (v1)
		return v2 ? CGROUPFS_HYBRID : CGROUPFS_V1;
	return v2 ? CGROUPFS_V2 : CGROUPFS_NONE;
}

void cgroupfs_from_mountinfo(struct cgroupfs *ret, const struct mountinfo *mounts,
			     const char *prefix)
{
	struct cgroupfs fs = { .prefix = prefix ? xstrdup(prefix) : NULL };
	const struct mountinfo_entry *top = mountinfo_find(mounts, CGROUP_TOP);
	bool top_is_v2 = top && str_eq(top->fs_type, "cgroup2");

	/* With v2 at the top, a v1 hierarchy further below is there for somebody's old software. */
	for (size_t i = 0; i < mounts->n && !top_is_v2; i++)
		if (str_eq(mounts->v[i].fs_type, "cgroup"))
			add_mount(&fs, mounts, &mounts->v[i], false);
	for (size_t i = 0; i < mounts->n; i++)
		if (top_is_v2 ? &mounts->v[i] == top : str_eq(mounts->v[i].fs_type, "cgroup2"))
			add_mount(&fs, mounts, &mounts->v[i], true);
	fs.mode = mode_of(&fs);
	*ret = fs;
}

static int read_mountinfo(const char *prefix, struct mountinfo *ret)
{
	auto_free char *path = xasprintf("%s/proc/self/mountinfo", prefix ? prefix : "");

	return mountinfo_read(ret, AT_FDCWD, path);
}

int cgroupfs_open(struct cgroupfs *ret, const char *prefix)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	struct statfs st;
	int r;

	if (!prefix && statfs(CGROUP_TOP, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC) {
		*ret = (struct cgroupfs){ .mode = CGROUPFS_V2 };
		*array_push(ret->v, ret->n) = (struct cgroupfs_hierarchy){
			.controllers = xstrdup(""),
			.mount_point = xstrdup(CGROUP_TOP),
			.unified = true,
		};
		return 0;
	}
	r = read_mountinfo(prefix, &mounts);
	if (r < 0)
		return r;
	cgroupfs_from_mountinfo(ret, &mounts, prefix);
	return 0;
}

void cgroupfs_close(struct cgroupfs *fs)
{
	for (size_t i = 0; i < fs->n; i++)
		hierarchy_done(&fs->v[i]);
	free(fs->v);
	free(fs->prefix);
	*fs = (struct cgroupfs)CGROUPFS_INIT;
}

struct cgroupfs_hierarchy *cgroupfs_find(const struct cgroupfs *fs, const char *controller)
{
	for (size_t i = 0; i < fs->n; i++) {
		struct cgroupfs_hierarchy *h = &fs->v[i];

		if (*controller ? mountinfo_list_has(h->controllers, controller) : h->unified)
			return h;
	}
	return NULL;
}

/* cgroupfs_open() did without mountinfo; a bind mount of a part shows only there. */
static const char *root_of(const struct cgroupfs *fs, struct cgroupfs_hierarchy *h)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	const struct mountinfo_entry *e = NULL;

	if (!h->root) {
		if (read_mountinfo(fs->prefix, &mounts) == 0)
			e = mountinfo_find(&mounts, h->mount_point);
		h->root = xstrdup(e ? e->root : "/");
	}
	return h->root;
}

char *cgroupfs_own_path(const struct cgroupfs *fs, struct cgroupfs_hierarchy *hierarchy,
			const struct procfs_cgroups *cgroups)
{
	const struct procfs_cgroup *own = NULL;
	const char *root;
	const char *rest;

	for (size_t i = 0; i < cgroups->n && !own; i++)
		if (hierarchy->unified ? cgroups->v[i].hierarchy == 0 :
					 str_eq(cgroups->v[i].controllers, hierarchy->controllers))
			own = &cgroups->v[i];
	/* The two files may list merged controllers in different order. */
	if (!own && !hierarchy->unified) {
		auto_free char *first =
			xstrndup(hierarchy->controllers, strcspn(hierarchy->controllers, ","));

		own = procfs_cgroups_find(cgroups, first);
	}
	if (!own)
		return NULL;
	root = root_of(fs, hierarchy);
	if (str_eq(root, "/"))
		return xstrdup(own->path);
	if (!path_is_below(own->path, root))
		return xstrdup("/");
	rest = own->path + strlen(root);
	return xstrdup(*rest ? rest : "/");
}

const char *cgroupfs_mode_to_string(enum cgroupfs_mode mode)
{
	static const char *const names[] = {
		[CGROUPFS_NONE] = "none",
		[CGROUPFS_V1] = "v1",
		[CGROUPFS_HYBRID] = "hybrid",
		[CGROUPFS_V2] = "v2",
	};

	return names[mode];
}
