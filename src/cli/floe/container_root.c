/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns a container's root file system: export, diff, mount, unmount. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/image_common.h"
#include "cli/floe/output_file.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/json_table.h"
#include "core/str.h"
#include "engine/event.h"
#include "engine/image_use.h"
#include "engine/records.h"
#include "engine/runtime_exec.h"
#include "image/build.h"
#include "image/reference.h"
#include "storage/rootfs.h"
#include "storage/tar_writer.h"

/* --- export --- */

struct export_options {
	const char *output;
};

static int export_directory(const char *path, int fd, struct err *err)
{
	auto_tar_writer struct tar_writer *w = NULL;
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (dir < 0)
		return err_sys(err, dir, "open '%s'", path);
	r = tar_writer_open(&w, tar_sink_fd, &fd, err);
	if (r == 0)
		r = tar_writer_add_tree(w, dir, "", ".", true, err);
	return r < 0 ? r : tar_writer_finish(w, err);
}

static int export_to(const struct cli_invocation *inv, const struct container *c, int fd,
		     struct err *err)
{
	auto_store struct store store = STORE_INIT;
	int r;

	if (c->config.rootfs)
		return export_directory(c->config.rootfs, fd, err);
	r = image_store_open(inv, &store, err);
	return r < 0 ? r : rootfs_export(&store, c->config.id, fd, err);
}

static int run_export(const struct cli_invocation *inv, struct err *err)
{
	const struct export_options *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	auto_output struct output output = OUTPUT_INIT;
	int r;

	if (o->output && strchr(o->output, ':'))
		return err_set(err, ERR_USAGE, "invalid filename (should not contain ':') \"%s\"",
			       o->output);
	r = container_open(&c, floe_engine(inv), inv->args[0], err);
	if (r == 0)
		r = output_file_open(&output, "export", o->output, err);
	if (r == 0)
		r = export_to(inv, &c, output.fd, err);
	if (r == 0)
		r = output_commit(&output, false, err);
	if (r == 0)
		event_container(&c, "export");
	return r;
}

static const struct cli_option export_rows[] = {
	OPT_STRING(struct export_options, output, "output", 'o', "FILE",
		   "where to (default: stdout)"),
};

