/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "test.h"

/* Descriptors that are on the way through a unix socket, one of them open nowhere else. */
static void send_fd(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (char[]){ 'f' }, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(sendmsg(socket, &message, 0));
}

static int receive_fd(int socket)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd;

	must(recvmsg(socket, &message, MSG_DONTWAIT));
	check(message.msg_controllen >= CMSG_LEN(sizeof(int)) &&
		      control.header.cmsg_type == SCM_RIGHTS,
	      "a message has lost its descriptor");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static void run(void)
{
	int sockets[2];
	int pipes[2];
	int file;
	int fd;

	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets));
	must(pipe(pipes));
	write_file("file", "abcdef");
	file = open_file("file", O_RDONLY);
	must_read(file, "ab");
	write_all(pipes[1], "piped", 5);
	send_fd(sockets[0], pipes[0]);
	send_fd(sockets[0], file);
	must(close(file));
	wait_for_restore();
	fd = receive_fd(sockets[1]);
	must_read(fd, "pip");
	must_read(pipes[0], "ed");
	fd = receive_fd(sockets[1]);
	must_read(fd, "cdef");
}
PROGRAM(socketpair_fds, run, .subject = "descriptors on their way through a unix socket")
