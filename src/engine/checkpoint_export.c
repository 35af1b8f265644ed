/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/checkpoint_export.h"

#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/archive_record.h"
#include "engine/checkpoint_files.h"
#include "criu/stats.h"
#include "engine/copy_tree.h"
#include "engine/facts.h"
#include "engine/image_use.h"
#include "engine/records.h"
#include "engine/restore_previous.h"
#include "engine/specgen.h"
#include "storage/rootfs.h"

#define SNAPSHOT_DIR "snapshot"
#define SNAPSHOT_ROOTFS SNAPSHOT_DIR "/rootfs"
#define SNAPSHOT_LOG SNAPSHOT_DIR "/ctr.log"
#define SNAPSHOT_VOLUMES SNAPSHOT_DIR "/volumes"
/* As podman marks a spec.dump for others; checkpointctl tells engines apart by it. */
#define MANAGER_KEY "io.container.manager"
#define MANAGER_PODMAN "libpod"
#define PODMAN_VOLUMES "/var/lib/containers/storage/volumes"

struct export
{
	const struct container *c;
	const struct checkpoint_export *o;
	struct archive_writer *w;
	struct runtime_spec spec;
	const struct rootfs_changes *changes;
	const struct checkpoint_snapshot *snapshot; /* NULL: it does not run */
};

/* Files that no archive has. */
static int lacks(const struct container *c, const char *what, bool ends, struct err *err)
{
	if (ends)
		return err_set(err, ERR_UNSUPPORTED,
			       "cannot export checkpoints of containers that write over a "
			       "directory of the host: %s; checkpoint it in place, or with "
			       "--leave-running to look inside",
			       what);
	log_warning("container '%s' has %s", c->config.name, what);
	return 0;
}

/* What a container writes over a directory of the host (option O) is in libpod's archives neither. */
static int check_overlays(const struct container *c, const struct checkpoint_export *o, bool ends,
			  struct err *err)
{
	int r = 0;

	if (c->config.rootfs_overlay && !o->ignore_rootfs) {
		auto_free char *what =
			xasprintf("'%s' as root (option O): what the container has written is in "
				  "no archive (--ignore-rootfs does without)",
				  c->config.rootfs);

		r = lacks(c, what, ends, err);
	}
	for (size_t i = 0; r == 0 && i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];
		auto_free char *what = NULL;

		if (!specgen_has_option(m->options, m->n_options, "O"))
			continue;
		what = xasprintf("'%s' on '%s' (option O): what the container has written there is "
				 "in no archive, and the archive cannot be restored",
				 m->source, m->destination);
		r = lacks(c, what, ends, err);
	}
	return r;
}

/* What it has of the container of that id; NULL: that is only to be there (--requires). */
static const char *shared_namespace(const struct container_config *g, const char *id)
{
	struct facts_mode modes[FACTS_MODES];

	facts_modes(g, modes);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (str_eq(facts_mode_container(modes[i].mode), id))
			return modes[i].type;
	return NULL;
}

/* As with podman. In place the two can be frozen and go on together. */
static int check_dependencies(const struct container *c, struct err *err)
{
	auto_container struct container other = CONTAINER_INIT;
	const char *id = c->config.n_dependencies > 0 ? c->config.dependencies[0] : NULL;
	const char *shared = id ? shared_namespace(&c->config, id) : NULL;
	const char *name = id;

	if (!id)
		return 0;
	if (container_open(&other, c->engine, id, NULL) == 0)
		name = other.config.name;
	if (!shared)
		return err_set(err, ERR_UNSUPPORTED,
			       "cannot export checkpoints of containers with dependencies: '%s' "
			       "requires container '%s', which no archive brings along; checkpoint "
			       "it in place, without --export",
			       c->config.name, name);
	return err_set(
		err, ERR_UNSUPPORTED,
		"cannot export checkpoints of containers with dependencies: '%s' has the %s "
		"namespace of container '%s', which no archive brings along; checkpoint both in "
		"place, without --export, or run it with one of its own",
		c->config.name, shared, name);
}

