/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/human.h"

#include <string.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/clock.h"
#include "core/macro.h"

static char *scale(uint64_t bytes, double step, const char *const units[static 7], int digits,
		   const char *gap)
{
	double value = (double)bytes;
	size_t i = 0;

	while (value >= step && i + 1 < 7) {
		value /= step;
		i++;
	}
	return xasprintf("%.*g%s%s", digits, value, gap, units[i]);
}

char *human_size(uint64_t bytes, int digits, const char *gap)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };

	return scale(bytes, 1000, units, digits, gap);
}

char *human_size_binary(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	return scale(bytes, 1024, units, 4, "");
}

/* The steps of docker's go-units, which this field's tables have. */
char *human_since(uint64_t realtime_ns)
{
	uint64_t now = clock_now_realtime_ns();
	uint64_t seconds = now > realtime_ns ? (now - realtime_ns) / NSEC_PER_SEC : 0;
	uint64_t minutes = seconds / 60;
	uint64_t hours = (minutes + 30) / 60;

	if (seconds < 1)
		return xstrdup("Less than a second");
	if (seconds == 1)
		return xstrdup("1 second");
	if (seconds < 60)
		return xasprintf("%u seconds", (unsigned int)seconds);
	if (minutes == 1)
		return xstrdup("About a minute");
	if (minutes < 60)
		return xasprintf("%u minutes", (unsigned int)minutes);
	if (hours == 1)
		return xstrdup("About an hour");
	if (hours < 48)
		return xasprintf("%u hours", (unsigned int)hours);
	if (hours < 24 * 7 * 2)
		return xasprintf("%u days", (unsigned int)(hours / 24));
	if (hours < 24 * 30 * 2)
		return xasprintf("%u weeks", (unsigned int)(hours / 24 / 7));
	if (hours < 24 * 365 * 2)
		return xasprintf("%u months", (unsigned int)(hours / 24 / 30));
	return xasprintf("%u years", (unsigned int)(hours / 24 / 365));
}

char *human_ago(uint64_t realtime_ns)
{
	auto_free char *since = human_since(realtime_ns);

	return realtime_ns == 0 ? xstrdup("N/A") : xasprintf("%s ago", since);
}

char *human_time(uint64_t realtime_ns, int fraction)
{
	char text[CLOCK_TEXT_MAX];

	clock_format_utc(realtime_ns, fraction, text);
	/* 2026-11-21T19:08:29Z */
	text[strcspn(text, "Z")] = '\0';
	text[strcspn(text, "T")] = ' ';
	return xasprintf("%s +0000 UTC", text);
}
