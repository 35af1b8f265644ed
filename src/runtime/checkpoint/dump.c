/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `checkpoint`: facts are collected, CRIU is asked, its notifications served. Nothing of the container
 * changes before CRIU freezes it, and CRIU lets it run again whenever it fails, up to and including
 * the post-dump notification: that is where sockets get their present names (socket_names.h), and where
 * descriptors.json is written, the file without which no restore takes the images for a checkpoint.
 */
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/rooted.h"
#include "core/str.h"
#include "criu/helpers.h"
#include "criu/image_discard.h"
#include "kernel/syscalls.h"
#include "runtime/cgroup/backend.h"
#include "runtime/checkpoint/facts.h"
#include "runtime/checkpoint/lock_rest.h"
#include "runtime/checkpoint/network_end.h"
#include "runtime/checkpoint/page_server.h"
#include "runtime/checkpoint/preflight.h"
#include "runtime/checkpoint/request.h"
#include "runtime/checkpoint/session.h"
#include "runtime/checkpoint/socket_names.h"
#include "runtime/checkpoint/tuning.h"
#include "runtime/checkpoint/watch_search.h"
#include "runtime/container.h"
#include "runtime/delete.h"
#include "runtime/operations.h"

/* The dumped processes are killed by CRIU; this long they may take to be gone. */
#define END_TIMEOUT_MS 10000

struct dump {
	struct container *container;
	const struct checkpoint_options *opts;
	struct criu_session session;
	struct checkpoint_request request;
	struct checkpoint_plans plans;
	struct descriptors descriptors;
	struct cgroup cgroup;
	struct network_end network;
	bool locks_network;
	bool locks_by_iptables;
	struct lock_rest lock_rest;
	bool was_paused; /* by the user, and stays so */
	bool freezes_early; /* at pre-dump, by us */
	int status_fd; /* -EBADF: none, or served already */
	bool is_unexplained; /* CRIU failed, and its log does not tell why */
};

#define DUMP_INIT                                                                                  \
	{                                                                                          \
		.session = CRIU_SESSION_INIT, .request = CHECKPOINT_REQUEST_INIT,                  \
		.plans = CHECKPOINT_PLANS_INIT, .descriptors = DESCRIPTORS_INIT,                   \
		.cgroup = CGROUP_INIT, .network = NETWORK_END_INIT, .status_fd = -EBADF            \
	}

static void dump_done(struct dump *d)
{
	criu_session_close(&d->session);
	checkpoint_request_done(&d->request);
	checkpoint_plans_done(&d->plans);
	descriptors_done(&d->descriptors);
	cgroup_close(&d->cgroup);
	network_end_done(&d->network);
	lock_rest_done(&d->lock_rest);
}

