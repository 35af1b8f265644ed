/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "test.h"

static struct gate gates[2];

static void child(void *argument)
{
	char text[64] = "";

	(void)argument;
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("mine", "directory", "tmpfs", 0, NULL));
	write_file("directory/file", "inside");
	gate_open(&gates[0]);
	gate_wait(&gates[1]);
	check(read_file("directory/file", text, sizeof(text)) == 6 && strcmp(text, "inside") == 0,
	      "the mount of a namespace is gone");
	must(umount("directory"));
}

static void run(void)
{
	pid_t pid;

	must(mkdir("directory", 0755));
	write_file("directory/file", "outside");
	gate_init(&gates[0]);
	gate_init(&gates[1]);
	pid = spawn(child, NULL);
	gate_wait(&gates[0]);
	wait_for_restore();
	must_read(open_file("directory/file", O_RDONLY), "outside");
	gate_open(&gates[1]);
	must_end(pid, 0);
	must_read(open_file("directory/file", O_RDONLY), "outside");
}
PROGRAM(mount_namespace, run, .subject = "processes with a mount namespace of their own")
