/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mount/option.h"

#include <sys/mount.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "kernel/mountflags.h"

void mount_options_done(struct mount_options *o)
{
	free(o->propagation);
	free(o->idmap_uids);
	free(o->idmap_gids);
	strvec_done(&o->data);
	*o = (struct mount_options)MOUNT_OPTIONS_INIT;
}

/* A later option overrides an earlier one that says the opposite. */
static void apply_plain(struct mount_options *o, const struct mountflag_word *word)
{
	unsigned long flag = (unsigned long)word->flag;

	if (word->clear) {
		o->set &= ~flag;
		o->cleared |= flag;
	} else {
		o->set |= flag;
		o->cleared &= ~flag;
	}
}

static void apply_recursive(struct mount_options *o, const struct mountflag_word *word)
{
	uint64_t atime = MOUNT_ATTR__ATIME;
	bool is_atime = (word->flag & ~atime) == 0;

	/* The access times are one field: setting or clearing one of its values replaces all of it
	 * (mount_setattr(2)). MOUNT_ATTR_RELATIME is 0, so there is nothing to clear in it. */
	if (is_atime && (word->flag || !word->clear)) {
		o->rec_set &= ~atime;
		o->rec_clear |= atime;
	}
	if (word->clear) {
		o->rec_set &= ~word->flag;
		o->rec_clear |= is_atime ? 0 : word->flag;
	} else {
		o->rec_set |= word->flag;
		o->rec_clear &= ~(is_atime ? 0 : word->flag);
	}
}

/* "A-B-N" or "@A-B-N". */
static int parse_range(const char *text, struct mount_idmap_range *ret)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	ret->relative = text[0] == '@';
	strvec_split(&parts, text + ret->relative, '-', true);
	if (parts.n != 3 || parse_u32(parts.v[0], &ret->inside) < 0 ||
	    parse_u32(parts.v[1], &ret->outside) < 0 || parse_u32(parts.v[2], &ret->size) < 0 ||
	    ret->size == 0)
		return -EINVAL;
	return 0;
}

static int parse_ranges(const char *text, struct mount_idmap_range **ranges, size_t *n)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, text, '#', true);
	for (size_t i = 0; i < parts.n; i++)
		if (parse_range(parts.v[i], array_push(*ranges, *n)) < 0)
			return -EINVAL;
	return 0;
}

/* "uids=A-B-N#A-B-N;gids=A-B-N", the value of crun's idmap option. */
static int parse_idmap(struct mount_options *o, const char *text)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, text, ';', false);
	for (size_t i = 0; i < parts.n; i++) {
		const char *value;
		int r = -EINVAL;

		if ((value = str_skip_prefix(parts.v[i], "uids=")))
			r = parse_ranges(value, &o->idmap_uids, &o->n_idmap_uids);
		else if ((value = str_skip_prefix(parts.v[i], "gids=")))
			r = parse_ranges(value, &o->idmap_gids, &o->n_idmap_gids);
		if (r < 0)
			return r;
	}
	return o->n_idmap_uids && o->n_idmap_gids ? 0 : -EINVAL;
}

static int apply_idmap(struct mount_options *o, const char *option, struct err *err)
{
	const char *value = strchr(option, '=');

	o->idmap = option[0] == 'r' ? MOUNT_IDMAP_RECURSIVE : MOUNT_IDMAP;
	if (value && parse_idmap(o, value + 1) < 0)
		return err_set(err, ERR_INVALID,
			       "option '%s': expected 'idmap=uids=ID-ID-COUNT#...;gids=ID-ID-COUNT'"
			       " (id in the source, id on the host, number of ids)",
			       option);
	return 0;
}

static bool is_idmap(const char *option)
{
	option += option[0] == 'r';
	return strcmp(option, "idmap") == 0 || str_has_prefix(option, "idmap=");
}

/* Cut at commas, as mount(2) does, but not within quotes (security labels have commas) nor behind a
 * backslash (so has overlay's lowerdir). */
static void add_data(struct strvec *data, const char *text)
{
	bool quoted = false;

	for (;;) {
		size_t len;

		for (len = 0; text[len] && (quoted || text[len] != ','); len++) {
			if (text[len] == '"')
				quoted = !quoted;
			else if (text[len] == '\\' && text[len + 1])
				len++;
		}
		if (len)
			strvec_add_take(data, xstrndup(text, len));
		if (!text[len])
			return;
		text += len + 1;
	}
}

static int apply(struct mount_options *o, const char *option, struct err *err)
{
	const struct mountflag_word *word;

	if ((word = mountflags_find(&mountflags_plain, option)))
		apply_plain(o, word);
	else if ((word = mountflags_find(&mountflags_propagation, option)))
		*array_push(o->propagation, o->n_propagation) = (unsigned long)word->flag;
	else if ((word = mountflags_find(&mountflags_recursive, option)))
		apply_recursive(o, word);
	else if (is_idmap(option))
		return apply_idmap(o, option, err);
	else if (strcmp(option, "tmpcopyup") == 0)
		o->tmpcopyup = true;
	else if (strcmp(option, "copy-symlink") == 0)
		o->copy_symlink = true;
	else if (strcmp(option, "src-nofollow") == 0)
		o->src_nofollow = true;
	else if (strcmp(option, "dest-nofollow") == 0)
		o->dest_nofollow = true;
	else
		add_data(&o->data, option);
	return 0;
}

int mount_options_parse(struct mount_options *ret, char *const *options, size_t n, struct err *err)
{
	*ret = (struct mount_options)MOUNT_OPTIONS_INIT;
	for (size_t i = 0; i < n; i++) {
		int r = apply(ret, options[i], err);

		if (r < 0) {
			mount_options_done(ret);
			return r;
		}
	}
	if (ret->copy_symlink && (ret->src_nofollow || ret->dest_nofollow)) {
		const char *other = ret->src_nofollow ? "src-nofollow" : "dest-nofollow";

		mount_options_done(ret);
		return err_set(err, ERR_INVALID,
			       "options 'copy-symlink' and '%s' exclude each other; drop one",
			       other);
	}
	return 0;
}
