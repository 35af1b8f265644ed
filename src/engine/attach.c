/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/attach.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/conmon.h"
#include "kernel/syscalls.h"

#define PACKET_MAX 8193
#define INPUT_MAX 8192
#define SOCKET_WAIT_MS 10000
#define LOOK_EVERY_MS 20

struct attach_terminal {
	struct termios mode;
};

static int parse_key(const char *word, unsigned char *ret)
{
	const char *control = str_skip_prefix(word, "ctrl-");

	if (control && control[0] && !control[1]) {
		unsigned char c = (unsigned char)tolower((unsigned char)control[0]);

		if (isalpha(c))
			*ret = (unsigned char)(c - 'a' + 1);
		else if (strchr("@[\\]^_", c))
			*ret = (unsigned char)(c & 31);
		else
			return -EINVAL;
		return 0;
	}
	if (!word[0] || word[1] || !isprint((unsigned char)word[0]))
		return -EINVAL;
	*ret = (unsigned char)word[0];
	return 0;
}

/* "ctrl-p,ctrl-q" to bytes. ERR_COMMAND: podman looks at them when the container is there already. */
static int parse_keys(const char *text, unsigned char *ret, size_t max, size_t *ret_n,
		      struct err *err)
{
	auto_free char *copy = xstrdup(text);
	char *rest = copy;
	char *word;

	*ret_n = 0;
	if (!*text)
		return 0;
	while ((word = strsep(&rest, ",")))
		if (*ret_n == max || parse_key(word, &ret[(*ret_n)++]) < 0)
			return err_set(
				err, ERR_COMMAND,
				"invalid detach keys '%s': expected letters or ctrl-LETTER with "
				"commas between them",
				text);
	return 0;
}

int attach_keys_check(const char *text, struct err *err)
{
	unsigned char keys[ATTACH_KEYS_MAX] = { 0 };
	size_t n;

	return text ? parse_keys(text, keys, ARRAY_SIZE(keys), &n, err) : 0;
}

static void send_size(const struct attach *a)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		conmon_resize(a->options.dir, size.ws_row, size.ws_col);
}

static int set_raw(struct attach *a)
{
	struct termios mode;

	if (!isatty(STDIN_FILENO))
		return 0;
	a->terminal = xcalloc(1, sizeof(*a->terminal));
	if (tcgetattr(STDIN_FILENO, &a->terminal->mode) < 0)
		return -errno;
	mode = a->terminal->mode;
	cfmakeraw(&mode);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &mode) < 0)
		return -errno;
	a->raw = true;
	return 0;
}

/* Signals that mean something to us as such, or to nobody. */
static bool is_ours(int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGPIPE:
	case SIGURG:
	case SIGTTIN:
	case SIGTTOU:
	case SIGTSTP:
	case SIGCONT:
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGABRT:
	case SIGTRAP:
	case SIGPROF:
		return true;
	default:
		return false;
	}
}

static int open_signals(struct attach *a)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	if (a->options.tty)
		(void)sigaddset(&set, SIGWINCH);
	for (int sig = 1; a->options.sig_proxy && sig < NSIG; sig++)
		if (!is_ours(sig))
			(void)sigaddset(&set, sig);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return a->signals < 0 ? -errno : 0;
}

int attach_open(struct attach *ret, const struct attach_options *o, struct err *err)
{
	int r;

	ret->options = *o;
	r = parse_keys(o->detach_keys ? o->detach_keys : "ctrl-p,ctrl-q", ret->keys,
		       sizeof(ret->keys), &ret->n_keys, err);
	if (r < 0)
		return r;
	ret->socket = conmon_attach_open(o->dir, SOCKET_WAIT_MS);
	if (ret->socket < 0)
		return err_sys(err, ret->socket, "connect to '%s/attach'", o->dir);
	r = open_signals(ret);
	if (r == 0 && o->tty && o->stdin_open)
		r = set_raw(ret);
	if (r < 0)
		return err_sys(err, r, "prepare the terminal");
	if (o->tty)
		send_size(ret);
	return 0;
}

void attach_close(struct attach *a)
{
	if (a->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &a->terminal->mode);
	a->raw = false;
	replace_ptr(a->terminal, NULL);
	close_fd(&a->socket);
	close_fd(&a->signals);
}

