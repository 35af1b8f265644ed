/* SPDX-License-Identifier: Apache-2.0 */
#include "network/driver_options.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"

static const char *const bridge_modes[] = { "managed", "unmanaged", NULL };
static const char *const macvlan_modes[] = { "bridge", "private", "vepa", "passthru", NULL };
static const char *const ipvlan_modes[] = { "l2", "l3", "l3s", NULL };

/* ---- values ---- */

static int refuse(const struct network *n, const char *key, const char *value, const char *expected,
		  struct err *err)
{
	return err_set(err, ERR_INVALID, "%s network option '%s=%s': expected %s", n->driver, key,
		       value, expected);
}

static int check_number(const struct network *n, const char *key, const char *value, uint32_t max,
			const char *expected, struct err *err)
{
	uint32_t number;

	if (parse_u32(value, &number) == 0 && number <= max)
		return 0;
	return refuse(n, key, value, expected, err);
}

/* netavark knows these two words only. */
static int settle_truth(struct network *n, const char *key, const char *value, struct err *err)
{
	bool truth;

	if (parse_bool(value, &truth) < 0)
		return refuse(n, key, value, "true or false", err);
	json_string_map_set(&n->options, key, truth ? "true" : "false");
	return 0;
}

static int check_mode(const struct network *n, const char *value, const char *const *modes,
		      struct err *err)
{
	if (str_is_one_of(value, modes))
		return 0;
	return err_set(err, ERR_INVALID, "unknown %s mode \"%s\"; there are %s, %s%s%s%s%s",
		       n->driver, value, modes[0], modes[1], modes[2] ? ", " : "",
		       modes[2] ? modes[2] : "", modes[2] && modes[3] ? ", " : "",
		       modes[2] && modes[3] ? modes[3] : "");
}

/* ---- options ---- */

static int unsupported(const struct network *n, const char *key, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "unsupported %s network option %s; the options of each driver are in "
		       "floe-network-create(8)",
		       n->driver, key);
}

/* What all three have; 1: not among them. */
static int settle_common(struct network *n, const char *key, const char *value, struct err *err)
{
	if (str_eq(key, "mtu"))
		return check_number(n, key, value, INT32_MAX, "a number of bytes", err);
	if (str_eq(key, "metric"))
		return check_number(n, key, value, UINT32_MAX, "a number", err);
	if (str_eq(key, "no_default_route"))
		return settle_truth(n, key, value, err);
	return 1;
}

static int settle_bridge(struct network *n, const char *key, const char *value, struct err *err)
{
	if (str_eq(key, "vlan"))
		return check_number(n, key, value, 4094, "a VLAN ID between 0 and 4094", err);
	if (str_eq(key, "isolate"))
		return str_eq(value, "strict") ? 0 : settle_truth(n, key, value, err);
	if (str_eq(key, "vrf"))
		return *value ? 0 : refuse(n, key, value, "the name of a VRF", err);
	if (str_eq(key, "mode"))
		return check_mode(n, value, bridge_modes, err);
	return unsupported(n, key, err);
}

static int settle_macvlan(struct network *n, const char *key, const char *value, struct err *err)
{
	int64_t limit;

	if (str_eq(key, "mode"))
		return check_mode(n, value, macvlan_modes, err);
	if (str_eq(key, "bclim"))
		return parse_i64(value, &limit) == 0 && limit >= INT32_MIN && limit <= INT32_MAX ?
			       0 :
			       refuse(n, key, value, "a number", err);
	return unsupported(n, key, err);
}

static int settle_ipvlan(struct network *n, const char *key, const char *value, struct err *err)
{
	return str_eq(key, "mode") ? check_mode(n, value, ipvlan_modes, err) :
				     unsupported(n, key, err);
}

/* ---- other names ---- */

/* Takes it out of the map; NULL: it is not there. */
static char *take_option(struct network *n, const char *key)
{
	for (size_t i = 0; i < n->options.n; i++) {
		struct json_string_pair *pair = &n->options.v[i];
		char *value = pair->value;

		if (!str_eq(pair->key, key))
			continue;
		free(pair->key);
		n->options.n--;
		(void)memmove(pair, pair + 1, (n->options.n - i) * sizeof(*pair));
		if (n->options.n == 0)
			json_string_map_done(&n->options);
		return value;
	}
	return NULL;
}

static void rename_option(struct network *n, const char *from, const char *to)
{
	auto_free char *value = take_option(n, from);

	if (value)
		json_string_map_set(&n->options, to, value);
}

static void rename_bridge_options(struct network *n)
{
	auto_free char *name = NULL;

	rename_option(n, "com.docker.network.driver.mtu", "mtu");
	rename_option(n, "com.docker.network.bridge.vlan", "vlan");
	name = take_option(n, "com.docker.network.bridge.name");
	if (name && !n->network_interface)
		n->network_interface = take_ptr(name);
}

static void move_parent(struct network *n)
{
	auto_free char *parent = take_option(n, "parent");

	if (parent && !n->network_interface)
		n->network_interface = take_ptr(parent);
}

int network_driver_options_settle(struct network *n, struct err *err)
{
	const bool is_bridge = str_eq(n->driver, "bridge");
	const bool is_macvlan = str_eq(n->driver, "macvlan");

	if (!is_bridge && !is_macvlan && !str_eq(n->driver, "ipvlan"))
		return 0;
	if (is_bridge)
		rename_bridge_options(n);
	else
		move_parent(n);
	for (size_t i = 0; i < n->options.n; i++) {
		const char *key = n->options.v[i].key;
		/* Setting it frees the one that is there. */
		auto_free char *value = xstrdup(n->options.v[i].value);
		int r = settle_common(n, key, value, err);

		if (r > 0)
			r = is_bridge  ? settle_bridge(n, key, value, err) :
			    is_macvlan ? settle_macvlan(n, key, value, err) :
					 settle_ipvlan(n, key, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

bool network_driver_options_share_bridge(const struct network *n)
{
	return json_string_map_get(&n->options, "vlan") ||
	       str_eq(json_string_map_get(&n->options, "mode"), "unmanaged");
}
