/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* As servers do it: by writing over the arguments. */
static char *find_arguments(void)
{
	char text[4096];
	const char *p;

	check(read_file("/proc/self/stat", text, sizeof(text)) > 0, "no stat");
	p = strrchr(text, ')');
	/* From field 3 to field 48. */
	for (int i = 2; p && i < 48; i++)
		p = strchr(p + 1, ' ');
	check(p, "stat has too few fields");
	return (char *)(uintptr_t)strtoul(p, NULL, 10);
}

static void run(void)
{
	char *arguments = find_arguments();
	char text[4096];

	memcpy(arguments, "idle server", 12);
	wait_for_restore();
	/* /proc does not wait for memory that is loaded when it is used; whoever uses it does. */
	check(strcmp(arguments, "idle server") == 0, "the arguments are '%s'", arguments);
	check(read_file("/proc/self/cmdline", text, sizeof(text)) >= 12 &&
		      strcmp(text, "idle server") == 0,
	      "the command line is '%s'", text);
}
PROGRAM(process_title, run, .subject = "a command line that the program has changed")
