/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/foreground.h"

#include <string.h>
#include <unistd.h>

#include "cli/floe/commands.h"
#include "cli/floe/report.h"
#include "core/alloc.h"
#include "core/log.h"
#include "core/str.h"
#include "engine/attach.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/start.h"
#include "engine/stop.h"
#include "kernel/syscalls.h"

int foreground_exit_code(int r, const struct err *err)
{
	if (err->kind != ERR_REMOTE || (r != -EACCES && r != -ENOENT))
		return r;
	report_error(err);
	return r == -EACCES ? FLOE_EXIT_CANNOT_INVOKE : FLOE_EXIT_NOT_FOUND;
}

/* Of -1, which conmon gives to what it ended after its time, a shell sees the lower eight bits. */
static int shell_code(int code)
{
	return code & 0xff;
}

/* What remains to be done when it has ended. conmon's exit command does the same; who comes first does it. */
static int finish(struct container *c, struct err *err)
{
	const struct remove_options options = { .force = true,
						.volumes = true,
						.network_later = true };
	int code = c->status.exit_code;
	int r;

	(void)container_wait_exit(c, -1);
	code = c->status.exit_code;
	r = container_lock(c, err);
	if (r == -ENOENT) {
		/* It has been removed meanwhile. */
		err_clear(err);
		return shell_code(code);
	}
	if (r < 0)
		return r;
	code = c->status.exit_code;
	if (c->config.restart_policy && !str_eq(c->config.restart_policy, "no"))
		return shell_code(code);
	if (c->status.phase == PHASE_STOPPED)
		r = c->config.auto_remove ? container_remove(c, &options, err) :
					    container_cleanup(c, err);
	return r < 0 ? r : shell_code(code);
}

static int loop(struct container *c, struct attach *a, struct err *err)
{
	int r = attach_loop(a, err);

	attach_close(a);
	if (r < 0)
		return r;
	return r == 1 ? 0 : finish(c, err);
}

static void fill(struct attach_options *to, const struct container *c,
		 const struct foreground_options *o, int pidfd, const char *exit_file)
{
	*to = (struct attach_options){
		.dir = c->static_dir,
		.stdin_open = o->with_stdin && c->config.interactive,
		.stdout_open = o->with_stdout,
		.stderr_open = o->with_stderr,
		.tty = c->config.tty,
		.sig_proxy = o->sig_proxy && !c->config.tty,
		.pidfd = pidfd,
		.exit_file = exit_file,
		.detach_keys = o->detach_keys,
	};
}

int foreground_run(struct container *c, const struct foreground_options *o, struct err *err)
{
	bool passthrough = str_has_prefix(c->config.log_driver, "passthrough");
	struct attach a = ATTACH_INIT;
	struct attach_options options;
	auto_free char *exit_file = xasprintf("%s/exits/%s", c->engine->tmpdir, c->config.id);
	auto_close int pidfd = -EBADF;
	auto_close int attend = -EBADF;
	/* Before there is a monitor that would have to be got rid of. */
	int r = attach_keys_check(o->detach_keys, err);

	if (r == 0)
		r = container_init(c, err);
	if (r < 0)
		return r;
	attend = container_attend(c);
	pidfd = sys_pidfd_open(c->status.pid);
	fill(&options, c, o, pidfd, exit_file);
	if (!passthrough)
		r = attach_open(&a, &options, err);
	if (r == 0)
		r = container_start(c, err);
	else
		(void)container_cleanup(c, NULL);
	if (r == 0)
		event_container(c, "attach");
	container_unlock(c);
	if (r < 0) {
		attach_close(&a);
		if (container_lock(c, NULL) < 0)
			log_debug("container '%s' is gone", c->config.name);
		return r;
	}
	return passthrough ? finish(c, err) : loop(c, &a, err);
}

int foreground_attach(struct container *c, const struct foreground_options *o, struct err *err)
{
	struct attach a = ATTACH_INIT;
	struct attach_options options;
	auto_free char *exit_file = xasprintf("%s/exits/%s", c->engine->tmpdir, c->config.id);
	auto_close int pidfd = sys_pidfd_open(c->status.pid);
	auto_close int attend = container_attend(c);
	int r;

	fill(&options, c, o, pidfd, exit_file);
	r = attach_open(&a, &options, err);
	if (r < 0) {
		attach_close(&a);
		return r;
	}
	event_container(c, "attach");
	container_unlock(c);
	return loop(c, &a, err);
}
