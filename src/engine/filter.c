/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/facts.h"
#include "engine/records.h"
#include "network/config.h"

int filter_regex(const char *pattern, const char *text, struct err *err)
{
	regex_t regex;
	int r;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(err, ERR_INVALID, "filter '%s': no regular expression", pattern);
	r = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return r;
}

/* A leading "/", as docker prints it, is not part of the name. */
static int name_matches(const char *pattern, const char *name, struct err *err)
{
	const char *anchored = str_skip_prefix(pattern, "^/");
	auto_free char *plain = anchored ? xasprintf("^%s", anchored) :
					   xstrdup(pattern + (pattern[0] == '/'));

	return filter_regex(plain, name, err);
}

/* Digits of an id are its beginning, anything else is a regular expression. */
static int id_matches(const char *value, const char *id, struct err *err)
{
	if (value[strspn(value, "0123456789abcdefABCDEF")] == '\0')
		return strncasecmp(id, value, strlen(value)) == 0;
	return filter_regex(value, id, err);
}

/* Digits of a fraction of a second; ends behind them. */
static int64_t parse_fraction(const char **text)
{
	int64_t unit = (int64_t)NSEC_PER_SEC / 10;
	int64_t ns = 0;

	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		ns += (**text - '0') * unit;
	return ns;
}

/* "1795341838" or "1795341838.379912407" */
static bool parse_unix_time(const char *text, int64_t *ret_ns)
{
	size_t n = strspn(text, "0123456789");
	auto_free char *whole = xstrndup(text, n);
	const char *rest = text + n;
	uint64_t seconds;
	int64_t fraction = 0;

	if (parse_u64(whole, &seconds) < 0 || seconds >= INT64_MAX / NSEC_PER_SEC)
		return false;
	if (*rest == '.' && rest[1]) {
		rest++;
		fraction = parse_fraction(&rest);
	}
	if (*rest)
		return false;
	*ret_ns = (int64_t)(seconds * NSEC_PER_SEC) + fraction;
	return true;
}

/* "10m" or "-10m", as Go's durations may be. */
static bool parse_signed_duration(const char *text, int64_t *ret_ns)
{
	bool is_negative = *text == '-';
	uint64_t duration;

	if (parse_duration(text + is_negative, &duration) < 0)
		return false;
	*ret_ns = is_negative ? -(int64_t)duration : (int64_t)duration;
	return true;
}

int filter_parse_end_time(const char *text, int64_t *ret_ns)
{
	int64_t at;

	if (parse_unix_time(text, ret_ns))
		return 0;
	if (!parse_signed_duration(text, &at))
		return filter_parse_time(text, ret_ns);
	*ret_ns = (int64_t)clock_now_realtime_ns() + at;
	return 0;
}

int filter_parse_time(const char *text, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	int64_t duration;
	const char *rest;

	if (parse_unix_time(text, ret_ns))
		return 0;
	if (parse_signed_duration(text, &duration)) {
		*ret_ns = (int64_t)clock_now_realtime_ns() - duration;
		return 0;
	}
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		rest = strptime(text, "%Y-%m-%d", &tm);
	if (!rest)
		return -EINVAL;
	*ret_ns = (int64_t)timegm(&tm) * (int64_t)NSEC_PER_SEC;
	if (*rest == '.') {
		rest++;
		*ret_ns += parse_fraction(&rest);
	}
	if (*rest == '+' || *rest == '-') {
		int hours;
		int minutes;

		if (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2)
			return -EINVAL;
		*ret_ns -= (*rest == '+' ? 1 : -1) * (hours * 3600LL + minutes * 60LL) *
			   (int64_t)NSEC_PER_SEC;
		return 0;
	}
	return *rest == '\0' || str_eq(rest, "Z") ? 0 : -EINVAL;
}

static int label_matches(const struct json_string_map *labels, const char *value)
{
	const char *equals = strchr(value, '=');
	auto_free char *key = equals ? xstrndup(value, (size_t)(equals - value)) : xstrdup(value);
	const char *have = json_string_map_get(labels, key);

	return have && (!equals || str_eq(have, equals + 1));
}

static int status_matches(const struct container *c, const char *value, struct err *err)
{
	enum container_phase wanted = container_phase_from_string(value);

	if (!wanted)
		return err_set(err, ERR_INVALID, "filter status '%s': unknown container state",
			       value);
	if (wanted == PHASE_EXITED || wanted == PHASE_STOPPED)
		return container_has_ended(c);
	return c->status.phase == wanted;
}

static int age_matches(struct engine *e, const struct container *c, const char *key,
		       const char *value, struct err *err)
{
	auto_container struct container other = CONTAINER_INIT;
	int r = container_open(&other, e, value, err);

	if (r < 0)
		return r;
	return str_eq(key, "before") ? c->config.created_ns < other.config.created_ns :
				       c->config.created_ns > other.config.created_ns;
}

static int volume_matches(const struct container *c, const char *value)
{
	const char *colon = strchr(value, ':');

	for (size_t i = 0; i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];

		if (str_eq(m->source, value) || str_eq(m->destination, value))
			return 1;
		if (colon && m->source && strncmp(m->source, value, (size_t)(colon - value)) == 0 &&
		    str_eq(m->destination, colon + 1))
			return 1;
	}
	return 0;
}

