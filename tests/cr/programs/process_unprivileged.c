/* SPDX-License-Identifier: Apache-2.0 */
#include <grp.h>
#include <sys/stat.h>

#include "test.h"

/* Another user without capabilities. */
static void run(void)
{
	char text[64];

	write_file("private", "x");
	must(chmod("private", 0600));
	must(setgroups(0, NULL));
	must(setgid(1000));
	must(setuid(1000));
	wait_for_restore();
	check(getuid() == 1000 && geteuid() == 1000 && getgid() == 1000, "the user is %u",
	      getuid());
	(void)read_field("/proc/self/status", "CapEff", text, sizeof(text));
	check(strtoul(text, NULL, 16) == 0, "it has capabilities %s", text);
	must_fail(open("private", O_RDONLY), EACCES);
	must_fail(setuid(0), EPERM);
}
PROGRAM(process_unprivileged, run, .subject = "processes of another user", .needs = "sys_resource")
