/* SPDX-License-Identifier: Apache-2.0 */
/* Times in templates: RFC 3339 in documents, Go's time.Time to users. */
#include "cli/gotemplate_internal.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/str.h"

struct moment {
	struct tm tm; /* at its own offset from UTC */
	int64_t unix_seconds;
	int nanoseconds;
	int offset; /* seconds */
};

/* What json-c's user data of a text points to. */
static const char is_time_mark;
static const char is_format_mark;
static const char is_plain_mark;

static void mark(struct json_object *value, const char *which)
{
	json_object_set_userdata(value, (void *)(uintptr_t)which, NULL);
}

static bool has_mark(struct json_object *value, const char *which)
{
	return json_object_is_type(value, json_type_string) &&
	       json_object_get_userdata(value) == which;
}

static bool read_digits(const char **p, int n, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		*ret = *ret * 10 + (**p - '0');
	}
	return true;
}

static bool read_mark(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static void read_fraction(const char **p, struct moment *m)
{
	int unit = 100000000;

	if (!read_mark(p, '.'))
		return;
	for (; isdigit((unsigned char)**p); (*p)++, unit /= 10)
		m->nanoseconds += unit * (**p - '0');
}

/* "Z", "+01:00" */
static bool read_offset(const char **p, struct moment *m)
{
	int hours;
	int minutes;
	bool is_west = **p == '-';

	if (read_mark(p, 'Z'))
		return true;
	if (!read_mark(p, '+') && !read_mark(p, '-'))
		return false;
	if (!read_digits(p, 2, &hours) || !read_mark(p, ':') || !read_digits(p, 2, &minutes))
		return false;
	m->offset = (hours * 60 + minutes) * 60 * (is_west ? -1 : 1);
	return true;
}

static bool parse(const char *text, struct moment *m)
{
	const char *p = text;
	struct tm *tm = &m->tm;

	*m = (struct moment){ 0 };
	if (!read_digits(&p, 4, &tm->tm_year) || !read_mark(&p, '-') ||
	    !read_digits(&p, 2, &tm->tm_mon) || !read_mark(&p, '-') ||
	    !read_digits(&p, 2, &tm->tm_mday) || !read_mark(&p, 'T') ||
	    !read_digits(&p, 2, &tm->tm_hour) || !read_mark(&p, ':') ||
	    !read_digits(&p, 2, &tm->tm_min) || !read_mark(&p, ':') ||
	    !read_digits(&p, 2, &tm->tm_sec))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	read_fraction(&p, m);
	if (!read_offset(&p, m) || *p)
		return false;
	m->unix_seconds = timegm(tm) - m->offset;
	return true;
}

void gt_time_mark(const char *field, struct json_object *value)
{
	static const char *const fields[] = { "Created",    "CreatedAt",  "UpdatedAt",
					      "StartedAt",  "FinishedAt", "CheckpointedAt",
					      "RestoredAt", "LastTagTime" };
	struct moment m;

	if (!json_object_is_type(value, json_type_string) || json_object_get_userdata(value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (str_eq(field, fields[i]) && parse(json_object_get_string(value), &m))
			mark(value, &is_time_mark);
}

bool gt_is_time(struct json_object *value)
{
	return has_mark(value, &is_time_mark);
}

bool gt_is_time_format(struct json_object *value)
{
	return has_mark(value, &is_format_mark);
}

struct json_object *gotemplate_plain_text(const char *text)
{
	struct json_object *value = json_object_new_string(text);

	mark(value, &is_plain_mark);
	return value;
}

/* --- text --- */

/* The letters of strftime(3), in English. */
static void add_part(struct strbuf *sb, const struct moment *m, char part)
{
	static const char *const months[] = { "January",   "February", "March",	   "April",
					      "May",	   "June",     "July",	   "August",
					      "September", "October",  "November", "December" };
	static const char *const days[] = { "Sunday",	"Monday", "Tuesday", "Wednesday",
					    "Thursday", "Friday", "Saturday" };
	const struct tm *tm = &m->tm;
	const char *month = months[(unsigned int)tm->tm_mon % 12];
	const char *day = days[(unsigned int)tm->tm_wday % 7];

	switch (part) {
	case 'B':
		strbuf_adds(sb, month);
		break;
	case 'b':
		strbuf_addf(sb, "%.3s", month);
		break;
	case 'A':
		strbuf_adds(sb, day);
		break;
	case 'a':
		strbuf_addf(sb, "%.3s", day);
		break;
	case 'Y':
		strbuf_addf(sb, "%04d", tm->tm_year + 1900);
		break;
	case 'y':
		strbuf_addf(sb, "%02d", (tm->tm_year + 1900) % 100);
		break;
	case 'j':
		strbuf_addf(sb, "%03d", tm->tm_yday + 1);
		break;
	case 'm':
		strbuf_addf(sb, "%02d", tm->tm_mon + 1);
		break;
	case 'd':
		strbuf_addf(sb, "%02d", tm->tm_mday);
		break;
	case 'e':
		strbuf_addf(sb, "%2d", tm->tm_mday);
		break;
	case 'H':
		strbuf_addf(sb, "%02d", tm->tm_hour);
		break;
	case 'I':
		strbuf_addf(sb, "%02d", tm->tm_hour % 12 ? tm->tm_hour % 12 : 12);
		break;
	case 'M':
		strbuf_addf(sb, "%02d", tm->tm_min);
		break;
	case 'S':
		strbuf_addf(sb, "%02d", tm->tm_sec);
		break;
	case 'p':
	default:
		strbuf_adds(sb, tm->tm_hour < 12 ? "AM" : "PM");
	}
}

/* As few digits as are needed, or none. */
static void add_fraction(struct strbuf *sb, const struct moment *m, size_t digits, bool is_cut)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%09d", m->nanoseconds);
	text[MIN(digits, (size_t)9)] = '\0';
	for (size_t n = strlen(text); is_cut && n > 0 && text[n - 1] == '0'; n--)
		text[n - 1] = '\0';
	if (*text)
		strbuf_addf(sb, ".%s", text);
}

static void add_offset(struct strbuf *sb, const struct moment *m, const char *colon)
{
	int minutes = abs(m->offset) / 60;

	strbuf_addf(sb, "%c%02d%s%02d", m->offset < 0 ? '-' : '+', minutes / 60, colon,
		    minutes % 60);
}

static void add_zone(struct strbuf *sb, const struct moment *m)
{
	if (m->offset)
		add_offset(sb, m, "");
	else
		strbuf_adds(sb, "UTC");
}

void gt_time_print(struct json_object *time, struct strbuf *out)
{
	struct moment m;

	if (!parse(json_object_get_string(time), &m))
		return;
	strbuf_addf(out, "%04d-%02d-%02d %02d:%02d:%02d", m.tm.tm_year + 1900, m.tm.tm_mon + 1,
		    m.tm.tm_mday, m.tm.tm_hour, m.tm.tm_min, m.tm.tm_sec);
	add_fraction(out, &m, 9, true);
	strbuf_addc(out, ' ');
	add_offset(out, &m, "");
	strbuf_addc(out, ' ');
	add_zone(out, &m);
}

/* --- methods --- */

static struct json_object *text_method(struct json_object *time, const struct moment *m,
				       const char *name)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	if (str_eq(name, "String"))
		gt_time_print(time, &sb);
	else if (str_eq(name, "Month"))
		add_part(&sb, m, 'B');
	else if (str_eq(name, "Weekday"))
		add_part(&sb, m, 'A');
	else if (str_eq(name, "Location"))
		strbuf_adds(&sb, m->offset ? "" : "UTC");
	else
		return NULL;
	return json_object_new_string(sb.buf);
}

/* A copy: the text that the document has stays a time. */
static struct json_object *copy_as(struct json_object *time, const char *which)
{
	struct json_object *copy = json_object_new_string(json_object_get_string(time));

	mark(copy, which);
	return copy;
}

struct json_object *gt_time_method(struct json_object *time, const char *name)
{
	struct moment m;
	bool parsed = parse(json_object_get_string(time), &m);
	int64_t s = m.unix_seconds;
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "Unix", s },
		/* Go's overflow as well, of its zero time. */
		{ "UnixMilli", s * 1000 + m.nanoseconds / 1000000 },
		{ "UnixMicro", s * 1000000 + m.nanoseconds / 1000 },
		{ "UnixNano", (int64_t)((uint64_t)s * 1000000000U + (uint64_t)m.nanoseconds) },
		{ "Year", m.tm.tm_year + 1900 },
		{ "Day", m.tm.tm_mday },
		{ "YearDay", m.tm.tm_yday + 1 },
		{ "Hour", m.tm.tm_hour },
		{ "Minute", m.tm.tm_min },
		{ "Second", m.tm.tm_sec },
		{ "Nanosecond", m.nanoseconds },
	};

	if (!parsed)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (str_eq(name, numbers[i].name))
			return json_object_new_int64(numbers[i].value);
	if (str_eq(name, "IsZero"))
		return json_object_new_boolean(m.tm.tm_year == 1 - 1900 && m.tm.tm_yday == 0 &&
					       m.tm.tm_hour + m.tm.tm_min + m.tm.tm_sec == 0);
	if (str_eq(name, "IsDST"))
		return json_object_new_boolean(false);
	if ((str_eq(name, "UTC") || str_eq(name, "Local")) && !m.offset)
		return json_object_get(time);
	if (str_eq(name, "Format"))
		return copy_as(time, &is_format_mark);
	return text_method(time, &m, name);
}

