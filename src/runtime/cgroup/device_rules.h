/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices a container may use: the rules of linux.resources.devices in their order, then the
 * ones that every container gets (null, zero, full, random, urandom, tty, pseudo-terminals, tun, and
 * mknod of anything). The start is "nothing"; a later rule overrides an earlier one. Pure.
 */
#pragma once

#include <stdint.h>

#include "core/err.h"
#include "spec/runtime_linux.h"

#define DEVICE_ANY (-1)

enum device_access {
	DEVICE_MKNOD = 1, /* the numbers of BPF_DEVCG_ACC_* */
	DEVICE_READ = 2,
	DEVICE_WRITE = 4,
	DEVICE_ALL = 7,
};

struct device_rule {
	bool allow;
	char type; /* 'a' 'b' 'c' */
	uint8_t access; /* mask of enum device_access */
	int64_t major; /* DEVICE_ANY, or 0 to 2^32-1 */
	int64_t minor;
};

struct device_rules {
	struct device_rule *v;
	size_t n;
};

/* res may be NULL. Rules that a later rule for everything makes void are left out. The caller ends
 * it with device_rules_done(). ERR_INVALID names the rule by its index. */
int device_rules_from_resources(struct device_rules *ret, const struct oci_resources *res,
				struct err *err);
void device_rules_done(struct device_rules *rules);
/* Whether everything is allowed without exception. */
bool device_rules_allow_all(const struct device_rules *rules);

/* "c 1:3 rwm", "a *:* rwm": the form of devices.allow. */
struct device_rule_text {
	char text[64];
};
struct device_rule_text device_rule_to_string(const struct device_rule *rule);

/*
 * The same as the v1 device cgroup can hold it: a default, and a list of exceptions from it, none
 * of which repeats another's device. ERR_UNSUPPORTED for a rule that takes a part out of a wildcard
 * (deny c 1:3 after allow c *:*), which v1 would silently not do.
 */
struct device_exceptions {
	bool default_allow;
	struct device_rule *v; /* allow is always !default_allow */
	size_t n;
};
int device_exceptions_from_rules(struct device_exceptions *ret, const struct device_rules *rules,
				 struct err *err);
void device_exceptions_done(struct device_exceptions *exceptions);
