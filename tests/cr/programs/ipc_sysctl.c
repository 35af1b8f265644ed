/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Of the configuration. */
static void run(void)
{
	char text[64] = "";

	wait_for_restore();
	check(read_file("/proc/sys/kernel/msgmax", text, sizeof(text)) > 0 &&
		      strcmp(text, "4321\n") == 0,
	      "kernel.msgmax is %s", text);
}
PROGRAM(ipc_sysctl, run, .subject = "sysctls of the IPC namespace")
