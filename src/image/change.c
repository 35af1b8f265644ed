/* SPDX-License-Identifier: Apache-2.0 */
/* --change: one instruction on the configuration. */
#include <ctype.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "image/build.h"
#include "kernel/signals.h"

static int bad(struct err *err, const char *change, const char *why)
{
	return err_set(err, ERR_USAGE, "change '%s': %s", change, why);
}

/* ["a", "b"] as it stands, anything else for a shell. */
static int set_command(char ***list, size_t *n, const char *value, const char *change,
		       struct err *err)
{
	struct json_object *array = *value == '[' ? json_tokener_parse(value) : NULL;

	json_strings_clear(list, n);
	if (*value == '[' && !json_object_is_type(array, json_type_array)) {
		json_object_put(array);
		return bad(err, change, "the list is no JSON");
	}
	if (array) {
		for (size_t i = 0; i < json_object_array_length(array); i++)
			json_strings_add(
				list, n,
				json_object_get_string(json_object_array_get_idx(array, i)));
		json_object_put(array);
		return 0;
	}
	json_strings_add(list, n, "/bin/sh");
	json_strings_add(list, n, "-c");
	json_strings_add(list, n, value);
	return 0;
}

static char *without_quotes(const char *word)
{
	size_t n = strlen(word);

	if (n >= 2 && (*word == '"' || *word == '\'') && word[n - 1] == *word)
		return xstrndup(word + 1, n - 2);
	return xstrdup(word);
}

/* KEY=VALUE or KEY VALUE; quotes around the value go. */
static int split_pair(const char *text, char **ret_key, char **ret_value)
{
	size_t len = strcspn(text, "= \t");
	const char *value = text + len;

	if (len == 0)
		return -EINVAL;
	value += *value == '=' ? 1 : strspn(value, " \t");
	*ret_key = xstrndup(text, len);
	*ret_value = without_quotes(value);
	return 0;
}

static int set_env(struct image_process *c, const char *value, const char *change, struct err *err)
{
	auto_free char *key = NULL;
	auto_free char *text = NULL;
	auto_free char *pair = NULL;

	if (split_pair(value, &key, &text) < 0)
		return bad(err, change, "no name of a variable");
	pair = xasprintf("%s=%s", key, text);
	for (size_t i = 0; i < c->n_env; i++)
		if (str_has_prefix(c->env[i], key) && c->env[i][strlen(key)] == '=') {
			replace_ptr(c->env[i], take_ptr(pair));
			return 0;
		}
	json_strings_add(&c->env, &c->n_env, pair);
	return 0;
}

static int set_label(struct image_process *c, const char *value, const char *change,
		     struct err *err)
{
	auto_free char *key = NULL;
	auto_free char *text = NULL;

	if (split_pair(value, &key, &text) < 0)
		return bad(err, change, "no name of a label");
	json_string_map_set(&c->labels, key, text);
	return 0;
}

/* PORT or PORT-PORT, with or without /PROTOCOL. */
static bool is_exposable(const char *text)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp", NULL };
	size_t len = strcspn(text, "/");
	auto_free char *range = xstrndup(text, len);
	char *last = strchr(range, '-');
	uint32_t from;
	uint32_t to;

	if (text[len] && !str_is_one_of(text + len + 1, protocols))
		return false;
	if (last)
		*last++ = '\0';
	if (parse_u32(range, &from) < 0 || parse_u32(last ? last : range, &to) < 0)
		return false;
	return from > 0 && from <= to && to <= 65535;
}

/* Keys of {"a": {}}: ports (with /tcp behind those without a protocol) or paths. */
static int add_set(struct json_object **set, const char *value, bool ports, const char *change,
		   struct err *err)
{
	auto_strvec struct strvec words = STRVEC_INIT;
	struct json_object *list = *value == '[' ? json_tokener_parse(value) : NULL;

	if (json_object_is_type(list, json_type_array))
		for (size_t i = 0; i < json_object_array_length(list); i++)
			strvec_add(&words,
				   json_object_get_string(json_object_array_get_idx(list, i)));
	else
		strvec_split(&words, value, ' ', false);
	json_object_put(list);
	if (words.n == 0)
		return bad(err, change, "it has no value");
	if (!*set)
		*set = json_object_new_object();
	for (size_t i = 0; i < words.n; i++) {
		auto_free char *word = without_quotes(words.v[i]);
		auto_free char *key =
			xasprintf("%s%s", word, ports && !strchr(word, '/') ? "/tcp" : "");

		if (ports && !is_exposable(key))
			return bad(err, change,
				   "expected PORT or PORT/PROTOCOL (tcp, udp or sctp)");
		json_object_object_add(*set, key, json_object_new_object());
	}
	return 0;
}

static void set_dir(struct image_process *c, const char *value)
{
	char *dir = path_join(*value == '/' || str_is_empty(c->working_dir) ? "/" : c->working_dir,
			      value);

	replace_ptr(c->working_dir, dir);
}

int image_change_apply(struct image_process *c, const char *change, struct err *err)
{
	const char *start = change + strspn(change, " \t");
	size_t len = strcspn(start, "= \t");
	auto_free char *key = xstrndup(start, len);
	const char *value = start + len;

	value += *value == '=' ? 1 : strspn(value, " \t");
	if (!*value && strcasecmp(key, "cmd") != 0 && strcasecmp(key, "entrypoint") != 0)
		return bad(err, change, "it has no value");
	if (strcasecmp(key, "cmd") == 0)
		return set_command(&c->cmd, &c->n_cmd, value, change, err);
	if (strcasecmp(key, "entrypoint") == 0)
		return set_command(&c->entrypoint, &c->n_entrypoint, value, change, err);
	if (strcasecmp(key, "env") == 0)
		return set_env(c, value, change, err);
	if (strcasecmp(key, "label") == 0)
		return set_label(c, value, change, err);
	if (strcasecmp(key, "expose") == 0)
		return add_set(&c->exposed_ports, value, true, change, err);
	if (strcasecmp(key, "volume") == 0)
		return add_set(&c->volumes, value, false, change, err);
	if (strcasecmp(key, "user") == 0)
		replace_ptr(c->user, xstrdup(value));
	else if (strcasecmp(key, "stopsignal") == 0 && signals_from_string(value) <= 0)
		return bad(err, change, "there is no such signal");
	else if (strcasecmp(key, "stopsignal") == 0)
		replace_ptr(c->stop_signal, xstrdup(value));
	else if (strcasecmp(key, "onbuild") == 0)
		json_strings_add(&c->on_build, &c->n_on_build, value);
	else if (strcasecmp(key, "workdir") == 0)
		set_dir(c, value);
	else
		return bad(err, change,
			   "the instruction is not one of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, "
			   "ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR");
	return 0;
}
