/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/signals.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/parse.h"
#include "core/str.h"

/* Other names that signal(7) gives; the C library's sigabbrev_np() knows the usual ones. */
static const struct {
	const char *name;
	int sig;
} aliases[] = {
	{ "IOT", SIGIOT },   { "CLD", SIGCHLD },   { "IO", SIGIO },
	{ "POLL", SIGPOLL }, { "UNUSED", SIGSYS },
};

static int real_time_from_string(const char *s)
{
	bool from_min = strncasecmp(s, "RTMIN", 5) == 0;
	uint32_t offset = 0;

	if (!from_min && strncasecmp(s, "RTMAX", 5) != 0)
		return -EINVAL;
	s += 5;
	if (*s) {
		if (*s != (from_min ? '+' : '-') || parse_u32(s + 1, &offset) < 0)
			return -EINVAL;
		if (offset > (uint32_t)(SIGRTMAX - SIGRTMIN))
			return -EINVAL;
	}
	return from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int signals_from_string(const char *s)
{
	uint32_t number;

	if (isdigit((unsigned char)*s))
		return parse_u32(s, &number) == 0 && number <= (uint32_t)SIGRTMAX ? (int)number :
										    -EINVAL;
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	for (int sig = 1; sig < NSIG; sig++) {
		const char *name = sigabbrev_np(sig);

		if (name && strcasecmp(name, s) == 0)
			return sig;
	}
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcasecmp(aliases[i].name, s) == 0)
			return aliases[i].sig;
	return real_time_from_string(s);
}

void signals_to_string(int sig, char ret[static SIGNALS_NAME_MAX])
{
	const char *name = sigabbrev_np(sig);

	if (sig > 0 && name)
		(void)snprintf(ret, SIGNALS_NAME_MAX, "SIG%s", name);
	else if (sig == SIGRTMIN)
		(void)snprintf(ret, SIGNALS_NAME_MAX, "SIGRTMIN");
	else if (sig > SIGRTMIN && sig <= SIGRTMAX)
		(void)snprintf(ret, SIGNALS_NAME_MAX, "SIGRTMIN+%d", sig - SIGRTMIN);
	else
		(void)snprintf(ret, SIGNALS_NAME_MAX, "%d", sig);
}
