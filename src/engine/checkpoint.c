/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/checkpoint.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/stage.h"
#include "core/str.h"
#include "criu/client.h"
#include "criu/find.h"
#include "engine/checkpoint_files.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/facts.h"
#include "engine/own_archives.h"
#include "engine/prepare.h"
#include "engine/restore.h"
#include "engine/runtime_exec.h"
#include "engine/stop.h"
#include "kernel/syscalls.h"

/* CRIU has taken the processes; conmon only has to notice. */
#define END_WAIT_MS 30000
/* From so many bytes on a container notices that it stood still until they were copied: its user is told. */
#define SNAPSHOT_TOLD (UINT64_C(16) << 20)

struct checkpoint {
	struct container *c;
	const struct checkpoint_options *o;
	struct checkpoint_result *result;
	bool ended; /* its processes are in the image and nowhere else */
	bool tried; /* CRIU may have taken note of what has changed */
	bool paused; /* by us */
	bool exchanged; /* what was in the place of the new checkpoint is where that was made */
	struct archive_writer *writer;
	struct checkpoint_snapshot snapshot;
};

int checkpoint_need_memory_tracking(struct err *err)
{
	const struct criu_features want = { .mem_track = true };
	auto_criu_location struct criu_location location = CRIU_LOCATION_INIT;
	auto_criu_client struct criu_client client = CRIU_CLIENT_INIT;
	struct criu_client_opts opts = CRIU_CLIENT_OPTS_INIT;
	struct criu_features have = { 0 };
	int r = criu_find(&location, &(struct criu_find_opts){ 0 }, err);

	if (r < 0)
		return r;
	opts.program = location.path;
	r = criu_client_open(&client, &opts, err);
	if (r == 0)
		r = criu_client_features(&client, &want, &have, err);
	if (r < 0)
		return r;
	return have.mem_track ? 0 :
				err_set(err, ERR_UNSUPPORTED,
					"system (architecture/kernel/CRIU) does not support memory "
					"tracking");
}

/* With what a checkpoint was begun that nobody has seen the end of. */
static int settle_interrupted(const struct container *c, struct err *err)
{
	auto_free char *images = checkpoint_file(c, CHECKPOINT_NEW_DIR);

	return fs_exists(AT_FDCWD, images) ? checkpoint_settle_previous(c, err) : 0;
}

static bool ends_it(const struct checkpoint *x)
{
	return !x->o->leave_running && !x->o->pre_checkpoint;
}

static int check(const struct checkpoint *x, struct err *err)
{
	const struct container *c = x->c;
	auto_free char *pre = checkpoint_file(c, CHECKPOINT_PRE_DIR);
	int r;

	if (c->status.phase != PHASE_RUNNING)
		return err_set(err, ERR_STATE,
			       "\"%s\" is not running, cannot checkpoint: container state improper",
			       container_phase_to_string(c->status.phase));
	if (c->config.auto_remove && !x->o->export && ends_it(x))
		return err_set(err, ERR_STATE,
			       "cannot checkpoint containers that have been started with '--rm' "
			       "unless '--export' is used");
	r = facts_check_joined(c, err);
	if (r == 0)
		r = settle_interrupted(c, err);
	if (r < 0)
		return r;
	if (x->o->with_previous && !fs_exists(AT_FDCWD, pre))
		return err_set(err, ERR_NOT_FOUND,
			       "checkpoint container '%s' with previous: there is no "
			       "pre-checkpoint; make one with --pre-checkpoint",
			       c->config.name);
	return x->o->export ? checkpoint_export_check(c, x->o->export, ends_it(x), err) : 0;
}

/* --- stages ----------------------------------------------------------------------------------------- */

static const char *target(const struct checkpoint *x)
{
	/* An earlier checkpoint stays until this one is complete. */
	return x->o->pre_checkpoint ? CHECKPOINT_PRE_DIR : CHECKPOINT_NEW_DIR;
}

static int stage_directory(void *context, struct err *err)
{
	const struct checkpoint *x = context;
	const char *const names[] = { target(x), NULL };
	auto_free char *path = checkpoint_file(x->c, target(x));
	int r = x->o->pre_checkpoint ? checkpoint_settle_previous(x->c, err) : 0;

	if (r < 0)
		return r;
	checkpoint_drop_new(x->c);
	checkpoint_remove(x->c, names);
	if (mkdir(path, 0700) < 0)
		return err_sys(err, -errno, "create directory '%s'", path);
	r = checkpoint_make_log(x->c, CHECKPOINT_DUMP_LOG, err);
	/* Now, when a full disk does no harm yet. */
	return r < 0 || x->o->pre_checkpoint ? r : checkpoint_save_network(x->c, err);
}

