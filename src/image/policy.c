/* SPDX-License-Identifier: Apache-2.0 */
#include "image/policy.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"

#define SYSTEM_POLICY "/etc/containers/policy.json"
#define POLICY_MAX ((size_t)4 << 20)

static char *find_policy(const char *file)
{
	const char *home = getenv("HOME");
	auto_free char *own = home ? path_join(home, ".config/containers/policy.json") : NULL;

	if (file)
		return xstrdup(file);
	if (own && fs_exists(AT_FDCWD, own))
		return take_ptr(own);
	return fs_exists(AT_FDCWD, SYSTEM_POLICY) ? xstrdup(SYSTEM_POLICY) : NULL;
}

static int read_policy(const char *file, struct json_object **ret, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct json_object *policy;
	struct json_object *all;
	int r = io_read_file_at(AT_FDCWD, file, POLICY_MAX, &text);

	if (r < 0)
		return err_sys(err, r, "signature policy '%s'", file);
	policy = json_tokener_parse(text.buf);
	if (!json_object_is_type(policy, json_type_object) ||
	    !json_object_object_get_ex(policy, "default", &all) ||
	    !json_object_is_type(all, json_type_array) || json_object_array_length(all) == 0) {
		json_object_put(policy);
		return err_set(err, ERR_INVALID,
			       "signature policy '%s': expected an object with \"default\", a list "
			       "of requirements (containers-policy.json(5))",
			       file);
	}
	*ret = policy;
	return 0;
}

/* The requirements of the most special scope: PATH:REF, PATH, directories above it but "/", all of the transport, all. */
static struct json_object *find_requirements(struct json_object *policy, const char *transport,
					     const char *path, const char *ref)
{
	auto_free char *real = path ? realpath(path, NULL) : NULL;
	auto_free char *named = real && ref ? xasprintf("%s:%s", real, ref) : NULL;
	struct json_object *found = NULL;
	struct json_object *scopes = NULL;

	if (!json_object_object_get_ex(policy, "transports", &scopes) ||
	    !json_object_object_get_ex(scopes, transport, &scopes))
		scopes = NULL;
	if (named && json_object_object_get_ex(scopes, named, &found))
		return found;
	for (char *slash; real && *real; *slash = '\0') {
		if (json_object_object_get_ex(scopes, real, &found))
			return found;
		slash = strrchr(real, '/');
		if (!slash)
			break;
	}
	if (json_object_object_get_ex(scopes, "", &found))
		return found;
	json_object_object_get_ex(policy, "default", &found);
	return found;
}

static bool accepts_anything(struct json_object *all)
{
	size_t n = json_object_is_type(all, json_type_array) ? json_object_array_length(all) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *type = NULL;

		if (!json_object_object_get_ex(json_object_array_get_idx(all, i), "type", &type) ||
		    !str_eq(json_object_get_string(type), "insecureAcceptAnything"))
			return false;
	}
	return n > 0;
}

bool policy_is_open(const char *file, const char *transport)
{
	auto_free char *used = find_policy(file);
	struct json_object *policy;
	struct json_object *scopes = NULL;
	struct json_object *all = NULL;
	bool open;

	if (!used || read_policy(used, &policy, NULL) < 0)
		return false;
	json_object_object_get_ex(policy, "default", &all);
	open = accepts_anything(all);
	if (json_object_object_get_ex(policy, "transports", &scopes) &&
	    json_object_object_get_ex(scopes, transport, &scopes) &&
	    json_object_is_type(scopes, json_type_object)) {
		struct json_object_iterator at = json_object_iter_begin(scopes);
		struct json_object_iterator end = json_object_iter_end(scopes);

		for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
			open = open && accepts_anything(json_object_iter_peek_value(&at));
	}
	json_object_put(policy);
	return open;
}

int policy_check(const char *file, const char *transport, const char *path, const char *ref,
		 struct err *err)
{
	auto_free char *used = find_policy(file);
	struct json_object *policy;
	struct json_object *all;
	int r = 0;

	if (!used)
		return 0;
	r = read_policy(used, &policy, err);
	if (r < 0)
		return r;
	all = find_requirements(policy, transport, path, ref);
	if (!json_object_is_type(all, json_type_array) || json_object_array_length(all) == 0)
		r = err_set(
			err, ERR_INVALID,
			"signature policy '%s': transport '%s': expected a list of requirements",
			used, transport);
	for (size_t i = 0; r == 0 && i < json_object_array_length(all); i++) {
		struct json_object *type = NULL;
		const char *text;

		json_object_object_get_ex(json_object_array_get_idx(all, i), "type", &type);
		text = type ? json_object_get_string(type) : "none";
		if (str_eq(text, "reject"))
			r = err_set(
				err, ERR_DENIED,
				"the image is rejected by policy: '%s' allows none from '%s%s%s'",
				used, transport, path ? ":" : "", path ? path : "");
		else if (!str_eq(text, "insecureAcceptAnything"))
			r = err_set(
				err, ERR_DENIED,
				"the image is rejected by policy: '%s' requires '%s' of '%s%s%s', "
				"and "
				"images in files have no signature; pull it from a registry, or "
				"allow that transport",
				used, text, transport, path ? ":" : "", path ? path : "");
	}
	json_object_put(policy);
	return r;
}
