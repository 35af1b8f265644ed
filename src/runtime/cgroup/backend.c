/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/backend.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/backend_internal.h"
#include "runtime/cgroup/path.h"

#define CGROUP_FILE_MAX ((size_t)4 << 20)

/* --- opening ------------------------------------------------------------------------------- */

static int add_node(struct cgroup *cg, const struct cgroup_opts *opts, const struct cgroupfs *fs,
		    struct cgroupfs_hierarchy *h, const struct procfs_cgroups *own, struct err *err)
{
	bool needs_own = cgroup_path_needs_own(opts->cgroups_path);
	auto_free char *own_path = needs_own ? cgroupfs_own_path(fs, h, own) : NULL;
	auto_free char *path = NULL;
	struct cgroup_node *node;
	int r;

	if (needs_own && !own_path)
		own_path = xstrdup("/");
	r = cgroup_path_resolve(opts->cgroups_path, opts->id, own_path, cg->is_v2, &path, err);
	if (r < 0)
		return r;
	if (cg->n_nodes == CGROUP_HIERARCHIES_MAX)
		return err_set(err, ERR_UNSUPPORTED, "more than %d cgroup hierarchies are mounted",
			       CGROUP_HIERARCHIES_MAX);
	node = array_push(cg->node, cg->n_nodes);
	*node = (struct cgroup_node){
		.controllers = xstrdup(h->controllers),
		.path = xasprintf("%s%s", h->mount_point, path),
		.mount_len = strlen(h->mount_point),
		.unified = h->unified,
		.dir_fd = -EBADF,
	};
	return 0;
}

static int read_own_cgroups(const char *prefix, struct procfs_cgroups *ret, struct err *err)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	int r = procfs_open(&proc, prefix);

	if (r == 0)
		r = procfs_read_cgroups(&proc, 0, ret);
	return r < 0 ? err_sys(err, r, "read '/proc/self/cgroup'") : 0;
}