int checkpoint_export_check(const struct container *c, const struct checkpoint_export *options,
			    bool ends, struct err *err)
{
	int r = check_dependencies(c, err);

	return r < 0 ? r : check_overlays(c, options, ends, err);
}

/* --- where things are ------------------------------------------------------------------------------- */

/* What was written on top of the image; NULL where the whole root is the container's own (vfs, --rootfs). */
static int written_path(const struct container *c, char **ret, struct err *err)
{
	struct store *store;
	int r = engine_store(c->engine, &store, err);

	if (r == 0)
		*ret = rootfs_upper_path(store, c->config.id);
	if (r == 0 && !*ret)
		*ret = rootfs_path(store, c->config.id);
	return r;
}

/* NULL where the log is no file of a form that others know. */
static char *log_path(const struct container *c)
{
	const struct container_config *g = &c->config;

	if (!str_eq(g->log_driver, "k8s-file") && !str_eq(g->log_driver, "json-file"))
		return NULL;
	return g->log_path ? xstrdup(g->log_path) : checkpoint_file(c, "ctr.log");
}

static char *volume_path(const struct container *c, const char *name)
{
	return xasprintf("%s/%s/_data", c->engine->volumepath, name);
}

static bool has_volume_before(const struct container *c, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(c->config.mounts[k].type, "volume") &&
		    str_eq(c->config.mounts[k].source, c->config.mounts[i].source))
			return true;
	return false;
}

/* --- the snapshot ----------------------------------------------------------------------------------- */

static int copy_directory(const char *from, const char *to, struct err *err)
{
	auto_close int from_fd = fd_open_at(AT_FDCWD, from, O_PATH | O_DIRECTORY, 0);
	auto_close int to_fd = -EBADF;
	int r = fs_mkdir_all(AT_FDCWD, to, 0700, 0700);

	if (r == 0)
		to_fd = fd_open_at(AT_FDCWD, to, O_PATH | O_DIRECTORY, 0);
	if (r == 0)
		r = from_fd < 0 ? from_fd : to_fd < 0 ? to_fd : copy_tree_whole(from_fd, to_fd);
	return r < 0 ? err_sys(err, r, "copy '%s'", from) : 0;
}

static int snapshot_rootfs(const struct container *c, struct err *err)
{
	auto_free char *from = NULL;
	auto_free char *to = checkpoint_file(c, SNAPSHOT_ROOTFS);
	int r = written_path(c, &from, err);

	return r < 0 ? r : copy_directory(from, to, err);
}

static int snapshot_volumes(const struct container *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];
		auto_free char *from = NULL;
		auto_free char *to = NULL;

		if (!str_eq(m->type, "volume") || has_volume_before(c, i))
			continue;
		from = volume_path(c, m->source);
		to = xasprintf("%s/" SNAPSHOT_VOLUMES "/%s", c->static_dir, m->source);
		r = copy_directory(from, to, err);
	}
	return r;
}

