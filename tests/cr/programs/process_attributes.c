/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/personality.h>
#include <sys/prctl.h>

#include "test.h"

/* What prctl() and files of /proc set for a process and is kept. */
static void run(void)
{
	char text[4096];
	char name[32] = "";
	int value = 0;

	must(prctl(PR_SET_DUMPABLE, 0));
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	must(prctl(PR_SET_NAME, "a new name"));
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(prctl(PR_SET_DUMPABLE, 1));
	wait_for_restore();
	check(prctl(PR_GET_DUMPABLE) == 1, "dumpable is %d", prctl(PR_GET_DUMPABLE));
	must(prctl(PR_GET_CHILD_SUBREAPER, &value));
	check(value == 1, "the process adopts no orphans any more");
	must(prctl(PR_GET_NAME, name));
	check(strcmp(name, "a new name") == 0, "the name is '%s'", name);
	check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs is lost");
	check(strcmp(getenv("CR_VARIABLE"), "survives") == 0, "the environment has changed");
	check(read_file("/proc/self/cmdline", text, sizeof(text)) > 0 &&
		      strcmp(text, "/cr/programs") == 0,
	      "the command line is '%s'", text);
	check(read_file("/proc/self/environ", text, sizeof(text)) > 0 &&
		      strncmp(text, "PATH=", 5) == 0,
	      "the environment that others see is '%s'", text);
	must(readlink("/proc/self/exe", text, sizeof(text)));
	check(strncmp(text, "/cr/programs", 12) == 0, "the program is '%s'", text);
}
PROGRAM(process_attributes, run,
	.subject = "name, command line, environment, dumpable, subreaper, no_new_privs")
