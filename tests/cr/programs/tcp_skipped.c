/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

/* Connected, not accepted, and left out at the user's wish: the client's end is reset. */
static void run(void)
{
	struct address address = net_loopback(AF_INET, 0);
	int listener = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	int client = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	int other = (int)must(socket(AF_INET, SOCK_STREAM, 0));

	net_bind(listener, &address);
	must(listen(listener, 5));
	address = net_name(listener);
	net_connect(client, &address);
	wait_for_restore();
	(void)signal(SIGPIPE, SIG_IGN);
	must_fail(accept(listener, NULL, NULL), EAGAIN);
	/* At the latest by what is sent now. */
	if (write(client, "x", 1) == 1)
		(void)!read(client, (char[1]){ 0 }, 1);
	check(errno == ECONNRESET || errno == EPIPE, "the client is told '%s'", strerror(errno));
	net_connect(other, &address);
	must(accept(listener, NULL, NULL));
}
PROGRAM(tcp_skipped, run,
	.subject = "listening TCP sockets with connections that are not accepted yet",
	.note = "the connections are reset", .not_in = "none leave-running",
	.why_not = "nothing is reset then", .options = "--tcp-established --tcp-skip-in-flight")
