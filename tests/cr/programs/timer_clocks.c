/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <sys/resource.h>
#include <sys/times.h>

#define MAX_STEP_MS 5000

/* The clocks of the boot go on from where they were frozen: neither back nor ahead. */
static void burn(void)
{
	int64_t until = now_ms(CLOCK_PROCESS_CPUTIME_ID) + 20;

	while (now_ms(CLOCK_PROCESS_CPUTIME_ID) < until)
		continue;
}

static void run(void)
{
	/* The first and the last to be read: a wait for the CPU in between is real time, too. */
	int64_t real = now_ms(CLOCK_REALTIME);
	int64_t monotonic = now_ms(CLOCK_MONOTONIC);
	int64_t boot = now_ms(CLOCK_BOOTTIME);

	burn();
	wait_for_restore();
	monotonic = now_ms(CLOCK_MONOTONIC) - monotonic;
	boot = now_ms(CLOCK_BOOTTIME) - boot;
	real = now_ms(CLOCK_REALTIME) - real;
	check(monotonic >= 0, "the monotonic clock has gone back by %lld ms",
	      (long long)-monotonic);
	check(boot >= 0, "the boot-time clock has gone back by %lld ms", (long long)-boot);
	/* They may stand still while frozen; and the machine may set its real-time clock. */
	check(monotonic <= real + MAX_STEP_MS, "the monotonic clock is %lld ms ahead",
	      (long long)(monotonic - real));
	check(boot <= real + MAX_STEP_MS, "the boot-time clock is %lld ms ahead",
	      (long long)(boot - real));
	check(now_ms(CLOCK_PROCESS_CPUTIME_ID) >= 0, "the CPU-time clock is negative");
}

PROGRAM(timer_clocks, run,
	.subject = "monotonic and boot-time clocks, which go on from the moment of the freeze",
	.note = "CPU times and other accounting start again at zero")
