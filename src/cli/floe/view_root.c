/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/view_root.h"

#include "cli/floe/view.h"
#include "core/alloc.h"
#include "core/log.h"
#include "engine/image_use.h"
#include "storage/layer.h"
#include "storage/rootfs.h"
#include "storage/rootfs_record.h"

static int add_lower(struct json_object *data, struct store *store, const char *top,
		     struct err *err)
{
	auto_layers struct layers layers = { 0 };
	auto_strbuf struct strbuf lower = STRBUF_INIT;
	int r = layers_load(store, top, &layers, err);

	for (size_t i = layers.n; r == 0 && i-- > 0;) {
		auto_free char *path = layer_diff_path(store, layers.v[i].chain_id);

		strbuf_addf(&lower, "%s%s", lower.len ? ":" : "", path);
	}
	if (lower.len)
		view_add(data, "LowerDir", lower.buf);
	return r;
}

static int add_directories(struct json_object *data, struct store *store, const struct container *c,
			   struct err *err)
{
	auto_rootfs_record struct rootfs_record record = { 0 };
	auto_free char *upper = NULL;
	auto_free char *work = NULL;
	int r;

	if (store->driver == STORE_VFS)
		return 0;
	r = rootfs_record_load(store, c->config.id, &record, err);
	if (r == 0)
		r = add_lower(data, store, record.chain_id, err);
	if (r < 0)
		return r;
	upper = rootfs_upper_path(store, c->config.id);
	work = rootfs_work_path(store, c->config.id);
	view_add(data, "UpperDir", upper);
	view_add(data, "WorkDir", work);
	return 0;
}

void view_add_root(struct json_object *o, const struct container *c)
{
	struct json_object *driver = json_object_new_object();
	struct json_object *data = json_object_new_object();
	const char *name = "none";
	struct err err = ERR_INIT;
	struct store *store;

	if (c->status.mount_point)
		view_add(data, "MergedDir", c->status.mount_point);
	if (!c->config.rootfs) {
		int r = engine_store(c->engine, &store, &err);

		if (r == 0) {
			name = store_driver_to_string(store->driver);
			r = add_directories(data, store, c, &err);
		}
		/* All the rest is worth to be seen of a damaged one. */
		if (r < 0)
			log_warning("inspect container '%s': %s", c->config.name, err.msg);
	}
	view_add(o, "Driver", name);
	view_add(driver, "Name", name);
	json_object_object_add(driver, "Data", data);
	json_object_object_add(o, "GraphDriver", driver);
}
