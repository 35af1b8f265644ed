/* SPDX-License-Identifier: Apache-2.0 */
/* -v, --mount and --tmpfs. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "cli/floe/create_options.h"
#include "core/alloc.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"

static struct container_mount *push(struct container_config *c, const char *type)
{
	struct container_mount *m = array_push(c->mounts, c->n_mounts);

	m->type = xstrdup(type);
	return m;
}

static void option(struct container_mount *m, const char *text)
{
	/* Of Docker for other systems, and nothing that a runtime knows. */
	if (str_eq(text, "cached") || str_eq(text, "delegated"))
		return;
	json_strings_add(&m->options, &m->n_options, text);
}

static void options(struct container_mount *m, const char *list)
{
	auto_free char *copy = xstrdup(list);
	char *rest = copy;
	char *word;

	while ((word = strsep(&rest, ",")))
		if (*word)
			option(m, word);
}

static int set_destination(struct container_mount *m, const char *path, const char *what,
			   struct err *err)
{
	if (path[0] != '/')
		return err_set(err, ERR_INVALID,
			       "%s: invalid container path \"%s\", must be an absolute path", what,
			       path);
	replace_ptr(m->destination, path_clean(path));
	return 0;
}

/* Anything with a slash, or a dot in front, is a place of the host; else a volume's name. */
static bool is_host_path(const char *source)
{
	return source[0] == '/' || source[0] == '.' || strchr(source, '/');
}

/* As podman, which knows what it takes and takes each kind once. */
static int check_volume_options(const char *list, struct err *err)
{
	static const struct {
		const char *words[9];
		const char *name;
	} kinds[] = {
		{ { "rw", "ro" }, "'rw' or 'ro'" },
		{ { "exec", "noexec" }, "'noexec' or 'exec'" },
		{ { "dev", "nodev" }, "'nodev' or 'dev'" },
		{ { "suid", "nosuid" }, "'nosuid' or 'suid'" },
		{ { "bind", "rbind" }, "'[r]bind'" },
		{ { "copy", "nocopy" }, "'copy' or 'nocopy'" },
		{ { "z", "Z", "O" }, "'z', 'Z', or 'O'" },
		{ { "U" }, "'U'" },
		{ { "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable",
		    "runbindable" },
		  "'[r]shared', '[r]private', '[r]slave' or '[r]unbindable'" },
	};
	static const char *const others[] = { "idmap",	 "cached",   "delegated",  "no-dereference",
					      "noatime", "relatime", "nodiratime", NULL };
	static const char *const prefixes[] = { "idmap=", "upperdir=", "workdir=" };
	auto_strvec struct strvec words = STRVEC_INIT;
	unsigned int seen[ARRAY_SIZE(kinds)] = { 0 };
	bool is_overlay;

	strvec_split(&words, list, ',', false);
	is_overlay = strvec_contains(&words, "O");
	for (size_t i = 0; i < words.n; i++) {
		bool known = str_is_one_of(words.v[i], others);

		for (size_t k = 0; k < ARRAY_SIZE(prefixes); k++)
			known = known || str_has_prefix(words.v[i], prefixes[k]);
		if (!is_overlay && (str_has_prefix(words.v[i], "upperdir=") ||
				    str_has_prefix(words.v[i], "workdir=")))
			return err_set(err, ERR_INVALID, "volume option '%s' needs the option O",
				       words.v[i]);
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			if (!str_is_one_of(words.v[i], kinds[k].words))
				continue;
			known = true;
			if (seen[k]++ > 0)
				return err_set(
					err, ERR_INVALID,
					"invalid options \"%s\", can only specify 1 %s option",
					list, kinds[k].name);
		}
		if (!known)
			return err_set(err, ERR_INVALID, "invalid option type \"%s\"", words.v[i]);
	}
	return 0;
}

