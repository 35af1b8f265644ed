/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_content.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/checkpoint_files.h"
#include "engine/prepare.h"
#include "engine/restore_previous.h"
#include "engine/userns.h"
#include "engine/volume.h"

#define IMPORT_DIR "import"

struct fill {
	const struct restore_content *x;
	const struct container *container;
	const struct rooted *root;
};

static int open_volume(struct engine *e, const char *name, struct rooted *ret, struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r = volume_load(e, name, &v, err);

	if (r == 0)
		r = volume_make_directory(&v, err);
	if (r < 0)
		return r;
	r = rooted_open(ret, AT_FDCWD, v.mountpoint);
	return r < 0 ? err_sys(err, r, "open volume '%s'", name) : 0;
}

/* What a volume of the archive is called here: by the place of its mount, which may have been given another one. */
static const char *volume_here(const struct fill *f, const char *name)
{
	const struct container_config *g = &f->container->config;

	for (size_t i = 0; i < f->x->config->n_named_volumes; i++) {
		const struct archive_named_volume *v = &f->x->config->named_volumes[i];

		for (size_t k = 0; str_eq(v->volume_name, name) && k < g->n_mounts; k++)
			if (str_eq(g->mounts[k].destination, v->dest) &&
			    str_eq(g->mounts[k].type, "volume"))
				return g->mounts[k].source;
	}
	return NULL;
}

static int unpack_tar(void *context, const struct archive_member *member, struct tar_reader *tar,
		      struct err *err)
{
	const struct fill *f = context;
	const struct restore_content *x = f->x;
	auto_idmap struct idmap uids;
	auto_idmap struct idmap gids;
	struct archive_inner_options options = {
		.allow_devices = (x->allowed & (1U << RESTORE_DEVICES)) != 0,
		.whiteouts = archive_engine_of(&x->spec->annotations) == ARCHIVE_ENGINE_CONTAINERD,
	};
	auto_rooted struct rooted place = ROOTED_INIT;
	auto_free char *volume = NULL;
	auto_free char *shm = NULL;
	const char *here;
	int r;

	userns_maps(&f->container->config, &uids, &gids);
	switch ((int)member->kind) {
	case ARCHIVE_ROOTFS_TAR:
		/* On disk it has the image's ids; shared memory and volumes have the host's. */
		options.uids = &uids;
		options.gids = &gids;
		r = x->import->ignore_rootfs ? 0 :
					       archive_unpack_inner(tar, f->root, &options, err);
		return r < 0 ? r : 1;
	case ARCHIVE_SHM_TAR:
		shm = container_shm_path(f->container);
		if (!shm)
			return 1;
		r = rooted_open(&place, AT_FDCWD, shm);
		if (r < 0)
			return err_sys(err, r, "open '%s'", shm);
		break;
	default:
		volume = archive_member_volume(member);
		here = volume ? volume_here(f, volume) : NULL;
		/* One that was there before keeps what it has. */
		if (!here || !strvec_contains(x->volumes, here) || x->import->ignore_volumes)
			return 1;
		r = open_volume(f->container->engine, here, &place, err);
		if (r == 0)
			r = volume_note_filled(f->container->engine, here, err);
		if (r < 0)
			return r;
		break;
	}
	options.whiteouts = false;
	r = archive_unpack_inner(tar, &place, &options, err);
	return r < 0 ? r : 1;
}

static int make_import_dir(const struct container *c, int *ret, struct err *err)
{
	auto_free char *path = checkpoint_file(c, IMPORT_DIR);

	if (mkdir(path, 0700) < 0)
		return err_sys(err, -errno, "create directory '%s'", path);
	*ret = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	return *ret < 0 ? err_sys(err, *ret, "open '%s'", path) : 0;
}

