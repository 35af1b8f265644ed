/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/disk_usage.h"

#include <fts.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/str.h"
#include "engine/image_use.h"
#include "engine/records.h"
#include "storage/rootfs.h"

void disk_usage_done(struct disk_usage *u)
{
	images_done(&u->images);
	free(u->image);
	for (size_t i = 0; i < u->n_containers; i++)
		container_close(&u->containers[i].container);
	free(u->containers);
	volumes_done(&u->volumes);
	free(u->volume);
	*u = (struct disk_usage){ 0 };
}

/* Bytes of the files below a directory of the host. What vanishes meanwhile does not count. */
static uint64_t tree_bytes(const char *path)
{
	auto_free char *copy = xstrdup(path);
	char *const paths[] = { copy, NULL };
	/* Files with several names, by device and inode. */
	struct json_object *seen = json_object_new_object();
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	uint64_t size = 0;
	FTSENT *entry;

	while (fts && (entry = fts_read(fts))) {
		const struct stat *st = entry->fts_statp;

		if (entry->fts_info != FTS_F)
			continue;
		if (st->st_nlink > 1) {
			auto_free char *key = xasprintf("%llx:%llx", (unsigned long long)st->st_dev,
							(unsigned long long)st->st_ino);

			if (json_object_object_get_ex(seen, key, NULL))
				continue;
			json_object_object_add(seen, key, NULL);
		}
		size += (uint64_t)st->st_size;
	}
	if (fts)
		(void)fts_close(fts);
	json_object_put(seen);
	return size;
}

/* --- images --- */

/* How many images have each layer: chain id to number. */
static int count_layers(struct store *store, const struct images *images,
			struct json_object *counts, uint64_t *ret_total, struct err *err)
{
	*ret_total = 0;
	for (size_t i = 0; i < images->n; i++) {
		auto_layers struct layers layers = { 0 };
		int r = layers_load(store, images->v[i].top, &layers, err);

		if (r < 0)
			return r;
		for (size_t k = 0; k < layers.n; k++) {
			struct json_object *n;

			if (json_object_object_get_ex(counts, layers.v[k].chain_id, &n)) {
				json_object_int_inc(n, 1);
			} else {
				json_object_object_add(counts, layers.v[k].chain_id,
						       json_object_new_int(1));
				*ret_total += layers.v[k].size;
			}
		}
	}
	return 0;
}

static int load_image(struct store *store, const struct image *image, struct json_object *counts,
		      struct usage_image *ret, struct err *err)
{
	auto_layers struct layers layers = { 0 };
	int r = layers_load(store, image->top, &layers, err);

	for (size_t i = 0; r == 0 && i < layers.n; i++) {
		struct json_object *n = NULL;

		(void)json_object_object_get_ex(counts, layers.v[i].chain_id, &n);
		if (json_object_get_int(n) > 1)
			ret->shared += layers.v[i].size;
		else
			ret->unique += layers.v[i].size;
	}
	return r;
}

static int load_images(struct disk_usage *u, struct engine *e, struct err *err)
{
	struct json_object *counts = json_object_new_object();
	struct store *store;
	int r = engine_store(e, &store, err);

	if (r == 0)
		r = images_list(store, &u->images, err);
	u->image = xcalloc(u->images.n + 1, sizeof(*u->image));
	if (r == 0)
		r = count_layers(store, &u->images, counts, &u->layers, err);
	for (size_t i = 0; r == 0 && i < u->images.n; i++)
		r = load_image(store, &u->images.v[i], counts, &u->image[i], err);
	json_object_put(counts);
	return r;
}

/* --- containers and volumes --- */

int disk_usage_container(const struct container *c, uint64_t *ret_written, uint64_t *ret_total,
			 struct err *err)
{
	struct store *store;
	int r;

	if (c->config.rootfs) {
		*ret_written = tree_bytes(c->config.rootfs);
		*ret_total = 0;
		return 0;
	}
	r = engine_store(c->engine, &store, err);
	if (r < 0)
		return r;
	return rootfs_size(store, c->config.id, ret_written, ret_total, err);
}

struct loading {
	struct disk_usage *usage;
	struct engine *engine;
	struct store *store;
};

static int load_container(void *context, struct container_config *config,
			  struct container_status *status, struct err *err UNUSED)
{
	struct loading *l = context;
	struct disk_usage *u = l->usage;
	struct usage_container *c = array_push(u->containers, u->n_containers);

	*c = (struct usage_container){ 0 };
	container_from(&c->container, l->engine, config, status);
	container_sync_loaded(&c->container);
	config = &c->container.config;
	/* One that is being removed has none any more. */
	if (!config->rootfs)
		(void)rootfs_size(l->store, config->id, &c->written, NULL, NULL);
	for (size_t i = 0; i < u->images.n; i++)
		u->image[i].containers += str_eq(u->images.v[i].id, config->image_id);
	for (size_t i = 0; i < config->n_mounts; i++) {
		if (!str_eq(config->mounts[i].type, "volume"))
			continue;
		c->volumes++;
		for (size_t k = 0; k < u->volumes.n; k++)
			u->volume[k].containers +=
				str_eq(u->volumes.v[k].name, config->mounts[i].source);
	}
	return 0;
}

int disk_usage_load(struct disk_usage *ret, struct engine *e, struct err *err)
{
	auto_disk_usage struct disk_usage u = { 0 };
	struct loading loading = { .usage = &u, .engine = e };
	int r = load_images(&u, e, err);

	if (r == 0)
		r = engine_store(e, &loading.store, err);
	if (r == 0)
		r = volume_list(e, &u.volumes, err);
	u.volume = xcalloc(u.volumes.n + 1, sizeof(*u.volume));
	for (size_t i = 0; r == 0 && i < u.volumes.n; i++)
		u.volume[i].size = tree_bytes(u.volumes.v[i].mountpoint);
	if (r == 0)
		r = record_each(e, load_container, &loading, err);
	if (r < 0)
		return r;
	*ret = u;
	u = (struct disk_usage){ 0 };
	return 0;
}
