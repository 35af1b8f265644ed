/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Of the configuration. */
static void run(void)
{
	char text[64] = "";

	wait_for_restore();
	check(read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", text, sizeof(text)) > 0 &&
		      strcmp(text, "81\n") == 0,
	      "net.ipv4.ip_unprivileged_port_start is %s", text);
}
PROGRAM(net_sysctl, run, .subject = "sysctls of the network namespace that the configuration sets")
