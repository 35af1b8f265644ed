/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/foreground.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#include "core/fd.h"
#include "core/io.h"

#define RELAY_BUFFER 8192

/* Bytes on their way in one direction; what could not be written yet waits here. */
struct relay {
	int from_fd;
	int to_fd;
	bool from_ended;
	size_t start;
	size_t end;
	char buf[RELAY_BUFFER];
};

struct terminal_relay {
	struct relay input; /* our stdin to the container */
	struct relay output; /* the container to our stdout */
	struct termios saved;
	bool is_raw;
};

int foreground_prepare(struct foreground *fg, bool become_subreaper, struct err *err)
{
	sigset_t all;

	(void)sigfillset(&all);
	/* Faults of our own must still kill us. */
	(void)sigdelset(&all, SIGSEGV);
	(void)sigdelset(&all, SIGBUS);
	(void)sigdelset(&all, SIGFPE);
	(void)sigdelset(&all, SIGILL);
	(void)sigdelset(&all, SIGABRT);
	if (sigprocmask(SIG_BLOCK, &all, &fg->old_mask) < 0)
		return err_sys(err, -errno, "block signals");
	fg->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fg->signal_fd < 0)
		return err_sys(err, -errno, "make a signalfd");
	if (become_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, -errno, "become the subreaper of the container's processes");
	fg->subreaper = become_subreaper;
	return 0;
}

static void copy_window_size(int from_fd, int to_fd)
{
	struct winsize size;

	if (ioctl(from_fd, TIOCGWINSZ, &size) == 0)
		(void)ioctl(to_fd, TIOCSWINSZ, &size);
}

static void relay_start(struct terminal_relay *t, int console_fd)
{
	struct termios raw;

	t->input.from_fd = STDIN_FILENO;
	t->input.to_fd = console_fd;
	t->output.from_fd = console_fd;
	t->output.to_fd = STDOUT_FILENO;
	copy_window_size(STDIN_FILENO, console_fd);
	if (tcgetattr(STDIN_FILENO, &t->saved) == 0) {
		raw = t->saved;
		cfmakeraw(&raw);
		/* Lines end here (see terminal_keep_newlines()). */
		raw.c_oflag |= OPOST;
		t->is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	}
}

static void relay_stop(struct terminal_relay *t)
{
	if (t->is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	t->is_raw = false;
}

/* Move what can be moved now. A pty whose last slave is closed reads EIO: its end. */
static void relay_step(struct relay *r, short from_events, short to_events)
{
	if (r->start == r->end && from_events) {
		ssize_t n = read(r->from_fd, r->buf, sizeof(r->buf));

		if (n > 0) {
			r->start = 0;
			r->end = (size_t)n;
			to_events = POLLOUT;
		} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			r->from_ended = true;
		}
	}
	if (r->start < r->end && to_events) {
		ssize_t n = write(r->to_fd, r->buf + r->start, r->end - r->start);

		if (n > 0)
			r->start += (size_t)n;
		else if (n < 0 && errno != EINTR && errno != EAGAIN)
			r->start = r->end; /* nobody takes it: drop */
	}
}

/* What the container wrote before it ended must still come out. */
static void relay_drain(struct relay *r)
{
	struct pollfd pfd = { .fd = r->from_fd, .events = POLLIN };

	while (!r->from_ended) {
		while (r->start < r->end &&
		       io_write_all(r->to_fd, r->buf + r->start, r->end - r->start) == 0)
			r->start = r->end;
		r->start = r->end = 0;
		if (poll(&pfd, 1, 0) <= 0)
			return;
		relay_step(r, pfd.revents, 0);
	}
}

static void forward_signal(pid_t pid, const struct signalfd_siginfo *info, int console_fd)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
	case SIGURG:
	case SIGPIPE:
		return;
	case SIGWINCH:
		if (console_fd >= 0)
			copy_window_size(STDIN_FILENO, console_fd);
		return;
	default:
		(void)kill(pid, (int)info->ssi_signo);
	}
}

/* Reap what has ended; true when pid is among it. */
static bool reap(pid_t pid, int *ret_status)
{
	for (;;) {
		int status;
		pid_t ended = waitpid(-1, &status, WNOHANG);

		if (ended <= 0)
			return false;
		if (ended == pid) {
			*ret_status = status;
			return true;
		}
	}
}

static void handle_signals(struct foreground *fg, pid_t pid)
{
	struct signalfd_siginfo info;

	while (read(fg->signal_fd, &info, sizeof(info)) == sizeof(info))
		forward_signal(pid, &info, fg->console_fd);
}

enum { POLL_SIGNALS, POLL_STDIN, POLL_CONSOLE, POLL_STDOUT, POLL_COUNT };

static void fill_poll(const struct foreground *fg, const struct terminal_relay *t,
		      struct pollfd pfds[POLL_COUNT])
{
	for (int i = 0; i < POLL_COUNT; i++)
		pfds[i] = (struct pollfd){ .fd = -1 };
	pfds[POLL_SIGNALS] = (struct pollfd){ .fd = fg->signal_fd, .events = POLLIN };
	if (fg->console_fd < 0)
		return;
	pfds[POLL_CONSOLE].fd = t->output.from_ended ? -1 : fg->console_fd;
	if (t->input.start < t->input.end)
		pfds[POLL_CONSOLE].events |= POLLOUT;
	else if (!t->input.from_ended)
		pfds[POLL_STDIN] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	if (t->output.start < t->output.end)
		pfds[POLL_STDOUT] = (struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT };
	else
		pfds[POLL_CONSOLE].events |= POLLIN;
	if (!pfds[POLL_CONSOLE].events)
		pfds[POLL_CONSOLE].fd = -1;
}

static int wait_loop(struct foreground *fg, pid_t pid, struct terminal_relay *t, int *ret_status,
		     struct err *err)
{
	for (;;) {
		struct pollfd pfds[POLL_COUNT];

		if (reap(pid, ret_status))
			return 0;
		fill_poll(fg, t, pfds);
		if (poll(pfds, POLL_COUNT, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, -errno, "wait for the container");
		}
		if (pfds[POLL_SIGNALS].revents)
			handle_signals(fg, pid);
		if (fg->console_fd >= 0) {
			relay_step(&t->input, pfds[POLL_STDIN].revents,
				   pfds[POLL_CONSOLE].revents & POLLOUT);
			relay_step(&t->output,
				   pfds[POLL_CONSOLE].revents & (POLLIN | POLLHUP | POLLERR),
				   pfds[POLL_STDOUT].revents);
		}
	}
}

int foreground_wait(struct foreground *fg, pid_t pid, int *ret_status, struct err *err)
{
	struct terminal_relay t = { 0 };
	int r;

	if (fg->console_fd >= 0)
		relay_start(&t, fg->console_fd);
	r = wait_loop(fg, pid, &t, ret_status, err);
	if (fg->console_fd >= 0) {
		relay_drain(&t.output);
		relay_stop(&t);
	}
	return r;
}

void foreground_done(struct foreground *fg)
{
	if (fg->signal_fd >= 0)
		(void)sigprocmask(SIG_SETMASK, &fg->old_mask, NULL);
	close_fd(&fg->signal_fd);
	close_fd(&fg->console_fd);
}
