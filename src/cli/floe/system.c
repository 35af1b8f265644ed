/* SPDX-License-Identifier: Apache-2.0 */
/* system prune, system reset, and the group of commands as a whole. */
#include "cli/floe/system.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/floe/confirm.h"
#include "cli/floe/image_remove.h"
#include "cli/floe/report.h"
#include "cli/floe/volume.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/cleanup.h"
#include "engine/container.h"
#include "engine/disk_usage.h"
#include "engine/event.h"
#include "engine/filter.h"
#include "engine/image_use.h"
#include "engine/network_later.h"
#include "engine/records.h"
#include "kernel/procfs.h"

/* As long as for any process of ours that has nothing to wait for. */
#define MONITOR_END_MS 10000

/* --- prune ------------------------------------------------------------------------------------------ */

struct prune_options {
	bool all;
	bool force;
	bool volumes;
	bool build;
	bool external;
	struct strvec filters;
};

static uint64_t bytes_of(const struct disk_usage *u)
{
	uint64_t n = u->layers;

	for (size_t i = 0; i < u->n_containers; i++)
		n += u->containers[i].written;
	for (size_t i = 0; i < u->volumes.n; i++)
		n += u->volume[i].size;
	return n;
}

static int bytes_now(struct engine *e, uint64_t *ret, struct err *err)
{
	auto_disk_usage struct disk_usage usage = { 0 };
	int r = disk_usage_load(&usage, e, err);

	if (r == 0)
		*ret = bytes_of(&usage);
	return r;
}

/* 1: it is gone. */
static int prune_container(struct engine *e, const char *id, const struct strvec *filters,
			   struct err *err)
{
	const struct remove_options options = { .timeout_s = -1 };
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open_locked(&c, e, id, err);

	if (r < 0)
		return r;
	if (container_is_alive(&c) || c.status.phase == PHASE_INITIALIZED)
		return 0;
	r = filter_matches(e, filters, &c, err);
	if (r <= 0)
		return r;
	r = container_remove(&c, &options, err);
	return r < 0 ? r : 1;
}

static int prune_containers(struct engine *e, const struct strvec *filters, struct strbuf *out,
			    struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = record_ids(e, &ids, err);

	/* The newest first: what depends on another is younger. */
	for (size_t i = ids.n; r == 0 && i-- > 0;) {
		struct err one = ERR_INIT;
		int done = prune_container(e, ids.v[i], filters, &one);

		if (done > 0)
			strbuf_addf(out, "%s\n", ids.v[i]);
		if (done < 0 && one.kind == ERR_INVALID) {
			if (err)
				*err = one;
			return done;
		}
		if (done < 0 && one.kind != ERR_NOT_FOUND)
			report_error(&one);
	}
	return r;
}

static void add_section(struct strbuf *out, const char *title, const struct strbuf *lines)
{
	if (lines->len > 0)
		strbuf_addf(out, "%s\n%s", title, lines->buf);
}

static int check_prune(const struct prune_options *o, struct err *err)
{
	if (o->external && (o->all || o->volumes || o->filters.n > 0))
		return err_set(err, ERR_USAGE, "--external cannot be combined with other options");
	for (size_t i = 0; i < o->filters.n; i++)
		if (!str_has_prefix(o->filters.v[i], "label=") &&
		    !str_has_prefix(o->filters.v[i], "label!=") &&
		    !str_has_prefix(o->filters.v[i], "until="))
			return err_set(err, ERR_USAGE,
				       "filter '%s': system prune knows label, label! and until",
				       o->filters.v[i]);
	return 0;
}

static int ask_prune(const struct prune_options *o, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "WARNING! This command removes:\n\t- all stopped containers\n");
	if (o->volumes)
		strbuf_adds(&text, "\t- all volumes not used by at least one container\n");
	strbuf_adds(&text, o->all ? "\t- all images without at least one container associated with "
				    "them\n" :
				    "\t- all dangling images\n");
	return confirm(text.buf, err);
}

static int prune_everything(const struct cli_invocation *inv, struct strbuf *out, struct err *err)
{
	const struct prune_options *o = inv->options;
	struct engine *e = floe_engine(inv);
	auto_strbuf struct strbuf containers = STRBUF_INIT;
	auto_strbuf struct strbuf volumes = STRBUF_INIT;
	auto_strbuf struct strbuf images = STRBUF_INIT;
	struct store *store;
	int r = prune_containers(e, &o->filters, &containers, err);

	if (r == 0 && o->volumes)
		r = volume_prune(e, &o->filters, &volumes, err);
	if (r == 0)
		r = engine_store(e, &store, err);
	if (r == 0)
		r = image_prune(inv, store, o->all, &o->filters, &images, err);
	add_section(out, "Deleted Containers", &containers);
	add_section(out, "Deleted Volumes", &volumes);
	add_section(out, "Deleted Images", &images);
	return r;
}

