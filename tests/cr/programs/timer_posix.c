/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static volatile sig_atomic_t ticks;
static volatile sig_atomic_t value;

static void on_tick(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	ticks++;
	value = info->si_value.sival_int;
}

static timer_t make(clockid_t clock, int notify, time_t seconds, long nanoseconds, time_t interval)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = SIGRTMIN + 3 };
	struct itimerspec spec = { .it_value = { seconds, nanoseconds },
				   .it_interval = { interval, nanoseconds } };
	timer_t timer;

	event.sigev_value.sival_int = 1234;
	must(timer_create(clock, &event, &timer));
	must(timer_settime(timer, 0, &spec, NULL));
	return timer;
}

static void check_rest(timer_t timer, time_t seconds, time_t interval, const char *what)
{
	struct itimerspec now;

	must(timer_gettime(timer, &now));
	check(now.it_interval.tv_sec == interval, "the %s timer's interval is %ld s", what,
	      (long)now.it_interval.tv_sec);
	check(now.it_value.tv_sec <= seconds && now.it_value.tv_sec > seconds - 30000,
	      "the %s timer has %ld s left", what, (long)now.it_value.tv_sec);
}

static void run(void)
{
	struct sigaction action = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerspec disarmed;
	timer_t timers[6];
	timer_t deleted;
	int before;

	must(sigaction(SIGRTMIN + 3, &action, NULL));
	timers[0] = make(CLOCK_MONOTONIC, SIGEV_NONE, 100000, 0, 7);
	deleted = make(CLOCK_MONOTONIC, SIGEV_NONE, 1, 0, 0);
	timers[1] = make(CLOCK_REALTIME, SIGEV_SIGNAL, 200000, 0, 0);
	timers[2] = make(CLOCK_BOOTTIME, SIGEV_NONE, 300000, 0, 0);
	timers[3] = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, 400000, 0, 0);
	timers[4] = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	timers[5] = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, 20000000, 0);
	must(timer_delete(deleted));
	wait_for_restore();
	check_rest(timers[0], 100000, 7, "monotonic");
	check_rest(timers[1], 200000, 0, "real-time");
	check_rest(timers[2], 300000, 0, "boot-time");
	check_rest(timers[3], 400000, 0, "CPU-time");
	must(timer_gettime(timers[4], &disarmed));
	check(disarmed.it_value.tv_sec == 0 && disarmed.it_value.tv_nsec == 0,
	      "a timer that was not armed is running");
	before = ticks;
	for (int i = 0; i < 1000 && ticks < before + 3; i++)
		sleep_ms(20);
	check(ticks >= before + 3, "a periodic timer does not tick any more");
	check(value == 1234, "its value has become %d", (int)value);
	for (int i = 0; i < 6; i++)
		must(timer_delete(timers[i]));
}
PROGRAM(timer_posix, run, .subject = "POSIX timers (timer_create) on their clocks")
