/* SPDX-License-Identifier: Apache-2.0 */
#include "core/strvec.h"

#include <string.h>

#include "core/alloc.h"
#include "core/strbuf.h"

void strvec_done(struct strvec *sv)
{
	for (size_t i = 0; i < sv->n; i++)
		free(sv->v[i]);
	free(sv->v);
	*sv = (struct strvec)STRVEC_INIT;
}

void strvec_add_take(struct strvec *sv, char *s)
{
	/* One more than the count is in use, for the terminating NULL. */
	sv->v = xrealloc(sv->v, sv->n + 2, sizeof(*sv->v));
	sv->v[sv->n++] = s;
	sv->v[sv->n] = NULL;
}

void strvec_add(struct strvec *sv, const char *s)
{
	strvec_add_take(sv, xstrdup(s));
}

void strvec_addf(struct strvec *sv, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strvec_add_take(sv, xvasprintf(fmt, ap));
	va_end(ap);
}

void strvec_add_all(struct strvec *sv, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strvec_add(sv, v[i]);
}

void strvec_remove(struct strvec *sv, size_t i)
{
	free(sv->v[i]);
	memmove(&sv->v[i], &sv->v[i + 1], (sv->n - i) * sizeof(*sv->v));
	sv->n--;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strvec_sort(struct strvec *sv)
{
	if (sv->n)
		qsort(sv->v, sv->n, sizeof(*sv->v), compare);
}

bool strvec_contains(const struct strvec *sv, const char *s)
{
	for (size_t i = 0; i < sv->n; i++)
		if (strcmp(sv->v[i], s) == 0)
			return true;
	return false;
}

void strvec_split(struct strvec *sv, const char *s, char sep, bool keep_empty)
{
	for (;;) {
		const char *end = strchrnul(s, sep);

		if (end > s || keep_empty)
			strvec_add_take(sv, xstrndup(s, (size_t)(end - s)));
		if (!*end)
			return;
		s = end + 1;
	}
}

char *strvec_join(const struct strvec *sv, const char *sep)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < sv->n; i++) {
		if (i)
			strbuf_adds(&sb, sep);
		strbuf_adds(&sb, sv->v[i]);
	}
	return strbuf_take(&sb);
}
