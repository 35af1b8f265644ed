/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

static int get(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	must(getsockopt(fd, SOL_SOCKET, option, &value, &size));
	return value;
}

static void set(int fd, int option, int value)
{
	must(setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)));
}

static void run(void)
{
	struct timeval timeout = { .tv_sec = 12, .tv_usec = 340000 };
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	int sndbuf;
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	set(fds[0], SO_SNDBUF, 50000);
	set(fds[0], SO_RCVBUF, 60000);
	set(fds[0], SO_PASSCRED, 1);
	set(fds[0], SO_RCVLOWAT, 1);
	must(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)));
	sndbuf = get(fds[0], SO_SNDBUF);
	wait_for_restore();
	check(get(fds[0], SO_SNDBUF) == sndbuf, "SO_SNDBUF has changed");
	check(get(fds[0], SO_PASSCRED) == 1, "SO_PASSCRED is lost");
	check(get(fds[1], SO_PASSCRED) == 0, "SO_PASSCRED has come by itself");
	timeout = (struct timeval){ 0 };
	size = sizeof(timeout);
	must(getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, &size));
	check(timeout.tv_sec == 12 && timeout.tv_usec == 340000, "SO_RCVTIMEO has changed");
	size = sizeof(credentials);
	must(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &credentials, &size));
	check(credentials.uid == getuid(), "the peer's user is %u", credentials.uid);
}
PROGRAM(unix_options, run, .subject = "options of unix sockets")
