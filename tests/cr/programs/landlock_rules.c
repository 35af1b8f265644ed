/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "test.h"

/* A process that may not write files any more, by its own will. */
static void run(void)
{
	struct landlock_ruleset_attr attributes = { .handled_access_fs =
							    LANDLOCK_ACCESS_FS_WRITE_FILE };
	long fd = syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);

	write_file("file", "x");
	if (fd < 0)
		skip("there is no Landlock here: %s", strerror(errno));
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(syscall(SYS_landlock_restrict_self, fd, 0));
	must(close((int)fd));
	must_fail(open("file", O_WRONLY), EACCES);
	wait_for_restore();
	must_fail(open("file", O_WRONLY), EACCES);
}
PROGRAM(landlock_rules, run, .subject = "Landlock restrictions",
	.lost = "the process is free of them")
