/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define SIZE (1 << 20)

struct shared {
	unsigned char data[SIZE];
	volatile int answer;
};

static struct shared *shared;
static struct gate gate;

static void child(void *argument)
{
	(void)argument;
	gate_wait(&gate);
	check(is_filled(shared->data, SIZE, 2), "a child does not see what its parent writes");
	shared->answer = 42;
}

static void run(void)
{
	pid_t pid;

	shared = map_shared(struct shared);
	gate_init(&gate);
	pid = spawn(child, NULL);
	fill(shared->data, SIZE, 1);
	wait_for_restore();
	check(is_filled(shared->data, SIZE, 1), "the content has changed");
	fill(shared->data, SIZE, 2);
	gate_open(&gate);
	must_end(pid, 0);
	check(shared->answer == 42, "the parent does not see what its child writes");
}
PROGRAM(mem_shared_anon, run, .subject = "anonymous memory shared by processes")
