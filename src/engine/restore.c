/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/str.h"
#include "criu/image_check.h"
#include "engine/checkpoint_files.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/prepare.h"
#include "engine/runtime_exec.h"
#include "engine/start.h"

struct restore {
	const struct restore_options *o;
	const struct restore_source *source;
	struct init_restore *how; /* the runtime is going to be called */
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

static int fill(void *context, struct container *c, const struct rooted *root UNUSED,
		struct err *err)
{
	const struct restore_options *o = context;

	return checkpoint_fill_shm(c, o->shm_fd, err);
}

/* A process that goes on believes that it has the locks it had: it has, whoever calls for the restore. */
static void want_file_locks(struct restore *x, const struct container *c)
{
	auto_free char *images = checkpoint_file(c, CHECKPOINT_DIR);
	auto_close int dir = fd_open_at(AT_FDCWD, images, O_RDONLY | O_DIRECTORY, 0);

	if (x->o->file_locks || dir < 0 || !criu_images_have_file_locks(dir))
		return;
	log_info("container '%s' takes the file locks again that its processes held",
		 c->config.name);
	strvec_add(&x->how->runtime_opts, "--file-locks");
}

static int check_connections(const struct container *c, const struct restore_options *o,
			     struct err *err)
{
	if (!o->tcp_established || !checkpoint_loses_connections(c))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "restore container '%s' with its TCP connections: it has a user namespace, "
		       "and gets its network, with the addresses of the connections, only when its "
		       "processes are there; restore it with --tcp-close, which ends them",
		       c->config.name);
}

static int prepare(void *context, struct container *c, struct err *err)
{
	struct restore *x = context;
	const char *images;
	const struct prepare_restore how = {
		.spec = x->source->spec,
		.fill = x->source->fill,
		.context = x->source->context,
	};

	int r = container_prepare_restored(c, &how, err);

	if (r == 0)
		r = check_connections(c, x->o, err);
	if (r < 0)
		return r;
	want_file_locks(x, c);
	images = x->source->images ? x->source->images(x->source->context) : NULL;
	if (images)
		x->how->images = images;
	return 0;
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
	c->status.importing = false;
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

/* CRIU gives the uts namespace the name that it had. */
static int set_hostname(const struct container *c, const char *name, struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/ns/uts", c->status.pid);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	pid_t pid;
	int status = 0;

	if (fd < 0)
		return err_sys(err, fd, "open '%s'", path);
	pid = fork();
	if (pid == 0)
		_exit(setns(fd, CLONE_NEWUTS) < 0 || sethostname(name, strlen(name)) < 0 ? errno :
											   0);
	if (pid < 0 || RETRY_EINTR(waitpid(pid, &status, 0)) < 0)
		return err_sys(err, -errno, "set host name '%s'", name);
	return status == 0 ? 0 : err_sys(err, -WEXITSTATUS(status), "set host name '%s'", name);
}

static int run(struct container *c, struct restore *x, struct restore_result *ret, struct err *err)
{
	auto_free char *images = checkpoint_file(c, CHECKPOINT_DIR);
	struct init_restore how = { .images = images, .prepare = prepare, .context = x };
	uint64_t begin = clock_now_monotonic_ns();
	int r = checkpoint_make_log(c, CHECKPOINT_RESTORE_LOG, err);

	x->how = &how;
	add_options(x->o, &how.runtime_opts);
	if (r == 0)
		r = container_init_restored(c, &how, err);
	strvec_done(&how.runtime_opts);
	ret->runtime_us = (clock_now_monotonic_ns() - begin) / 1000;
	if (r < 0 && err && err->kind == ERR_REMOTE && !runtime_can_checkpoint(c))
		return err_set(err, ERR_UNSUPPORTED,
			       "configured runtime '%s' does not support checkpoint/restore",
			       container_runtime_name(c));
	if (r == 0 && x->source->hostname)
		r = set_hostname(c, x->source->hostname, err);
	if (r < 0)
		return r;
	note(c);
	return container_save(c, err);
}

int container_restore_from(struct container *c, const struct restore_source *source,
			   const struct restore_options *options, struct restore_result *ret,
			   struct err *err)
{
	struct restore x = { .o = options, .source = source };
	int r;

	*ret = (struct restore_result){ 0 };
	r = run(c, &x, ret, err);
	if (r < 0)
		return r;
	load_stats(c, ret);
	if (!options->keep)
		drop_checkpoint(c);
	event_container(c, "restore");
	return 0;
}

int container_restore(struct container *c, const struct restore_options *options,
		      struct restore_result *ret, struct err *err)
{
	struct runtime_spec spec;
	const struct restore_source source = {
		.spec = &spec,
		.fill = fill,
		.context = (void *)(uintptr_t)options,
	};
	int r = 0;

	/* Its end was not noticed by anybody else yet, and may have been a checkpoint's. */
	if (c->status.phase == PHASE_STOPPED)
		r = container_cleanup(c, err);
	if (r == 0)
		r = check(c, err);
	if (r == 0)
		r = check_connections(c, options, err);
	if (r == 0)
		r = checkpoint_load_spec(c, &spec, err);
	if (r < 0)
		return r;
	r = checkpoint_request_network(c, options->ignore_static_ip, options->ignore_static_mac,
				       err);
	checkpoint_request_ports(c);
	if (r == 0)
		r = container_restore_from(c, &source, options, ret, err);
	if (r == 0)
		r = checkpoint_forget_static(c, options->ignore_static_ip,
					     options->ignore_static_mac, err);
	runtime_spec_done(&spec);
	return r;
}