/* [SOURCE:]TARGET[:OPTIONS] */
static int apply_volume(const char *text, struct container_config *c, struct err *err)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	struct container_mount *m;
	const char *target;

	strvec_split(&parts, text, ':', true);
	if (parts.n == 0 || parts.n > 3 || !parts.v[0][0])
		return err_set(err, ERR_INVALID, "volume '%s': expected [SOURCE:]TARGET[:OPTIONS]",
			       text);
	target = parts.n == 1 ? parts.v[0] : parts.v[1];
	if (parts.n > 1 && is_host_path(parts.v[0])) {
		m = push(c, "bind");
		m->source = path_absolute(parts.v[0], NULL);
	} else {
		m = push(c, "volume");
		m->source = parts.n > 1 ? xstrdup(parts.v[0]) : NULL;
		m->anonymous = !m->source;
	}
	if (parts.n > 2) {
		int r = check_volume_options(parts.v[2], err);

		if (r < 0)
			return r;
		options(m, parts.v[2]);
	}
	return set_destination(m, target, "volume", err);
}

/* What the kernel would refuse only when the container is started. */
static int check_tmpfs_options(const struct container_mount *m, struct err *err)
{
	static const char *const words[] = { "rw",	    "ro",	   "suid",     "nosuid",
					     "dev",	    "nodev",	   "exec",     "noexec",
					     "private",	    "rprivate",	   "shared",   "rshared",
					     "slave",	    "rslave",	   "U",	       "unbindable",
					     "runbindable", "noatime",	   "relatime", "nodiratime",
					     "atime",	    "strictatime", "sync",     "dirsync",
					     "tmpcopyup",   "notmpcopyup", "noswap",   NULL };
	static const char *const prefixes[] = { "size=",      "mode=", "uid=",	"gid=",
						"nr_inodes=", "huge=", "mpol=", "nr_blocks=" };

	for (size_t i = 0; i < m->n_options; i++) {
		bool known = str_is_one_of(m->options[i], words);

		for (size_t k = 0; k < ARRAY_SIZE(prefixes); k++)
			known = known || str_has_prefix(m->options[i], prefixes[k]);
		if (!known)
			return err_set(
				err, ERR_INVALID,
				"tmpfs '%s': unknown mount option \"%s\": invalid mount option",
				m->destination, m->options[i]);
	}
	return 0;
}

static int apply_tmpfs(const char *text, struct container_config *c, struct err *err)
{
	const char *colon = strchr(text, ':');
	auto_free char *target = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	struct container_mount *m = push(c, "tmpfs");

	if (colon)
		options(m, colon + 1);
	if (set_destination(m, target, "tmpfs", err) < 0)
		return err->code;
	return check_tmpfs_options(m, err);
}

/* --- --mount ---------------------------------------------------------------------------------------- */

/* Words of which --mount takes one. */
static const struct {
	const char *words[5];
	const char *name;
} once[] = {
	{ { "readonly", "ro", "rw", "readwrite" }, "'readonly', 'ro', or 'rw'" },
	{ { "nosuid", "suid" }, "'nosuid' and 'suid'" },
	{ { "nodev", "dev" }, "'nodev' and 'dev'" },
	{ { "noexec", "exec" }, "'noexec' and 'exec'" },
	{ { "tmpcopyup", "notmpcopyup" }, "'tmpcopyup' and 'notmpcopyup'" },
	{ { "z", "Z", "relabel" }, "'z', 'Z', and 'relabel'" },
	{ { "U", "chown" }, "'U' or 'chown'" },
};

#define N_ONCE ARRAY_SIZE(once)

struct mount_words {
	const char *type;
	const char *source;
	const char *target;
	struct strvec options;
	const char *subpath;
	bool read_only;
	bool writable;
	unsigned int seen[N_ONCE];
};

