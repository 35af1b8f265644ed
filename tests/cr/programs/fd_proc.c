/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Files of /proc of the process itself, of another, and of the system; directories of it. */
static void run(void)
{
	char text[256];
	char name[64];
	pid_t pid = spawn_idle();
	int self = open_file("/proc/self/status", O_RDONLY);
	int os = open_file("/proc/sys/kernel/ostype", O_RDONLY);
	int directory = open_file("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	int other;

	format(name, sizeof(name), "/proc/%d/stat", pid);
	other = open_file(name, O_RDONLY);
	wait_for_restore();
	must_read(self, "Name:\tfd_proc");
	must_read(os, "Linux");
	must(read(other, text, sizeof(text) - 1));
	check(strtol(text, NULL, 10) == pid, "the file of process %d is another's", pid);
	must(faccessat(directory, "0", F_OK, 0));
	kill_child(pid);
	must(lseek(other, 0, SEEK_SET));
	must_fail(read(other, text, 1), ESRCH);
}
PROGRAM(fd_proc, run, .subject = "open files of /proc")
