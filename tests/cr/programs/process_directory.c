/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

/* The current directory, one that was deleted in a child, and the umask. */
static struct gate gates[2];

static void child(void *argument)
{
	char path[PATH_MAX];

	(void)argument;
	must(mkdir("../../process_directory", 0755));
	must(chdir("../../process_directory"));
	must(rmdir("../process_directory"));
	gate_open(&gates[0]);
	gate_wait(&gates[1]);
	must_fail(open("new", O_CREAT | O_WRONLY, 0600), ENOENT);
	must(readlink("/proc/self/cwd", path, sizeof(path)));
	check(strstr(path, "(deleted)"), "a deleted directory is none any more");
	must(chdir(".."));
}

static void run(void)
{
	char path[PATH_MAX];
	struct stat st;
	pid_t pid;

	must(mkdir("a", 0755));
	must(mkdir("a/b", 0755));
	must(chdir("a/b"));
	gate_init(&gates[0]);
	gate_init(&gates[1]);
	pid = spawn(child, NULL);
	gate_wait(&gates[0]);
	(void)umask(0137);
	wait_for_restore();
	check(getcwd(path, sizeof(path)) && strcmp(path, "/cr/work/process_directory/a/b") == 0,
	      "the current directory is '%s'", path);
	must(close(open("file", O_CREAT | O_WRONLY, 0777)));
	must(stat("/cr/work/process_directory/a/b/file", &st));
	check((st.st_mode & 0777) == 0640, "a new file has mode %o", st.st_mode & 0777u);
	gate_open(&gates[1]);
	must_end(pid, 0);
}
PROGRAM(process_directory, run, .subject = "the current directory, deleted ones too, and the umask")