static void settle(const struct checkpoint *x)
{
	struct err err = ERR_INIT;

	if (x->tried && x->o->with_previous && checkpoint_settle_previous(x->c, &err) < 0)
		log_warning("%s", err.msg);
}

static void undo_directory(void *context)
{
	const struct checkpoint *x = context;
	const char *const names[] = { target(x), NULL };

	/* When it has ended this is all that there is of it. */
	if (x->ended)
		return;
	checkpoint_drop_new(x->c);
	checkpoint_remove(x->c, names);
	settle(x);
}

/* The runtime tells of the pause that ends when the failed checkpoint is undone. */
static void forget_pause(struct err *err)
{
	static const char paused[] = "; the container is still paused";
	char *found = strstr(err->msg, paused);

	if (found)
		memmove(found, found + strlen(paused), strlen(found + strlen(paused)) + 1);
}

/* Why it failed is said; what becomes of the container is said here. */
static int explain(struct checkpoint *x, int r, struct err *err)
{
	if (!err)
		return r;
	if (!runtime_can_checkpoint(x->c))
		return err_set(err, ERR_UNSUPPORTED,
			       "configured runtime '%s' does not support checkpoint/restore",
			       container_runtime_name(x->c));
	container_sync(x->c);
	/* A runtime that was killed had perhaps just frozen it; any other has thawed it, and there is nothing to do. */
	if (container_is_alive(x->c) && !x->paused)
		(void)runtime_resume(x->c, NULL);
	if (x->paused)
		forget_pause(err);
	/* Some runtimes say so themselves. */
	if (container_is_alive(x->c) && !strstr(err->msg, "runs on") &&
	    !strstr(err->msg, "still running"))
		err_append(err, "; the container runs on");
	return r;
}

/* Before anything is frozen: most of what can be wrong with an archive's place shows here. */
static int stage_open_archive(void *context, struct err *err)
{
	struct checkpoint *x = context;
	struct archive_writer_options options = { 0 };

	if (!x->o->export)
		return 0;
	options.codec = x->o->export->codec;
	return archive_writer_open(&x->writer, x->o->export->target, &options, err);
}

static bool wants_snapshot(const struct checkpoint *x)
{
	return x->o->export && x->o->leave_running && !x->o->pre_checkpoint;
}

/* Shared memory is copied for a checkpoint that stays here too. */
static bool wants_pause(const struct checkpoint *x)
{
	return wants_snapshot(x) ||
	       (x->o->leave_running && !x->o->pre_checkpoint && checkpoint_has_shm(x->c));
}

/*
 * CRIU lets the processes go as soon as it has their memory. For files that fit that memory they stand still from
 * before until the files are copied; said in the record first, so that `unpause` helps when we are killed.
 */
static int stage_pause(void *context, struct err *err)
{
	struct checkpoint *x = context;
	int r;

	if (!wants_pause(x))
		return 0;
	r = container_advance(x->c, EVENT_PAUSE, err);
	if (r == 0)
		r = container_save(x->c, err);
	if (r < 0)
		return r;
	x->paused = true;
	return runtime_pause(x->c, err);
}

static int unpause(struct checkpoint *x, struct err *err)
{
	int r;

	if (!x->paused)
		return 0;
	r = runtime_resume(x->c, err);
	if (r < 0)
		return r;
	x->paused = false;
	r = container_advance(x->c, EVENT_UNPAUSE, err);
	return r < 0 ? r : container_save(x->c, err);
}

static void undo_pause(void *context)
{
	struct err err = ERR_INIT;

	if (unpause(context, &err) < 0)
		log_warning("%s; 'floe unpause' lets the container go on", err.msg);
}

static int stage_snapshot(void *context, struct err *err)
{
	struct checkpoint *x = context;
	int r;

	if (!wants_snapshot(x))
		return unpause(x, err);
	r = checkpoint_snapshot(x->c, x->o->export, &x->snapshot, err);
	if (r == 0)
		r = unpause(x, err);
	x->result->snapshot_us = x->snapshot.us;
	x->result->snapshot_bytes = x->snapshot.bytes;
	if (r == 0 && x->snapshot.bytes > 0)
		log_write(x->snapshot.bytes >= SNAPSHOT_TOLD ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
			  "container '%s' stood still %llu ms longer, until %llu bytes of files "
			  "were copied",
			  x->c->config.name, (unsigned long long)x->snapshot.us / 1000,
			  (unsigned long long)x->snapshot.bytes);
	return r;
}

static void undo_snapshot(void *context)
{
	const struct checkpoint *x = context;

	checkpoint_snapshot_drop(x->c);
}

