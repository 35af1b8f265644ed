/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "test.h"

static struct gate gate;

static void child(void *argument)
{
	(void)argument;
	must(unshare(CLONE_NEWUTS));
	gate_open(&gate);
	for (;;)
		(void)pause();
}

static void run(void)
{
	pid_t pid;

	gate_init(&gate);
	pid = spawn(child, NULL);
	gate_wait(&gate);
	wait_for_restore();
	kill_child(pid);
}
PROGRAM(nested_uts, run, .subject = "a uts namespace within the container",
	.refused = "is in a uts namespace of its own, and CRIU cannot keep more than one")
