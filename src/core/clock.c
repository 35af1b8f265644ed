/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_realtime_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

uint64_t clock_now_monotonic_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

/* As gmtime_r(3), which would read the host's time zone first. Days are counted from the 1st of March of
 * the year 0, so that the leap day is the last of its year. */
static void split_utc(uint64_t seconds, struct tm *ret)
{
	uint64_t days = seconds / 86400 + 719468;
	unsigned int second = (unsigned int)(seconds % 86400);
	uint64_t era = days / 146097;
	unsigned int day_of_era = (unsigned int)(days % 146097);
	unsigned int year =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned int day = day_of_era - (365 * year + year / 4 - year / 100);
	unsigned int month = (5 * day + 2) / 153; /* 0: March */

	*ret = (struct tm){
		.tm_year = (int)(era * 400 + year) + (month >= 10) - 1900,
		.tm_mon = (int)(month < 10 ? month + 2 : month - 10),
		.tm_mday = (int)(day - (153 * month + 2) / 5) + 1,
		.tm_hour = (int)(second / 3600),
		.tm_min = (int)(second / 60 % 60),
		.tm_sec = (int)(second % 60),
	};
}

void clock_format_utc(uint64_t realtime_ns, int digits, char ret[static CLOCK_TEXT_MAX])
{
	char fraction[16];
	struct tm tm;
	size_t len;

	split_utc(realtime_ns / NSEC_PER_SEC, &tm);
	(void)snprintf(fraction, sizeof(fraction), ".%09u",
		       (unsigned int)(realtime_ns % NSEC_PER_SEC));
	if (digits < 0) {
		len = strlen(fraction);
		while (len > 1 && fraction[len - 1] == '0')
			len--;
		fraction[len == 1 ? 0 : len] = '\0';
	} else {
		fraction[digits == 0 ? 0 : digits + 1] = '\0';
	}
	len = strftime(ret, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret + len, CLOCK_TEXT_MAX - len, "%sZ", fraction);
}

int clock_ms_until(uint64_t deadline_monotonic_ns)
{
	uint64_t now = clock_now_monotonic_ns();
	uint64_t ms;

	if (now >= deadline_monotonic_ns)
		return 0;
	ms = (deadline_monotonic_ns - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void clock_sleep_ms(uint64_t ms)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)((ms % 1000) * NSEC_PER_MSEC),
	};

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}