const struct cli_command floe_export_command = {
	.name = "export",
	.arguments = "CONTAINER",
	.summary = "write a container's root file system as a tar archive",
	.description = "What is mounted inside it is left out.",
	CLI_OPTIONS(struct export_options, export_rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = FLOE_CONTAINERS,
	.run = run_export,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- diff --- */

struct diff_options {
	const char *format;
	bool latest;
};

/* What the engine puts there, not the container. */
static bool is_ours(const struct container_config *config, const char *path)
{
	static const char *const paths[] = {
		"/dev",	 "/etc/hostname", "/etc/hosts",	 "/etc/mtab",	       "/etc/resolv.conf",
		"/proc", "/run",	  "/run/notify", "/run/.containerenv", "/run/secrets",
		"/sys",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (str_eq(path, paths[i]))
			return true;
	for (size_t i = 0; i < config->n_mounts; i++)
		if (str_eq(path, config->mounts[i].destination))
			return true;
	return false;
}

/* A container or an image. */
struct diff_object {
	struct container c;
	struct image image;
	bool is_container;
};

static void diff_object_done(struct diff_object *object)
{
	container_close(&object->c);
	image_done(&object->image);
}
DEFINE_AUTO_VAL(diff_object, struct diff_object, diff_object_done)

/* name: NULL for the newest container. */
static int find_object(const struct cli_invocation *inv, const char *name, struct store *store,
		       struct diff_object *ret, struct err *err)
{
	struct cli_invocation none = *inv;
	int r;

	none.n_args = 0;
	r = name ? container_open(&ret->c, floe_engine(inv), name, err) :
		   targets_one(&none, true, false, &ret->c, err);
	ret->is_container = r == 0;
	if (r == 0)
		return image_root_needed(&ret->c, "diff", err);
	if (!name || err->kind != ERR_NOT_FOUND)
		return r;
	err_clear(err);
	r = image_find(store, name, &ret->image, NULL, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "%s: no such container or image", name);
	return r;
}

static struct diff_side side_of(const struct diff_object *object)
{
	return object->is_container ? (struct diff_side){ .rootfs_id = object->c.config.id } :
				      (struct diff_side){ .chain_id = object->image.top };
}

/* With one, against what is below it. */
static int find_changes(struct store *store, const struct diff_object *object,
			const struct diff_object *other, struct rootfs_changes *ret,
			struct err *err)
{
	struct diff_side a = side_of(object);

	if (other) {
		struct diff_side b = side_of(other);

		return trees_diff(store, &a, &b, ret, err);
	}
	if (a.rootfs_id)
		return rootfs_diff(store, a.rootfs_id, ret, err);
	return a.chain_id ? layer_diff(store, a.chain_id, ret, err) : 0;
}

static void drop_ours(const struct diff_object *object, struct rootfs_changes *changes)
{
	for (size_t i = 0; object->is_container && i < changes->n;) {
		if (!is_ours(&object->c.config, changes->v[i].path)) {
			i++;
			continue;
		}
		free(changes->v[i].path);
		memmove(&changes->v[i], &changes->v[i + 1],
			(--changes->n - i) * sizeof(*changes->v));
	}
}

static int run_diff(const struct cli_invocation *inv, struct err *err)
{
	const struct diff_options *o = inv->options;
	auto_cleanup(diff_object_cleanup_val) struct diff_object a = { .c = CONTAINER_INIT };
	auto_cleanup(diff_object_cleanup_val) struct diff_object b = { .c = CONTAINER_INIT };
	auto_store struct store store = STORE_INIT;
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	const char *first = o->latest ? NULL : inv->args[0];
	const char *second = inv->n_args + o->latest == 2 ? inv->args[inv->n_args - 1] : NULL;
	int r = image_json_format_check(o->format, err);

	if (r < 0)
		return r;
	if (inv->n_args + o->latest < 1 || inv->n_args + o->latest > 2)
		return err_set(err, ERR_USAGE,
			       "diff: give one or two containers or images, or --latest");
	r = image_store_open(inv, &store, err);
	if (r == 0)
		r = find_object(inv, first, &store, &a, err);
	if (r == 0 && second)
		r = find_object(inv, second, &store, &b, err);
	if (r == 0)
		r = find_changes(&store, &a, second ? &b : NULL, &changes, err);
	if (r < 0)
		return r;
	drop_ours(&a, &changes);
	drop_ours(&b, &changes);
	return image_changes_print(&changes, o->format != NULL, err);
}

#define T struct diff_options
static const struct cli_option diff_rows[] = {
	OPT_STRING(T, format, "format", 0, "FORMAT", "json"),
	OPT_FLAG(T, latest, "latest", 'l', "the newest container"),
};
#undef T

const struct cli_command floe_diff_command = {
	.name = "diff",
	.arguments = "[CONTAINER|IMAGE [CONTAINER|IMAGE]]",
	.summary = "show what a container, or the last layer of an image, changed",
	.description = "A added, C changed, D deleted. With two, how the first differs from the "
		       "second.",
	CLI_OPTIONS(struct diff_options, diff_rows),
	.max_args = 2,
	.argument_source = FLOE_CONTAINERS,
	.run = run_diff,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- mount, unmount --- */

struct mount_options {
	struct targets targets;
	const char *format;
	bool no_trunc;
	bool force;
};

struct mounting {
	struct store *store;
	const struct mount_options *options;
	struct strbuf *out;
	size_t n_args;
	struct json_object *list; /* of what is mounted; NULL: do it */
};

static int mount_one(struct container *c, void *context, struct err *err)
{
	struct mounting *m = context;
	auto_free char *path = NULL;
	int r = 0;

	if (c->config.rootfs)
		path = xstrdup(c->config.rootfs);
	else
		r = rootfs_mount(m->store, c->config.id, &path, err);
	if (r < 0)
		return r;
	if (m->n_args == 1)
		strbuf_addf(m->out, "%s\n", path);
	else
		strbuf_addf(m->out, "%.*s  %s\n", m->options->no_trunc ? 64 : SHORT_ID_LEN,
			    c->config.id, path);
	event_container(c, "mount");
	return 1;
}

static int list_one(struct container *c, void *context, struct err *err)
{
	struct mounting *m = context;
	auto_free char *path = NULL;
	struct json_object *names;
	struct json_object *o;
	int64_t count = 0;
	int r = c->config.rootfs ? 0 : rootfs_mount_count(m->store, c->config.id, &count, err);

	if (r < 0 || count == 0)
		return r < 0 ? r : 1;
	path = rootfs_path(m->store, c->config.id);
	o = json_object_new_object();
	names = json_object_new_array();
	json_object_array_add(names, json_object_new_string(c->config.name));
	view_add(o, "id", c->config.id);
	json_object_object_add(o, "Names", names);
	view_add(o, "mountpoint", path);
	json_object_array_add(m->list, o);
	strbuf_addf(m->out, "%.*s  %s\n", m->options->no_trunc ? 64 : SHORT_ID_LEN, c->config.id,
		    path);
	return 1;
}

static int run_mount(const struct cli_invocation *inv, struct err *err)
{
	const struct mount_options *o = inv->options;
	struct targets targets = o->targets;
	auto_store struct store store = STORE_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct mounting m = { &store, o, &out, inv->n_args + o->targets.latest, NULL };
	bool list = inv->n_args == 0 && !o->targets.all && !o->targets.latest;
	int code;
	int r = image_json_format_check(o->format, err);

	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r < 0)
		return r;
	targets.lock = !list;
	targets.all |= list;
	if (list)
		m.list = json_object_new_array();
	code = targets_each(inv, &targets, list ? list_one : mount_one, &m, err);
	if (code >= 0 && list && o->format) {
		auto_free char *text = json_value_to_text(m.list, JSON_INDENT4);

		strbuf_clear(&out);
		strbuf_addf(&out, "%s\n", text);
	}
	json_object_put(m.list);
	if (code < 0)
		return code;
	r = cli_print(out.buf, err);
	return r < 0 ? r : code;
}

#define T struct mount_options
static const struct cli_option mount_rows[] = {
	OPT_FLAG(T, targets.all, "all", 'a', "every container"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
	OPT_STRING(T, format, "format", 0, "FORMAT", "json: list what is mounted in this form"),
	OPT_FLAG(T, no_trunc, "no-trunc", 0, "show whole ids"),
	OPT_FLAG_F(T, no_trunc, "notruncate", 0, "the same", CLI_HIDDEN),
};

const struct cli_command floe_mount_command = {
	.name = "mount",
	.arguments = "[CONTAINER...]",
	.summary = "mount the root file systems of containers and print where",
	.description = "Without CONTAINER those that are mounted are listed.",
	CLI_OPTIONS(T, mount_rows),
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_mount,
	.error_code = FLOE_EXIT_ERROR,
};

static int unmount_one(struct container *c, void *context, struct err *err)
{
	struct mounting *m = context;
	int64_t count = 0;
	int64_t own = c->status.mounted ? 1 : 0;
	int r = c->config.rootfs ? 0 : rootfs_mount_count(m->store, c->config.id, &count, err);

	if (r < 0)
		return r;
	/* One of them may be the container's own, which is no user's to take. */
	if (count <= own && !c->config.rootfs)
		return m->options->targets.all ? 1 : 0;
	do
		r = c->config.rootfs ? 0 : rootfs_unmount(m->store, c->config.id, false, err);
	while (r == 0 && m->options->force && --count > own);
	if (r == 0)
		event_container(c, "unmount");
	return r;
}

static int run_unmount(const struct cli_invocation *inv, struct err *err)
{
	const struct mount_options *o = inv->options;
	struct targets targets = o->targets;
	auto_store struct store store = STORE_INIT;
	struct mounting m = { .store = &store, .options = o };
	int r = image_store_open(inv, &store, err);

	targets.lock = true;
	return r < 0 ? r : targets_each(inv, &targets, unmount_one, &m, err);
}

static const struct cli_option unmount_rows[] = {
	OPT_FLAG(T, targets.all, "all", 'a', "every container"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
	OPT_FLAG(T, force, "force", 'f', "however often it was mounted"),
};
#undef T

const struct cli_command floe_unmount_command = {
	.name = "unmount",
	.alias = "umount",
	.arguments = "[CONTAINER...]",
	.summary = "undo mount",
	CLI_OPTIONS(struct mount_options, unmount_rows),
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_unmount,
	.error_code = FLOE_EXIT_ERROR,
};