static int open_fs(struct cgroup *cg, const struct cgroup_opts *opts, struct err *err)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups own = PROCFS_CGROUPS_INIT;
	int r = cgroupfs_open(&fs, opts->prefix);

	if (r < 0)
		return err_sys(err, r, "read '/proc/self/mountinfo'");
	if (fs.mode == CGROUPFS_NONE)
		return err_set(err, ERR_UNSUPPORTED,
			       "no cgroup hierarchy is mounted; mount one at '/sys/fs/cgroup', or "
			       "use --cgroup-manager=disabled");
	cg->is_v2 = fs.mode == CGROUPFS_V2;
	if (cgroup_path_needs_own(opts->cgroups_path)) {
		r = read_own_cgroups(opts->prefix, &own, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < fs.n; i++) {
		r = add_node(cg, opts, &fs, &fs.v[i], &own, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Limits that need a controller which cannot be in a threaded subtree (cgroups(7)). */
static bool wants_domain(const struct oci_resources *res)
{
	return res &&
	       (res->memory || res->pids || res->block_io || res->n_hugepage_limits || res->n_rdma);
}

int cgroup_open(struct cgroup *ret, const struct cgroup_opts *opts, struct err *err)
{
	*ret = (struct cgroup)CGROUP_INIT;
	ret->rootless = opts->rootless;
	ret->tolerate_denied = opts->rootless && str_is_empty(opts->cgroups_path);
	ret->wants_domain = wants_domain(opts->resources);
	switch (opts->driver) {
	case CGROUP_DRIVER_CGROUPFS:
		ret->backend = &cgroup_backend_fs;
		return open_fs(ret, opts, err);
	case CGROUP_DRIVER_DISABLED:
		ret->backend = &cgroup_backend_none;
		return 0;
	case CGROUP_DRIVER_SYSTEMD:
		ret->backend = &cgroup_backend_systemd;
		return cgroup_systemd_open(ret, opts, err);
	}
	return err_set(err, ERR_INTERNAL, "unknown cgroup driver %d", (int)opts->driver);
}

static bool is_usable_path(const char *path)
{
	auto_free char *clean = path_clean(path);

	return path[0] == '/' && path[1] && str_eq(clean, path);
}

/* Controllers that share a directory share the node. */
static void add_saved(struct cgroup *cg, const char *controller, const char *path)
{
	struct cgroup_node *node;

	for (size_t i = 0; i < cg->n_nodes; i++) {
		node = &cg->node[i];
		if (!str_eq(node->path, path))
			continue;
		replace_ptr(node->controllers, xasprintf("%s,%s", node->controllers, controller));
		return;
	}
	node = array_push(cg->node, cg->n_nodes);
	*node = (struct cgroup_node){
		.controllers = xstrdup(controller),
		.path = xstrdup(path),
		.unified = !*controller,
		.dir_fd = -EBADF,
	};
}

static const struct cgroup_backend *backend_of(enum runtime_cgroup_driver driver)
{
	return driver == CGROUP_DRIVER_SYSTEMD ? &cgroup_backend_systemd : &cgroup_backend_fs;
}

int cgroup_open_saved(struct cgroup *ret, enum runtime_cgroup_driver driver,
		      const struct json_string_map *paths, struct err *err)
{
	*ret = (struct cgroup)CGROUP_INIT;
	ret->backend = paths->n > 0 ? backend_of(driver) : &cgroup_backend_none;
	if (paths->n > CGROUP_HIERARCHIES_MAX)
		return err_set(err, ERR_CORRUPT, "the saved state has too many cgroup paths");
	for (size_t i = 0; i < paths->n; i++) {
		if (!is_usable_path(paths->v[i].value))
			return err_set(err, ERR_CORRUPT,
				       "the saved cgroup path '%s' is not an absolute path",
				       paths->v[i].value);
		add_saved(ret, paths->v[i].key, paths->v[i].value);
	}
	ret->is_v2 = ret->n_nodes == 1 && ret->node[0].unified;
	return 0;
}

void cgroup_save_paths(const struct cgroup *cg, struct json_string_map *paths)
{
	for (size_t i = 0; i < cg->n_nodes; i++) {
		const struct cgroup_node *node = &cg->node[i];
		auto_strvec struct strvec names = STRVEC_INIT;

		if (node->absent)
			continue;
		strvec_split(&names, node->controllers, ',', true);
		if (node->unified)
			json_string_map_set(paths, "", node->path);
		for (size_t j = 0; j < names.n && !node->unified; j++)
			json_string_map_set(paths, names.v[j], node->path);
	}
}

void cgroup_close(struct cgroup *cg)
{
	cgroup_systemd_close(cg);
	for (size_t i = 0; i < cg->n_nodes; i++) {
		free(cg->node[i].controllers);
		free(cg->node[i].path);
		close_fd(&cg->node[i].dir_fd);
	}
	free(cg->node);
	*cg = (struct cgroup)CGROUP_INIT;
}

/* --- nodes --------------------------------------------------------------------------------- */

int cgroup_node_dir(struct cgroup_node *node)
{
	if (node->dir_fd < 0) {
		int fd = fd_open_at(AT_FDCWD, node->path, O_PATH | O_DIRECTORY, 0);

		if (fd < 0)
			return fd;
		node->dir_fd = fd;
	}
	return node->dir_fd;
}

struct cgroup_node *cgroup_unified(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_nodes; i++)
		if (cg->node[i].unified && !cg->node[i].absent)
			return &cg->node[i];
	return NULL;
}

struct cgroup_node *cgroup_node_find(const struct cgroup *cg, const char *controller)
{
	if (!*controller || (cg->is_v2 && !str_has_prefix(controller, "name=")))
		return cgroup_unified(cg);
	for (size_t i = 0; i < cg->n_nodes; i++)
		if (!cg->node[i].absent && mountinfo_list_has(cg->node[i].controllers, controller))
			return &cg->node[i];
	return NULL;
}

const struct cgroup_node *cgroup_node_of(const struct cgroup *cg, const char *controller)
{
	return cgroup_node_find(cg, controller);
}

struct cgroup_node *cgroup_main_node(const struct cgroup *cg)
{
	static const char *const order[] = { "freezer", "", "pids", "devices", "memory" };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct cgroup_node *node = cgroup_node_find(cg, order[i]);

		if (node)
			return node;
	}
	return cg->n_nodes > 0 && !cg->node[0].absent ? &cg->node[0] : NULL;
}

/* By the whole path: one call, and no descriptor to keep, for files that are mostly used once. */
int cgroup_node_open(const struct cgroup_node *node, const char *file, int flags)
{
	auto_free char *path = xasprintf("%s/%s", node->path, file);

	return fd_open_at(AT_FDCWD, path, flags, 0);
}

int cgroup_node_read(const struct cgroup_node *node, const char *file, struct strbuf *sb)
{
	auto_close int fd = cgroup_node_open(node, file, O_RDONLY);
	int r;

	if (fd < 0)
		return fd;
	r = io_read_all(fd, CGROUP_FILE_MAX, sb);
	if (r < 0)
		return r;
	while (sb->len > 0 && sb->buf[sb->len - 1] == '\n')
		strbuf_truncate(sb, sb->len - 1);
	return 0;
}

int cgroup_node_write(const struct cgroup_node *node, const char *file, const char *value)
{
	auto_close int fd = cgroup_node_open(node, file, O_WRONLY);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = RETRY_EINTR(write(fd, value, len));
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

bool cgroup_node_lists(const struct cgroup_node *node, const char *file, const char *word)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_strvec struct strvec words = STRVEC_INIT;

	if (cgroup_node_read(node, file, &text) < 0)
		return false;
	strvec_split(&words, text.buf, ' ', false);
	return strvec_contains(&words, word);
}

bool cgroup_exists(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_nodes; i++)
		if (!cg->node[i].absent && access(cg->node[i].path, F_OK) == 0)
			return true;
	return false;
}