static int until_matches(const struct container *c, const char *value, struct err *err)
{
	int64_t at;

	if (filter_parse_time(value, &at) < 0)
		return err_set(err, ERR_INVALID, "filter until '%s': no time", value);
	return c->config.created_ns < at;
}

static int ancestor_matches(const struct container *c, const char *value)
{
	const char *image = c->config.image_name ? c->config.image_name : "";

	return str_eq(image, value) || strstr(image, value) != NULL ||
	       (c->config.image_id && strlen(value) >= 3 &&
		str_has_prefix(c->config.image_id, value));
}

static int exited_matches(const struct container *c, const char *value, struct err *err)
{
	int64_t code;

	if (parse_i64(value, &code) < 0)
		return err_set(err, ERR_INVALID, "filter exited '%s': no number", value);
	return container_has_ended(c) && c->status.exit_code == (int)code;
}

static int policy_matches(const struct container *c, const char *value, struct err *err)
{
	static const char *const policies[] = { "no",	      "none",		"always",
						"on-failure", "unless-stopped", NULL };
	const char *have = str_is_empty(c->config.restart_policy) ? "no" : c->config.restart_policy;

	if (!str_is_one_of(value, policies))
		return err_set(err, ERR_INVALID, "%s invalid restart policy", value);
	return str_eq(have, str_eq(value, "none") ? "no" : value);
}

/* Of container:NAME; its id is what is kept. */
static bool shares_network(struct engine *e, const struct container *c, const char *name)
{
	const char *has = str_skip_prefix(c->config.network ? c->config.network : "", "container:");
	auto_free char *id = NULL;

	return has && record_find(e, name, &id, NULL) == 0 && str_eq(has, id);
}

/* A mode such as "host", or a network by name or id. */
static bool network_matches(struct engine *e, const struct container *c, const char *value)
{
	auto_network struct network n = NETWORK_INIT;
	const char *other = str_skip_prefix(value, "container:");
	bool matches = str_eq(c->config.network, value) || (other && shares_network(e, c, other));

	if (matches || !str_eq(c->config.network, "bridge") ||
	    network_find(&n, &e->network_dir, value, NULL) < 0)
		return matches;
	for (size_t i = 0; i < c->config.n_networks && !matches; i++)
		matches = str_eq(c->config.networks[i].network, n.name);
	return matches;
}

static int one_matches(struct engine *e, const struct container *c, const char *key,
		       const char *value, struct err *err)
{
	if (str_eq(key, "id"))
		return id_matches(value, c->config.id, err);
	if (str_eq(key, "name"))
		return name_matches(value, c->config.name, err);
	if (str_eq(key, "label"))
		return label_matches(&c->config.labels, value);
	if (str_eq(key, "label!"))
		return !label_matches(&c->config.labels, value);
	if (str_eq(key, "status"))
		return status_matches(c, value, err);
	if (str_eq(key, "exited"))
		return exited_matches(c, value, err);
	if (str_eq(key, "before") || str_eq(key, "since"))
		return age_matches(e, c, key, value, err);
	if (str_eq(key, "volume"))
		return volume_matches(c, value);
	if (str_eq(key, "until"))
		return until_matches(c, value, err);
	if (str_eq(key, "ancestor"))
		return ancestor_matches(c, value);
	if (str_eq(key, "network"))
		return network_matches(e, c, value);
	if (str_eq(key, "restart-policy"))
		return policy_matches(c, value, err);
	if (str_eq(key, "command"))
		return c->config.n_command > 0 && str_eq(c->config.command[0], value);
	return err_set(err, ERR_INVALID, "'%s' is an invalid filter", key);
}

static bool same_key(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strcspn(b, "=") == n && strncmp(a, b, n) == 0;
}

int filter_all(const struct strvec *filters,
	       int (*matches)(const char *filter, void *context, struct err *err), void *context,
	       struct err *err)
{
	for (size_t i = 0; i < filters->n; i++) {
		const char *filter = filters->v[i];
		bool every = str_has_prefix(filter, "label") || str_has_prefix(filter, "until=");
		int any = 0;

		if (!strchr(filter, '='))
			return err_set(err, ERR_INVALID, "filter '%s': expected KEY=VALUE", filter);
		for (size_t k = 0; k < filters->n && any == 0; k++)
			if (every ? k == i : same_key(filter, filters->v[k]))
				any = matches(filters->v[k], context, err);
		if (any <= 0)
			return any;
	}
	return 1;
}

struct container_filter {
	struct engine *e;
	const struct container *c;
};

static int container_matches(const char *filter, void *context, struct err *err)
{
	const struct container_filter *of = context;
	size_t n = strcspn(filter, "=");
	auto_free char *key = xstrndup(filter, n);

	return one_matches(of->e, of->c, key, filter + n + 1, err);
}

int filter_matches(struct engine *e, const struct strvec *filters, const struct container *c,
		   struct err *err)
{
	struct container_filter of = { e, c };

	return filter_all(filters, container_matches, &of, err);
}
