/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/checkpoint_image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "archive/metadata.h"
#include "core/alloc.h"
#include "core/capture.h"
#include "core/fd.h"
#include "core/path.h"
#include "core/str.h"
#include "criu/client.h"
#include "criu/find.h"
#include "engine/image_use.h"
#include "engine/runtime_exec.h"
#include "floe-config.h"
#include "image/build.h"
#include "image/pull.h"
#include "image/reference.h"
#include "kernel/cgroupfs.h"
#include "kernel/os_release.h"
#include "storage/layer.h"

#define VERSION_TIMEOUT_MS 10000

/* As podman writes it: 40200. NULL when CRIU does not say. */
static char *criu_version(void)
{
	auto_criu_location struct criu_location location = CRIU_LOCATION_INIT;
	auto_criu_client struct criu_client client = CRIU_CLIENT_INIT;
	struct criu_client_opts opts = CRIU_CLIENT_OPTS_INIT;
	int version = 0;

	if (criu_find(&location, &(struct criu_find_opts){ 0 }, NULL) < 0)
		return NULL;
	opts.program = location.path;
	if (criu_client_open(&client, &opts, NULL) < 0 ||
	    criu_client_version(&client, &version, NULL) < 0)
		return NULL;
	return xasprintf("%d", version);
}

/* All lines of it, as podman has them. NULL when the program does not say. */
static char *version_of(const char *program)
{
	auto_free char *path = xstrdup(program);

	return path ? capture_text((char *const[]){ path, (char[]){ "--version" }, NULL },
				   VERSION_TIMEOUT_MS) :
		      NULL;
}

/* On one line, as podman has it: "conmon version 2.1.6, commit: ..." */
static char *conmon_version(const char *program)
{
	auto_free char *text = version_of(program);
	auto_strvec struct strvec lines = STRVEC_INIT;

	if (!text)
		return NULL;
	strvec_split(&lines, text, '\n', false);
	return strvec_join(&lines, ", ");
}

static void describe(const struct container *c, struct json_string_map *ret)
{
	auto_archive_annotations struct archive_annotations a = { 0 };
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	const struct container_config *g = &c->config;
	const char *variant;
	struct utsname u = { 0 };

	(void)uname(&u);
	a.engine_name = xstrdup("floe");
	a.engine_version = xstrdup(FLOE_VERSION);
	a.name = xstrdup(g->name);
	a.raw_image_name = xstrdup(g->image_name);
	a.rootfs_image_id = xstrdup(g->image_id);
	a.rootfs_image_name = xstrdup(g->image_name);
	a.runtime_name = xstrdup(container_runtime_name(c));
	a.runtime_version = version_of(c->runtime);
	if (engine_find_conmon(c->engine, NULL) == 0)
		a.conmon_version = conmon_version(c->engine->conmon);
	a.criu_version = criu_version();
	a.distribution_name = os_release_value("ID");
	a.distribution_version = os_release_value("VERSION_ID");
	a.host_arch = xstrdup(platform_architecture(&variant));
	a.host_kernel = xstrdup(u.release);
	a.cgroup_version = xstrdup(
		cgroupfs_open(&cgroups, NULL) == 0 && cgroups.mode == CGROUPFS_V2 ? "v2" : "v1");
	archive_annotations_format(&a, ret);
}

int checkpoint_image_create(const struct container *c, const char *path, const char *name,
			    char **ret_id, struct err *err)
{
	struct json_string_map annotations = { 0 };
	auto_free char *full = NULL;
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	const char *variant;
	struct image_import_options options = {
		.message = "Checkpoint",
		.os = "linux",
		.arch = platform_architecture(&variant),
		.source = "a checkpoint",
		.annotations = &annotations,
	};
	struct store *store;
	int r = fd < 0 ? err_sys(err, fd, "open '%s'", path) :
			 reference_normalize_local(name, &full, err);

	if (r == 0)
		r = engine_store(c->engine, &store, err);
	if (r < 0)
		return r;
	describe(c, &annotations);
	options.name = full;
	r = image_import(store, fd, &options, ret_id, err);
	json_string_map_done(&annotations);
	return r;
}

int checkpoint_image_find(struct engine *e, const char *what, char **ret, struct err *err)
{
	auto_image struct image image = { 0 };
	auto_image_manifest struct image_manifest manifest = { 0 };
	auto_archive_annotations struct archive_annotations a = { 0 };
	auto_free char *path = NULL;
	struct store *store;
	int r = engine_store(e, &store, err);

	if (r == 0)
		r = image_find(store, what, &image, NULL, err);
	if (r == 0)
		r = image_manifest_load(store, &image, &manifest, err);
	if (r < 0)
		return r;
	if (archive_annotations_parse(&a, &manifest.annotations) <= 0 || !image.top)
		return err_set(err, ERR_INVALID, "image is not a checkpoint: %s", image.id);
	path = layer_diff_path(store, image.top);
	*ret = xasprintf("dir:%s", path);
	return 0;
}