static int run_prune(const struct cli_invocation *inv, struct err *err)
{
	const struct prune_options *o = inv->options;
	struct engine *e = floe_engine(inv);
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_free char *size = NULL;
	struct store_garbage garbage = { 0 };
	struct store *store;
	uint64_t before = 0;
	uint64_t after = 0;
	int r = check_prune(o, err);

	if (r == 0 && !o->force && !o->external) {
		r = ask_prune(o, err);
		if (r <= 0)
			return r;
		r = 0;
	}
	if (r == 0)
		r = bytes_now(e, &before, err);
	if (r == 0 && !o->external)
		r = prune_everything(inv, &out, err);
	if (r == 0)
		r = engine_store(e, &store, err);
	if (r == 0)
		r = store_collect(store, &garbage, err);
	if (r == 0)
		r = bytes_now(e, &after, err);
	if (r < 0)
		return r;
	size = human_size((before > after ? before - after : 0) + (o->external ? garbage.bytes : 0),
			  4, "");
	strbuf_addf(&out, "Total reclaimed space: %s\n", size);
	event_object(e, "system", "prune", "", "");
	return cli_print(out.buf, err);
}

#define T struct prune_options
static const struct cli_option prune_rows[] = {
	OPT_FLAG(T, all, "all", 'a', "remove all images that no container uses, named or not"),
	OPT_FLAG(T, build, "build", 0, "what builds have kept; floe does not build"),
	OPT_FLAG(T, external, "external", 0, "only content that nothing refers to"),
	OPT_FLAG(T, force, "force", 'f', "do not ask"),
	OPT_FLAG(T, volumes, "volumes", 0, "remove volumes that no container uses, too"),
	OPT_STRVEC(T, filters, "filter", 0, "KEY=VALUE",
		   "remove those that this is true of: label, label!, until"),
};
#undef T