static int stage_export(void *context, struct err *err)
{
	struct checkpoint *x = context;
	struct err forgotten = ERR_INIT;
	int r;

	if (!x->o->export)
		return 0;
	r = checkpoint_export_write(x->c, x->o->export, wants_snapshot(x) ? &x->snapshot : NULL,
				    x->writer, x->o->pre_checkpoint, &x->result->archive, err);
	/* The archive is good all the same. */
	if (r == 0 && own_archives_add(x->c->engine, x->o->export->target, &forgotten) < 0)
		log_warning("'%s' will be taken for one of a stranger's: %s", x->o->export->target,
			    forgotten.msg);
	return r;
}

/* An archive of what goes on would be taken for one that has moved. */
static void undo_export(void *context)
{
	struct checkpoint *x = context;

	if (x->writer && !x->ended)
		archive_writer_withdraw(x->writer);
}

/*
 * The archive of what ends is begun while CRIU is still writing, on a processor that nobody else wants. Both handle the same
 * pages, so that CRIU takes some hundredths longer: less than is gained, but for what runs on that is what counts.
 */
static int dump(struct checkpoint *x, const char *images, const char *const *args, struct err *err)
{
	bool follow = x->writer && ends_it(x);
	auto_close int dir = follow ? fd_open_at(AT_FDCWD, images, O_RDONLY | O_DIRECTORY, 0) :
				      -EBADF;
	int r;

	if (dir >= 0)
		(void)archive_writer_follow(x->writer, dir);
	r = runtime_call(x->c, args, NULL, err);
	if (dir >= 0)
		archive_writer_follow_end(x->writer);
	return r;
}

static int stage_dump(void *context, struct err *err)
{
	struct checkpoint *x = context;
	const struct checkpoint_options *o = x->o;
	auto_free char *images = checkpoint_file(x->c, target(x));
	auto_strvec struct strvec args = STRVEC_INIT;
	uint64_t begin = clock_now_monotonic_ns();
	int r;

	strvec_add(&args, "checkpoint");
	strvec_add(&args, "--image-path");
	strvec_add(&args, images);
	strvec_add(&args, "--work-path");
	strvec_add(&args, x->c->static_dir);
	if (o->leave_running)
		strvec_add(&args, "--leave-running");
	if (o->tcp_established)
		strvec_add(&args, "--tcp-established");
	if (o->file_locks)
		strvec_add(&args, "--file-locks");
	if (o->pre_checkpoint)
		strvec_add(&args, "--pre-dump");
	if (o->with_previous) {
		strvec_add(&args, "--parent-path");
		strvec_add(&args, "../" CHECKPOINT_PRE_DIR);
	}
	strvec_add(&args, x->c->config.id);
	r = ends_it(x) ? checkpoint_mark_ending(x->c, err) : 0;
	if (r < 0)
		return r;
	x->tried = true;
	r = dump(x, images, (const char *const *)args.v, err);
	x->result->runtime_us = (clock_now_monotonic_ns() - begin) / 1000;
	if (r < 0) {
		checkpoint_unmark_ending(x->c);
		return explain(x, r, err);
	}
	x->ended = ends_it(x);
	return 0;
}

/* CRIU before 4.0 makes the link to the parent absolute, with which no archive could be restored elsewhere. */
static int fix_parent(const struct checkpoint *x, const char *images, struct err *err)
{
	auto_free char *link = xasprintf("%s/parent", images);

	if (!x->o->with_previous)
		return 0;
	(void)unlink(link);
	if (symlink("../" CHECKPOINT_PRE_DIR, link) < 0)
		return err_sys(err, -errno, "link '%s'", link);
	return 0;
}

static int stage_keep(void *context, struct err *err)
{
	struct checkpoint *x = context;
	auto_free char *images = checkpoint_file(x->c, CHECKPOINT_NEW_DIR);
	int r;

	if (x->o->pre_checkpoint)
		return 0;
	r = fix_parent(x, images, err);
	if (r == 0)
		r = checkpoint_save_shm(x->c, err);
	if (r == 0)
		r = checkpoint_exchange(x->c, err);
	x->exchanged = r == 0;
	if (r == 0 && checkpoint_loses_connections(x->c))
		log_warning("container '%s' has TCP connections and a user namespace: a restore "
			    "can only close them (--tcp-close)",
			    x->c->config.name);
	return r;
}

/* What was there before is there again. Not when the new one is all that there is of the container. */
static void undo_keep(void *context)
{
	struct checkpoint *x = context;
	struct err err = ERR_INIT;

	if (x->ended || !x->exchanged)
		return;
	if (checkpoint_exchange(x->c, &err) < 0)
		log_warning("%s", err.msg);
	x->exchanged = false;
}

