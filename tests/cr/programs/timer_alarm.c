/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static volatile sig_atomic_t rang;

static void on_alarm(int number)
{
	rang = number;
}

static void far(void *argument)
{
	struct gate *gates = argument;
	unsigned rest;

	(void)alarm(500000);
	gate_open(&gates[0]);
	gate_wait(&gates[1]);
	rest = alarm(0);
	check(rest <= 500000 && rest > 470000, "an alarm has %u s left instead of 500000", rest);
}

static void run(void)
{
	struct gate gates[2];
	pid_t pid;

	gate_init(&gates[0]);
	gate_init(&gates[1]);
	pid = spawn(far, gates);
	gate_wait(&gates[0]);
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(1);
	wait_for_restore();
	for (int i = 0; i < 500 && !rang; i++)
		sleep_ms(20);
	check(rang == SIGALRM, "an alarm does not come");
	gate_open(&gates[1]);
	must_end(pid, 0);
}
PROGRAM(timer_alarm, run, .subject = "alarm()")
