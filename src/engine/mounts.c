/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mounts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/image_use.h"
#include "engine/mount_defaults.h"
#include "engine/selinux.h"
#include "engine/userns.h"
#include "engine/volume.h"
#include "engine/volume_mount.h"
#include "storage/rootfs.h"

/* Remove a word that only this program understands. */
static void drop_option(struct container_mount *m, const char *option)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n_options; i++) {
		if (str_eq(m->options[i], option))
			free(m->options[i]);
		else
			m->options[kept++] = m->options[i];
	}
	if (m->options)
		m->options[kept] = NULL;
	m->n_options = kept;
}

/* --- sources that are made for the container -------------------------------------------------------- */

/* Characters that the options of overlay give a meaning to. */
static bool is_overlay_safe(const char *path)
{
	return !path[strcspn(path, ":,\\")];
}

static char *take_value(struct container_mount *m, const char *prefix)
{
	for (size_t i = 0; i < m->n_options; i++) {
		const char *value = str_skip_prefix(m->options[i], prefix);
		auto_free char *whole = NULL;
		char *copy;

		if (!value)
			continue;
		copy = xstrdup(value);
		whole = xstrdup(m->options[i]);
		drop_option(m, whole);
		return copy;
	}
	return NULL;
}

static int make_overlay_dir(const struct container *c, size_t index, const char *name,
			    const struct stat *like, char **ret, struct err *err)
{
	auto_free char *path = xasprintf("%s/overlay-volumes/%zu/%s", c->static_dir, index, name);
	int r = fs_mkdir_all(AT_FDCWD, path, 0711, 0755);

	if (r == 0 &&
	    (chown(path, like->st_uid, like->st_gid) < 0 || chmod(path, like->st_mode & 07777) < 0))
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "make directory '%s'", path);
	*ret = take_ptr(path);
	return 0;
}

/*
 * Option O: what the container writes goes elsewhere, and is gone when it ends unless the user names the place. The
 * runtime makes the mount, so that nothing is left on the host.
 */
static int make_overlay(const struct container *c, struct container_mount *m, size_t index,
			struct err *err)
{
	auto_free char *upper = take_value(m, "upperdir=");
	auto_free char *work = take_value(m, "workdir=");
	auto_free char *lower = take_ptr(m->source);
	char *options[3];
	struct stat st;
	int r = 0;

	if (!upper != !work)
		return err_set(err, ERR_INVALID,
			       "mount on '%s': upperdir and workdir need each other",
			       m->destination);
	if (stat(lower, &st) < 0)
		return err_sys(err, -errno, "mount '%s' on '%s'", lower, m->destination);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "mount '%s' on '%s': option O is for directories",
			       lower, m->destination);
	if (!upper) {
		r = make_overlay_dir(c, index, "upper", &st, &upper, err);
		if (r == 0)
			r = make_overlay_dir(c, index, "work", &st, &work, err);
		if (r < 0)
			return r;
	}
	if (!is_overlay_safe(lower) || !is_overlay_safe(upper) || !is_overlay_safe(work))
		return err_set(err, ERR_INVALID,
			       "mount '%s' on '%s': paths of an overlay cannot contain ':', ',' or "
			       "'\\'",
			       lower, m->destination);
	options[0] = xasprintf("lowerdir=%s", lower);
	options[1] = xasprintf("upperdir=%s", upper);
	options[2] = xasprintf("workdir=%s", work);
	for (size_t i = 0; i < m->n_options; i++)
		free(m->options[i]);
	m->n_options = 0;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		json_strings_add(&m->options, &m->n_options, options[i]);
		free(options[i]);
	}
	json_strings_add(&m->options, &m->n_options, "private");
	replace_ptr(m->type, xstrdup("overlay"));
	return 0;
}

/* A root file system of its own made of the image, which goes when the container ends. */
static int mount_image(struct container *c, struct container_mount *m, size_t index,
		       struct err *err)
{
	auto_image struct image image = { 0 };
	auto_free char *id = xasprintf("%s-%zu", c->config.id, index);
	auto_free char *path = NULL;
	auto_idmap struct idmap uids;
	auto_idmap struct idmap gids;
	struct rootfs_options options = { .uids = &uids, .gids = &gids };
	struct store *store;
	int r = engine_store(c->engine, &store, err);

	userns_maps(&c->config, &uids, &gids);

	if (r == 0)
		r = image_find(store, m->source, &image, NULL, err);
	if (r < 0)
		return err_wrap(err, r, "mount image on '%s'", m->destination);
	options.top = image.top;
	options.read_only = !specgen_has_option(m->options, m->n_options, "rw");
	r = rootfs_create(store, id, &options, err);
	if (r == 0)
		r = rootfs_mount(store, id, &path, err);
	if (r < 0)
		return r;
	if (m->subpath) {
		auto_free char *inside = NULL;

		r = volume_subpath(path, m->subpath, &inside, err);
		if (r < 0)
			return r;
		replace_ptr(path, take_ptr(inside));
	}
	replace_ptr(m->source, take_ptr(path));
	replace_ptr(m->type, xstrdup("bind"));
	return 0;
}

int mounts_remove_overlays(const struct container *c, struct err *err)
{
	auto_free char *overlays = path_join(c->static_dir, "overlay-volumes");
	int r = fs_remove_tree(AT_FDCWD, overlays);

	return r < 0 ? err_sys(err, r, "remove '%s'", overlays) : 0;
}