/* Another process may have made what we write to non-blocking, which is no reason to lose anything. */
static int write_out(int fd, const char *data, size_t n)
{
	while (n > 0) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t done = RETRY_EINTR(write(fd, data, n));

		if (done < 0 && errno != EAGAIN)
			return -errno;
		if (done < 0)
			(void)poll(&p, 1, -1);
		data += MAX(done, 0);
		n -= (size_t)MAX(done, 0);
	}
	return 0;
}

/* Who reads our output has gone (`| head`): end as any program does then. The container is not concerned. */
static void end_by_pipe(struct attach *a)
{
	sigset_t set;

	attach_close(a);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(SIGPIPE);
}

/* One packet to where it belongs. 1: more may come, 0: the other side has ended. */
static int copy_output(const struct attach *a)
{
	char packet[PACKET_MAX];
	ssize_t n = RETRY_EINTR(recv(a->socket, packet, sizeof(packet), 0));
	int r = 0;

	/* conmon went without having read all of our input: told once, before what it has sent. */
	if (n < 0)
		return errno == ECONNRESET ? 1 : -errno;
	if (n == 0)
		return 0;
	if (packet[0] == 2 && a->options.stdout_open)
		r = write_out(STDOUT_FILENO, packet + 1, (size_t)n - 1);
	else if (packet[0] == 3 && a->options.stderr_open)
		r = write_out(STDERR_FILENO, packet + 1, (size_t)n - 1);
	return r < 0 ? r : 1;
}

/* Look for the detach keys in what is typed; those that began them and turned out not to be are sent. */
static bool find_keys(const struct attach *a, const char *data, size_t n, size_t *matched,
		      struct strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)data[i];

		if (a->n_keys > 0 && c == a->keys[*matched]) {
			if (++*matched == a->n_keys)
				return true;
			continue;
		}
		strbuf_add(out, a->keys, *matched);
		*matched = a->n_keys > 0 && c == a->keys[0] ? 1 : 0;
		if (*matched == 0)
			strbuf_addc(out, (char)c);
		else if (a->n_keys == 1)
			return true;
	}
	return false;
}

/* 1: go on; 0: our input has ended; 2: detach. */
static int copy_input(const struct attach *a, size_t *matched)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	char data[INPUT_MAX];
	ssize_t n = RETRY_EINTR(read(STDIN_FILENO, data, sizeof(data)));
	bool detach = false;

	if (n <= 0) {
		(void)shutdown(a->socket, SHUT_WR);
		return 0;
	}
	if (a->options.tty)
		detach = find_keys(a, data, (size_t)n, matched, &out);
	else
		strbuf_add(&out, data, (size_t)n);
	if (out.len > 0 && send(a->socket, out.buf, out.len, MSG_NOSIGNAL) < 0)
		return 0;
	return detach ? 2 : 1;
}

static void pass_signals(const struct attach *a)
{
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && a->options.tty)
			send_size(a);
		else if (a->options.sig_proxy && a->options.pidfd >= 0)
			(void)sys_pidfd_send_signal(a->options.pidfd, (int)info.ssi_signo);
	}
}

int attach_loop(struct attach *a, struct err *err)
{
	bool input = a->options.stdin_open;
	bool has_ended = !a->options.exit_file; /* then there is nothing to look for */
	size_t matched = 0;

	for (;;) {
		struct pollfd p[4] = {
			{ .fd = a->socket, .events = POLLIN },
			{ .fd = a->signals, .events = POLLIN },
			{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = has_ended ? -1 : a->options.pidfd, .events = POLLIN },
		};
		bool looks = has_ended && a->options.exit_file;
		int r = poll(p, ARRAY_SIZE(p), looks ? LOOK_EVERY_MS : -1);

		if (r < 0 && errno != EINTR)
			return err_sys(err, -errno, "wait for the container's output");
		if (r < 0)
			continue;
		/* The file comes after the last of the output. */
		if (r == 0 && looks && fs_exists(AT_FDCWD, a->options.exit_file))
			return 0;
		if (p[3].revents)
			has_ended = true;
		if (p[1].revents)
			pass_signals(a);
		if (p[2].revents) {
			r = copy_input(a, &matched);
			if (r == 2)
				return 1;
			input = r == 1;
		}
		if (p[0].revents) {
			r = copy_output(a);
			if (r == -EPIPE)
				end_by_pipe(a);
			if (r < 0)
				return err_sys(err, r, "hand on the container's output");
			if (r == 0)
				return 0;
		}
	}
}
