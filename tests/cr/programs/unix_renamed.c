/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "test.h"

/*
 * Sockets whose files have other names than they were bound to: renamed (and the first name taken by
 * another), linked and unlinked, in a renamed directory, on a tmpfs, by processes in a root directory or
 * a mount namespace of their own; and one whose file is gone.
 */
static char base[PATH_MAX];
static struct gate gates[2];
static struct gate separate_gates[2];

struct socket_file {
	const char *bound; /* in the working directory, or an absolute path */
	const char *present; /* NULL: it has none */
	int type;
	int fd;
};

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	format(address.sun_path, sizeof(address.sun_path), "%s%s%s", path[0] == '/' ? "" : base,
	       path[0] == '/' ? "" : "/", path);
	return address;
}

static int bind_to(const char *path, int type)
{
	struct sockaddr_un address = address_of(path);
	int fd = (int)must(socket(AF_UNIX, type, 0));

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	if (type != SOCK_DGRAM)
		must(listen(fd, 5));
	return fd;
}

static void must_reach(const char *path, int type, int server)
{
	struct sockaddr_un address = address_of(path);
	int fd = (int)must(socket(AF_UNIX, type, 0));

	check(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect to %s: %s",
	      path, strerror(errno));
	write_all(fd, path, strlen(path));
	if (type == SOCK_DGRAM) {
		must_read(server, path);
	} else {
		int connection = (int)must(accept(server, NULL, NULL));

		must_read(connection, path);
		must(close(connection));
	}
	must(close(fd));
}

static void look_at(const struct socket_file *s)
{
	struct sockaddr_un name = { 0 };
	struct sockaddr_un present;
	socklen_t size = sizeof(name);

	must(getsockname(s->fd, (struct sockaddr *)&name, &size));
	if (!s->present) {
		must_fail(access(s->bound, F_OK), ENOENT);
		present = address_of(s->bound);
		check(strcmp(name.sun_path, present.sun_path) == 0,
		      "the unlinked one is called '%s'", name.sun_path);
		return;
	}
	must_reach(s->present, s->type, s->fd);
	present = address_of(s->present);
	check(strcmp(name.sun_path, present.sun_path) == 0 ||
		      strcmp(name.sun_path, address_of(s->bound).sun_path) == 0,
	      "%s is called '%s'", s->present, name.sun_path);
}

static void confined(void *argument)
{
	int fd;

	(void)argument;
	must(chroot("root"));
	must(chdir("/"));
	base[0] = '\0';
	fd = bind_to("/confined", SOCK_STREAM);
	gate_open(&gates[0]);
	gate_wait(&gates[1]);
	must_reach("/confined", SOCK_STREAM, fd);
}

static void separate(void *argument)
{
	int fd;

	(void)argument;
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("tmpfs", "separate", "tmpfs", 0, NULL));
	fd = bind_to("separate/first", SOCK_STREAM);
	must(rename("separate/first", "separate/second"));
	gate_open(&separate_gates[0]);
	gate_wait(&separate_gates[1]);
	must_reach("separate/second", SOCK_STREAM, fd);
}

static void make(struct socket_file *s)
{
	static const char tmpfs_path[] = "/cr/tmpfs/unix_renamed";
	struct socket_file all[] = {
		{ "renamed.first", "renamed", SOCK_STREAM, -1 },
		{ "linked.first", "linked", SOCK_STREAM, -1 },
		{ "directory.first/socket", "directory/socket", SOCK_SEQPACKET, -1 },
		{ "renamed.first", "renamed.first", SOCK_STREAM, -1 },
		{ "datagram.first", "datagram", SOCK_DGRAM, -1 },
		{ "unlinked", NULL, SOCK_STREAM, -1 },
		{ "/cr/tmpfs/unix_renamed.first", tmpfs_path, SOCK_STREAM, -1 },
	};

	must(mkdir("directory.first", 0755));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		s[i] = all[i];
		s[i].fd = bind_to(s[i].bound, s[i].type);
		if (i == 0 || i == 4 || i == 6)
			must(rename(s[i].bound, s[i].present));
	}
	must(link("linked.first", "linked"));
	must(unlink("linked.first"));
	must(rename("directory.first", "directory"));
	must(unlink("unlinked"));
}

static void run(void)
{
	struct socket_file sockets[7];
	struct stat before;
	struct stat after;
	pid_t pid;
	pid_t separate_pid;

	check(getcwd(base, sizeof(base)) != NULL, "no working directory");
	must(mkdir("root", 0755));
	must(mkdir("separate", 0755));
	for (size_t i = 0; i < 2; i++) {
		gate_init(&gates[i]);
		gate_init(&separate_gates[i]);
	}
	make(sockets);
	must(chmod("linked", 0620));
	must(chown("linked", 12, 34));
	must(stat("linked", &before));
	pid = spawn(confined, NULL);
	gate_wait(&gates[0]);
	separate_pid = spawn(separate, NULL);
	gate_wait(&separate_gates[0]);
	wait_for_restore();
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
		look_at(&sockets[i]);
	must(stat("linked", &after));
	check(after.st_mode == before.st_mode && after.st_uid == 12 && after.st_gid == 34,
	      "mode or owner of a socket has changed");
	must_fail(access("linked.first", F_OK), ENOENT);
	gate_open(&gates[1]);
	must_end(pid, 0);
	gate_open(&separate_gates[1]);
	must_end(separate_pid, 0);
}
PROGRAM(unix_renamed, run,
	.subject = "unix sockets whose file was given another name, its directory too",
	.note = "`getsockname` then says the present name")
