/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include "core/clock.h"
#include "core/fd.h"
#include "core/msg.h"
#include "core/path.h"
#include "core/rooted.h"

#define LISTENER_WAIT_MS 250

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* Of the container's own devpts; /dev/ptmx is a link to it, or, in odd roots, a device. Resolved
 * inside the root: an image may lead /dev to a descriptor of ours. */
static int open_master(struct err *err)
{
	auto_rooted struct rooted root = ROOTED_INIT;
	int fd = rooted_open(&root, AT_FDCWD, "/");

	if (fd == 0)
		fd = rooted_openat(&root, "/dev/pts/ptmx", O_RDWR | O_NOFOLLOW);
	if (fd == -ENOENT || fd == -EACCES)
		fd = rooted_openat(&root, "/dev/ptmx", O_RDWR);
	if (fd < 0)
		return err_sys(err, fd,
			       "open '/dev/pts/ptmx' of the container (a terminal needs a "
			       "devpts mount at /dev/pts)");
	return fd;
}

int terminal_open(struct terminal *ret, int host_ptmx_fd, uint16_t rows, uint16_t columns,
		  uid_t uid, struct err *err)
{
	struct terminal t = TERMINAL_INIT;
	int unlock = 0;
	int r = 0;

	t.master_fd = host_ptmx_fd >= 0 ? fd_dup(host_ptmx_fd) : open_master(err);
	if (t.master_fd < 0)
		return t.master_fd;
	if (ioctl(t.master_fd, TIOCSPTLCK, &unlock) < 0)
		r = err_sys(err, -errno, "unlock the container's terminal");
	if (r == 0) {
		t.slave_fd = ioctl(t.master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (t.slave_fd < 0)
			r = err_sys(err, -errno, "open the container's terminal");
	}
	if (r == 0 && rows && columns) {
		struct winsize size = { .ws_row = rows, .ws_col = columns };

		if (ioctl(t.slave_fd, TIOCSWINSZ, &size) < 0)
			r = err_sys(err, -errno, "set the size of the container's terminal");
	}
	/* The group stays devpts's (tty); an id that is not mapped here cannot own it. */
	if (r == 0 && fchown(t.slave_fd, uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM)
		r = err_sys(err, -errno, "set the owner of the container's terminal");
	if (r < 0) {
		close_fd(&t.master_fd);
		close_fd(&t.slave_fd);
		return r;
	}
	*ret = t;
	return 0;
}

void terminal_keep_newlines(int fd)
{
	struct termios settings;

	/* A terminal that we were sent always has settings; if not, its output is as before. */
	if (tcgetattr(fd, &settings) < 0)
		return;
	settings.c_oflag &= ~(tcflag_t)ONLCR;
	(void)tcsetattr(fd, TCSANOW, &settings);
}

int terminal_attach(struct terminal *t, struct err *err)
{
	/* The caller is a session leader without a terminal: it made itself one by setsid(2). */
	if (ioctl(t->slave_fd, TIOCSCTTY, 0) < 0)
		return err_sys(err, -errno, "make the terminal the controlling one");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(t->slave_fd, fd) < 0)
			return err_sys(err, -errno, "attach the terminal to descriptor %d", fd);
	close_fd(&t->slave_fd);
	return 0;
}

/* A receiver that was started together with us may be about to listen: it gets a moment. */
static int connect_soon(int fd, const struct sockaddr_un *address)
{
	for (int waited_ms = 0;; waited_ms += 5) {
		if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
			return 0;
		if ((errno != ENOENT && errno != ECONNREFUSED) || waited_ms >= LISTENER_WAIT_MS)
			return -errno;
		clock_sleep_ms(5);
	}
}

int terminal_connect_socket(const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_close int dir_fd = -EBADF;
	int n;
	int r;

	if (fd < 0)
		return err_sys(err, -errno, "make a socket for the console");
	n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (n >= (int)sizeof(address.sun_path)) {
		/* Longer than a socket address holds: go through a descriptor of the directory. */
		auto_free char *dir = path_dirname(path);

		dir_fd = fd_open_at(AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0);
		if (dir_fd < 0)
			return err_sys(err, dir_fd, "open the directory of console socket '%s'",
				       path);
		n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
			     dir_fd, path_basename(path));
		if (n >= (int)sizeof(address.sun_path))
			return err_sys(err, -ENAMETOOLONG, "connect to console socket '%s'", path);
	}
	r = connect_soon(fd, &address);
	return r < 0 ? err_sys(err, r, "connect to console socket '%s'", path) : take_fd(fd);
}

int terminal_send_fd(int socket_fd, int fd, const char *text, struct err *err)
{
	ssize_t n = msg_send_fds(socket_fd, text, strlen(text), &fd, 1);

	return n < 0 ? err_sys(err, (int)n, "send '%s' over the socket", text) : 0;
}

int terminal_receive_fd(int socket_fd, int *ret_fd)
{
	char text[256];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;

	if (RETRY_EINTR(recvmsg(socket_fd, &mh, MSG_CMSG_CLOEXEC)) < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&mh);
	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPROTO;
	memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
	return 0;
}
