/* SPDX-License-Identifier: Apache-2.0 */
/* The containers' part of check: their records, directories, mounts and addresses; volumes and secrets. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/check.h"
#include "engine/cleanup.h"
#include "engine/container_network.h"
#include "engine/network_later.h"
#include "engine/records.h"
#include "engine/secret_driver.h"
#include "engine/volume.h"
#include "kernel/mountinfo.h"
#include "network/ipam.h"
#include "network/netns.h"
#include "storage/rootfs.h"

/* Root file systems of mounted images are called so. */
#define IMAGE_ROOT "image-"

/* --- repairs ---------------------------------------------------------------------------------------- */

static int remove_container(struct check *check, const char *id, struct err *err)
{
	const struct remove_options options = { .force = true, .volumes = true, .depend = true };
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open_locked(&c, check->engine, id, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	return r < 0 ? r : container_remove(&c, &options, err);
}

/* It has never run: nothing is lost. */
static int repair_half_made(struct check *check, const char *id, bool force UNUSED, struct err *err)
{
	return remove_container(check, id, err);
}

static int repair_lost_root(struct check *check, const char *id, bool force, struct err *err)
{
	if (!force)
		return err_set(err, ERR_STATE,
			       "what it has written is gone; --force removes the container");
	return remove_container(check, id, err);
}

static int repair_stray_root(struct check *check, const char *id, bool force UNUSED,
			     struct err *err)
{
	return rootfs_remove(check->store, id, err);
}

static int repair_not_cleaned(struct check *check, const char *id, bool force UNUSED,
			      struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open_locked(&c, check->engine, id, err);

	return r < 0 || container_is_alive(&c) ? r : container_cleanup(&c, err);
}

static int unmount(const char *path, struct err *err)
{
	while (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return err_sys(err, -errno, "unmount '%s'", path);
	return 0;
}

static int repair_mount(struct check *check UNUSED, const char *id, bool force UNUSED,
			struct err *err)
{
	return unmount(id, err);
}

/* What is mounted below goes first, the innermost before the others. */
static int repair_stray_file(struct check *check UNUSED, const char *id, bool force UNUSED,
			     struct err *err)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	auto_free char *below = xasprintf("%s/", id);
	int r = mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo");

	if (r < 0)
		return err_sys(err, r, "read '/proc/self/mountinfo'");
	for (size_t i = mounts.n; r == 0 && i-- > 0;)
		if (str_has_prefix(mounts.v[i].mount_point, below))
			r = unmount(mounts.v[i].mount_point, err);
	if (r == 0)
		r = fs_remove_tree(AT_FDCWD, id);
	return r < 0 ? err_sys(err, r, "remove '%s'", id) : 0;
}

/* id: "NETWORK CONTAINER". */
static int repair_lease(struct check *check, const char *id, bool force UNUSED, struct err *err)
{
	auto_free char *dir = path_join(check->engine->runroot, "networks");
	auto_free char *network = xstrndup(id, strcspn(id, " "));
	const char *container = id + strlen(network) + 1;
	auto_free char *name = xasprintf("floe-%s", container);
	auto_free char *path = netns_path(name);
	int r = netns_remove(path, err);

	return r < 0 ? r : ipam_release(dir, network, container, err);
}

static int repair_network(struct check *check, const char *id, bool force UNUSED, struct err *err)
{
	return network_later_finish(check->engine, id, err);
}

static int repair_lost_volume(struct check *check, const char *id, bool force UNUSED,
			      struct err *err)
{
	return volume_remake(check->engine, id, err);
}

static int repair_unknown_volume(struct check *check, const char *id, bool force UNUSED,
				 struct err *err)
{
	return volume_adopt(check->engine, id, err);
}

static int repair_lost_secret(struct check *check, const char *id, bool force, struct err *err)
{
	if (!force)
		return err_set(err, ERR_STATE, "its content is gone; --force removes the record");
	return secret_remove(check->engine, id, err);
}

static const struct check_kind half_made = { "was never completed", repair_half_made };
static const struct check_kind lost_root = { "has lost its root file system", repair_lost_root };
static const struct check_kind not_cleaned = { "has ended, and nobody has cleaned up after it",
					       repair_not_cleaned };
static const struct check_kind stray_root = { "belongs to nothing", repair_stray_root };
static const struct check_kind stray_file = { "belongs to nothing", repair_stray_file };
static const struct check_kind leaked_mount = { "is mounted for nobody", repair_mount };
static const struct check_kind stray_lease = { "is an address that nobody has", repair_lease };
static const struct check_kind network_left = { "was to be taken down, and nobody does",
						repair_network };
static const struct check_kind lost_volume = { "has lost its directory", repair_lost_volume };
static const struct check_kind unknown_volume = { "has a directory, but no record",
						  repair_unknown_volume };
static const struct check_kind lost_secret = { "has lost its content", repair_lost_secret };

/* --- containers ------------------------------------------------------------------------------------- */

static int check_container(void *context, struct container_config *config,
			   struct container_status *status, struct err *err)
{
	struct check *check = context;
	auto_container struct container c = CONTAINER_INIT;
	auto_free char *dir = NULL;
	int r;

	container_from(&c, check->engine, config, status);
	container_sync_loaded(&c);
	if (c.status.phase == PHASE_STOPPED)
		check_add(check, &not_cleaned, "container", c.config.id);
	if (c.config.rootfs)
		return 0;
	dir = store_path(check->store, "rootfs", c.config.id);
	r = rootfs_exists(check->store, c.config.id, err);
	if (r == 0)
		check_add(check, &half_made, "container", c.config.id);
	else if (r > 0 && !fs_exists(AT_FDCWD, dir))
		check_add(check, &lost_root, "container", c.config.id);
	return MIN(r, 0);
}

/* Each tells whether there is one of this id or name: 1 or 0. */

static int is_container(struct check *check, const char *id, struct err *err)
{
	return db_has(check->store->db, err, "SELECT 1 FROM containers WHERE id = ?", "s", id);
}

/* The network of one that is gone otherwise has its lock and its addresses. */
static int is_container_or_network(struct check *check, const char *id, struct err *err)
{
	int r = is_container(check, id, err);

	return r != 0 ? r :
			db_has(check->store->db, err, "SELECT 1 FROM networks_later WHERE id = ?",
			       "s", id);
}

static int is_image(struct check *check, const char *id, struct err *err)
{
	return db_has(check->store->db, err, "SELECT 1 FROM images WHERE id = ?", "s", id);
}

static int is_volume(struct check *check, const char *name, struct err *err)
{
	return db_has(check->store->db, err, "SELECT 1 FROM volumes WHERE name = ?", "s", name);
}

static int is_secret(struct check *check, const char *id, struct err *err)
{
	return db_has(check->store->db, err, "SELECT 1 FROM secrets WHERE id = ?", "s", id);
}

static int check_root_records(struct check *check, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = rootfs_ids(check->store, "", &ids, err);

	for (size_t i = 0; r >= 0 && i < ids.n; i++) {
		const char *image = str_skip_prefix(ids.v[i], IMAGE_ROOT);

		r = image ? is_image(check, image, err) : is_container(check, ids.v[i], err);
		if (r == 0)
			check_add(check, &stray_root, "root file system", ids.v[i]);
	}
	return MIN(r, 0);
}

/* --- files ------------------------------------------------------------------------------------------ */

static int is_root(struct check *check, const char *id, struct err *err)
{
	return rootfs_exists(check->store, id, err);
}

static int is_locked(struct check *check, const char *name, struct err *err)
{
	const char *volume = str_skip_prefix(name, "volume-");

	return volume ? is_volume(check, volume, err) : is_container_or_network(check, name, err);
}

/* Entries of base/name that belong to nothing by their name. */
static int check_dir(struct check *check, const char *base, const char *name,
		     int (*known)(struct check *check, const char *id, struct err *err),
		     struct err *err)
{
	auto_free char *dir = path_join(base, name);
	auto_strvec struct strvec paths = STRVEC_INIT;
	int r = fs_list_paths(dir, "", &paths);

	if (r < 0)
		return r == -ENOENT ? 0 : err_sys(err, r, "read '%s'", dir);
	for (size_t i = 0; r >= 0 && i < paths.n; i++) {
		const char *entry = path_basename(paths.v[i]);

		if (entry[0] == '.')
			continue;
		r = known(check, entry, err);
		if (r == 0)
			check_add(check, &stray_file, "file", paths.v[i]);
	}
	return MIN(r, 0);
}

static int check_files(struct check *check, struct err *err)
{
	const struct engine *e = check->engine;
	const struct {
		const char *base;
		const char *name;
		int (*known)(struct check *check, const char *id, struct err *err);
	} dirs[] = {
		{ e->root, "rootfs", is_root },	      { e->root, "containers", is_container },
		{ e->root, "secrets", is_secret },    { e->runroot, "containers", is_container },
		{ e->tmpdir, "exits", is_container }, { e->tmpdir, "persist", is_container },
		{ e->tmpdir, "locks", is_locked },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++)
		r = check_dir(check, dirs[i].base, dirs[i].name, dirs[i].known, err);
	return r;
}

/* --- mounts and addresses --------------------------------------------------------------------------- */

/* The ID of BASE/ID/NAME, owned by the caller; NULL for another path. */
static char *id_between(const char *path, const char *base, const char *name)
{
	const char *rest = str_skip_prefix(path, base);
	const char *slash = rest && *rest == '/' ? strchr(rest + 1, '/') : NULL;

	return slash && str_eq(slash + 1, name) ? xstrndup(rest + 1, (size_t)(slash - rest - 1)) :
						  NULL;
}

static bool has_shm(struct check *check, const char *id)
{
	auto_container struct container c = CONTAINER_INIT;

	if (container_open_id(&c, check->engine, id, NULL) < 0)
		return false;
	container_sync(&c);
	/* A start makes it before the record says so, and may take its time over the network then. */
	return container_is_alive(&c) || c.status.phase == PHASE_INITIALIZED ||
	       c.status.phase == PHASE_STOPPED || container_is_locked(check->engine, id);
}

static int check_mounts(struct check *check, struct err *err)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	auto_free char *roots = store_path(check->store, "rootfs", NULL);
	auto_free char *runs = path_join(check->engine->runroot, "containers");
	int r = mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo");

	if (r < 0)
		return err_sys(err, r, "read '/proc/self/mountinfo'");
	for (size_t i = 0; r == 0 && i < mounts.n; i++) {
		const char *at = mounts.v[i].mount_point;
		auto_free char *root = id_between(at, roots, "merged");
		auto_free char *shm = id_between(at, runs, "shm");
		int64_t count = 0;

		if (root && rootfs_exists(check->store, root, NULL) > 0) {
			r = rootfs_mount_count(check->store, root, &count, err);
			if (r == 0 && count == 0)
				check_add(check, &leaked_mount, "directory", at);
		} else if (root || (shm && !has_shm(check, shm))) {
			check_add(check, &leaked_mount, "directory", at);
		}
	}
	return r;
}

