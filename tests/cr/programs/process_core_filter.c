/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	char text[32];

	write_file("/proc/self/coredump_filter", "0x7f");
	wait_for_restore();
	(void)read_file("/proc/self/coredump_filter", text, sizeof(text));
	check(strtol(text, NULL, 16) == 0x7f, "it is %s", text);
}
PROGRAM(process_core_filter, run, .subject = "which memory goes into a core dump",
	.lost = "it is that of the restoring process")