static const struct cli_command prune_command = {
	.name = "prune",
	.summary = "remove containers that do not run, and what nobody uses",
	.description = "Networks stay: they are podman's as well, whose containers floe does not "
		       "see. 'floe network prune' removes them.",
	CLI_OPTIONS(struct prune_options, prune_rows),
	.min_args = 0,
	.max_args = 0,
	.run = run_prune,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- reset ------------------------------------------------------------------------------------------ */

struct reset_options {
	bool force;
};

/* conmon's exit command opens the store in its end, and makes anew what is not there. */
static void await_monitor(pid_t pid, uint64_t start_time)
{
	uint64_t deadline = clock_now_monotonic_ns() + MONITOR_END_MS * NSEC_PER_MSEC;
	auto_procfs struct procfs proc = PROCFS_INIT;

	if (pid <= 0 || procfs_open(&proc, NULL) < 0)
		return;
	while (procfs_process_is_alive(&proc, pid, start_time) && clock_ms_until(deadline) > 0)
		clock_sleep_ms(5);
}

static int remove_one(struct engine *e, const char *id, struct err *err)
{
	const struct remove_options options = { .force = true, .volumes = true, .depend = true };
	auto_container struct container c = CONTAINER_INIT;
	uint64_t start_time;
	pid_t pid;
	int r = container_open_locked(&c, e, id, err);

	pid = c.status.conmon_pid;
	start_time = c.status.conmon_start_time;
	if (r == 0)
		r = container_remove(&c, &options, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	/* It may wait for the lock. */
	container_unlock(&c);
	await_monitor(pid, start_time);
	return 0;
}

static int remove_containers(struct engine *e, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = record_ids(e, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = remove_one(e, ids.v[i], err);
	return r;
}

static int remove_volumes(struct engine *e, struct err *err)
{
	auto_volumes struct volumes volumes = { 0 };
	int r = volume_list(e, &volumes, err);

	for (size_t i = 0; r == 0 && i < volumes.n; i++)
		r = volume_remove(e, volumes.v[i].name, err);
	return r;
}

/* What is ours by name, so that a mistyped --root costs nothing else; the directory itself when it is empty then. */
static int remove_directory(const char *path, const char *const *names, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *entry = path_join(path, names[i]);
		int r = fs_remove_tree(AT_FDCWD, entry);

		if (r < 0)
			return err_sys(err, r, "remove '%s'", entry);
	}
	(void)rmdir(path);
	return 0;
}

static int remove_directories(const struct engine *e, struct err *err)
{
	static const char *const in_root[] = { "containers", "volumes",	    "secrets",
					       "blobs",	     "layers",	    "rootfs",
					       "staging",    "locks",	    "boot",
					       "driver",     "events",	    "events.log",
					       "floe.db",    "floe.db-wal", "floe.db-shm" };
	static const char *const in_runroot[] = { "containers", "networks", "tmp" };
	static const char *const in_tmpdir[] = { "exits", "persist", "locks", "events" };
	int r = remove_directory(e->tmpdir, in_tmpdir, ARRAY_SIZE(in_tmpdir), err);

	if (r == 0)
		r = remove_directory(e->runroot, in_runroot, ARRAY_SIZE(in_runroot), err);
	if (r == 0)
		r = remove_directory(e->root, in_root, ARRAY_SIZE(in_root), err);
	return r;
}

static int run_reset(const struct cli_invocation *inv, struct err *err)
{
	const struct reset_options *o = inv->options;
	struct engine *e = floe_engine(inv);
	auto_free char *question = xasprintf(
		"WARNING! This will remove:\n\t- all containers\n\t- all images\n\t- all volumes\n"
		"\t- all secrets\n\t- everything in '%s' and '%s' that is floe's",
		e->root, e->runroot);
	int r = o->force ? 1 : confirm(question, err);

	if (r <= 0)
		return r;
	r = remove_containers(e, err);
	if (r == 0)
		r = network_later_finish_all(e, err);
	if (r == 0)
		r = remove_volumes(e, err);
	/* Nothing is open any more; engine_done() finds that too. */
	engine_close(e);
	return r < 0 ? r : remove_directories(e, err);
}

static const struct cli_option reset_rows[] = {
	OPT_FLAG(struct reset_options, force, "force", 'f', "do not ask"),
};

static const struct cli_command reset_command = {
	.name = "reset",
	.summary = "remove everything that floe keeps",
	.description = "Networks stay, being podman's as well, and so do configuration files.",
	CLI_OPTIONS(struct reset_options, reset_rows),
	.min_args = 0,
	.max_args = 0,
	.run = run_reset,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- migrate, renumber ------------------------------------------------------------------------------ */

struct migrate_options {
	const char *new_runtime;
	bool migrate_db;
};

static int run_migrate(const struct cli_invocation *inv, struct err *err)
{
	const struct migrate_options *o = inv->options;

	if (o->new_runtime)
		return err_set(
			err, ERR_UNSUPPORTED,
			"migrate to runtime '%s': containers keep the runtime that they were "
			"made with; make them anew with --runtime",
			o->new_runtime);
	return 0;
}

static int run_renumber(const struct cli_invocation *inv UNUSED, struct err *err UNUSED)
{
	return 0;
}

#define T struct migrate_options
static const struct cli_option migrate_rows[] = {
	OPT_STRING(T, new_runtime, "new-runtime", 0, "RUNTIME", "refused: containers keep theirs"),
	OPT_FLAG_F(T, migrate_db, "migrate-db", 0, "of no effect", CLI_HIDDEN),
};
#undef T

static const struct cli_command migrate_command = {
	.name = "migrate",
	.summary = "do nothing, successfully",
	.description = "There is nothing to do after an upgrade: the first command that needs it "
		       "brings records up to date. Programs that drive podman begin with this.",
	CLI_OPTIONS(struct migrate_options, migrate_rows),
	.min_args = 0,
	.max_args = 0,
	.run = run_migrate,
	.error_code = FLOE_EXIT_ERROR,
};

static const struct cli_command renumber_command = {
	.name = "renumber",
	.summary = "do nothing, successfully",
	.description = "Locks are files, and have no numbers.",
	.min_args = 0,
	.max_args = 0,
	.run = run_renumber,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- the group -------------------------------------------------------------------------------------- */

static const struct cli_command *const subcommands[] = {
	&floe_system_check_command, &floe_system_df_command, &floe_events_command,
	&floe_info_command,	    &migrate_command,	     &prune_command,
	&renumber_command,	    &reset_command,
};

const struct cli_command floe_system_command = {
	.name = "system",
	.summary = "look after the machine's part of floe",
	.subcommands = subcommands,
	.n_subcommands = ARRAY_SIZE(subcommands),
};