static uint64_t count_bytes(const char *path)
{
	char *copy = xstrdup(path);
	char *const paths[] = { copy, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	uint64_t bytes = 0;

	while (fts && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_F)
			bytes += (uint64_t)entry->fts_statp->st_size;
	if (fts)
		(void)fts_close(fts);
	free(copy);
	return bytes;
}

static int load_changes(const struct container *c, const struct checkpoint_export *o,
			struct rootfs_changes *ret, struct err *err)
{
	struct store *store;
	int r;

	if (o->ignore_rootfs || c->config.rootfs)
		return 0;
	r = engine_store(c->engine, &store, err);
	return r < 0 ? r : rootfs_diff(store, c->config.id, ret, err);
}

int checkpoint_snapshot(const struct container *c, const struct checkpoint_export *o,
			struct checkpoint_snapshot *ret, struct err *err)
{
	auto_free char *dir = checkpoint_file(c, SNAPSHOT_DIR);
	auto_free char *log = log_path(c);
	uint64_t begin = clock_now_monotonic_ns();
	struct stat st;
	int r = 0;

	ret->log_bytes = log && stat(log, &st) == 0 ? (uint64_t)st.st_size : 0;
	checkpoint_snapshot_drop(c);
	if (mkdir(dir, 0700) < 0)
		return err_sys(err, -errno, "create directory '%s'", dir);
	r = load_changes(c, o, &ret->changes, err);
	if (r == 0 && ret->changes.n > 0)
		r = snapshot_rootfs(c, err);
	if (r == 0 && !o->ignore_volumes)
		r = snapshot_volumes(c, err);
	if (r < 0) {
		checkpoint_snapshot_drop(c);
		return r;
	}
	ret->us = (clock_now_monotonic_ns() - begin) / 1000;
	ret->bytes = count_bytes(dir);
	return 0;
}

void checkpoint_snapshot_done(struct checkpoint_snapshot *snapshot)
{
	rootfs_changes_done(&snapshot->changes);
}

void checkpoint_snapshot_drop(const struct container *c)
{
	static const char *const names[] = { SNAPSHOT_DIR, NULL };

	checkpoint_remove(c, names);
}

/* The copy where there is one, else the thing itself. */
static int open_part(const struct export *x, const char *copy, const char *path)
{
	auto_free char *snapshot = checkpoint_file(x->c, copy);

	return fd_open_at(AT_FDCWD, fs_exists(AT_FDCWD, snapshot) ? snapshot : path,
			  O_RDONLY | O_DIRECTORY, 0);
}

/* --- documents -------------------------------------------------------------------------------------- */

/*
 * podman takes sources of mounts from the document as they are, also those of its own volumes: they are named where
 * podman has them by default. floe goes by the volume's name.
 */
static void name_volumes(const struct container_config *g, struct runtime_spec *spec)
{
	for (size_t i = 0; i < g->n_mounts; i++)
		for (size_t k = 0; k < spec->n_mounts; k++)
			if (str_eq(g->mounts[i].type, "volume") && !g->mounts[i].subpath &&
			    str_eq(g->mounts[i].destination, spec->mounts[k].destination))
				replace_ptr(
					spec->mounts[k].source,
					xasprintf(PODMAN_VOLUMES "/%s/_data", g->mounts[i].source));
}

static int add_documents(struct export *x, bool pre, struct err *err)
{
	auto_archive_config struct archive_config config = { 0 };
	auto_free char *config_text = NULL;
	auto_free char *spec_text = NULL;
	int r = checkpoint_load_spec(x->c, &x->spec, err);

	if (r < 0)
		return r;
	json_string_map_set(&x->spec.annotations, MANAGER_KEY, MANAGER_PODMAN);
	name_volumes(&x->c->config, &x->spec);
	archive_record_format(x->c, &x->spec, &config);
	if (!pre)
		restore_previous_describe(x->c, config.extra.object);
	config_text = archive_config_format(&config);
	spec_text = runtime_spec_to_json(&x->spec, JSON_INDENT2);
	r = archive_writer_add_data(x->w, "config.dump", config_text, strlen(config_text), err);
	if (r == 0)
		r = archive_writer_add_data(x->w, "spec.dump", spec_text, strlen(spec_text), err);
	return r;
}

static int add_small_files(struct export *x, struct err *err)
{
	static const char *const names[] = { CHECKPOINT_NETWORK_STATUS, CRIU_STATS_DUMP };
	auto_close int dir = fd_open_at(AT_FDCWD, x->c->static_dir, O_RDONLY | O_DIRECTORY, 0);
	int r = dir < 0 ? err_sys(err, dir, "open '%s'", x->c->static_dir) : 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++)
		r = archive_writer_add_file(x->w, dir, names[i], names[i], err);
	return r;
}

