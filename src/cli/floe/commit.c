/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "cli/floe/image_common.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/fs.h"
#include "core/json_table.h"
#include "core/str.h"
#include "engine/commit.h"
#include "engine/event.h"
#include "engine/records.h"
#include "engine/runtime_exec.h"
#include "image/build.h"
#include "image/reference.h"

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

static void process_done(struct image_process *p)
{
	json_done(&image_process_desc, p);
}
DEFINE_AUTO_VAL(process, struct image_process, process_done)

static int make_process(struct store *store, const struct container *c,
			const struct commit_options *o, struct image_config *ret, struct err *err)
{
	auto_cleanup(process_cleanup_val) struct image_process given = { 0 };
	int r = image_config_load(store, c->config.image_id, ret, err);

	if (r < 0)
		return r;
	commit_process(&ret->config, &c->config, o->include_volumes);
	if (!o->config)
		return 0;
	r = json_decode_file(&image_process_desc, &given, AT_FDCWD, o->config, err);
	if (r == 0)
		commit_overlay(&ret->config, &given);
	return r;
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
		r = make_process(store, c, o, &config, err);
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
		r = image_root_needed(&c, "commit", err);
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
		   "a JSON document like an image's \"config\"; what it says goes over the "
		   "container's"),
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
