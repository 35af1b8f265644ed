/* SPDX-License-Identifier: Apache-2.0 */
/* --security-opt, --device, --ulimit, --secret. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/floe/create_options.h"
#include "core/alloc.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/cdi.h"
#include "engine/selinux.h"
#include "kernel/rlimits.h"

static void add_paths(char ***to, size_t *n, const char *list)
{
	auto_free char *copy = xstrdup(list);
	char *rest = copy;
	char *word;

	while ((word = strsep(&rest, ":")))
		if (*word)
			json_strings_add(to, n, word);
}

/* What follows from it is decided when all options are known (engine/selinux.h). */
static int check_label(const char *value, struct err *err)
{
	struct selinux_options options = { 0 };

	if (selinux_option_parse(&options, value) == 0)
		return 0;
	return err_set(err, ERR_INVALID,
		       "--security-opt label=%s: expected disable, user:, role:, type:, "
		       "level: or filetype:",
		       value);
}

static int apply_security(const char *text, struct container_config *c, struct err *err)
{
	const char *equals = strpbrk(text, "=:");
	auto_free char *key = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);
	const char *value = equals ? equals + 1 : "";

	if (str_eq(key, "no-new-privileges")) {
		c->no_new_privileges = true;
		if (equals && parse_bool(value, &c->no_new_privileges) < 0)
			return err_set(err, ERR_INVALID,
				       "--security-opt '%s': expected true or "
				       "false",
				       text);
		return 0;
	}
	if (str_eq(key, "seccomp") && *value) {
		replace_ptr(c->seccomp, str_eq(value, "unconfined") ? xstrdup(value) :
								      path_absolute(value, NULL));
		return 0;
	}
	if (str_eq(key, "apparmor") && *value) {
		replace_ptr(c->apparmor, xstrdup(value));
		return 0;
	}
	if (str_eq(key, "label"))
		return check_label(value, err);
	if (str_eq(key, "mask") && *value) {
		add_paths(&c->mask, &c->n_mask, value);
		return 0;
	}
	if (str_eq(key, "unmask") && *value) {
		add_paths(&c->unmask, &c->n_unmask, value);
		return 0;
	}
	if (str_eq(key, "systempaths") && str_eq(value, "unconfined")) {
		json_strings_add(&c->unmask, &c->n_unmask, "ALL");
		return 0;
	}
	if (str_eq(key, "proc-opts") && *value) {
		replace_ptr(c->proc_opts, xstrdup(value));
		return 0;
	}
	return err_set(err, ERR_INVALID, "invalid --security-opt '%s'", text);
}

/* FILE[:PATH][:rwm] */
static int apply_device(const char *text, struct container_config *c, struct err *err)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	struct container_device *d;
	const char *permissions = "rwm";
	const char *path;

	if (cdi_is_name(text)) {
		json_strings_add(&c->cdi_devices, &c->n_cdi_devices, text);
		return 0;
	}
	strvec_split(&parts, text, ':', true);
	if (parts.n == 0 || parts.n > 3 || parts.v[0][0] != '/')
		return err_set(err, ERR_INVALID, "device '%s': expected FILE[:PATH][:rwm]", text);
	path = parts.v[0];
	for (size_t i = 1; i < parts.n; i++) {
		if (parts.v[i][0] == '/' && i == 1)
			path = parts.v[i];
		else
			permissions = parts.v[i];
	}
	if (!*permissions || permissions[strspn(permissions, "rwm")])
		return err_set(err, ERR_INVALID, "device '%s': invalid mode '%s'", text,
			       permissions);
	d = array_push(c->devices, c->n_devices);
	d->host_path = path_clean(parts.v[0]);
	d->path = path_clean(path);
	d->permissions = xstrdup(permissions);
	return 0;
}

