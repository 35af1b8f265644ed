/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "test.h"

/*
 * Names as programs seldom choose them: with bytes that are no text, as long as an address can hold with
 * its final zero and without, relative to a directory that is not the working directory any more; of clients; and of
 * sockets that were renamed while connections to them are open.
 */
static char base[PATH_MAX];

struct ends {
	int type;
	int listener;
	int server;
	int client;
};

/* A name that begins with a dot and a slash is relative; of the others CRIU wants the whole path. */
static socklen_t fill_in(struct sockaddr_un *address, const char *name)
{
	bool is_relative = strncmp(name, "./", 2) == 0;
	size_t begin = is_relative ? 0 : strlen(base) + 1;
	size_t len = strlen(name) - (is_relative ? 2 : 0);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	check(begin + len <= sizeof(address->sun_path), "'%s' is too long", name);
	if (begin > 0) {
		memcpy(address->sun_path, base, begin - 1);
		address->sun_path[begin - 1] = '/';
	}
	memcpy(address->sun_path + begin, is_relative ? name + 2 : name, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + begin + len);
}

static int bound(int type, const char *path)
{
	struct sockaddr_un address;
	socklen_t size = fill_in(&address, path);
	int fd = (int)must(socket(AF_UNIX, type, 0));

	must(bind(fd, (struct sockaddr *)&address, size));
	return fd;
}

static void reach(int fd, const char *path)
{
	struct sockaddr_un address;
	socklen_t size = fill_in(&address, path);

	check(connect(fd, (struct sockaddr *)&address, size) == 0, "connect to '%s': %s", path,
	      strerror(errno));
}

static void exchange(const struct ends *ends, const char *text)
{
	char buffer[64];

	must(send(ends->client, text, strlen(text), 0));
	check(recv(ends->server, buffer, sizeof(buffer), 0) == (ssize_t)strlen(text),
	      "%s: what the client sent has not come", text);
	must(send(ends->server, text, strlen(text), 0));
	check(recv(ends->client, buffer, sizeof(buffer), 0) == (ssize_t)strlen(text),
	      "%s: what the server sent has not come", text);
}

/* A connection whose client has a name of its own; then the listener is renamed, and the client too. */
static void open_ends(struct ends *ends, const char *name)
{
	char second[64];
	char own[64];

	format(second, sizeof(second), "%s.renamed", name);
	format(own, sizeof(own), "%s.client", name);
	ends->listener = bound(ends->type, name);
	must(listen(ends->listener, 5));
	ends->client = bound(ends->type, own);
	reach(ends->client, name);
	ends->server = (int)must(accept(ends->listener, NULL, NULL));
	must(rename(name, second));
	must(send(ends->client, name, strlen(name), 0));
}

static void look_at_ends(const struct ends *ends, const char *name)
{
	struct ends more = *ends;
	char buffer[64];

	check(recv(ends->server, buffer, sizeof(buffer), 0) == (ssize_t)strlen(name),
	      "%s: the message on its way is lost", name);
	exchange(ends, name);
	format(buffer, sizeof(buffer), "%s.renamed", name);
	more.client = (int)must(socket(AF_UNIX, ends->type, 0));
	reach(more.client, buffer);
	more.server = (int)must(accept(ends->listener, NULL, NULL));
	exchange(&more, name);
	must_fail(access(name, F_OK), ENOENT);
}

static void look_at_datagram(int server, const char *path)
{
	int client = (int)must(socket(AF_UNIX, SOCK_DGRAM, 0));

	reach(client, path);
	must(send(client, "datagram", 8, 0));
	must_read(server, "datagram");
	must(close(client));
}

static void run(void)
{
	static const char bytes[] = "\xff\xfe \n\t\x80'\"%s\\";
	struct ends stream = { .type = SOCK_STREAM };
	struct ends packets = { .type = SOCK_SEQPACKET };
	char longest[108];
	char full[109];
	char renamed_bytes[32];
	int odd;
	int moved_odd;
	int long_one;
	int full_one;
	int waiting;
	int inside;
	int outside;
	int connected;

	check(getcwd(base, sizeof(base)) != NULL, "no working directory");
	check(strlen(base) < 90, "the working directory is too deep");
	memset(longest, 'l', sizeof(longest));
	longest[107 - strlen(base) - 1] = '\0';
	memset(full, 'f', sizeof(full));
	full[108 - strlen(base) - 1] = '\0';
	format(renamed_bytes, sizeof(renamed_bytes), "second%s", bytes);
	open_ends(&stream, "stream");
	open_ends(&packets, "packets");
	odd = bound(SOCK_DGRAM, bytes);
	moved_odd = bound(SOCK_DGRAM, "first\xff");
	must(rename("first\xff", renamed_bytes));
	long_one = bound(SOCK_DGRAM, longest);
	full_one = bound(SOCK_DGRAM, full);
	/* Neither listens nor is connected. */
	waiting = bound(SOCK_SEQPACKET, "waiting");
	must(rename("waiting", "waiting.renamed"));
	must(mkdir("below", 0755));
	must(chdir("below"));
	inside = bound(SOCK_DGRAM, "./inside");
	must(chdir(".."));
	/* Datagram sockets keep their names, and are renamed, also when they are connected. */
	outside = bound(SOCK_DGRAM, "outside");
	connected = bound(SOCK_DGRAM, "connected");
	reach(connected, "outside");
	must(send(connected, "before", 6, 0));
	wait_for_restore();
	look_at_ends(&stream, "stream");
	look_at_ends(&packets, "packets");
	look_at_datagram(odd, bytes);
	look_at_datagram(moved_odd, renamed_bytes);
	look_at_datagram(long_one, longest);
	look_at_datagram(full_one, full);
	look_at_datagram(inside, "below/inside");
	must_read(outside, "before");
	must(send(connected, "after", 5, 0));
	must_read(outside, "after");
	must(listen(waiting, 1));
	reach((int)must(socket(AF_UNIX, SOCK_SEQPACKET, 0)), "waiting.renamed");
}
PROGRAM(unix_names, run,
	.subject = "unix sockets with names of 107 or 108 bytes or of any bytes, and renamed ones "
		   "with "
		   "open connections")
