/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

/* A program whose file was deleted after its start. */
static void copy_program(const char *to)
{
	static char buffer[65536];
	int from = open_file("/proc/self/exe", O_RDONLY);
	int fd = open_file(to, O_WRONLY | O_CREAT);
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		write_all(fd, buffer, (size_t)n);
	must(fchmod(fd, 0755));
	must(close(fd));
	must(close(from));
}

static void run(void)
{
	char path[PATH_MAX] = "";

	if (!getenv("CR_DELETED")) {
		copy_program("copy");
		must(setenv("CR_DELETED", "1", 1));
		must(execl("copy", "/cr/programs", "run", "process_deleted_program", (char *)NULL));
	}
	must(unlink("copy"));
	wait_for_restore();
	must(readlink("/proc/self/exe", path, sizeof(path) - 1));
	check(strstr(path, "process_deleted_program/copy") && strstr(path, "(deleted)"),
	      "the program is '%s'", path);
}
PROGRAM(process_deleted_program, run, .subject = "programs whose file was deleted",
	.container = "options",
	.note = "of more than 1 MiB: with `ghost-limit` in CRIU's configuration")
