/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/hooks.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/auto.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/proc.h"
#include "core/str.h"
#include "core/strvec.h"
#include "kernel/syscalls.h"
#include "runtime/annotations.h"

#define OUTPUT_SHOWN_MAX 320 /* bytes of each of stdout and stderr in an error */
#define POLL_WITHOUT_PIDFD_MS 5
#define NO_DEADLINE UINT64_MAX

/* One hook while it runs; each descriptor is our end of a pipe, -EBADF when done with. */
struct hook_run {
	struct proc proc;
	int pidfd;
	int in_fd;
	int out_fd;
	int err_fd;
	const char *state; /* what of it is not yet written */
	struct strbuf out;
	struct strbuf err;
};

static void hook_run_done(struct hook_run *run)
{
	proc_kill(&run->proc);
	close_fd(&run->pidfd);
	close_fd(&run->in_fd);
	close_fd(&run->out_fd);
	close_fd(&run->err_fd);
	strbuf_done(&run->out);
	strbuf_done(&run->err);
}

DEFINE_AUTO_VAL(hook_run, struct hook_run, hook_run_done)

/* A pipe whose end for us does not block. */
static int make_pipe(int *ret_ours, int *ret_theirs, bool we_write)
{
	int ends[2];
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_ours = ends[we_write ? 1 : 0];
	*ret_theirs = ends[we_write ? 0 : 1];
	r = fd_set_nonblock(*ret_ours, true);
	return r < 0 ? r : 0;
}

/* The file that is asked for, or a pipe to us. */
static int make_output(int *ret_ours, int *ret_theirs, int file_fd)
{
	if (file_fd < 0)
		return make_pipe(ret_ours, ret_theirs, false);
	*ret_theirs = fd_dup(file_fd);
	return *ret_theirs < 0 ? *ret_theirs : 0;
}

static int spawn_hook(struct hook_run *run, const struct oci_hook *hook,
		      const struct hooks_options *opts)
{
	auto_strvec struct strvec args = STRVEC_INIT;
	auto_strvec struct strvec env = STRVEC_INIT;
	auto_close int in_fd = -EBADF;
	auto_close int out_fd = -EBADF;
	auto_close int err_fd = -EBADF;
	char *const no_env[] = { NULL };
	struct proc_spawn_opts spawn = { .path = hook->path, .cwd = opts->cwd };
	int r;

	r = make_pipe(&run->in_fd, &in_fd, true);
	if (r == 0)
		r = make_output(&run->out_fd, &out_fd,
				opts->output ? opts->output->out_fd : -EBADF);
	if (r == 0)
		r = make_output(&run->err_fd, &err_fd,
				opts->output ? opts->output->err_fd : -EBADF);
	if (r < 0)
		return r;
	if (hook->n_args > 0)
		strvec_add_all(&args, hook->args, hook->n_args);
	else
		strvec_add(&args, hook->path);
	spawn.argv = args.v;
	/* "env": [] is an empty environment; without the member the hook gets ours. */
	strvec_add_all(&env, hook->env, hook->n_env);
	spawn.envp = env.n > 0 ? env.v : hook->env ? no_env : opts->default_env;
	spawn.stdio[0] = in_fd;
	spawn.stdio[1] = out_fd;
	spawn.stdio[2] = err_fd;
	r = proc_spawn(&run->proc, &spawn);
	if (r < 0)
		return r;
	run->pidfd = sys_pidfd_open(run->proc.pid); /* without one we look every few ms */
	return 0;
}

static void write_state(struct hook_run *run)
{
	size_t len = strlen(run->state);
	ssize_t n = len == 0 ? 0 : RETRY_EINTR(write(run->in_fd, run->state, len));

	if (n > 0)
		run->state += n;
	else if (n < 0 && errno == EAGAIN)
		return;
	/* Written, or the hook does not want it: EPIPE is not our business. */
	if (n < 0 || !*run->state)
		close_fd(&run->in_fd);
}

/* Take what is there and keep the end of it; close at the end of file. */
static void read_output(int *fd, struct strbuf *sb)
{
	char buf[4096];
	ssize_t n;

	while (*fd >= 0 && (n = RETRY_EINTR(read(*fd, buf, sizeof(buf)))) != 0) {
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		strbuf_add(sb, buf, (size_t)n);
		if (sb->len > 16 * sizeof(buf)) {
			size_t keep = 2 * (size_t)OUTPUT_SHOWN_MAX;

			(void)memmove(sb->buf, sb->buf + sb->len - keep, keep);
			strbuf_truncate(sb, keep);
		}
	}
	close_fd(fd);
}