static int limit_value(const char *text, uint64_t *ret)
{
	if (str_eq(text, "-1") || str_eq(text, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return parse_u64(text, ret);
}

static void host_limits(struct container_config *c)
{
	for (int i = 0; i < RLIMITS_MAX; i++) {
		struct rlimit limit;
		struct container_ulimit *u;

		if (!rlimits_to_name(i) || getrlimit((__rlimit_resource_t)i, &limit) < 0)
			continue;
		u = array_push(c->ulimits, c->n_ulimits);
		u->name = xstrdup(rlimits_to_name(i));
		u->soft = limit.rlim_cur;
		u->hard = limit.rlim_max;
	}
}

/* NAME=SOFT[:HARD] */
static int apply_ulimit(const char *text, struct container_config *c, struct err *err)
{
	const char *equals = strchr(text, '=');
	auto_free char *values = xstrdup(equals ? equals + 1 : "");
	char *hard = strchr(values, ':');
	struct container_ulimit *u;
	char name[32] = "RLIMIT_";
	size_t at = strlen(name);
	uint64_t soft_value;
	uint64_t hard_value;

	if (str_eq(text, "host")) {
		host_limits(c);
		return 0;
	}
	for (size_t i = 0; equals && &text[i] < equals && at + 1 < sizeof(name); i++)
		name[at++] = (char)toupper((unsigned char)text[i]);
	if (hard)
		*hard++ = '\0';
	if (!equals || rlimits_from_name(name) < 0 || limit_value(values, &soft_value) < 0 ||
	    limit_value(hard ? hard : values, &hard_value) < 0)
		return err_set(err, ERR_INVALID,
			       "ulimit option \"%s\" requires name=SOFT:HARD, failed to be parsed",
			       text);
	if (soft_value > hard_value)
		return err_set(err, ERR_INVALID, "ulimit '%s': soft limit is above the hard limit",
			       text);
	u = array_push(c->ulimits, c->n_ulimits);
	u->name = xstrdup(name);
	u->soft = soft_value;
	u->hard = hard_value;
	return 0;
}

int security_options_ulimits(const struct strvec *texts, struct container_config *c,
			     struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < texts->n; i++)
		r = apply_ulimit(texts->v[i], c, err);
	return r;
}

/* NAME[,type=mount|env][,target=...][,uid=][,gid=][,mode=] */
static int apply_secret(const char *text, struct container_config *c, struct err *err)
{
	auto_free char *copy = xstrdup(text);
	struct container_secret *s = array_push(c->secrets, c->n_secrets);
	char *rest = copy;
	char *word;
	bool of_file = false;
	int r = 0;

	s->mode = 0444;
	s->type = xstrdup("mount");
	while (r == 0 && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');
		uint64_t mode = 0;

		if (value)
			*value++ = '\0';
		of_file = of_file || str_eq(word, "uid") || str_eq(word, "gid") ||
			  str_eq(word, "mode");
		if (!value && !s->name)
			s->name = xstrdup(word);
		else if (value && str_eq(word, "source"))
			replace_ptr(s->name, xstrdup(value));
		else if (value && str_eq(word, "type") &&
			 (str_eq(value, "env") || str_eq(value, "mount")))
			replace_ptr(s->type, xstrdup(value));
		else if (value && str_eq(word, "target"))
			replace_ptr(s->target, xstrdup(value));
		else if (value && str_eq(word, "uid"))
			r = parse_u32(value, &s->uid);
		else if (value && str_eq(word, "gid"))
			r = parse_u32(value, &s->gid);
		else if (value && str_eq(word, "mode") &&
			 (r = parse_u64_base(value, 8, &mode)) == 0)
			s->mode = (uint32_t)mode;
		else
			r = -EINVAL;
	}
	if (r < 0 || str_is_empty(s->name))
		return err_set(err, ERR_INVALID,
			       "secret '%s': expected NAME[,type=mount|env][,target=T][,uid=N]"
			       "[,gid=N][,mode=N]",
			       text);
	if (of_file && str_eq(s->type, "env"))
		return err_set(err, ERR_INVALID,
			       "UID, GID, Mode options cannot be set with secret type env: parsing "
			       "secret '%s'",
			       text);
	return 0;
}

int security_options_apply(const struct create_options *o, struct container_config *c,
			   struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->security_opts.n; i++)
		r = apply_security(o->security_opts.v[i], c, err);
	for (size_t i = 0; r == 0 && i < o->devices.n; i++)
		r = apply_device(o->devices.v[i], c, err);
	for (size_t i = 0; i < o->gpus.n; i++) {
		auto_free char *name = xasprintf("nvidia.com/gpu=%s", o->gpus.v[i]);

		json_strings_add(&c->cdi_devices, &c->n_cdi_devices, name);
	}
	if (r == 0)
		r = security_options_ulimits(&o->ulimits, c, err);
	for (size_t i = 0; r == 0 && i < o->secrets.n; i++)
		r = apply_secret(o->secrets.v[i], c, err);
	return r;
}