/* --- Format --- */

static const struct {
	const char *word;
	char part;
} words[] = {
	{ "January", 'B' }, { "Jan", 'b' }, { "Monday", 'A' }, { "Mon", 'a' }, { "2006", 'Y' },
	{ "002", 'j' },	    { "01", 'm' },  { "02", 'd' },     { "03", 'I' },  { "04", 'M' },
	{ "05", 'S' },	    { "06", 'y' },  { "15", 'H' },     { "PM", 'p' },  { "_2", 'e' },
};

/* "1", "2", "3", "4", "5": without a zero before them. */
static bool add_short(struct strbuf *sb, const struct moment *m, char c)
{
	int hour = m->tm.tm_hour % 12;

	switch (c) {
	case '1':
		strbuf_addf(sb, "%d", m->tm.tm_mon + 1);
		return true;
	case '2':
		strbuf_addf(sb, "%d", m->tm.tm_mday);
		return true;
	case '3':
		strbuf_addf(sb, "%d", hour ? hour : 12);
		return true;
	case '4':
		strbuf_addf(sb, "%d", m->tm.tm_min);
		return true;
	case '5':
		strbuf_addf(sb, "%d", m->tm.tm_sec);
		return true;
	default:
		return false;
	}
}

/* Offsets from UTC; the bytes of the layout that were one, or 0. */
static size_t add_offset_word(struct strbuf *sb, const struct moment *m, const char *p)
{
	static const char *const layouts[] = { "Z07:00", "Z0700", "-07:00", "-0700" };

	if (str_has_prefix(p, "MST")) {
		add_zone(sb, m);
		return 3;
	}
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		if (!str_has_prefix(p, layouts[i]))
			continue;
		if (*p == 'Z' && !m->offset)
			strbuf_addc(sb, 'Z');
		else
			add_offset(sb, m, strchr(layouts[i], ':') ? ":" : "");
		return strlen(layouts[i]);
	}
	return 0;
}

/* ".000" with these digits, ".999" without zeros at the end. */
static size_t add_fraction_word(struct strbuf *sb, const struct moment *m, const char *p)
{
	size_t n = *p == '.' ? strspn(p + 1, p[1] == '9' ? "9" : "0") : 0;

	if (n == 0 || isdigit((unsigned char)p[n + 1]))
		return 0;
	add_fraction(sb, m, n, p[1] == '9');
	return n + 1;
}

static size_t add_word(struct strbuf *sb, const struct moment *m, const char *p)
{
	size_t n = add_offset_word(sb, m, p);

	if (n == 0)
		n = add_fraction_word(sb, m, p);
	if (n > 0)
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_has_prefix(p, words[i].word)) {
			add_part(sb, m, words[i].part);
			return strlen(words[i].word);
		}
	if (!add_short(sb, m, *p))
		strbuf_addc(sb, *p);
	return 1;
}

struct json_object *gt_time_format(struct json_object *format, const char *layout)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct moment m;

	if (parse(json_object_get_string(format), &m))
		while (*layout)
			layout += add_word(&sb, &m, layout);
	return json_object_new_string(sb.buf);
}
