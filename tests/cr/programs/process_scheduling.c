/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <sys/resource.h>

#include "test.h"

static struct gate gates[2];

static void child(void *argument)
{
	const int *policy = argument;
	struct sched_param parameters = { 0 };

	must(setpriority(PRIO_PROCESS, 0, 7));
	must(sched_setscheduler(0, *policy, &parameters));
	gate_open(&gates[0]);
	gate_wait(&gates[1]);
	check(sched_getscheduler(0) == *policy, "the policy is %d instead of %d",
	      sched_getscheduler(0), *policy);
	check(getpriority(PRIO_PROCESS, 0) == 7, "the nice value is %d",
	      getpriority(PRIO_PROCESS, 0));
}

static void run(void)
{
	const int policies[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE };
	pid_t pids[3];

	gate_init(&gates[0]);
	gate_init(&gates[1]);
	for (int i = 0; i < 3; i++) {
		pids[i] = spawn(child, (void *)(uintptr_t)&policies[i]);
		gate_wait(&gates[0]);
	}
	must(setpriority(PRIO_PROCESS, 0, -3));
	wait_for_restore();
	for (int i = 0; i < 3; i++)
		gate_open(&gates[1]);
	for (int i = 0; i < 3; i++)
		must_end(pids[i], 0);
	check(getpriority(PRIO_PROCESS, 0) == -3, "the nice value is %d",
	      getpriority(PRIO_PROCESS, 0));
}
PROGRAM(process_scheduling, run, .subject = "nice values and scheduling policies",
	.not_in = "userns", .why_not = "a user namespace's root may not lower a nice value")
