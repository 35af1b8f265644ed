/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns a container's root file system: commit, export, diff, mount, unmount. */
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

static int need_image(const struct container *c, const char *what, struct err *err)
{
	if (!c->config.rootfs)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "%s container '%s': its root is the directory '%s', not an image", what,
		       c->config.name, c->config.rootfs);
}

/* --- commit --- */

struct commit_options {
	struct targets targets;
	const char *author;
	struct strvec changes;
	const char *config;
	const char *format;
	const char *iidfile;
	bool include_volumes;
	const char *message;
	struct opt_bool pause;
	bool quiet;
	bool squash;
};

static void copy_strings(char *const *from, size_t n, char ***to, size_t *n_to)
{
	for (size_t i = 0; i < n; i++)
		json_strings_add(to, n_to, from[i]);
}

/* What the container is started with becomes what its image starts with. */
static int commit_process(struct store *store, const struct container *c,
			  const struct commit_options *o, struct image_config *ret, struct err *err)
{
	const struct container_config *config = &c->config;
	struct image_process *p = &ret->config;
	int r = image_config_load(store, config->image_id, ret, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < p->n_env; i++)
		free(p->env[i]);
	for (size_t i = 0; i < p->n_cmd; i++)
		free(p->cmd[i]);
	for (size_t i = 0; i < p->n_entrypoint; i++)
		free(p->entrypoint[i]);
	p->n_env = p->n_cmd = p->n_entrypoint = 0;
	replace_ptr(p->env, NULL);
	replace_ptr(p->cmd, NULL);
	replace_ptr(p->entrypoint, NULL);
	copy_strings(config->env, config->n_env, &p->env, &p->n_env);
	copy_strings(config->command, config->n_command, &p->cmd, &p->n_cmd);
	copy_strings(config->entrypoint, config->n_entrypoint, &p->entrypoint, &p->n_entrypoint);
	replace_ptr(p->user, xstrdup(config->user));
	replace_ptr(p->working_dir, xstrdup(config->workdir));
	if (config->stop_signal)
		replace_ptr(p->stop_signal, xstrdup(config->stop_signal));
	json_string_map_set_all(&p->labels, &config->labels);
	for (size_t i = 0; o->include_volumes && i < config->n_mounts; i++) {
		if (!p->volumes)
			p->volumes = json_object_new_object();
		json_object_object_add(p->volumes, config->mounts[i].destination,
				       json_object_new_object());
	}
	return 0;
}

/* --config FILE: a document like an image's "config", instead of the container's. */
static int read_config(const char *path, struct image_process *ret, struct err *err)
{
	json_done(&image_process_desc, ret);
	return json_decode_file(&image_process_desc, ret, AT_FDCWD, path, err);
}

static int set_format(const char *text, enum image_format *ret, struct err *err)
{
	if (!text || str_eq(text, "oci"))
		*ret = IMAGE_OCI;
	else if (str_eq(text, "docker"))
		*ret = IMAGE_DOCKER;
	else
		return err_set(err, ERR_USAGE, "option '--format': '%s' is not one of oci, docker",
			       text);
	return 0;
}

static int commit_container(struct container *c, struct store *store,
			    const struct commit_options *o, const char *name, char **ret_id,
			    struct err *err)
{
	auto_image_config struct image_config config = { 0 };
	auto_image struct image base = { 0 };
	auto_free char *created_by = NULL;
	auto_free char *command = NULL;
	struct strvec words = { c->config.command, c->config.n_command };
	struct image_commit_options options = {
		.base = &base,
		.rootfs_id = c->config.id,
		.config = &config.config,
		.changes = (const char *const *)o->changes.v,
		.n_changes = o->changes.n,
		.author = o->author,
		.message = o->message,
		.name = name,
		.squash = o->squash,
	};
	bool pause = o->pause.set && o->pause.v && c->status.phase == PHASE_RUNNING;
	int r = set_format(o->format, &options.format, err);

	if (r == 0)
		r = image_load(store, c->config.image_id, &base, err);
	if (r == 0)
		r = commit_process(store, c, o, &config, err);
	if (r == 0 && o->config)
		r = read_config(o->config, &config.config, err);
	if (r == 0 && pause)
		r = runtime_pause(c, err);
	if (r < 0)
		return r;
	command = strvec_join(&words, " ");
	created_by = xasprintf("/bin/sh -c %s", command);
	options.created_by = c->config.n_command ? command : created_by;
	r = image_commit(store, &options, ret_id, err);
	if (pause) {
		struct err other = ERR_INIT;

		if (runtime_resume(c, r < 0 ? &other : err) < 0 && r == 0)
			r = err->code;
	}
	return r;
}

static int write_iidfile(const char *path, const char *id, struct err *err)
{
	int r = path ? fs_write_output(path, id, strlen(id), 0644) : 0;

	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

static int run_commit(const struct cli_invocation *inv, struct err *err)
{
	const struct commit_options *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	auto_store struct store store = STORE_INIT;
	auto_free char *name = NULL;
	auto_free char *id = NULL;
	int r = inv->n_args > 1 ? reference_normalize_local(inv->args[1], &name, err) : 0;

	if (r == 0)
		r = container_open_locked(&c, floe_engine(inv), inv->args[0], err);
	if (r == 0)
		r = need_image(&c, "commit", err);
	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r == 0)
		r = commit_container(&c, &store, o, name, &id, err);
	if (r == 0)
		r = write_iidfile(o->iidfile, id, err);
	if (r < 0)
		return r;
	event_container(&c, "commit");
	return cli_print_line(id, err);
}

#define T struct commit_options
static const struct cli_option commit_rows[] = {
	OPT_STRING(T, author, "author", 'a', "NAME", "who made the image"),
	OPT_STRVEC(
		T, changes, "change", 'c', "INSTRUCTION",
		"change the image's configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, "
		"STOPSIGNAL, USER, VOLUME, WORKDIR"),
	OPT_STRING(T, config, "config", 0, "FILE",
		   "take the image's configuration from this JSON document"),
	OPT_STRING(T, format, "format", 'f', "FORMAT", "manifest: oci or docker (default: oci)"),
	OPT_STRING(T, iidfile, "iidfile", 0, "FILE", "write the image's id here"),
	OPT_FLAG(T, include_volumes, "include-volumes", 0, "let the image have the same volumes"),
	OPT_STRING(T, message, "message", 'm', "TEXT", "comment"),
	OPT_OPTBOOL(T, pause, "pause", 'p', "pause the container meanwhile (default: false)"),
	OPT_FLAG(T, quiet, "quiet", 'q', "show no progress; there is none to show"),
	OPT_FLAG(T, squash, "squash", 's', "make one layer of everything"),
};
#undef T

const struct cli_command floe_commit_command = {
	.name = "commit",
	.arguments = "CONTAINER [IMAGE]",
	.summary = "make an image of what a container has written",
	CLI_OPTIONS(struct commit_options, commit_rows),
	.min_args = 1,
	.max_args = 2,
	.argument_source = FLOE_CONTAINERS,
	.run = run_commit,
	.error_code = FLOE_EXIT_ERROR,
};

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
		return need_image(&ret->c, "diff", err);
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
