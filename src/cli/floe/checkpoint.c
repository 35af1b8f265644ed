/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <unistd.h>

#include "cli/floe/checkpoint_stats.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/str.h"
#include "engine/checkpoint.h"
#include "engine/checkpoint_image.h"

struct options {
	struct targets targets;
	struct checkpoint_options checkpoint;
	const char *export;
	const char *compress;
	const char *create_image;
	bool ignore_rootfs;
	bool ignore_volumes;
	bool print_stats;
};

struct context {
	const struct options *o;
	struct checkpoint_options checkpoint;
	struct checkpoint_export export;
	struct checkpoint_stats stats;
};

static int checkpoint_one(struct container *c, void *context, struct err *err)
{
	struct context *x = context;
	struct checkpoint_result result;
	auto_free char *archive = NULL;
	auto_free char *image = NULL;
	int r;

	/* podman gives --export the preference. */
	if (x->o->create_image && !x->o->export) {
		archive = xasprintf("%s/checkpoint-image.tar", c->static_dir);
		x->export.target = archive;
		x->export.codec = ARCHIVE_CODEC_NONE;
		x->checkpoint.export = &x->export;
	}
	/* With --rm the archive would go with the container. */
	if (archive && c->config.auto_remove)
		return err_set(
			err, ERR_STATE,
			"cannot checkpoint containers that have been started with '--rm' unless "
			"'--export' is used");
	r = container_checkpoint(c, &x->checkpoint, &result, err);
	if (r == 0 && archive)
		r = checkpoint_image_create(c, archive, x->o->create_image, &image, err);
	if (archive)
		(void)unlink(archive);

	if (r == 0 && x->o->print_stats)
		checkpoint_stats_add_dump(&x->stats, c->config.id, &result);
	return r;
}

static bool runs(const struct container *c)
{
	return c->status.phase == PHASE_RUNNING;
}

static int check(const struct options *o, struct err *err)
{
	const struct checkpoint_options *k = &o->checkpoint;

	if (geteuid() != 0)
		return err_set(err, ERR_DENIED, "checkpointing a container requires root");
	if (k->with_previous && k->pre_checkpoint)
		return err_set(err, ERR_USAGE,
			       "--with-previous can not be used with --pre-checkpoint");
	if (!o->export && o->compress)
		return err_set(err, ERR_USAGE, "--compress can only be used with --export");
	if (!o->export && o->ignore_rootfs)
		return err_set(err, ERR_USAGE, "--ignore-rootfs can only be used with --export");
	if (!o->export && o->ignore_volumes)
		return err_set(err, ERR_USAGE, "--ignore-volumes can only be used with --export");
	return k->with_previous || k->pre_checkpoint ? checkpoint_need_memory_tracking(err) : 0;
}

static int make_export(struct context *x, size_t n_containers, struct err *err)
{
	const struct options *o = x->o;

	x->checkpoint = o->checkpoint;
	x->export.ignore_rootfs = o->ignore_rootfs;
	x->export.ignore_volumes = o->ignore_volumes;
	if (!o->export && o->create_image && (n_containers > 1 || o->targets.all))
		return err_set(err, ERR_USAGE,
			       "--create-image: one image holds one container; name one");
	if (!o->export)
		return 0;
	if (o->compress && archive_codec_from_string(o->compress, &x->export.codec) < 0)
		return err_set(
			err, ERR_USAGE,
			"selected compression algorithm (\"%s\") not supported. Please select "
			"one from: gzip, none, zstd",
			o->compress);
	if (n_containers > 1 || o->targets.all)
		return err_set(err, ERR_USAGE,
			       "--export: one archive holds one container; name one");
	x->export.target = o->export;
	x->checkpoint.export = &x->export;
	return 0;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct targets t = o->targets;
	struct context x = { .o = o };
	int code;
	int r = check(o, err);

	if (r == 0)
		r = make_export(&x, inv->n_args, err);
	if (r < 0)
		return r;
	t.lock = true;
	t.wanted = runs;
	t.newest_first = true;
	/* On stdout there is the archive. */
	t.quiet = o->print_stats || str_eq(o->export, "-");
	checkpoint_stats_begin(&x.stats);
	code = targets_each(inv, &t, checkpoint_one, &x, err);
	if (code >= 0 && o->print_stats && !str_eq(o->export, "-"))
		r = checkpoint_stats_print(&x.stats, "podman_checkpoint_duration", err);
	(void)json_object_put(x.stats.containers);
	return r < 0 ? r : code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_FLAG(T, checkpoint.keep, "keep", 'k', "keep CRIU's log and statistics"),
	OPT_FLAG(T, checkpoint.leave_running, "leave-running", 'R',
		 "let the containers go on afterwards"),
	OPT_FLAG(T, checkpoint.tcp_established, "tcp-established", 0,
		 "keep TCP connections that are established"),
	OPT_FLAG(T, checkpoint.file_locks, "file-locks", 0, "keep locks on files"),
	OPT_FLAG(T, checkpoint.pre_checkpoint, "pre-checkpoint", 'P',
		 "write the memory only, while the container runs on"),
	OPT_FLAG(T, checkpoint.with_previous, "with-previous", 0,
		 "write only the memory that has changed since the last pre-checkpoint"),
	OPT_STRING(T, export, "export", 'e', "FILE|-|dir:PATH",
		   "write everything into an archive, from which the container can be restored "
		   "anywhere"),
	OPT_STRING(T, create_image, "create-image", 0, "NAME",
		   "make an image of the archive, to be restored from or to be pushed"),
	OPT_STRING(T, compress, "compress", 'c', "none|gzip|zstd",
		   "how the archive is compressed (default: zstd)"),
	OPT_FLAG(T, ignore_rootfs, "ignore-rootfs", 0,
		 "leave out of the archive what the container changed in its root file system"),
	OPT_FLAG(T, ignore_volumes, "ignore-volumes", 0,
		 "leave the content of volumes out of the archive"),
	OPT_FLAG(T, print_stats, "print-stats", 0,
		 "print times (in microseconds) and page counts as JSON instead of the names"),
	OPT_FLAG(T, targets.all, "all", 'a', "every container that runs"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
};
#undef T

static const struct cli_command *const subcommands[] = { &floe_checkpoint_inspect_command };

const struct cli_command floe_checkpoint_command = {
	.name = "checkpoint",
	.arguments = "[CONTAINER...]",
	.summary = "freeze running containers, with memory, files and connections",
	.description =
		"The processes are written to disk by CRIU and end; 'floe restore' lets them go on "
		"where they were. When it fails the container runs on, and an earlier checkpoint "
		"stays as it was.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.subcommands = subcommands,
	.n_subcommands = ARRAY_SIZE(subcommands),
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
