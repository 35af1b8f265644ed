/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/find.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "floe-config.h"

static const char *const built_in[] = {
	FLOE_LIBDIR "/criu/bin/criu",
	"/usr/local/lib/floe/criu/bin/criu",
	"/usr/lib/floe/criu/bin/criu",
};

/* Engines and service managers give a PATH without these. */
static const char *const system_dirs[] = { "/usr/local/sbin", "/usr/sbin", "/sbin" };

bool criu_has_nftables(const char *path)
{
	static const char elf[] = "\177ELF";
	static const char library[] = "libnftables.so";
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	struct stat st;
	bool found;
	void *text;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(elf))
		return false;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return false;
	found = memcmp(text, elf, strlen(elf)) == 0 &&
		memmem(text, (size_t)st.st_size, library, strlen(library));
	(void)munmap(text, (size_t)st.st_size);
	return found;
}

/* 0, or the reason as negative errno. */
static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return -EACCES;
	return 0;
}

static void found(struct criu_location *ret, char *path, enum criu_source source)
{
	ret->path = path;
	ret->source = source;
}

/* Whether dir/name is a program; then *ret_path is it. An empty dir is the current directory. */
static bool look_in(const char *dir, size_t len, const char *name, char **ret_path)
{
	auto_free char *path = len == 0 ? xasprintf("./%s", name) :
					  xasprintf("%.*s/%s", (int)len, dir, name);

	if (check_program(path) < 0)
		return false;
	*ret_path = take_ptr(path);
	return true;
}

static bool look_on_path(const struct criu_find_opts *opts, const char *name, char **ret_path)
{
	const char *p = opts->search_path ? opts->search_path : getenv("PATH");

	while (p && *p) {
		size_t len = strcspn(p, ":");

		if (look_in(p, len, name, ret_path))
			return true;
		p += len;
		if (*p == ':')
			p++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(system_dirs); i++) {
		auto_free char *dir =
			xasprintf("%s%s", opts->prefix ? opts->prefix : "", system_dirs[i]);

		if (look_in(dir, strlen(dir), name, ret_path))
			return true;
	}
	return false;
}

static int use_named(struct criu_location *ret, const struct criu_find_opts *opts,
		     const char *named, enum criu_source source, struct err *err)
{
	const char *where = source == CRIU_FROM_OPTION ? "option --criu" : "the configuration file";
	char *path;
	int r;

	if (!strchr(named, '/')) {
		if (!look_on_path(opts, named, &path))
			return err_set(err, ERR_NOT_FOUND,
				       "find criu: '%s', which %s names, is not on PATH", named,
				       where);
		found(ret, path, source);
		return 0;
	}
	r = check_program(named);
	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND,
			       "find criu: '%s', which %s names, does not exist", named, where);
	if (r < 0)
		return err_sys(err, r, "find criu: run '%s', which %s names", named, where);
	found(ret, xstrdup(named), source);
	return 0;
}

static bool look_at_built_in(struct criu_location *ret, const struct criu_find_opts *opts,
			     struct strvec *looked_at)
{
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++) {
		auto_free char *path =
			xasprintf("%s%s", opts->prefix ? opts->prefix : "", built_in[i]);

		if (strvec_contains(looked_at, path))
			continue;
		if (check_program(path) == 0) {
			found(ret, take_ptr(path), CRIU_FROM_BUILT_IN);
			return true;
		}
		strvec_add(looked_at, path);
	}
	return false;
}

int criu_find(struct criu_location *ret, const struct criu_find_opts *opts, struct err *err)
{
	auto_strvec struct strvec looked_at = STRVEC_INIT;
	auto_free char *list = NULL;
	char *path;

	if (!str_is_empty(opts->option))
		return use_named(ret, opts, opts->option, CRIU_FROM_OPTION, err);
	if (!str_is_empty(opts->configured))
		return use_named(ret, opts, opts->configured, CRIU_FROM_CONFIG, err);
	if (look_at_built_in(ret, opts, &looked_at))
		return 0;
	if (look_on_path(opts, "criu", &path)) {
		found(ret, path, CRIU_FROM_PATH);
		return 0;
	}
	list = strvec_join(&looked_at, ", ");
	return err_set(
		err, ERR_UNSUPPORTED,
		"find criu: not at %s, nor on PATH; run tools/install-deps, install criu 3.15 "
		"or newer, or name it with --criu PATH",
		list);
}

void criu_location_done(struct criu_location *location)
{
	free(location->path);
	*location = (struct criu_location){ 0 };
}

const char *criu_source_to_string(enum criu_source source)
{
	switch (source) {
	case CRIU_FROM_OPTION:
		return "option";
	case CRIU_FROM_CONFIG:
		return "configuration";
	case CRIU_FROM_BUILT_IN:
		return "built-in";
	case CRIU_FROM_PATH:
		return "PATH";
	}
	return "unknown";
}
