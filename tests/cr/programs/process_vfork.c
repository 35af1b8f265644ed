/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* The parent of a vfork() waits uninterruptibly until its child executes or ends. */
static struct gate gate;

static void parent(void *argument)
{
	pid_t pid;

	(void)argument;
	pid = vfork();
	if (pid == 0) {
		char byte;

		(void)!read(gate.fds[0], &byte, 1);
		_exit(5);
	}
	must_end(pid, 5);
}

static void run(void)
{
	pid_t pid;

	gate_init(&gate);
	pid = spawn(parent, NULL);
	sleep_ms(50);
	wait_for_restore();
	gate_open(&gate);
	must_end(pid, 0);
}
PROGRAM(process_vfork, run, .subject = "processes in vfork()",
	.refused = "it waits uninterruptibly (state D)")