static int check_leases(struct check *check, struct err *err)
{
	auto_free char *dir = path_join(check->engine->runroot, "networks");
	auto_strvec struct strvec pairs = STRVEC_INIT;
	int r = ipam_list(dir, &pairs, err);

	for (size_t i = 0; r >= 0 && i < pairs.n; i++) {
		r = is_container_or_network(check, strchr(pairs.v[i], ' ') + 1, err);
		if (r == 0)
			check_add(check, &stray_lease, "lease", pairs.v[i]);
	}
	return MIN(r, 0);
}

static int check_networks(struct check *check, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = record_networks_later(check->engine, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		if (!network_later_is_under_way(check->engine, ids.v[i]))
			check_add(check, &network_left, "network of container", ids.v[i]);
	return r;
}

/* --- volumes and secrets ---------------------------------------------------------------------------- */

static int check_volumes(struct check *check, struct err *err)
{
	auto_volumes struct volumes volumes = { 0 };
	auto_strvec struct strvec paths = STRVEC_INIT;
	int r = volume_list(check->engine, &volumes, err);

	for (size_t i = 0; r == 0 && i < volumes.n; i++)
		if (!fs_exists(AT_FDCWD, volumes.v[i].mountpoint))
			check_add(check, &lost_volume, "volume", volumes.v[i].name);
	if (r < 0 || fs_list_paths(check->engine->volumepath, "", &paths) < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < paths.n; i++) {
		const char *name = path_basename(paths.v[i]);
		auto_free char *data = path_join(paths.v[i], "_data");

		if (!parse_is_name(name) || !fs_exists(AT_FDCWD, data))
			continue;
		r = is_volume(check, name, err);
		if (r == 0)
			check_add(check, &unknown_volume, "volume", name);
	}
	return MIN(r, 0);
}

static int check_secrets(struct check *check, struct err *err)
{
	auto_secrets struct secrets secrets = { 0 };
	int r = secret_list(check->engine, &secrets, err);

	for (size_t i = 0; r == 0 && i < secrets.n; i++) {
		if (secret_driver_has_lost(check->engine, &secrets.v[i]))
			check_add(check, &lost_secret, "secret", secrets.v[i].name);
	}
	return r;
}

int check_containers(struct check *check, struct err *err)
{
	int r = record_each(check->engine, check_container, check, err);

	if (r == 0)
		r = check_mounts(check, err);
	if (r == 0)
		r = check_root_records(check, err);
	if (r == 0)
		r = check_files(check, err);
	if (r == 0)
		r = check_leases(check, err);
	if (r == 0)
		r = check_networks(check, err);
	if (r == 0)
		r = check_volumes(check, err);
	return r < 0 ? r : check_secrets(check, err);
}
