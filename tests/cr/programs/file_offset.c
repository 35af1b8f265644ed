/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static struct gate gate;

static void child(void *argument)
{
	const int *fds = argument;

	gate_wait(&gate);
	must_read(fds[0], "fg");
}

static void run(void)
{
	int fds[4];
	struct gate ready;
	char text[64];
	pid_t pid;

	gate_init(&gate);
	gate_init(&ready);
	write_file("file", "abcdefghij");
	fds[0] = open_file("file", O_RDONLY);
	fds[1] = (int)must(dup(fds[0]));
	fds[2] = open_file("file", O_RDONLY);
	fds[3] = open_file("file", O_WRONLY | O_APPEND);
	must_read(fds[0], "abc");
	pid = spawn(child, fds);
	wait_for_restore();
	must_read(fds[1], "de");
	gate_open(&gate);
	must_end(pid, 0);
	must_read(fds[0], "hi");
	check(lseek(fds[2], 0, SEEK_CUR) == 0, "a descriptor of its own has got another's offset");
	must(lseek(fds[3], 0, SEEK_SET));
	write_all(fds[3], "END", 3);
	check(read_file("file", text, sizeof(text)) == 13 && strcmp(text, "abcdefghijEND") == 0,
	      "O_APPEND is lost: '%s'", text);
	check((fcntl(fds[3], F_GETFL) & O_ACCMODE) == O_WRONLY, "the access mode has changed");
}
PROGRAM(file_offset, run,
	.subject = "offsets of open files, shared by dup() and fork() or not; O_APPEND")