static int remove_deleted(int dir, const struct rooted *root, struct err *err)
{
	auto_strvec struct strvec paths = STRVEC_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(dir, "deleted.files", JSON_TEXT_MAX, &text);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(err, r, "read deleted.files");
	r = archive_deleted_parse(&paths, text.buf, text.len, err);
	return r < 0 ? r : archive_remove_deleted(root, paths.v, paths.n, err);
}

/* From the directory of the import to where a container has its things. */
static int take_files(const struct container *c, int dir, struct err *err)
{
	static const char *const names[] = { CHECKPOINT_DIR, CHECKPOINT_PRE_DIR, "artifacts" };
	/* podman's, containerd's, CRI-O's. */
	static const char *const logs[] = { "ctr.log", "container.log",
					    "io.kubernetes.cri-o.LogPath" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *to = checkpoint_file(c, names[i]);

		if (renameat(dir, names[i], AT_FDCWD, to) < 0 && errno != ENOENT)
			return err_sys(err, -errno, "take '%s' of the archive", names[i]);
	}
	if (!str_eq(c->config.log_driver, "k8s-file") && !str_eq(c->config.log_driver, "json-file"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		auto_free char *to = checkpoint_file(c, "ctr.log");

		if (renameat(dir, logs[i], AT_FDCWD, to) < 0 && errno != ENOENT)
			return err_sys(err, -errno, "take the log of the archive");
	}
	return 0;
}

static int judge_images(const struct restore_content *x, const struct container *c, struct err *err)
{
	auto_free char *path = checkpoint_file(c, CHECKPOINT_DIR);
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	auto_restore_findings struct restore_findings f = { 0 };
	bool shared = false;
	int r;

	if (dir < 0)
		return err_set(
			err, ERR_INVALID,
			"restore from '%s': a complete checkpoint for this container cannot be "
			"found, cannot restore",
			x->import->source);
	r = restore_policy_check_images(dir, x->spec, x->config->privileged, &f, &shared, err);
	if (r < 0)
		return r;
	if (shared && mount(NULL, c->status.mount_point, NULL, MS_SHARED, NULL) < 0 &&
	    errno != EINVAL)
		return err_sys(err, -errno, "share the mount of the root file system");
	if (f.text.len > 0 && x->import->report && !x->own)
		x->import->report(x->import->context, f.text.buf);
	return restore_policy_decide(&f, x->allowed, x->import->source, err);
}

static bool leave(void *context, const struct archive_member *member, uint64_t position)
{
	const struct fill *f = context;

	return restore_memory_leave(f->x->memory, member, position);
}

static int serve_memory(const struct restore_content *x, const struct container *c, struct err *err)
{
	auto_free char *path = checkpoint_file(c, CHECKPOINT_DIR);

	return x->memory ? restore_memory_serve(x->memory, path, err) : 0;
}

const char *restore_content_images(void *context)
{
	const struct restore_content *x = context;

	return x->memory ? restore_memory_path(x->memory) : NULL;
}

int restore_content_fill(void *context, struct container *c, const struct rooted *root,
			 struct err *err)
{
	static const char *const names[] = { IMPORT_DIR, NULL };
	const struct restore_content *x = context;
	struct fill f = { x, c, root };
	const struct archive_unpack_options options = {
		.inner = unpack_tar,
		.leave = x->memory ? leave : NULL,
		.context = &f,
	};
	auto_close int dir = -EBADF;
	int r = make_import_dir(c, &dir, err);

	if (r == 0)
		r = archive_reader_unpack(x->reader, dir, &options, NULL, err);
	if (r == 0 && !x->import->ignore_rootfs)
		r = remove_deleted(dir, root, err);
	if (r == 0)
		r = take_files(c, dir, err);
	if (r == 0 && x->keep)
		r = checkpoint_keep_shm(c, err);
	checkpoint_remove(c, names);
	if (r == 0)
		r = restore_previous_unpack(x, c, err);
	if (r == 0)
		r = judge_images(x, c, err);
	return r < 0 ? r : serve_memory(x, c, err);
}
