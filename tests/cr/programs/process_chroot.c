/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

static struct gate gates[2];

static void child(void *argument)
{
	char text[32];

	(void)argument;
	must(chroot("root"));
	must(chdir("/sub"));
	gate_open(&gates[0]);
	gate_wait(&gates[1]);
	check(read_file("/name", text, sizeof(text)) > 0 && strcmp(text, "inside") == 0,
	      "the root directory is another");
	check(read_file("../name", text, sizeof(text)) > 0, "the current directory is another");
	must_fail(access("/cr", F_OK), ENOENT);
	must(chroot("/sub"));
}

static void run(void)
{
	pid_t pid;

	must(mkdir("root", 0755));
	must(mkdir("root/sub", 0755));
	write_file("root/name", "inside");
	gate_init(&gates[0]);
	gate_init(&gates[1]);
	pid = spawn(child, NULL);
	gate_wait(&gates[0]);
	wait_for_restore();
	gate_open(&gates[1]);
	must_end(pid, 0);
}
PROGRAM(process_chroot, run, .subject = "a root directory of its own (chroot)")
