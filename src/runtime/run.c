/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/prctl.h>

#include "core/log.h"
#include "core/proc.h"
#include "runtime/container_hooks.h"
#include "runtime/delete.h"
#include "runtime/foreground.h"
#include "runtime/launch.h"
#include "runtime/operations.h"

/* Signals and the terminal must not wait for READY=1, so a process of its own does; it ends with the
 * container or with us, and foreground_wait() reaps it. */
static int forward_notification_beside(struct launch *l, struct err *err)
{
	pid_t us = getpid();
	pid_t pid;

	if (!l->notify.host_path)
		return 0;
	pid = fork();
	if (pid < 0)
		return err_sys(err, -errno, "fork");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == us)
			(void)notify_forward(&l->notify, l->init_pid, us, NULL);
		_exit(0);
	}
	return 0;
}

/* The container is up: wait for its end. */
static int attend(struct launch *l, struct foreground *fg, int *ret_status, struct err *err)
{
	int r;

	fg->console_fd = take_fd(l->console_fd);
	r = forward_notification_beside(l, err);
	return r < 0 ? r : foreground_wait(fg, l->init_pid, ret_status, err);
}

static int clean_up(struct launch *l, bool keep, struct err *err)
{
	return keep ? 0 : container_destroy_after_exit(&l->container, err);
}

static int run_detached(struct launch *l, struct err *err)
{
	int r = launch_run(l, err);

	if (r == 0)
		r = notify_forward(&l->notify, l->init_pid, l->init_pid, err);
	return r < 0 ? r : container_run_poststart_or_destroy(&l->container, err);
}

static int run_attached(struct launch *l, int *ret_exit_code, struct err *err)
{
	auto_foreground struct foreground fg = FOREGROUND_INIT;
	struct err cleanup_err = ERR_INIT;
	int status = 0;
	int r = foreground_prepare(&fg, !l->opts->no_subreaper, err);

	if (r == 0)
		r = launch_run(l, err);
	if (r < 0)
		return r;
	r = container_run_poststart(&l->container, err);
	if (r < 0) {
		/* The hook's failure ended the container: reap it, the first error is the one to tell. */
		(void)foreground_wait(&fg, l->init_pid, &status, NULL);
		container_unlock(&l->container);
		(void)clean_up(l, false, NULL);
		return r;
	}
	container_unlock(&l->container);
	r = attend(l, &fg, &status, err);
	if (r < 0)
		return r;
	*ret_exit_code = proc_status_to_exit_code(status);
	r = clean_up(l, l->opts->keep, &cleanup_err);
	if (r < 0)
		log_warning("%s; 'floe-runtime delete --force %s' tries again", cleanup_err.msg,
			    l->opts->id);
	return 0;
}

int container_run(struct runtime *rt, const struct create_options *opts, int *ret_exit_code,
		  struct err *err)
{
	auto_launch struct launch l = LAUNCH_INIT;
	int r;

	l.rt = rt;
	l.opts = opts;
	l.start_now = true;
	*ret_exit_code = 0;
	r = opts->detach ? run_detached(&l, err) : run_attached(&l, ret_exit_code, err);
	return r < 0 ? err_wrap(err, r, "run container '%s'", opts->id) : 0;
}