/* Words that are options of the mount as they are. */
static bool is_plain_option(const char *key)
{
	static const char *const plain[] = {
		"nosuid",     "suid",	     "nodev",	   "dev",     "noexec",	   "exec",
		"private",    "rprivate",    "shared",	   "rshared", "slave",	   "rslave",
		"unbindable", "runbindable", "bind",	   "rbind",   "tmpcopyup", "notmpcopyup",
		"noatime",    "relatime",    "nodiratime", "nocopy",  "copy",	   "no-dereference",
		"z",	      "Z",
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (str_eq(key, plain[i]))
			return true;
	return false;
}

/* Of a word that may stand alone: true without a value. */
static int parse_switch(const char *key, const char *value, bool *ret, struct err *err)
{
	*ret = true;
	if (value && parse_bool(value, ret) < 0)
		return err_set(err, ERR_INVALID, "mount option '%s=%s': expected true or false",
			       key, value);
	return 0;
}

static int take_relabel(struct mount_words *w, const char *value, struct err *err)
{
	if (!str_eq(value, "private") && !str_eq(value, "shared"))
		return err_set(err, ERR_INVALID,
			       "relabel mount option must be 'private' or 'shared': invalid mount "
			       "option");
	strvec_add(&w->options, str_eq(value, "private") ? "Z" : "z");
	return 0;
}

static int take_propagation(struct mount_words *w, const char *value, struct err *err)
{
	static const char *const kinds[] = { "private",	   "rprivate",	  "shared",
					     "rshared",	   "slave",	  "rslave",
					     "unbindable", "runbindable", NULL };

	if (!str_is_one_of(value, kinds))
		return err_set(
			err, ERR_INVALID,
			"--mount: bind-propagation '%s': expected '[r]shared', '[r]private', "
			"'[r]slave' or '[r]unbindable'",
			value);
	strvec_add(&w->options, value);
	return 0;
}

static int check_once(struct mount_words *w, const char *key, struct err *err)
{
	for (size_t i = 0; i < N_ONCE; i++)
		if (str_is_one_of(key, once[i].words) && w->seen[i]++ > 0)
			return err_set(err, ERR_INVALID,
				       "--mount: cannot pass %s mount options more than once",
				       once[i].name);
	return 0;
}

static int take_option(struct mount_words *w, const char *key, const char *value, struct err *err)
{
	bool writes = str_eq(key, "rw") || str_eq(key, "readwrite");
	bool on = true;
	int r = check_once(w, key, err);

	if (r < 0)
		return r;
	if (is_plain_option(key) && !value) {
		strvec_add(&w->options, key);
	} else if (writes || str_eq(key, "ro") || str_eq(key, "readonly")) {
		r = parse_switch(key, value, &on, err);
		if (r == 0)
			strvec_add(&w->options, writes == on ? "rw" : "ro");
	} else if (str_eq(key, "U") || str_eq(key, "chown")) {
		r = parse_switch(key, value, &on, err);
		if (r == 0 && on)
			strvec_add(&w->options, "U");
	} else if (str_eq(key, "bind-propagation") && value) {
		r = take_propagation(w, value, err);
	} else if (str_eq(key, "bind-nonrecursive")) {
		strvec_add(&w->options, "bind-nonrecursive");
	} else if ((str_eq(key, "tmpfs-size") || str_eq(key, "size")) && value) {
		strvec_addf(&w->options, "size=%s", value);
	} else if ((str_eq(key, "tmpfs-mode") || str_eq(key, "mode")) && value) {
		strvec_addf(&w->options, "mode=%s", value);
	} else if ((str_eq(key, "uid") || str_eq(key, "gid") || str_eq(key, "max")) && value) {
		strvec_addf(&w->options, "%s=%s", key, value);
	} else if (str_eq(key, "relabel") && value) {
		r = take_relabel(w, value, err);
	} else if (str_eq(key, "idmap")) {
		strvec_addf(&w->options, "idmap%s%s", value ? "=" : "", value ? value : "");
	} else if (str_eq(key, "consistency") && value) {
		/* Of Docker for other systems. */
	} else {
		return err_set(err, ERR_UNSUPPORTED, "--mount: option '%s' is not supported", key);
	}
	return r;
}

static int take_word(struct mount_words *w, char *word, struct err *err)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (str_eq(word, "type"))
		w->type = value;
	else if (str_eq(word, "source") || str_eq(word, "src"))
		w->source = value;
	else if (str_eq(word, "target") || str_eq(word, "dst") || str_eq(word, "destination"))
		w->target = value;
	else if (str_eq(word, "subpath") || str_eq(word, "volume-subpath"))
		w->subpath = value;
	else
		return take_option(w, word, value, err);
	return value ? 0 : err_set(err, ERR_INVALID, "--mount: '%s' needs a value", word);
}