/* --- operations that depend on the driver -------------------------------------------------- */

int cgroup_create(struct cgroup *cg, pid_t pid, struct err *err)
{
	return cg->backend->create(cg, pid, false, err);
}

int cgroup_create_unified(struct cgroup *cg, struct err *err)
{
	return cg->backend->create(cg, 0, true, err);
}

void cgroup_undo_create(struct cgroup *cg)
{
	if (cg->backend)
		cg->backend->undo_create(cg);
}

int cgroup_apply(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	return cg->backend->apply(cg, res, err);
}

/* The limit in force need not be one that the configuration tells: systemd has a default for scopes. */
static bool read_pids_limit(const struct cgroup *cg, struct oci_pids *ret)
{
	struct cgroup_node *node = cgroup_node_find(cg, "pids");
	auto_strbuf struct strbuf text = STRBUF_INIT;

	*ret = (struct oci_pids){ .limit = { .set = true, .v = -1 } };
	return node && cgroup_node_read(node, "pids.max", &text) == 0 &&
	       (str_eq(text.buf, "max") || parse_i64(text.buf, &ret->limit.v) == 0);
}

static void take_back(struct cgroup *cg, const struct oci_resources *old, struct oci_pids *pids)
{
	struct oci_resources pids_only = { .pids = pids };
	struct err err = ERR_INIT;
	int r = cg->backend->update(cg, old, &err);

	if (r == 0 && pids)
		r = cg->backend->update(cg, &pids_only, &err);
	if (r < 0)
		log_warning("restore the limits from before the failed update: %s", err.msg);
}

int cgroup_update(struct cgroup *cg, const struct oci_resources *res,
		  const struct oci_resources *old, struct err *err)
{
	struct oci_pids pids;
	bool has_pids = old && res->pids && read_pids_limit(cg, &pids);
	int r;

	cg->has_written = false;
	r = cg->backend->update(cg, res, err);
	if (r < 0 && old && cg->has_written)
		take_back(cg, old, has_pids ? &pids : NULL);
	return r;
}

int cgroup_destroy(struct cgroup *cg, struct err *err)
{
	return cg->backend->destroy(cg, err);
}

/* --- the disabled driver ------------------------------------------------------------------- */

static int none_create(struct cgroup *cg UNUSED, pid_t pid UNUSED, bool unified_only UNUSED,
		       struct err *err UNUSED)
{
	return 0;
}

static void none_undo_create(struct cgroup *cg UNUSED)
{
}

static int none_apply(struct cgroup *cg UNUSED, const struct oci_resources *res,
		      struct err *err UNUSED)
{
	if (res && (res->memory || res->cpu || res->pids || res->block_io || res->unified.n))
		log_warning(
			"the container's resource limits are not applied: cgroups are disabled");
	return 0;
}

static int none_destroy(struct cgroup *cg UNUSED, struct err *err UNUSED)
{
	return 0;
}

const struct cgroup_backend cgroup_backend_none = {
	.name = "disabled",
	.create = none_create,
	.undo_create = none_undo_create,
	.apply = none_apply,
	.update = none_apply,
	.destroy = none_destroy,
};
