/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/time.h>

#include "test.h"

/* Two long timers, whose rest must survive, and two that go on ticking. */
static volatile sig_atomic_t ticks[3];

static void on_tick(int number)
{
	ticks[number == SIGALRM ? 0 : number == SIGVTALRM ? 1 : 2]++;
}

static void burn(void)
{
	volatile unsigned n = 0;

	while (n < 1000000)
		n++;
}

static void long_timers(void *argument)
{
	const struct gate *gates = argument;
	struct itimerval timer = { .it_interval.tv_sec = 500, .it_value.tv_sec = 100000 };
	struct itimerval now;

	must(setitimer(ITIMER_REAL, &timer, NULL));
	timer.it_value.tv_sec = 200000;
	must(setitimer(ITIMER_VIRTUAL, &timer, NULL));
	timer.it_value.tv_sec = 300000;
	must(setitimer(ITIMER_PROF, &timer, NULL));
	gate_open((struct gate *)(uintptr_t)&gates[0]);
	gate_wait((struct gate *)(uintptr_t)&gates[1]);
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		must(getitimer(which, &now));
		check(now.it_interval.tv_sec == 500, "timer %d has an interval of %ld s", which,
		      (long)now.it_interval.tv_sec);
		check(now.it_value.tv_sec <= 100000 * (which + 1) &&
			      now.it_value.tv_sec > 100000 * (which + 1) - 30000,
		      "timer %d has %ld s left", which, (long)now.it_value.tv_sec);
	}
}

static void run(void)
{
	struct itimerval tick = { .it_interval.tv_usec = 20000, .it_value.tv_usec = 20000 };
	struct gate gates[2];
	int64_t end;
	int before[3];
	pid_t pid;

	gate_init(&gates[0]);
	gate_init(&gates[1]);
	pid = spawn(long_timers, gates);
	gate_wait(&gates[0]);
	(void)signal(SIGALRM, on_tick);
	(void)signal(SIGVTALRM, on_tick);
	(void)signal(SIGPROF, on_tick);
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		must(setitimer(which, &tick, NULL));
	wait_for_restore();
	for (int i = 0; i < 3; i++)
		before[i] = ticks[i];
	end = now_ms(CLOCK_MONOTONIC) + 20000;
	while ((ticks[0] < before[0] + 3 || ticks[1] < before[1] + 3 || ticks[2] < before[2] + 3) &&
	       now_ms(CLOCK_MONOTONIC) < end)
		burn();
	for (int i = 0; i < 3; i++)
		check(ticks[i] >= before[i] + 3, "timer %d does not tick any more", i);
	gate_open(&gates[1]);
	must_end(pid, 0);
}
PROGRAM(timer_itimer, run, .subject = "interval timers (setitimer): real, virtual, profiling")
