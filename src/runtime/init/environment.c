/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/rooted.h"
#include "core/str.h"

#define PASSWD_SIZE_MAX (4U << 20)

struct variable {
	const char *text; /* NAME=value; borrowed */
	size_t name_len;
	size_t place;
};

static int compare_variables(const void *a, const void *b)
{
	const struct variable *x = a;
	const struct variable *y = b;
	size_t n = MIN(x->name_len, y->name_len);
	int r = memcmp(x->text, y->text, n);

	if (r != 0)
		return r;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static bool is_same_variable(const struct variable *a, const struct variable *b)
{
	return a->name_len == b->name_len && memcmp(a->text, b->text, a->name_len) == 0;
}

static int read_variable(struct variable *ret, const char *text, size_t place, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (!equals)
		return err_set(err, ERR_INVALID,
			       "invalid environment variable '%s': there is no '=' in it", text);
	if (equals == text)
		return err_set(err, ERR_INVALID,
			       "invalid environment variable '%s': its name is empty", text);
	*ret = (struct variable){ text, (size_t)(equals - text), place };
	return 0;
}

int environment_build(struct strvec *ret, char *const *env, size_t n, const struct strvec *extra,
		      struct err *err)
{
	size_t total = n + (extra ? extra->n : 0);
	auto_free struct variable *sorted = xcalloc(total + 1, sizeof(*sorted));
	auto_free bool *is_wanted = xcalloc(total + 1, sizeof(*is_wanted));

	for (size_t i = 0; i < total; i++) {
		int r = read_variable(&sorted[i], i < n ? env[i] : extra->v[i - n], i, err);

		if (r < 0)
			return r;
	}
	qsort(sorted, total, sizeof(*sorted), compare_variables);
	for (size_t i = 0; i < total; i++)
		is_wanted[sorted[i].place] = i + 1 == total ||
					     !is_same_variable(&sorted[i], &sorted[i + 1]);
	for (size_t i = 0; i < total; i++) {
		const char *text = i < n ? env[i] : extra->v[i - n];

		if (is_wanted[i] && strcmp(text, "HOME=") != 0)
			strvec_add(ret, text);
	}
	return 0;
}

const char *environment_get(const struct strvec *env, const char *name)
{
	for (size_t i = 0; i < env->n; i++) {
		const char *rest = str_skip_prefix(env->v[i], name);

		if (rest && *rest == '=')
			return rest + 1;
	}
	return NULL;
}

/* The sixth field of a line "name:password:uid:gid:comment:home:shell" whose third is uid; cuts the
 * line into its fields. */
static char *home_in_line(char *line, uint32_t uid)
{
	char *fields[7];
	size_t n = 0;
	uint32_t value;

	while (n < ARRAY_SIZE(fields) && (fields[n] = strsep(&line, ":")))
		n++;
	if (n < 6 || parse_u32(fields[2], &value) < 0 || value != uid)
		return NULL;
	return fields[5];
}

/* A file that is missing, unreadable, absurdly large or no file at all has no entry for us. It is the
 * image's: to open a pipe would wait for ever, and a link may lead to one of our descriptors. */
static void read_passwd(struct strbuf *ret)
{
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_close int fd = -EBADF;
	struct stat st;

	if (rooted_open(&root, AT_FDCWD, "/") < 0)
		return;
	fd = rooted_openat(&root, "/etc/passwd", O_RDONLY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    io_read_all(fd, PASSWD_SIZE_MAX, ret) < 0)
		strbuf_clear(ret);
}

void environment_add_home(struct strvec *env, uint32_t uid)
{
	auto_strbuf struct strbuf passwd = STRBUF_INIT;
	const char *home = NULL;
	char *rest;
	char *line;

	if (environment_get(env, "HOME"))
		return;
	read_passwd(&passwd);
	rest = passwd.buf;
	while (!home && (line = strsep(&rest, "\n")))
		home = home_in_line(line, uid);
	strvec_addf(env, "HOME=%s", str_is_empty(home) ? "/" : home);
}
