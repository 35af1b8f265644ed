/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/device_rules.h"

#include <stdio.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/str.h"

static const struct device_rule default_rules[] = {
	{ true, 'c', DEVICE_MKNOD, DEVICE_ANY, DEVICE_ANY },
	{ true, 'b', DEVICE_MKNOD, DEVICE_ANY, DEVICE_ANY },
	{ true, 'c', DEVICE_ALL, 1, 3 }, /* null */
	{ true, 'c', DEVICE_ALL, 1, 5 }, /* zero */
	{ true, 'c', DEVICE_ALL, 1, 7 }, /* full */
	{ true, 'c', DEVICE_ALL, 1, 8 }, /* random */
	{ true, 'c', DEVICE_ALL, 1, 9 }, /* urandom */
	{ true, 'c', DEVICE_ALL, 5, 0 }, /* tty */
	{ true, 'c', DEVICE_ALL, 136, DEVICE_ANY }, /* pts */
	{ true, 'c', DEVICE_ALL, 5, 2 }, /* ptmx */
	{ true, 'c', DEVICE_ALL, 10, 200 }, /* net/tun */
};

static int parse_number(const struct opt_i64 *number, int64_t *ret)
{
	*ret = number->set ? number->v : DEVICE_ANY;
	return *ret < DEVICE_ANY || *ret > UINT32_MAX ? -EINVAL : 0;
}

static int parse_access(const char *access, uint8_t *ret)
{
	uint8_t mask = 0;

	for (const char *s = access; s && *s; s++) {
		if (*s == 'r')
			mask |= DEVICE_READ;
		else if (*s == 'w')
			mask |= DEVICE_WRITE;
		else if (*s == 'm')
			mask |= DEVICE_MKNOD;
		else if (*s != 'a')
			return -EINVAL;
	}
	/* "a" is the type of a rule for all devices; runc passes over it among the accesses. */
	if (!mask && access && *access)
		return -EINVAL;
	*ret = mask ? mask : DEVICE_ALL;
	return 0;
}

static int parse_type(const char *type, char *ret)
{
	char c = str_is_empty(type) ? 'a' : type[0];

	if (c == 'u') /* unbuffered: the same as character */
		c = 'c';
	if ((c != 'a' && c != 'b' && c != 'c') || (!str_is_empty(type) && type[1]))
		return -EINVAL;
	*ret = c;
	return 0;
}

static int parse_rule(struct device_rule *ret, const struct oci_device_rule *rule, size_t index,
		      struct err *err)
{
	struct device_rule r = { .allow = rule->allow };

	if (parse_type(rule->type, &r.type) < 0)
		return err_set(err, ERR_INVALID,
			       "linux.resources.devices[%zu]: invalid device type '%s'", index,
			       rule->type);
	if (parse_access(rule->access, &r.access) < 0)
		return err_set(err, ERR_INVALID,
			       "linux.resources.devices[%zu]: invalid device access '%s'", index,
			       rule->access);
	if (parse_number(&rule->major, &r.major) < 0 || parse_number(&rule->minor, &r.minor) < 0)
		return err_set(err, ERR_INVALID,
			       "linux.resources.devices[%zu]: device number out of range", index);
	*ret = r;
	return 0;
}

static bool is_for_everything(const struct device_rule *rule)
{
	return rule->type == 'a' && rule->access == DEVICE_ALL && rule->major == DEVICE_ANY &&
	       rule->minor == DEVICE_ANY;
}

static void add_rule(struct device_rules *rules, const struct device_rule *rule)
{
	if (is_for_everything(rule))
		rules->n = 0;
	*array_push(rules->v, rules->n) = *rule;
}

int device_rules_from_resources(struct device_rules *ret, const struct oci_resources *res,
				struct err *err)
{
	struct device_rules rules = { 0 };
	struct device_rule rule;
	int r;

	for (size_t i = 0; res && i < res->n_devices; i++) {
		r = parse_rule(&rule, &res->devices[i], i, err);
		if (r < 0) {
			device_rules_done(&rules);
			return r;
		}
		add_rule(&rules, &rule);
	}
	for (size_t i = 0; i < ARRAY_SIZE(default_rules); i++)
		add_rule(&rules, &default_rules[i]);
	*ret = rules;
	return 0;
}