/* It has ended by being frozen: nothing went wrong with it. */
static int stage_end(void *context, struct err *err)
{
	struct checkpoint *x = context;
	struct container *c = x->c;
	int r;

	if (x->o->pre_checkpoint)
		return 0;
	if (!x->ended) {
		checkpoint_note(c);
		return container_save(c, err);
	}
	if (container_wait_exit(c, END_WAIT_MS) < 0)
		return err_set(err, ERR_TIMEOUT,
			       "conmon of container '%s' has not noticed its end; see its "
			       "process %d",
			       c->config.name, c->status.conmon_pid);
	checkpoint_unmark_ending(c);
	checkpoint_note_end(c);
	r = container_save(c, err);
	return r < 0 ? r : container_cleanup(c, err);
}

static const struct stage stages[] = {
	{ "make a directory for the images", stage_directory, undo_directory },
	{ "open the archive", stage_open_archive, NULL },
	{ "hold the container still", stage_pause, undo_pause },
	{ "let the runtime dump", stage_dump, NULL },
	{ "put the checkpoint into its place", stage_keep, undo_keep },
	{ "copy what could change", stage_snapshot, undo_snapshot },
	{ "write the archive", stage_export, undo_export },
	{ "end the container", stage_end, NULL },
};

/* --- all of it -------------------------------------------------------------------------------------- */

static void load_stats(const struct checkpoint *x)
{
	auto_close int dir = fd_open_at(AT_FDCWD, x->c->static_dir, O_RDONLY | O_DIRECTORY, 0);

	/* A runtime that keeps them elsewhere is no failure. */
	if (dir >= 0)
		(void)criu_stats_load(&x->result->stats, dir, CRIU_STATS_DUMP, NULL);
}

/* The copy may have failed, and the original ends with the container: it is kept by this descriptor. */
static int hold_shm(const struct container *c)
{
	auto_free char *shm = container_shm_path(c);

	return shm ? sys_open_tree(AT_FDCWD, shm, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) : -ENOENT;
}

/*
 * It is in the image and nowhere else, and what came after failed: it goes on from the image, as if nothing had been.
 */
static void take_back(struct checkpoint *x, struct err *err)
{
	static const char *const copy[] = { CHECKPOINT_SHM_DIR CHECKPOINT_NEW, NULL };
	static const char *const left[] = { CHECKPOINT_RESTORE_LOG, CRIU_STATS_RESTORE, NULL };
	auto_close int shm = hold_shm(x->c);
	struct restore_options options = {
		.keep = true,
		.file_locks = x->o->file_locks,
		.shm_fd = shm >= 0 ? &shm : NULL,
	};
	struct restore_result result;
	struct err next = ERR_INIT;
	int r = 0;

	if (!x->exchanged) {
		checkpoint_remove(x->c, copy);
		r = checkpoint_exchange(x->c, &next);
		x->exchanged = r == 0;
	}
	if (r == 0)
		r = stage_end(x, &next);
	options.tcp_close = checkpoint_loses_connections(x->c);
	options.tcp_established = x->o->tcp_established && !options.tcp_close;
	if (r == 0)
		r = container_restore(x->c, &options, &result, &next);
	x->ended = r < 0;
	if (r < 0) {
		log_warning("%s", next.msg);
		err_append(err, "; the container has ended, and its checkpoint is complete: 'floe "
				"restore' lets it go on");
		return;
	}
	undo_export(x);
	undo_keep(x);
	undo_directory(x);
	checkpoint_remove(x->c, left);
	err_append(err, "; the container runs on");
}

static int finish(struct checkpoint *x, struct err *err)
{
	static const char *const temporary[] = { CHECKPOINT_DUMP_LOG, CRIU_STATS_DUMP, NULL };
	const struct remove_options remove = { .volumes = true };

	load_stats(x);
	checkpoint_drop_new(x->c);
	settle(x);
	checkpoint_snapshot_drop(x->c);
	if (!x->o->keep && !x->o->pre_checkpoint)
		checkpoint_remove(x->c, temporary);
	event_container(x->c, "checkpoint");
	return x->ended && x->c->config.auto_remove ? container_remove(x->c, &remove, err) : 0;
}

int container_checkpoint(struct container *c, const struct checkpoint_options *options,
			 struct checkpoint_result *ret, struct err *err)
{
	struct checkpoint x = { .c = c, .o = options, .result = ret };
	int r;

	*ret = (struct checkpoint_result){ 0 };
	r = check(&x, err);
	if (r == 0)
		r = stages_run("checkpoint", stages, ARRAY_SIZE(stages), &x, err);
	if (r < 0 && x.ended && err)
		take_back(&x, err);
	archive_writer_close(x.writer);
	if (r == 0)
		r = finish(&x, err);
	checkpoint_snapshot_done(&x.snapshot);
	return r;
}
