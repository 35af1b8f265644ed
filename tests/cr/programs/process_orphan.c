/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>

#include "test.h"

/* An orphan goes to the subreaper that its ancestors had; a child gets a signal when its parent ends. */
static volatile struct {
	pid_t orphan;
	pid_t guarded;
	int got;
} * shared;

static struct gate gates[2];

static void on_end(int number)
{
	(void)number;
	shared->got = 1;
	_exit(0);
}

static void guarded(void *argument)
{
	(void)argument;
	(void)signal(SIGUSR1, on_end);
	must(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	gate_open(&gates[0]);
	for (;;)
		(void)pause();
}

static void parent(void *argument)
{
	(void)argument;
	shared->orphan = spawn_idle();
	shared->guarded = spawn(guarded, NULL);
	gate_wait(&gates[1]);
}

static void run(void)
{
	pid_t pid;

	shared = map_anonymous(sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED);
	gate_init(&gates[0]);
	gate_init(&gates[1]);
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = spawn(parent, NULL);
	gate_wait(&gates[0]);
	wait_for_restore();
	gate_open(&gates[1]);
	must_end(pid, 0);
	/* Both are ours now. */
	must_end(shared->guarded, 0);
	check(shared->got == 1, "no signal came at the end of the parent");
	kill_child(shared->orphan);
}
PROGRAM(process_orphan, run,
	.subject = "subreapers, and signals at the end of the parent (PDEATHSIG)")