/* --- root file system ------------------------------------------------------------------------------- */

/* Places of mounts, which only look as if the container had made something there. */
static bool is_mount_place(const struct runtime_spec *spec, const char *path)
{
	static const char *const places[] = {
		"/dev", "/dev/shm", "/proc", "/run", "/run/secrets", "/sys", "/run/.containerenv"
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (str_eq(path, places[i]))
			return true;
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (str_eq(path, spec->mounts[i].destination))
			return true;
	return false;
}

static int add_deleted(struct export *x, struct err *err)
{
	auto_strvec struct strvec deleted = STRVEC_INIT;
	auto_free char *text = NULL;

	for (size_t i = 0; i < x->changes->n; i++)
		if (x->changes->v[i].kind == ROOTFS_DELETED &&
		    !is_mount_place(&x->spec, x->changes->v[i].path))
			strvec_add(&deleted, x->changes->v[i].path);
	if (deleted.n == 0)
		return 0;
	text = archive_deleted_format(deleted.v, deleted.n);
	return archive_writer_add_data(x->w, "deleted.files", text, strlen(text), err);
}

static int add_rootfs(struct export *x, struct err *err)
{
	auto_archive_tree struct archive_tree *tree = NULL;
	auto_free char *path = NULL;
	auto_close int dir = -EBADF;
	int r;

	if (x->changes->n == 0)
		return 0;
	r = written_path(x->c, &path, err);
	if (r < 0)
		return r;
	dir = open_part(x, SNAPSHOT_ROOTFS, path);
	if (dir < 0)
		return err_sys(err, dir, "open '%s'", path);
	tree = archive_tree_new();
	for (size_t i = 0; r == 0 && i < x->changes->n; i++) {
		const char *name = x->changes->v[i].path + 1;

		if (x->changes->v[i].kind != ROOTFS_DELETED &&
		    !is_mount_place(&x->spec, x->changes->v[i].path))
			r = archive_tree_add(tree, dir, name, name, 0, err);
	}
	if (r == 0 && archive_tree_count(tree) > 0)
		r = archive_writer_add_tar(x->w, "rootfs-diff.tar", tree, err);
	return r;
}

/* --- the rest --------------------------------------------------------------------------------------- */

static int add_directory_tar(struct export *x, int dir, const char *name, struct err *err)
{
	auto_archive_tree struct archive_tree *tree = archive_tree_new();
	int r = archive_tree_add_all(tree, dir, "", ".", ARCHIVE_TREE_ONE_FS, err);

	return r < 0 ? r : archive_writer_add_tar(x->w, name, tree, err);
}

/* Whoever else has it stands not still with us. */
static void warn_of_users(const struct container *c, const char *volume)
{
	auto_strvec struct strvec ids = STRVEC_INIT;

	if (record_volume_users(c->engine, volume, &ids, NULL) < 0)
		return;
	for (size_t i = 0; i < ids.n; i++) {
		auto_container struct container other = CONTAINER_INIT;

		if (!str_eq(ids.v[i], c->config.id) &&
		    container_open_id(&other, c->engine, ids.v[i], NULL) == 0 &&
		    other.status.phase == PHASE_RUNNING)
			log_warning(
				"volume '%s' is in use by container '%s', too, which runs on: the "
				"archive has it as it is while it is written",
				volume, other.config.name);
	}
}

static int add_volumes(struct export *x, struct err *err)
{
	const struct container *c = x->c;
	int r = 0;

	for (size_t i = 0; r == 0 && !x->o->ignore_volumes && i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];
		auto_free char *path = NULL;
		auto_free char *copy = NULL;
		auto_free char *name = NULL;
		auto_close int dir = -EBADF;

		if (!str_eq(m->type, "volume") || has_volume_before(c, i))
			continue;
		warn_of_users(c, m->source);
		path = volume_path(c, m->source);
		copy = xasprintf(SNAPSHOT_VOLUMES "/%s", m->source);
		name = xasprintf("volumes/%s.tar", m->source);
		dir = open_part(x, copy, path);
		r = dir < 0 ? err_sys(err, dir, "open volume '%s'", m->source) :
			      add_directory_tar(x, dir, name, err);
	}
	return r;
}