/* A bind for each file that matches now, below the target or where it is on the host. */
static int glob_to_mounts(const struct mount_words *w, struct container_config *c, struct err *err)
{
	auto_free char *pattern = str_is_empty(w->source) ? NULL : path_absolute(w->source, NULL);
	glob_t found;
	int r = 0;

	if (!pattern)
		return err_set(err, ERR_INVALID, "--mount: type=glob needs source=");
	if (glob(pattern, 0, NULL, &found) != 0)
		return err_set(err, ERR_NOT_FOUND, "--mount: nothing matches '%s'", pattern);
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		struct container_mount *m = push(c, "bind");
		auto_free char *target = str_is_empty(w->target) ?
						 xstrdup(path) :
						 path_join(w->target, path_basename(path));

		m->source = xstrdup(path);
		for (size_t k = 0; k < w->options.n; k++)
			option(m, w->options.v[k]);
		r = set_destination(m, target, "--mount", err);
	}
	globfree(&found);
	return r;
}

static int words_to_mount(const struct mount_words *w, struct container_config *c, struct err *err)
{
	static const char *const types[] = {
		"bind", "volume", "tmpfs", "ramfs", "devpts", "image"
	};
	const char *type = w->type ? w->type : "volume";
	struct container_mount *m = NULL;

	if (str_eq(type, "glob"))
		return glob_to_mounts(w, c, err);
	if (str_is_empty(w->target))
		return err_set(err, ERR_INVALID, "--mount: must set volume destination (target=)");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(type, types[i]))
			m = push(c, type);
	if (!m)
		return err_set(err, ERR_UNSUPPORTED, "--mount: type '%s' is not supported", type);
	if (str_eq(type, "bind")) {
		if (str_is_empty(w->source))
			return err_set(err, ERR_INVALID, "--mount: type=bind needs source=");
		m->source = path_absolute(w->source, NULL);
	} else if (str_eq(type, "image")) {
		if (str_is_empty(w->source))
			return err_set(err, ERR_INVALID, "--mount: type=image needs source=");
		m->source = xstrdup(w->source);
		m->subpath = xstrdup(w->subpath);
	} else if (str_eq(type, "volume")) {
		m->source = str_is_empty(w->source) ? NULL : xstrdup(w->source);
		m->anonymous = !m->source;
		m->subpath = xstrdup(w->subpath);
	} else if (w->source) {
		return err_set(err, ERR_INVALID, "--mount: type=%s takes no source", type);
	}
	if (w->subpath && !m->subpath)
		return err_set(err, ERR_INVALID,
			       "--mount: cannot set option \"subpath\" on non-volume mounts");
	for (size_t i = 0; i < w->options.n; i++)
		option(m, w->options.v[i]);
	return set_destination(m, w->target, "--mount", err);
}

static int apply_mount(const char *text, struct container_config *c, struct err *err)
{
	struct mount_words w = { 0 };
	auto_free char *copy = xstrdup(text);
	char *rest = copy;
	char *word;
	int r = 0;

	while (r == 0 && (word = strsep(&rest, ",")))
		if (*word)
			r = take_word(&w, word, err);
	if (r == 0)
		r = words_to_mount(&w, c, err);
	strvec_done(&w.options);
	return r;
}

int mount_options_apply(const struct create_options *o, struct container_config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->volumes.n; i++)
		r = apply_volume(o->volumes.v[i], c, err);
	for (size_t i = 0; r == 0 && i < o->mounts.n; i++)
		r = apply_mount(o->mounts.v[i], c, err);
	for (size_t i = 0; r == 0 && i < o->tmpfs.n; i++)
		r = apply_tmpfs(o->tmpfs.v[i], c, err);
	return r;
}
