/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "test.h"

static struct gate gate;

static int child(void *argument)
{
	gate_wait(&gate);
	*(volatile int *)argument = 5;
	_exit(0);
}

static void run(void)
{
	static volatile int value;
	unsigned char *stack = map_anonymous(65536, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	pid_t pid;

	gate_init(&gate);
	pid = (pid_t)must(
		clone(child, stack + 65536, CLONE_VM | SIGCHLD, (void *)(uintptr_t)&value));
	wait_for_restore();
	gate_open(&gate);
	must_end(pid, 0);
	check(value == 5, "the processes do not share their memory any more");
}
PROGRAM(process_shared_memory, run,
	.subject = "processes that share their memory (`CLONE_VM` without `CLONE_THREAD`)",
	.refused = "it shares its memory with its parent without being a thread (CLONE_VM)")
