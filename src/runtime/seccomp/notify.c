/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/msg.h"
#include "kernel/syscalls.h"

int seccomp_notify_fetch(int pidfd, int number, struct err *err)
{
	int fd = sys_pidfd_getfd(pidfd, number);

	if (fd >= 0)
		return fd;
	if (fd == -ENOSYS)
		return err_set(err, ERR_UNSUPPORTED,
			       "take over seccomp listener: the kernel has no pidfd_getfd "
			       "(Linux 5.6)");
	return err_sys(err, fd, "take over seccomp listener");
}

/* A path that is too long for a socket address is reached through a descriptor of the socket file. */
static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int file_fd = -EBADF;
	struct fd_path short_path;

	if (strlen(path) >= sizeof(address.sun_path)) {
		file_fd = fd_open_at(AT_FDCWD, path, O_PATH, 0);
		if (file_fd < 0)
			return file_fd;
		short_path = fd_path(file_fd);
		path = short_path.text;
	}
	(void)memcpy(address.sun_path, path, strlen(path) + 1);
	return RETRY_EINTR(connect(fd, (struct sockaddr *)&address, sizeof(address))) < 0 ? -errno :
											    0;
}

/* The descriptor goes with the first byte; the rest follows as the socket takes it. */
static int send_with_fd(int socket_fd, const char *payload, int listener_fd)
{
	size_t len = strlen(payload);
	ssize_t n = msg_send_fds(socket_fd, payload, len, &listener_fd, 1);
	size_t sent;

	for (sent = 0; n >= 0 && (sent += (size_t)n) < len;)
		n = msg_send_fds(socket_fd, payload + sent, len - sent, NULL, 0);
	return n < 0 ? (int)n : 0;
}

int seccomp_notify_send(const char *path, int listener_fd, const char *payload, struct err *err)
{
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return err_sys(err, -errno, "create socket for seccomp listener");
	r = connect_to(fd, path);
	if (r < 0)
		return err_sys(
			err, r,
			"failed to connect with seccomp agent '%s' (linux.seccomp.listenerPath)",
			path);
	r = send_with_fd(fd, payload, listener_fd);
	if (r < 0)
		return err_sys(err, r, "send seccomp listener to '%s'", path);
	return 0;
}
