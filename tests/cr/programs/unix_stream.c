/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

/* Listening with a connection that waits to be accepted, and connected with data; by path and abstract. */
static socklen_t name_it(struct sockaddr_un *address, const char *name)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, name, name[0] ? strlen(name) : 1 + strlen(name + 1));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			   (name[0] ? strlen(name) + 1 : 1 + strlen(name + 1)));
}

struct pair {
	const char *name;
	int listener;
	int server;
	int client;
};

static void set_up(struct pair *pair)
{
	struct sockaddr_un address;
	socklen_t size = name_it(&address, pair->name);

	pair->listener = (int)must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	must(bind(pair->listener, (struct sockaddr *)&address, size));
	must(listen(pair->listener, 5));
	pair->client = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(pair->client, (struct sockaddr *)&address, size));
	pair->server = (int)must(accept(pair->listener, NULL, NULL));
	write_all(pair->client, "to server", 9);
	write_all(pair->server, "to client", 9);
}

static void look(struct pair *pair)
{
	struct sockaddr_un address;
	socklen_t size = name_it(&address, pair->name);
	int on = 0;
	socklen_t on_size = sizeof(on);
	int fd;

	must_read(pair->server, "to server");
	must_read(pair->client, "to client");
	must(getsockopt(pair->listener, SOL_SOCKET, SO_ACCEPTCONN, &on, &on_size));
	check(on == 1, "a socket does not listen any more");
	fd = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(fd, (struct sockaddr *)&address, size));
	write_all(fd, "new", 3);
	pair->server = (int)must(accept(pair->listener, NULL, NULL));
	must_read(pair->server, "new");
}

static void run(void)
{
	struct pair by_path = { .name = "socket" };
	struct pair abstract = { .name = "\0unix_stream" };

	set_up(&by_path);
	set_up(&abstract);
	wait_for_restore();
	look(&by_path);
	look(&abstract);
}
PROGRAM(unix_stream, run,
	.subject = "unix stream sockets, listening and connected, by path and abstract")
