/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/log_tail.h"

#include <ctype.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"

/* "(00.012345) " at every line; "   123: " in the lines of restored tasks. */
static const char *skip_stamp(const char *p)
{
	const char *q = p;

	if (*p == '(' && isdigit((unsigned char)p[1])) {
		q = strchr(p, ')');
		q = q ? q + 1 : p;
	}
	while (*q == ' ')
		q++;
	p = q;
	while (isdigit((unsigned char)*q))
		q++;
	if (q > p && q[0] == ':' && q[1] == ' ')
		p = q + 2;
	return p;
}

/* "Error (criu/tty.c:1861): " */
static const char *skip_level(const char *p)
{
	const char *q = str_skip_prefix(p, "Error");

	if (!q)
		q = str_skip_prefix(p, "Warn");
	if (!q)
		return p;
	while (*q == ' ')
		q++;
	if (*q != '(')
		return p;
	q = strstr(q, "): ");
	return q ? q + 3 : p;
}

char *criu_log_strip(const char *line)
{
	const char *p = skip_level(skip_stamp(line));
	size_t n = strcspn(p, "\r\n");

	while (n > 0 && p[n - 1] == ' ')
		n--;
	return xstrndup(p, n);
}

static const char *const noise[] = {
	/* Without CAP_SYS_RESOURCE; CRIU goes on with the limit that it has. */
	"Can't setup RLIMIT_NOFILE for self",
	/* /run is no tmpfs: the kernel is probed each time. */
	"criu.kdat",
};

bool criu_log_is_noise(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		if (strstr(line, noise[i]))
			return true;
	return false;
}