/* A parent image is named relative to the image directory, and must be there. */
static int check_parent(const struct dump *d, struct err *err)
{
	auto_close int fd = -EBADF;

	if (str_is_empty(d->opts->parent_path))
		return 0;
	fd = fd_open_at(d->session.images_fd, d->opts->parent_path, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(err, fd, "invalid --parent-path: '%s' below '%s'",
			       d->opts->parent_path, d->session.images_path);
	return 0;
}

static int take_status_fd(struct dump *d, struct err *err)
{
	int fd;
	int flags;

	if (!d->opts->status_fd.set || d->opts->status_fd.v < 0)
		return 0;
	fd = (int)d->opts->status_fd.v;
	/* Callers that always give it work with runc, which says nothing then. */
	if (!d->opts->lazy_pages) {
		log_warning("--status-fd %d: without --lazy-pages nothing is written to it", fd);
		return 0;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return err_sys(err, -errno, "invalid --status-fd argument %d", fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return err_set(err, ERR_USAGE, "invalid --status-fd argument %d: not writable", fd);
	d->status_fd = fd;
	return 0;
}

static bool ends_container(const struct dump *d)
{
	return !d->opts->leave_running && !d->opts->pre_dump;
}

static int make_request(struct dump *d, struct err *err)
{
	const struct container *c = d->container;
	/* What the caller left open is decided by what the container is. */
	struct checkpoint_options opts = *d->opts;
	struct checkpoint_tuning tuning;
	auto_strvec struct strvec watch_paths = STRVEC_INIT;
	struct checkpoint_facts facts = {
		.criu_version = d->session.version,
		.init_pid = c->record.pid,
		.images_dir_fd = d->session.images_fd,
		.work_dir_fd = d->session.work_fd >= 0 ? d->session.work_fd : -1,
		.rootfs = c->record.rootfs,
		.config_file = checkpoint_config_file(),
		.freezer_is_v2 = d->cgroup.is_v2,
		.externals = &d->plans.externals,
		.cgroup_yard = d->session.home.yard,
		.watch_paths = &watch_paths,
	};
	int r = checkpoint_namespace_inode(c->spec, "network", &facts.network_ns_inode, err);

	checkpoint_tuning_make(&tuning, c, &d->cgroup, d->opts, d->session.location.path,
			       d->session.version);
	opts.network_lock = tuning.network_lock;
	d->locks_network = tuning.network_lock != CHECKPOINT_NETWORK_LOCK_SKIP;
	d->locks_by_iptables = tuning.network_lock == CHECKPOINT_NETWORK_LOCK_IPTABLES ||
			       tuning.network_lock == CHECKPOINT_NETWORK_LOCK_DEFAULT;
	opts.cgroups_mode = tuning.cgroups_mode;
	if (tuning.network_lock != CHECKPOINT_NETWORK_LOCK_SKIP && ends_container(d))
		network_end_hold(&d->network, c->spec, c->record.pid);
	d->freezes_early = tuning.may_freeze_early && !d->opts->pre_dump;
	watch_paths_collect(&watch_paths, c->record.pid, &d->cgroup);
	facts.freezer_path = tuning.use_freezer ? cgroup_freezer_path(&d->cgroup) : NULL;
	if (r == 0)
		r = checkpoint_namespace_inode(c->spec, "pid", &facts.pid_ns_inode, err);
	return r < 0 ? r : checkpoint_request_make(&d->request, &opts, c->spec, &facts, err);
}

static int prepare(struct dump *d, struct err *err)
{
	const struct container *c = d->container;
	struct criu_session_opts opts = {
		.image_path = d->opts->image_path,
		.work_path = d->opts->work_path,
		.log_name = CHECKPOINT_DUMP_LOG,
		.create_images = true,
	};
	struct criu_client_opts client = CRIU_CLIENT_OPTS_INIT;
	int r = checkpoint_options_check(d->opts, err);

	if (r == 0)
		r = take_status_fd(d, err);
	if (r == 0 && d->opts->lazy_pages)
		r = page_server_check(err);
	if (r == 0)
		r = criu_session_open(&d->session, c->rt, &opts, err);
	if (r == 0)
		r = check_parent(d, err);
	if (r == 0)
		r = container_open_cgroup(c, &d->cgroup, err);
	if (r == 0)
		r = checkpoint_plans_make(&d->plans, c->spec, c->record.bundle, err);
	if (r == 0)
		r = checkpoint_plans_resolve(&d->plans, c->record.pid, err);
	if (r == 0 && !c->record.external_descriptors)
		r = err_set(err, ERR_CORRUPT, "state.json does not say what its stdio was");
	if (r == 0)
		r = descriptors_parse(&d->descriptors, c->record.external_descriptors,
				      strlen(c->record.external_descriptors), err);
	criu_helpers_adopt();
	if (r == 0)
		r = criu_session_start(&d->session, &client, err);
	if (r == 0)
		r = make_request(d, err);
	return r < 0 ? r : criu_client_need_features(&d->session.client, &d->request.need, err);
}

/* From here on CRIU writes. What an earlier checkpoint left in the directory is no checkpoint any more,
 * and must not become a part of this one. */
static int begin(struct dump *d, struct err *err)
{
	int r;

	if (!d->opts->pre_dump) {
		r = descriptors_remove(d->session.images_fd, err);
		if (r < 0)
			return r;
		r = criu_images_discard_memory(d->session.images_fd);
		if (r < 0)
			return err_sys(err, r, "remove the memory of an earlier checkpoint");
	}
	if (d->locks_network)
		lock_rest_note(&d->lock_rest, d->container->record.pid, d->locks_by_iptables);
	/* CRIU looks at the freezer every 100 ms only; found frozen, it need not wait at all. */
	return d->freezes_early ? cgroup_freeze(&d->cgroup, err) : 0;
}

/* The images are there, the processes still stopped. */
static int complete(struct dump *d, struct err *err)
{
	int images_fd = d->session.images_fd;
	int r = socket_names_keep(images_fd, d->container->record.pid, &d->cgroup, err);

	return r < 0 ? r : descriptors_save(&d->descriptors, images_fd, err);
}

static int handle_notification(void *context, struct criu_notification *notification,
			       struct err *err)
{
	struct dump *d = context;

	log_debug("criu: %s", notification->script);
	if (strcmp(notification->script, "pre-dump") == 0)
		return begin(d, err);
	if (strcmp(notification->script, "post-dump") == 0 && !d->opts->pre_dump)
		return complete(d, err);
	if (strcmp(notification->script, "status-ready") == 0 && d->status_fd >= 0) {
		if (write(d->status_fd, "", 1) != 1)
			return err_sys(err, -errno, "write to status fd %d", d->status_fd);
		close_fd(&d->status_fd);
	}
	return 0;
}

/* While a page server gives the memory away the images are complete but for that. When it fails, CRIU lets
 * the container run on, and what was written is no checkpoint. */
static void unmark_image(const struct dump *d)
{
	struct err err = ERR_INIT;

	if (d->opts->lazy_pages && container_init_is_alive(d->container) &&
	    descriptors_remove(d->session.images_fd, &err) < 0)
		log_warning("%s", err.msg);
}

/* CRIU has opened a descriptor of its own; ours must go, so that its end is seen. */
static void handle_first_answer(void *context)
{
	struct dump *d = context;

	if (d->request.status_fd_is_passed)
		close_fd(&d->status_fd);
}

static int explain(struct dump *d, const struct criu_result *result, struct err *err)
{
	bool is_known;
	int r;

	/* Only when CRIU has put everything back may anyone look at the container again. */
	criu_client_done(&d->session.client);
	r = criu_session_explain(&d->session, result, &is_known, err);
	d->is_unexplained = !is_known;
	return r;
}

static int run_criu(struct dump *d, struct err *err)
{
	struct err thaw_err = ERR_INIT;
	static const struct criu_notify_ops ops = { .notify = handle_notification,
						    .answered = handle_first_answer };
	struct criu_result result;
	int r = criu_session_run(&d->session, d->request.message, &ops, d, &result, err);

	if (r == 0)
		r = criu_client_close(&d->session.client, err);
	else
		r = explain(d, &result, err);
	if (r < 0) {
		criu_helpers_end();
		lock_rest_remove(&d->lock_rest);
		unmark_image(d);
	}
	/* CRIU leaves the freezer as it found it: frozen, by us. */
	if (d->freezes_early && !d->was_paused && cgroup_thaw(&d->cgroup, &thaw_err) < 0) {
		if (r == 0 && err)
			*err = thaw_err;
		r = r < 0 ? r : thaw_err.code;
	}
	return r;
}

/* What has become of the container is the first thing that anyone wants to know. */
static void tell_state(const struct container *c, struct err *err)
{
	enum container_status status = container_status(c);

	if (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED)
		err_append(err, "; the container is still %s", container_status_to_string(status));
	else
		err_append(err, "; the container is %s now", container_status_to_string(status));
}

static int wait_for_end(const struct container *c, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + END_TIMEOUT_MS * NSEC_PER_MSEC;
	auto_close int pidfd = sys_pidfd_open(c->record.pid);

	while (container_init_is_alive(c)) {
		struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

		if (clock_ms_until(deadline) == 0)
			return err_set(
				err, ERR_TIMEOUT,
				"the checkpoint is complete, but pid %d has not ended after %d s",
				c->record.pid, END_TIMEOUT_MS / 1000);
		(void)poll(&pfd, 1, pidfd >= 0 ? 100 : 5);
	}
	return 0;
}

static int dump_container(struct container *c, const struct checkpoint_options *opts,
			  struct err *err)
{
	struct dump d = DUMP_INIT;
	int r;

	d.container = c;
	d.opts = opts;
	d.was_paused = container_status(c) == CONTAINER_PAUSED;
	r = prepare(&d, err);
	if (r == 0)
		r = run_criu(&d, err);
	if (r < 0) {
		(void)err_wrap(err, r, "checkpoint container '%s'", c->id);
		tell_state(c, err);
		if (d.is_unexplained && !preflight_explain(c, opts, err))
			criu_session_quote(&d.session);
		dump_done(&d);
		return r;
	}
	if (ends_container(&d)) {
		r = wait_for_end(c, err);
		if (r == 0)
			network_end_silence(&d.network);
		if (r == 0)
			r = container_destroy(c, err);
	}
	dump_done(&d);
	return r;
}

int container_checkpoint(struct runtime *rt, const char *id, const struct checkpoint_options *opts,
			 struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	enum container_status status;
	int r = container_open(&c, rt, id, false, err);

	if (r == 0)
		r = container_lock(&c, err);
	if (r < 0)
		return r;
	status = container_status(&c);
	if (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED)
		return err_set(
			err, ERR_STATE,
			"container '%s' cannot be checkpointed in %s state; it must be running or "
			"paused",
			id, container_status_to_string(status));
	r = container_load_spec(&c, err);
	return r < 0 ? r : dump_container(&c, opts, err);
}
