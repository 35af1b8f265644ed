/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console SOCKET: be the other end of --console-socket. Listens on the unix socket, takes the one
 * descriptor that a runtime sends and says `received NAME` on stderr.
 *
 * console --run COMMAND [ARGUMENT...]: run a command on a new terminal; return its exit code.
 *
 * Both then relay: stdin to the terminal, the terminal to stdout, until it has no other side any more.
 * A line on stdin that is `@size ROWS COLUMNS` resizes the terminal instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "console: %s: %m\n", what);
	return -1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s~", path);

	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(path);
	}
	/* Tests wait for the name, which bind() makes before anybody can connect. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0 || rename(address.sun_path, path) < 0)
		return fail(path);
	return fd;
}

/* One connection, one message, one descriptor, as conmon expects it. */
static int receive_terminal(int listener)
{
	char name[4096];
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = name, .iov_len = sizeof(name) - 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n;
	int fd;

	if (connection < 0)
		return fail("accept");
	n = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return fail("receive the terminal");
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int))) {
		errno = EBADMSG;
		return fail("receive the terminal");
	}
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	name[n] = '\0';
	fprintf(stderr, "received %s\n", name);
	close(connection);
	return fd;
}

static int write_all(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, data, n);

		if (written < 0)
			return fail("write");
		data += written;
		n -= (size_t)written;
	}
	return 0;
}

static int from_stdin(int terminal, char *line, size_t n)
{
	struct winsize size = { 0 };

	line[n] = '\0';
	if (sscanf(line, "@size %hu %hu", &size.ws_row, &size.ws_col) == 2)
		return ioctl(terminal, TIOCSWINSZ, &size) < 0 ? fail("resize") : 0;
	return write_all(terminal, line, n);
}

static int relay(int terminal)
{
	struct pollfd fds[] = { { .fd = terminal, .events = POLLIN },
				{ .fd = STDIN_FILENO, .events = POLLIN } };
	char data[4097];

	for (;;) {
		ssize_t n;

		if (poll(fds, 2, -1) < 0)
			return fail("poll");
		if (fds[0].revents) {
			n = read(terminal, data, sizeof(data) - 1);
			if (n == 0 || (n < 0 && errno == EIO))
				return 0;
			if (n < 0)
				return fail("read the terminal");
			if (write_all(STDOUT_FILENO, data, (size_t)n) < 0)
				return -1;
		}
		if (fds[1].revents) {
			n = read(STDIN_FILENO, data, sizeof(data) - 1);
			if (n <= 0)
				fds[1].fd = -1;
			else if (from_stdin(terminal, data, (size_t)n) < 0)
				return -1;
		}
	}
}

static int run_command(char *argv[])
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int terminal, status;
	pid_t pid = forkpty(&terminal, NULL, NULL, &size);

	if (pid < 0)
		return fail("forkpty") < 0;
	if (pid == 0) {
		execvp(argv[0], argv);
		(void)fail(argv[0]);
		_exit(127);
	}
	(void)relay(terminal);
	if (waitpid(pid, &status, 0) < 0)
		return fail("wait") < 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int serve_socket(const char *path)
{
	int listener = listen_at(path);
	int terminal;

	if (listener < 0)
		return 1;
	terminal = receive_terminal(listener);
	close(listener);
	unlink(path);
	if (terminal < 0)
		return 1;
	return relay(terminal) < 0;
}

int main(int argc, char *argv[])
{
	if (argc >= 3 && strcmp(argv[1], "--run") == 0)
		return run_command(argv + 2);
	if (argc == 2)
		return serve_socket(argv[1]);
	fprintf(stderr, "Usage: console SOCKET | --run COMMAND [ARGUMENT...]\n");
	return 2;
}
