/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp agent for the tests: agent SOCKET DIRECTORY
 *
 * Listens on SOCKET. Each connection brings a listener and the state document, which goes to
 * DIRECTORY/state.N (N = 0, 1 ...). Every notified call is answered with the error EXFULL (54), which
 * no kernel would give for a mkdir. Ends when it is told to.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENERS_MAX 16

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* One write(2) may come in pieces; the sender closes behind the last. */
static int receive(int fd, const char *path)
{
	char text[65536];
	struct iovec iov = { text, sizeof(text) };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	FILE *out = fopen(path, "w");
	struct cmsghdr *cmsg;
	int listener = -1;
	ssize_t n = recvmsg(fd, &mh, 0);

	if (!out || n <= 0)
		die("receive");
	cmsg = CMSG_FIRSTHDR(&mh);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(&listener, CMSG_DATA(cmsg), sizeof(listener));
	do {
		(void)fwrite(text, 1, (size_t)n, out);
		n = read(fd, text, sizeof(text));
	} while (n > 0);
	(void)fclose(out);
	(void)close(fd);
	return listener;
}

static void answer(int listener)
{
	struct seccomp_notif request = { 0 };
	struct seccomp_notif_resp response = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
		return;
	response.id = request.id;
	response.error = -EXFULL;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static int open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s~", path);

	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		(void)fprintf(stderr, "agent: '%s' is too long\n", path);
		exit(1);
	}
	/* Tests wait for the name, which bind() makes before anybody can connect. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 8) < 0 || rename(address.sun_path, path) < 0)
		die(path);
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd fds[1 + LISTENERS_MAX] = { { .events = POLLIN } };
	nfds_t n = 1;

	if (argc != 3)
		return 2;
	fds[0].fd = open_socket(argv[1]);
	while (poll(fds, n, -1) > 0 || errno == EINTR) {
		for (nfds_t i = 1; i < n; i++) {
			if (fds[i].revents & POLLIN)
				answer(fds[i].fd);
			else if (fds[i].revents)
				fds[i].fd = -1; /* its last user has gone */
		}
		if (fds[0].revents && n < 1 + LISTENERS_MAX) {
			char path[4096];
			int fd = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

			(void)snprintf(path, sizeof(path), "%s/state.%d", argv[2], (int)n - 1);
			if (fd >= 0)
				fds[n++] = (struct pollfd){ .fd = receive(fd, path),
							    .events = POLLIN };
		}
	}
	return 1;
}
