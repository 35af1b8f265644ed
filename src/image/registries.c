/* SPDX-License-Identifier: Apache-2.0 */
#include "image/registries.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "image/reference.h"
#include "image/toml.h"

#define REGISTRIES_CONF "/etc/containers/registries.conf"
#define SYSTEM_CONF "/usr/share/containers/registries.conf"
#define FILE_MAX ((size_t)4 << 20)

void registries_done(struct registries *r)
{
	strvec_done(&r->search);
	json_string_map_done(&r->aliases);
	free(r->short_name_mode);
	strvec_done(&r->insecure);
	strvec_done(&r->blocked);
	*r = (struct registries){ 0 };
}

/* --- files --- */

struct loading {
	struct registries *r;
	char *prefix; /* of the [[registry]] that is being read */
};

static void take_search(struct loading *l, const struct toml_value *value)
{
	strvec_done(&l->r->search);
	for (size_t i = 0; i < value->list.n; i++)
		strvec_add(&l->r->search, value->list.v[i]);
}

static int on_value(void *context, const char *table, bool is_new_table, const char *key,
		    const struct toml_value *value)
{
	struct loading *l = context;

	if (is_new_table)
		replace_ptr(l->prefix, NULL);
	if (!key)
		return 0;
	if (str_eq(table, "aliases")) {
		if (value->kind != TOML_STRING)
			return -EINVAL;
		json_string_map_set(&l->r->aliases, key, value->text);
	} else if (str_eq(table, "registry")) {
		if ((str_eq(key, "prefix") || (str_eq(key, "location") && !l->prefix)) &&
		    value->kind == TOML_STRING)
			replace_ptr(l->prefix, xstrdup(value->text));
		else if (str_eq(key, "insecure") && value->kind == TOML_BOOL && value->boolean)
			strvec_add(&l->r->insecure, l->prefix ? l->prefix : "");
		else if (str_eq(key, "blocked") && value->kind == TOML_BOOL && value->boolean)
			strvec_add(&l->r->blocked, l->prefix ? l->prefix : "");
	} else if (!*table && str_eq(key, "unqualified-search-registries")) {
		if (value->kind != TOML_LIST)
			return -EINVAL;
		take_search(l, value);
	} else if (!*table && str_eq(key, "short-name-mode")) {
		if (value->kind != TOML_STRING)
			return -EINVAL;
		replace_ptr(l->r->short_name_mode, xstrdup(value->text));
	}
	return 0;
}

/* -ENOENT without *err. */
static int load_file(struct registries *r, const char *path, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct loading loading = { .r = r };
	int result = io_read_file_at(AT_FDCWD, path, FILE_MAX, &text);

	if (result == -ENOENT)
		return result;
	if (result < 0)
		return err_sys(err, result, "read '%s'", path);
	result = toml_read(text.buf, path, on_value, &loading, err);
	free(loading.prefix);
	return result;
}

static int load_dropins(struct registries *r, const char *path, struct err *err)
{
	auto_free char *dir = xasprintf("%s.d", path);
	auto_strvec struct strvec files = STRVEC_INIT;
	int result = fs_list_paths(dir, ".conf", &files);

	if (result < 0)
		return result == -ENOENT ? 0 : err_sys(err, result, "read '%s'", dir);
	for (size_t i = 0; result >= 0 && i < files.n; i++)
		result = load_file(r, files.v[i], err);
	return MIN(result, 0);
}

int registries_load(struct registries *ret, const char *path, struct err *err)
{
	auto_registries struct registries r = { 0 };
	const char *env = getenv("CONTAINERS_REGISTRIES_CONF");
	const char *main_path = path ? path : env && *env ? env : REGISTRIES_CONF;
	int result = load_file(&r, main_path, err);

	if (result == -ENOENT && !path && !(env && *env))
		result = load_file(&r, SYSTEM_CONF, err);
	if (result == -ENOENT && !path)
		result = 0;
	if (result == -ENOENT)
		return err_sys(err, result, "read '%s'", main_path);
	if (result == 0 && !path && !(env && *env))
		result = load_dropins(&r, REGISTRIES_CONF, err);
	if (result == 0 && !path) {
		result = load_file(&r, "/var/cache/containers/short-name-aliases.conf", err);
		result = result == -ENOENT ? 0 : result;
	}
	if (result < 0)
		return result;
	*ret = r;
	r = (struct registries){ 0 };
	return 0;
}

/* --- names --- */

static void add_candidate(struct strvec *ret, const char *domain, const struct reference *ref)
{
	auto_free char *rest = reference_format(ref);
	auto_free char *text = xasprintf("%s/%s", domain, rest);
	auto_reference struct reference full = { 0 };
	auto_free char *formatted = NULL;

	/* docker.io has its library/. */
	if (reference_parse(&full, text, NULL) < 0)
		return;
	formatted = reference_format(&full);
	if (!strvec_contains(ret, formatted))
		strvec_add(ret, formatted);
}

static void add_alias(struct strvec *ret, const char *repository, const struct reference *ref)
{
	struct reference full = *ref;
	auto_reference struct reference alias = { 0 };

	if (reference_parse(&alias, repository, NULL) < 0)
		return;
	full.domain = alias.domain;
	full.path = alias.path;
	strvec_add_take(ret, reference_format(&full));
}

int registries_candidates(const struct registries *r, const char *name, bool local,
			  struct strvec *ret, struct err *err)
{
	auto_reference struct reference ref = { 0 };
	const char *alias;
	int result = reference_parse(&ref, name, err);

	if (result < 0)
		return result;
	reference_tag_latest(&ref);
	if (ref.domain) {
		strvec_add_take(ret, reference_format(&ref));
		return 0;
	}
	alias = json_string_map_get(&r->aliases, ref.path);
	if (!str_is_empty(alias)) {
		add_alias(ret, alias, &ref);
		if (!local)
			return 0;
	}
	if (local)
		add_candidate(ret, "localhost", &ref);
	for (size_t i = 0; i < r->search.n; i++)
		add_candidate(ret, r->search.v[i], &ref);
	if (local)
		add_candidate(ret, "docker.io", &ref);
	if (ret->n == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "short name '%s' did not resolve to an alias and no "
			       "unqualified-search registries are defined in '%s'; use a full name "
			       "such as 'docker.io/library/%s'",
			       name, REGISTRIES_CONF, name);
	return 0;
}
