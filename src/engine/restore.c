/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "engine/checkpoint_files.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/prepare.h"
#include "engine/runtime_exec.h"
#include "engine/start.h"

struct restore {
	const struct restore_options *o;
	struct runtime_spec spec;
};

static int check(const struct container *c, struct err *err)
{
	enum container_phase p = c->status.phase;

	if (p != PHASE_CREATED && p != PHASE_EXITED && p != PHASE_STOPPED)
		return err_set(err, ERR_STATE,
			       "container %s is running or paused, cannot restore: container state "
			       "improper",
			       c->config.id);
	if (!checkpoint_exists(c))
		return err_set(err, ERR_NOT_FOUND,
			       "a complete checkpoint for this container cannot be found, cannot "
			       "restore: stat %s/" CHECKPOINT_DIR
			       "/inventory.img: no such file or directory",
			       c->static_dir);
	return 0;
}

static int fill(void *context UNUSED, struct container *c, const struct rooted *root UNUSED,
		struct err *err)
{
	return checkpoint_fill_shm(c, err);
}

static int prepare(void *context, struct container *c, struct err *err)
{
	struct restore *x = context;

	return container_prepare_restored(
		c, &(struct prepare_restore){ .spec = &x->spec, .fill = fill, .context = x }, err);
}

static int load_spec(struct restore *x, const struct container *c, struct err *err)
{
	auto_free char *path = checkpoint_file(c, "config.json");

	return runtime_spec_load(&x->spec, AT_FDCWD, path, err);
}

static void add_options(const struct restore_options *o, struct strvec *v)
{
	if (o->tcp_established)
		strvec_add(v, "--tcp-established");
	if (o->tcp_close)
		strvec_add(v, "--tcp-close");
	if (o->file_locks)
		strvec_add(v, "--file-locks");
}

static void note(struct container *c)
{
	c->status.restored_ns = (int64_t)clock_now_realtime_ns();
	if (c->status.started_ns == 0)
		c->status.started_ns = c->status.restored_ns;
	replace_ptr(c->status.restore_log, checkpoint_file(c, CHECKPOINT_RESTORE_LOG));
	c->dirty = true;
}

/* In place of what has been restored there are processes again. */
static void drop_checkpoint(const struct container *c)
{
	static const char *const names[] = {
		CHECKPOINT_DIR,	     CHECKPOINT_PRE_DIR,
		"volumes",	     CHECKPOINT_SHM_DIR,
		"artifacts",	     CHECKPOINT_RESTORE_LOG,
		CHECKPOINT_DUMP_LOG, CRIU_STATS_DUMP,
		CRIU_STATS_RESTORE,  "devshm-checkpoint.tar",
		"rootfs-diff.tar",   CHECKPOINT_NETWORK_STATUS,
		"deleted.files",     NULL,
	};

	checkpoint_remove(c, names);
}

static void load_stats(const struct container *c, struct restore_result *ret)
{
	auto_close int dir = fd_open_at(AT_FDCWD, c->static_dir, O_RDONLY | O_DIRECTORY, 0);

	if (dir >= 0)
		(void)criu_stats_load(&ret->stats, dir, CRIU_STATS_RESTORE, NULL);
}

static int run(struct container *c, struct restore *x, struct restore_result *ret, struct err *err)
{
	auto_free char *images = checkpoint_file(c, CHECKPOINT_DIR);
	struct init_restore how = { .images = images, .prepare = prepare, .context = x };
	uint64_t begin = clock_now_monotonic_ns();
	int r = checkpoint_make_log(c, CHECKPOINT_RESTORE_LOG, err);

	add_options(x->o, &how.runtime_opts);
	if (r == 0)
		r = container_init_restored(c, &how, err);
	strvec_done(&how.runtime_opts);
	ret->runtime_us = (clock_now_monotonic_ns() - begin) / 1000;
	if (r < 0 && !runtime_can_checkpoint(c))
		return err_set(err, ERR_UNSUPPORTED,
			       "configured runtime '%s' does not support checkpoint/restore",
			       c->engine->runtime);
	if (r < 0)
		return r;
	note(c);
	return container_save(c, err);
}

int container_restore(struct container *c, const struct restore_options *options,
		      struct restore_result *ret, struct err *err)
{
	struct restore x = { .o = options };
	int r = check(c, err);

	*ret = (struct restore_result){ 0 };
	/* Its end was not noticed by anybody else yet. */
	if (r == 0 && c->status.phase == PHASE_STOPPED)
		r = container_cleanup(c, err);
	if (r == 0)
		r = load_spec(&x, c, err);
	if (r < 0)
		return r;
	r = checkpoint_request_network(c, options->ignore_static_ip, options->ignore_static_mac,
				       err);
	if (r == 0)
		r = run(c, &x, ret, err);
	runtime_spec_done(&x.spec);
	if (r < 0)
		return r;
	load_stats(c, ret);
	if (!options->keep)
		drop_checkpoint(c);
	event_container(c, "restore");
	return 0;
}
