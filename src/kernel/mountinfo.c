/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mountinfo.h"

#include <errno.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"

/* The kernel writes space, tab, newline, backslash and '#' as three octal digits. */
static void unescape_in_place(char *s)
{
	char *out = strchr(s, '\\');

	if (!out)
		return;
	for (const char *in = out; *in;) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
		    in[3] >= '0' && in[3] <= '7') {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

/* Cut the next field off the line; fields are separated by single spaces and may be empty. */
static char *next_field(char **line)
{
	return strsep(line, " ");
}

static bool parse_number(const char *s, const char **ret_end, unsigned int *ret)
{
	unsigned int v = 0;

	if (!s || *s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (unsigned int)(*s - '0'), &v))
			return false;
	*ret_end = s;
	*ret = v;
	return true;
}

static bool parse_int(const char *s, int *ret)
{
	const char *end;
	unsigned int v;

	if (!parse_number(s, &end, &v) || *end || v > INT32_MAX)
		return false;
	*ret = (int)v;
	return true;
}

static bool parse_device(const char *s, struct mountinfo_entry *e)
{
	const char *end;

	return parse_number(s, &end, &e->major) && *end == ':' &&
	       parse_number(end + 1, &end, &e->minor) && !*end;
}

/* "shared:N" and so on; tags of future kernels are passed over, as proc(5) asks for. */
static bool parse_tag(const char *s, struct mountinfo_entry *e)
{
	const char *v;

	if ((v = str_skip_prefix(s, "shared:")))
		return parse_int(v, &e->shared);
	if ((v = str_skip_prefix(s, "master:")))
		return parse_int(v, &e->master);
	if ((v = str_skip_prefix(s, "propagate_from:")))
		return parse_int(v, &e->propagate_from);
	if (str_eq(s, "unbindable"))
		e->unbindable = true;
	return true;
}

/* A decoded text field, or NULL when the line has ended. */
static const char *next_text(char **line)
{
	char *field = next_field(line);

	if (field)
		unescape_in_place(field);
	return field;
}

static bool parse_line(char *line, struct mountinfo_entry *e)
{
	const char *tag;

	if (!parse_int(next_field(&line), &e->id) || !parse_int(next_field(&line), &e->parent_id) ||
	    !parse_device(next_field(&line), e))
		return false;
	e->root = next_text(&line);
	e->mount_point = next_text(&line);
	e->options = next_text(&line);
	if (!e->options)
		return false;
	for (;;) {
		tag = next_field(&line);
		if (!tag || !parse_tag(tag, e))
			return false;
		if (str_eq(tag, "-"))
			break;
	}
	e->fs_type = next_text(&line);
	e->source = next_text(&line);
	/* Some file systems print unescaped blanks in their options; what follows one is lost. */
	e->super_options = next_text(&line);
	return e->super_options;
}

/* Takes over text. */
static int parse_owned(struct mountinfo *ret, char *text)
{
	struct mountinfo mounts = { .text = text };
	char *rest = text;

	while (rest && *rest) {
		char *line = strsep(&rest, "\n");

		if (!parse_line(line, array_push(mounts.v, mounts.n))) {
			mountinfo_done(&mounts);
			return -EBADMSG;
		}
	}
	*ret = mounts;
	return 0;
}

int mountinfo_parse(struct mountinfo *ret, const char *text, size_t len)
{
	if (memchr(text, '\0', len))
		return -EBADMSG;
	return parse_owned(ret, xstrndup(text, len));
}

int mountinfo_read(struct mountinfo *ret, int dir_fd, const char *path)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	r = io_read_file_at(dir_fd, path, MOUNTINFO_TEXT_MAX, &text);
	if (r < 0)
		return r;
	if (memchr(text.buf, '\0', text.len))
		return -EBADMSG;
	return parse_owned(ret, strbuf_take(&text));
}

void mountinfo_done(struct mountinfo *mounts)
{
	free(mounts->v);
	free(mounts->text);
	*mounts = (struct mountinfo)MOUNTINFO_INIT;
}

const struct mountinfo_entry *mountinfo_find(const struct mountinfo *mounts,
					     const char *mount_point)
{
	for (size_t i = mounts->n; i-- > 0;)
		if (str_eq(mounts->v[i].mount_point, mount_point))
			return &mounts->v[i];
	return NULL;
}

const struct mountinfo_entry *mountinfo_find_containing(const struct mountinfo *mounts,
							const char *path)
{
	const struct mountinfo_entry *best = NULL;
	size_t best_len = 0;

	for (size_t i = mounts->n; i-- > 0;) {
		const struct mountinfo_entry *e = &mounts->v[i];
		size_t len = strlen(e->mount_point);

		if ((!best || len > best_len) && path_is_below(path, e->mount_point)) {
			best = e;
			best_len = len;
		}
	}
	return best;
}

const struct mountinfo_entry *mountinfo_find_id(const struct mountinfo *mounts, int id)
{
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->v[i].id == id)
			return &mounts->v[i];
	return NULL;
}

/* Whether m, which is not e, hides e's root or, mounted beside e, the way to it. */
static bool covers(const struct mountinfo_entry *m, const struct mountinfo_entry *e)
{
	bool same_place = str_eq(m->mount_point, e->mount_point);

	if (m->parent_id == e->id)
		return same_place;
	return m->parent_id == e->parent_id && !same_place &&
	       path_is_below(e->mount_point, m->mount_point);
}

bool mountinfo_is_covered(const struct mountinfo *mounts, const struct mountinfo_entry *e)
{
	const struct mountinfo_entry *from = NULL;

	/* From the mount up to the root; what was come from does not hide what it is mounted on. */
	while (e && e != from) {
		for (size_t i = 0; i < mounts->n; i++)
			if (&mounts->v[i] != e && &mounts->v[i] != from && covers(&mounts->v[i], e))
				return true;
		from = e;
		e = mountinfo_find_id(mounts, e->parent_id);
	}
	return false;
}

bool mountinfo_list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = list; len > 0 && s; s = strchr(s, ',')) {
		if (*s == ',')
			s++;
		if (strncmp(s, word, len) == 0 && (s[len] == ',' || s[len] == '\0'))
			return true;
	}
	return false;
}
