/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* The configuration sets the clocks ahead by a day and by a week. */
#define DAY_MS (24 * 3600 * 1000ll)

static void child(void *argument)
{
	const int64_t *was = argument;

	check(now_ms(CLOCK_MONOTONIC) >= was[0] && now_ms(CLOCK_BOOTTIME) >= was[1],
	      "a new process has other clocks");
}

static void run(void)
{
	int64_t was[2] = { now_ms(CLOCK_MONOTONIC), now_ms(CLOCK_BOOTTIME) };
	char text[256];

	check(was[0] > DAY_MS && was[1] > 7 * DAY_MS, "the clocks are at %lld and %lld",
	      (long long)was[0], (long long)was[1]);
	wait_for_restore();
	check(now_ms(CLOCK_MONOTONIC) >= was[0] && now_ms(CLOCK_MONOTONIC) < was[0] + DAY_MS / 2,
	      "the monotonic clock is at %lld instead of %lld", (long long)now_ms(CLOCK_MONOTONIC),
	      (long long)was[0]);
	check(now_ms(CLOCK_BOOTTIME) >= was[1] && now_ms(CLOCK_BOOTTIME) < was[1] + DAY_MS / 2,
	      "the boot-time clock is at %lld instead of %lld", (long long)now_ms(CLOCK_BOOTTIME),
	      (long long)was[1]);
	must_end(spawn(child, was), 0);
	check(read_file("/proc/uptime", text, sizeof(text)) > 0 &&
		      strtoll(text, NULL, 10) >= was[1] / 1000,
	      "the uptime is %s", text);
}
PROGRAM(time_offsets, run, .subject = "offsets of a time namespace (`linux.timeOffsets`)",
	.container = "timens")