void device_rules_done(struct device_rules *rules)
{
	free(rules->v);
	*rules = (struct device_rules){ 0 };
}

bool device_rules_allow_all(const struct device_rules *rules)
{
	if (rules->n == 0 || !is_for_everything(&rules->v[0]))
		return false;
	for (size_t i = 0; i < rules->n; i++)
		if (!rules->v[i].allow)
			return false;
	return true;
}

struct device_rule_text device_rule_to_string(const struct device_rule *rule)
{
	struct device_rule_text text;
	char major[24] = "*";
	char minor[24] = "*";

	if (rule->major != DEVICE_ANY)
		(void)snprintf(major, sizeof(major), "%lld", (long long)rule->major);
	if (rule->minor != DEVICE_ANY)
		(void)snprintf(minor, sizeof(minor), "%lld", (long long)rule->minor);
	(void)snprintf(text.text, sizeof(text.text), "%c %s:%s %s%s%s", rule->type, major, minor,
		       rule->access & DEVICE_READ ? "r" : "",
		       rule->access & DEVICE_WRITE ? "w" : "",
		       rule->access & DEVICE_MKNOD ? "m" : "");
	return text;
}

static bool numbers_overlap(int64_t a, int64_t b)
{
	return a == DEVICE_ANY || b == DEVICE_ANY || a == b;
}

/* Take the accesses of a rule out of the exceptions; only whole devices can be taken out. */
static int remove_exception(struct device_exceptions *x, const struct device_rule *rule,
			    struct err *err)
{
	for (size_t i = 0; i < x->n; i++) {
		struct device_rule *e = &x->v[i];

		if (e->type != rule->type || !(e->access & rule->access) ||
		    !numbers_overlap(e->major, rule->major) ||
		    !numbers_overlap(e->minor, rule->minor))
			continue;
		if ((rule->major == DEVICE_ANY || e->major == rule->major) &&
		    (rule->minor == DEVICE_ANY || e->minor == rule->minor)) {
			e->access &= (uint8_t)~rule->access;
			continue;
		}
		return err_set(
			err, ERR_UNSUPPORTED,
			"device rule '%s %s' is not possible with cgroup v1: it takes a part "
			"out of the wildcard rule '%s'",
			rule->allow ? "allow" : "deny", device_rule_to_string(rule).text,
			device_rule_to_string(e).text);
	}
	return 0;
}

static void add_exception(struct device_exceptions *x, const struct device_rule *rule)
{
	for (size_t i = 0; i < x->n; i++) {
		struct device_rule *e = &x->v[i];

		if (e->type == rule->type && e->major == rule->major && e->minor == rule->minor) {
			e->access |= rule->access;
			return;
		}
	}
	*array_push(x->v, x->n) = *rule;
}

static int apply_rule(struct device_exceptions *x, const struct device_rule *rule, struct err *err)
{
	if (rule->allow == x->default_allow)
		return remove_exception(x, rule, err);
	add_exception(x, rule);
	return 0;
}

static int apply_any_type(struct device_exceptions *x, const struct device_rule *rule,
			  struct err *err)
{
	struct device_rule typed = *rule;
	int r;

	if (is_for_everything(rule)) {
		x->default_allow = rule->allow;
		x->n = 0;
		return 0;
	}
	if (rule->type != 'a')
		return apply_rule(x, rule, err);
	typed.type = 'c';
	r = apply_rule(x, &typed, err);
	if (r < 0)
		return r;
	typed.type = 'b';
	return apply_rule(x, &typed, err);
}

int device_exceptions_from_rules(struct device_exceptions *ret, const struct device_rules *rules,
				 struct err *err)
{
	struct device_exceptions x = { 0 };
	size_t kept = 0;
	int r;

	for (size_t i = 0; i < rules->n; i++) {
		r = apply_any_type(&x, &rules->v[i], err);
		if (r < 0) {
			device_exceptions_done(&x);
			return r;
		}
	}
	for (size_t i = 0; i < x.n; i++)
		if (x.v[i].access)
			x.v[kept++] = x.v[i];
	x.n = kept;
	*ret = x;
	return 0;
}

void device_exceptions_done(struct device_exceptions *exceptions)
{
	free(exceptions->v);
	*exceptions = (struct device_exceptions){ 0 };
}
