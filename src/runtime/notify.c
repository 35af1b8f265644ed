/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/notify.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/msg.h"
#include "core/str.h"
#include "kernel/syscalls.h"

#define NOTIFY_DATAGRAM_MAX 4096
/* How long the manager may take to work through what we sent (sd_notify_barrier(3)). */
#define BARRIER_TIMEOUT_MS 30000

static void add_mount(struct runtime_spec *spec, const char *source)
{
	static const char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro" };
	struct oci_mount *mount = array_push(spec->mounts, spec->n_mounts);

	mount->destination = xstrdup("/run/notify");
	mount->type = xstrdup("bind");
	mount->source = xstrdup(source);
	mount->options = xcalloc(ARRAY_SIZE(options), sizeof(char *));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		mount->options[mount->n_options++] = xstrdup(options[i]);
}

int notify_prepare(struct notify_socket *ret, struct runtime_spec *spec, struct strvec *env,
		   const char *state_dir, struct err *err)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (str_is_empty(path))
		return 0;
	if (path[0] != '/' && path[0] != '@')
		return err_set(
			err, ERR_INVALID,
			"NOTIFY_SOCKET '%s' is neither an absolute path nor an abstract address",
			path);
	ret->host_path = xstrdup(path);
	ret->directory = xasprintf("%s/notify", state_dir);
	add_mount(spec, ret->directory);
	strvec_add(env, "NOTIFY_SOCKET=/run/notify/notify.sock");
	return 0;
}

static int bind_socket(const struct notify_socket *n, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int dir_fd = fd_open_at(AT_FDCWD, n->directory, O_PATH | O_DIRECTORY, 0);
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (dir_fd < 0)
		return err_sys(err, dir_fd, "open '%s'", n->directory);
	if (fd < 0)
		return err_sys(err, -errno, "make a notify socket");
	/* By descriptor: the directory's path may be longer than a socket address. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/notify.sock",
		       dir_fd);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, -errno, "bind '%s/notify.sock'", n->directory);
	/* Any user of the container may report. */
	if (fchmodat(dir_fd, "notify.sock", 0777, 0) < 0)
		return err_sys(err, -errno, "set the mode of '%s/notify.sock'", n->directory);
	return take_fd(fd);
}

int notify_listen(struct notify_socket *n, struct err *err)
{
	if (!n->host_path)
		return 0;
	if (mkdir(n->directory, 0755) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "make '%s'", n->directory);
	if (chmod(n->directory, 0755) < 0)
		return err_sys(err, -errno, "set the mode of '%s'", n->directory);
	n->listen_fd = bind_socket(n, err);
	return n->listen_fd < 0 ? n->listen_fd : 0;
}

int notify_reopen(struct notify_socket *ret, const char *state_dir, struct err *err)
{
	const char *path = getenv("NOTIFY_SOCKET");
	auto_free char *directory = xasprintf("%s/notify", state_dir);
	auto_free char *socket_path = xasprintf("%s/notify.sock", directory);

	if (str_is_empty(path) || !fs_exists(AT_FDCWD, directory))
		return 0;
	ret->host_path = xstrdup(path);
	ret->directory = take_ptr(directory);
	/* The one of `create` has no listener any more. */
	if (unlink(socket_path) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "replace '%s'", socket_path);
	return notify_listen(ret, err);
}

/* Connect to the manager. */
static int connect_manager(const struct notify_socket *n, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(n->host_path);
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, -errno, "make a socket");
	if (len >= sizeof(address.sun_path))
		return err_sys(err, -ENAMETOOLONG, "connect to NOTIFY_SOCKET '%s'", n->host_path);
	memcpy(address.sun_path, n->host_path, len);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return err_sys(err, -errno, "connect to NOTIFY_SOCKET '%s'", n->host_path);
	return take_fd(fd);
}

/* The manager closes its copy of the pipe when it has seen everything before it. */
static void send_barrier(int manager_fd)
{
	auto_close int read_fd = -EBADF;
	auto_close int write_fd = -EBADF;
	static const char barrier[] = "BARRIER=1";
	struct pollfd pfd;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	read_fd = ends[0];
	write_fd = ends[1];
	if (msg_send_fds(manager_fd, barrier, strlen(barrier), &write_fd, 1) < 0)
		return;
	close_fd(&write_fd);
	pfd = (struct pollfd){ .fd = read_fd, .events = POLLIN };
	(void)poll(&pfd, 1, BARRIER_TIMEOUT_MS);
}

static int pass_on_ready(const struct notify_socket *n, const char *ready_line, pid_t main_pid,
			 struct err *err)
{
	auto_close int fd = connect_manager(n, err);
	auto_free char *text = NULL;

	if (fd < 0)
		return fd;
	text = xasprintf("%s\n", ready_line);
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return err_sys(err, -errno, "send to NOTIFY_SOCKET '%s'", n->host_path);
	replace_ptr(text, xasprintf("MAINPID=%d\n", main_pid));
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return err_sys(err, -errno, "send to NOTIFY_SOCKET '%s'", n->host_path);
	send_barrier(fd);
	return 0;
}

/* The READY=... line of a datagram; NULL when it has none. Caller owns. */
static char *find_ready(char *datagram)
{
	char *save = NULL;

	for (char *line = strtok_r(datagram, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (str_has_prefix(line, "READY="))
			return xstrdup(line);
	return NULL;
}

int notify_forward(struct notify_socket *n, pid_t pid, pid_t main_pid, struct err *err)
{
	auto_close int pidfd = n->host_path ? sys_pidfd_open(pid) : -EBADF;

	while (n->host_path) {
		char datagram[NOTIFY_DATAGRAM_MAX + 1];
		auto_free char *ready = NULL;
		struct pollfd pfds[2] = { { .fd = n->listen_fd, .events = POLLIN },
					  { .fd = pidfd, .events = POLLIN } };
		ssize_t len;

		if (RETRY_EINTR(poll(pfds, 2, -1)) < 0)
			return err_sys(err, -errno, "wait for the container's notification");
		if (!(pfds[0].revents & POLLIN))
			return 0; /* it ended without a word: its exit status tells the rest */
		len = recv(n->listen_fd, datagram, NOTIFY_DATAGRAM_MAX, 0);
		if (len <= 0)
			continue;
		datagram[len] = '\0';
		ready = find_ready(datagram);
		if (ready)
			return pass_on_ready(n, ready, main_pid, err);
	}
	return 0;
}

void notify_close(struct notify_socket *n)
{
	free(n->host_path);
	free(n->directory);
	close_fd(&n->listen_fd);
	*n = (struct notify_socket)NOTIFY_SOCKET_INIT;
}
