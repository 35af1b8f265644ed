/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/cpu_list.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* "7" or "0-3" at *at, which is moved behind it. */
static int next_range(const char **at, unsigned long *first, unsigned long *last)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	errno = 0;
	*first = *last = strtoul(*at, &end, 10);
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return -EINVAL;
		*last = strtoul(end + 1, &end, 10);
	}
	if (errno || *last < *first || (*end && (*end != ',' || !end[1])))
		return -EINVAL;
	*at = *end ? end + 1 : end;
	return 0;
}

/* Ranges of the list may touch or overlap, so that one that is asked for can lie in several: from where they were left off. */
static int is_range_within(unsigned long first, unsigned long last, const char *available)
{
	for (const char *at = available; *at;) {
		unsigned long from;
		unsigned long to;

		if (next_range(&at, &from, &to) < 0)
			return -EINVAL;
		if (first < from || first > to)
			continue;
		if (last <= to)
			return 1;
		first = to + 1;
		at = available;
	}
	return 0;
}

int cpu_list_is_within(const char *list, const char *available)
{
	int within = 1;

	if (!*list)
		return -EINVAL;
	for (const char *at = list; *at;) {
		unsigned long first;
		unsigned long last;
		int r = next_range(&at, &first, &last);

		if (r == 0)
			r = is_range_within(first, last, available);
		if (r < 0)
			return r;
		within = within && r;
	}
	return within;
}
