/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

static void run(void)
{
	struct address any = net_loopback(AF_INET, 0);
	int server = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	int client = (int)must(socket(AF_INET, SOCK_DGRAM, 0));
	char buffer[64];

	net_bind(server, &any);
	any = net_name(server);
	net_connect(client, &any);
	must(send(client, "packet", 6, 0));
	wait_for_restore();
	check(recv(server, buffer, sizeof(buffer), 0) == 6,
	      "a packet that was not read yet is gone");
}
PROGRAM(udp_data, run, .subject = "UDP packets that were not read yet", .lost = "they are gone")