static int add_shm(struct export *x, struct err *err)
{
	auto_free char *path = checkpoint_file(x->c, CHECKPOINT_SHM_DIR);
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	if (dir == -ENOENT)
		return 0;
	return dir < 0 ? err_sys(err, dir, "open '%s'", path) :
			 add_directory_tar(x, dir, "devshm-checkpoint.tar", err);
}

/* What the container has said since is of another moment. */
static int copy_log(const struct container *c, const char *path, uint64_t bytes, const char *to,
		    struct err *err)
{
	auto_close int from_fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	auto_close int to_fd = -EBADF;
	int r;

	if (from_fd == -ENOENT)
		return 0;
	to_fd = fd_open_at(AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	r = from_fd < 0 ? from_fd : to_fd < 0 ? to_fd : copy_content(from_fd, to_fd, bytes);
	return r < 0 ? err_sys(err, r, "copy the log of container '%s'", c->config.name) : 0;
}

static int add_log(struct export *x, struct err *err)
{
	auto_free char *log = log_path(x->c);
	auto_free char *copy = checkpoint_file(x->c, SNAPSHOT_LOG);
	int r = 0;

	if (log && x->snapshot)
		r = copy_log(x->c, log, x->snapshot->log_bytes, copy, err);
	if (!log || r < 0)
		return r;
	return archive_writer_add_file(x->w, AT_FDCWD, x->snapshot ? copy : log, "ctr.log", err);
}

static int add_images(struct export *x, const char *name, struct err *err)
{
	auto_archive_tree struct archive_tree *tree = archive_tree_new();
	auto_close int dir = fd_open_at(AT_FDCWD, x->c->static_dir, O_RDONLY | O_DIRECTORY, 0);
	int r = dir < 0 ? err_sys(err, dir, "open '%s'", x->c->static_dir) :
			  archive_tree_add_all(tree, dir, name, name, ARCHIVE_TREE_PRIVATE, err);

	return r < 0 ? r : archive_writer_add_tree(x->w, tree, err);
}

/* Documents first: who reads from a pipe decides by them. */
static int write_all(struct export *x, bool pre, struct err *err)
{
	int r = add_documents(x, pre, err);

	if (r == 0)
		r = add_small_files(x, err);
	if (r == 0 && !pre)
		r = add_deleted(x, err);
	if (r == 0)
		r = add_images(x, pre ? CHECKPOINT_PRE_DIR : CHECKPOINT_DIR, err);
	if (r < 0 || pre)
		return r;
	r = add_shm(x, err);
	if (r == 0)
		r = add_log(x, err);
	if (r == 0)
		r = add_rootfs(x, err);
	return r < 0 ? r : add_volumes(x, err);
}

int checkpoint_export_write(const struct container *c, const struct checkpoint_export *options,
			    const struct checkpoint_snapshot *snapshot, struct archive_writer *w,
			    bool pre, struct archive_writer_result *ret, struct err *err)
{
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	struct export x = { .c = c, .o = options, .w = w, .changes = &changes };
	int r = 0;

	x.snapshot = snapshot;
	if (snapshot)
		x.changes = &snapshot->changes;
	else if (!pre)
		r = load_changes(c, options, &changes, err);
	if (r == 0)
		r = write_all(&x, pre, err);
	if (r == 0)
		r = archive_writer_commit(w, ret, err);
	runtime_spec_done(&x.spec);
	return r < 0 ? err_wrap(err, r, "export checkpoint of container '%s'", c->config.name) : 0;
}