/* Serve the pipes until the hook has ended. -ETIMEDOUT at the deadline. */
static int serve_hook(struct hook_run *run, uint64_t deadline, int *ret_status)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->in_fd, .events = POLLOUT },
			{ .fd = run->out_fd, .events = POLLIN },
			{ .fd = run->err_fd, .events = POLLIN },
			{ .fd = run->pidfd, .events = POLLIN },
		};
		int timeout_ms = deadline == NO_DEADLINE ? -1 : clock_ms_until(deadline);
		int r;

		if (timeout_ms == 0)
			return -ETIMEDOUT;
		if (run->pidfd < 0)
			timeout_ms = timeout_ms < 0 ? POLL_WITHOUT_PIDFD_MS :
						      MIN(timeout_ms, POLL_WITHOUT_PIDFD_MS);
		if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			write_state(run);
		if (fds[1].revents)
			read_output(&run->out_fd, &run->out);
		if (fds[2].revents)
			read_output(&run->err_fd, &run->err);
		if (run->pidfd >= 0 && !fds[3].revents)
			continue;
		r = proc_wait(&run->proc, 0, ret_status);
		if (r == -ETIMEDOUT)
			continue;
		/* What it wrote last; but no waiting for what it left running. */
		read_output(&run->out_fd, &run->out);
		read_output(&run->err_fd, &run->err);
		return r;
	}
}

/*
 * A hook may end or close stdin without reading the state. The signal of that is kept off by a
 * blocked SIGPIPE and taken out afterwards, so that the disposition stays what the program made it.
 */
static int serve_hook_without_sigpipe(struct hook_run *run, uint64_t deadline, int *ret_status)
{
	const struct timespec now = { 0 };
	sigset_t pipe_signal;
	sigset_t old;
	int r;

	(void)sigemptyset(&pipe_signal);
	(void)sigaddset(&pipe_signal, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &pipe_signal, &old) < 0)
		return -errno;
	r = serve_hook(run, deadline, ret_status);
	while (sigtimedwait(&pipe_signal, NULL, &now) > 0)
		;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

/* `, stderr: text`, without the white space at the end; its last part when it is long. */
static void append_output(struct err *err, const char *name, struct strbuf *sb)
{
	const char *start = sb->buf;

	while (sb->len > 0 && isspace((unsigned char)sb->buf[sb->len - 1]))
		strbuf_truncate(sb, sb->len - 1);
	if (sb->len == 0)
		return;
	if (sb->len > OUTPUT_SHOWN_MAX)
		start += sb->len - OUTPUT_SHOWN_MAX;
	err_append(err, ", %s: %s%s", name, start == sb->buf ? "" : "...", start);
}

static int run_hook(const struct hooks_options *opts, size_t i, struct err *err)
{
	const struct oci_hook *hook = &opts->hooks[i];
	auto_cleanup(hook_run_cleanup_val) struct hook_run run = {
		.pidfd = -EBADF,
		.in_fd = -EBADF,
		.out_fd = -EBADF,
		.err_fd = -EBADF,
		.state = opts->state ? opts->state : "",
		.out = STRBUF_INIT,
		.err = STRBUF_INIT,
	};
	uint64_t deadline = NO_DEADLINE;
	int status = 0;
	int r;

	r = spawn_hook(&run, hook, opts);
	if (r < 0)
		return err_sys(err, r, "error running %s hook #%zu: exec %s", opts->name, i,
			       hook->path);
	if (hook->timeout.set)
		deadline = clock_now_monotonic_ns() + (uint64_t)hook->timeout.v * NSEC_PER_SEC;
	r = serve_hook_without_sigpipe(&run, deadline, &status);
	if (r == -ETIMEDOUT)
		r = err_set(err, ERR_TIMEOUT,
			    "error running %s hook #%zu: hook ran past specified timeout of %.1fs",
			    opts->name, i, (double)hook->timeout.v);
	else if (r < 0)
		r = err_sys(err, r, "error running %s hook #%zu: wait for it", opts->name, i);
	else if (status != 0)
		r = err_set(err, ERR_REMOTE, "error running %s hook #%zu: %s", opts->name, i,
			    proc_status_to_string(status));
	if (r < 0) {
		append_output(err, "stdout", &run.out);
		append_output(err, "stderr", &run.err);
	}
	return r;
}

int hooks_run(const struct hooks_options *opts, struct err *err)
{
	for (size_t i = 0; i < opts->n_hooks; i++) {
		int r = run_hook(opts, i, err);

		if (r < 0)
			return r;
	}
	return 0;
}

void hooks_run_all(const struct hooks_options *opts)
{
	for (size_t i = 0; i < opts->n_hooks; i++) {
		struct err err = ERR_INIT;

		if (run_hook(opts, i, &err) < 0)
			log_warning("%s", err.msg);
	}
}

static int open_output(const struct runtime_spec *spec, const char *key, int *ret_fd,
		       struct err *err)
{
	const char *path = runtime_spec_annotation(spec, key);

	if (str_is_empty(path) || *ret_fd >= 0)
		return 0;
	*ret_fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0700);
	return *ret_fd < 0 ? err_sys(err, *ret_fd, "open '%s' (annotation '%s')", path, key) : 0;
}

int hooks_output_open(struct hooks_output *ret, const struct runtime_spec *spec, struct err *err)
{
	int r = open_output(spec, ANNOTATION_HOOKS_STDOUT, &ret->out_fd, err);

	return r < 0 ? r : open_output(spec, ANNOTATION_HOOKS_STDERR, &ret->err_fd, err);
}

void hooks_output_close(struct hooks_output *output)
{
	close_fd(&output->out_fd);
	close_fd(&output->err_fd);
}