int mounts_clean_up(struct container *c, struct err *err)
{
	auto_free char *prefix = xasprintf("%s-", c->config.id);
	auto_strvec struct strvec ids = STRVEC_INIT;
	struct store *store;
	bool has_images = false;
	/* What is frozen has its files there, and goes on with them. */
	int r = c->status.checkpointed ? 0 : mounts_remove_overlays(c, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];

		if (!str_eq(m->type, "volume") || !m->source)
			continue;
		r = volume_release(c->engine, m->source, c->config.id, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < c->config.n_mounts; i++)
		has_images = has_images || str_eq(c->config.mounts[i].type, "image");
	if (!has_images)
		return 0;
	r = engine_store(c->engine, &store, err);
	if (r == 0)
		r = rootfs_ids(store, prefix, &ids, err);
	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = rootfs_remove(store, ids.v[i], err);
	return r;
}

static bool bound(const struct container_mount *m)
{
	return str_eq(m->type, "bind") || str_eq(m->type, "volume");
}

static int find_source(struct container *c, const struct rooted *root, struct container_mount *m,
		       const struct spec_user *user, size_t index, struct err *err)
{
	if (str_eq(m->type, "image")) {
		int r = mount_image(c, m, index, err);

		if (r < 0)
			return r;
	} else if (str_eq(m->type, "volume")) {
		auto_free char *path = NULL;
		int r = volume_hold(c->engine, m->source, c->config.id, err);

		if (r == 0)
			r = volume_mount_for(c->engine, m, root, user, &path, err);

		if (r < 0)
			return r;
		replace_ptr(m->source, take_ptr(path));
	} else if (str_eq(m->type, "bind")) {
		if (access(m->source, F_OK) < 0)
			return err_sys(err, -errno, "mount '%s' on '%s'", m->source,
				       m->destination);
	}
	if (str_eq(m->type, "bind") && specgen_has_option(m->options, m->n_options, "U") &&
	    volume_chown_tree(m->source, user->uid, user->gid) < 0)
		return err_sys(err, -errno, "change the owner of '%s'", m->source);
	drop_option(m, "notmpcopyup");
	if (bound(m) && (specgen_has_option(m->options, m->n_options, "z") ||
			 specgen_has_option(m->options, m->n_options, "Z"))) {
		int r = selinux_relabel(&c->config, m->source,
					specgen_has_option(m->options, m->n_options, "z"), err);

		if (r < 0)
			return r;
	}
	if (specgen_has_option(m->options, m->n_options, "O"))
		return make_overlay(c, m, index, err);
	return 0;
}

/* Who the container's user is on the host. */
static int outside_user(const struct container *c, const struct spec_user *user,
			struct spec_user *ret, struct err *err)
{
	*ret = *user;
	if (userns_owner_outside(&c->config, user->uid, user->gid, &ret->uid, &ret->gid) < 0)
		return err_set(err, ERR_INVALID,
			       "user %u or group %u is not mapped into container '%s'", user->uid,
			       user->gid, c->config.name);
	return 0;
}

static int fill_volume(struct container *c, const struct container_mount *m,
		       const struct rooted *root, const struct spec_user *user, struct err *err)
{
	auto_free char *path = NULL;
	struct err release = ERR_INIT;
	int r = volume_hold(c->engine, m->source, c->config.id, err);

	if (r < 0)
		return r;
	r = volume_mount_for(c->engine, m, root, user, &path, err);
	if (volume_release(c->engine, m->source, c->config.id, &release) < 0)
		log_warning("%s", release.msg);
	return r;
}

int mounts_fill_volumes(struct container *c, const struct rooted *root,
			const struct spec_user *user, struct err *err)
{
	struct spec_user outside;
	int r = outside_user(c, user, &outside, err);

	for (size_t i = 0; r == 0 && i < c->config.n_mounts; i++)
		if (str_eq(c->config.mounts[i].type, "volume"))
			r = fill_volume(c, &c->config.mounts[i], root, &outside, err);
	return r;
}

int mounts_prepare(struct container *c, const struct rooted *root, struct spec_facts *f,
		   struct err *err)
{
	struct spec_user user;
	int r = outside_user(c, &f->user, &user, err);

	for (size_t i = 0; r == 0 && i < c->config.n_mounts; i++) {
		const struct container_mount *from = &c->config.mounts[i];
		struct container_mount *m = array_push(f->mounts, f->n_mounts);

		m->type = xstrdup(from->type);
		m->source = xstrdup(from->source);
		m->destination = xstrdup(from->destination);
		m->subpath = xstrdup(from->subpath);
		json_strings_add_all(&m->options, &m->n_options, from->options, from->n_options);
		mount_defaults_add(m);
		/* There is nothing to map. */
		if (c->config.n_uid_maps == 0) {
			drop_option(m, "idmap");
			free(take_value(m, "idmap="));
		}
		/* Its processes may have given the files to others since. */
		if (f->restored)
			drop_option(m, "U");
		/* The mount goes where the path leads to inside the root. */
		if (str_eq(m->type, "tmpfs")) {
			char *resolved = rooted_resolve(root, m->destination);

			if (resolved)
				replace_ptr(m->destination, resolved);
		}
		r = find_source(c, root, m, &user, i, err);
	}
	return r;
}
