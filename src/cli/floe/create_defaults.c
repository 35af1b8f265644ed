/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers.conf says of new containers. Where an option has one value, it is the option's default;
 * of lists, those that name something (a variable, a mount, a limit) are added to the user's, whose own
 * come first, and the others are taken when the user gives none.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/commands.h"
#include "cli/floe/create_options.h"
#include "core/alloc.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/containers_conf.h"

static const struct containers_conf *conf_of(const void *context)
{
	return ((const struct floe_context *)context)->engine.conf;
}

static void take_bool(const struct opt_bool *from, bool *to)
{
	if (from->set)
		*to = from->v;
}

void create_defaults_prepare(const void *context, void *options)
{
	const struct containers_conf *conf = conf_of(context);
	const struct conf_containers *c = &conf->containers;
	struct create_options *o = options; /* the first member of each command's struct */

	o->cgroupns = c->cgroupns;
	o->cgroups = c->cgroups;
	o->hosts_file = str_is_empty(c->base_hosts_file) ? NULL : c->base_hosts_file;
	o->image_volume = conf->engine.image_volume_mode;
	o->ipc = c->ipcns;
	o->log_driver = c->log_driver;
	o->pid = c->pidns;
	o->timezone = str_is_empty(c->tz) ? NULL : c->tz;
	o->umask = c->umask;
	o->userns = str_is_empty(c->userns) ? NULL : c->userns;
	o->uts = c->utsns;
	o->pull = conf->engine.pull_policy;
	o->detach_keys = conf->engine.detach_keys;
	o->default_network = conf->network.default_network;
	o->http_proxy = c->http_proxy;
	o->oom_score_adj = c->oom_score_adj;
	o->pids_limit = c->pids_limit;
	take_bool(&c->env_host, &o->env_host);
	take_bool(&c->init, &o->init);
	/* --add-host wants the file. */
	if (o->add_hosts.n == 0)
		take_bool(&c->no_hosts, &o->no_hosts);
	take_bool(&c->privileged, &o->privileged);
	take_bool(&c->read_only, &o->read_only);
	if (conf->engine.stop_timeout.set)
		o->stop_timeout = conf->engine.stop_timeout.v;
}

/* --- lists ------------------------------------------------------------------------------------------ */

static struct strvec borrowed(char *const *v, size_t n)
{
	return (struct strvec){ (char **)(uintptr_t)v, n };
}

static bool has_device(const struct container_config *c, const char *path)
{
	for (size_t i = 0; i < c->n_devices; i++)
		if (str_eq(c->devices[i].path, path))
			return true;
	return false;
}

static bool has_ulimit(const struct container_config *c, const char *name)
{
	for (size_t i = 0; i < c->n_ulimits; i++)
		if (str_eq(c->ulimits[i].name, name))
			return true;
	return false;
}

/* What is not there yet moves over. */
static void move_named(struct container_config *from, struct container_config *to)
{
	for (size_t i = 0; i < from->n_mounts; i++)
		if (!container_config_mount(to, from->mounts[i].destination)) {
			*array_push(to->mounts, to->n_mounts) = from->mounts[i];
			from->mounts[i] = (struct container_mount){ 0 };
		}
	for (size_t i = 0; i < from->n_devices; i++)
		if (!has_device(to, from->devices[i].path)) {
			*array_push(to->devices, to->n_devices) = from->devices[i];
			from->devices[i] = (struct container_device){ 0 };
		}
	for (size_t i = 0; i < from->n_cdi_devices; i++)
		json_strings_add(&to->cdi_devices, &to->n_cdi_devices, from->cdi_devices[i]);
	for (size_t i = 0; i < from->n_ulimits; i++)
		if (!has_ulimit(to, from->ulimits[i].name)) {
			*array_push(to->ulimits, to->n_ulimits) = from->ulimits[i];
			from->ulimits[i] = (struct container_ulimit){ 0 };
		}
}

static int add_named(const struct conf_containers *conf, struct container_config *c,
		     struct err *err)
{
	struct create_options o = {
		.volumes = borrowed(conf->volumes, conf->n_volumes),
		.mounts = borrowed(conf->mounts, conf->n_mounts),
		.devices = borrowed(conf->devices, conf->n_devices),
		.ulimits = borrowed(conf->default_ulimits, conf->n_default_ulimits),
	};
	struct container_config theirs = { 0 };
	int r = mount_options_apply(&o, &theirs, err);

	if (r == 0)
		r = security_options_apply(&o, &theirs, err);
	if (r == 0)
		move_named(&theirs, c);
	container_config_done(&theirs);
	return r;
}

/* "KEY=VALUE" where the key is not there. */
static int add_pair(struct json_string_map *map, const char *text, const char *what,
		    struct err *err)
{
	const char *equals = strchr(text, '=');
	auto_free char *key = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;

	if (!key || !*key)
		return err_set(err, ERR_INVALID, "%s '%s': expected KEY=VALUE", what, text);
	if (!json_string_map_get(map, key))
		json_string_map_set(map, key, equals + 1);
	return 0;
}

static int add_pairs(const struct conf_containers *conf, struct container_config *c,
		     struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < conf->n_annotations; i++)
		r = add_pair(&c->annotations, conf->annotations[i], "annotations", err);
	for (size_t i = 0; r == 0 && i < conf->n_default_sysctls; i++) {
		/* The host's network keeps its own. */
		if (str_eq(c->network, "host") && str_has_prefix(conf->default_sysctls[i], "net."))
			continue;
		r = add_pair(&c->sysctl, conf->default_sysctls[i], "default_sysctls", err);
	}
	for (size_t i = 0; r == 0 && i < conf->n_cgroup_conf; i++)
		r = add_pair(&c->limits.unified, conf->cgroup_conf[i], "cgroup_conf", err);
	return r;
}

/* --- the rest --------------------------------------------------------------------------------------- */

static bool has_apparmor(void)
{
	return access("/sys/kernel/security/apparmor/profiles", F_OK) == 0;
}

static void set_string(char **to, const char *value)
{
	if (!*to && !str_is_empty(value))
		*to = xstrdup(value);
}

static int set_values(const struct conf_containers *conf, struct container_config *c,
		      struct err *err)
{
	set_string(&c->log_tag, conf->log_tag);
	if (!c->log_size_max.set && conf->log_size_max.set && conf->log_size_max.v > 0)
		c->log_size_max = conf->log_size_max;
	if (!c->privileged)
		set_string(&c->seccomp, conf->seccomp_profile);
	if (!c->privileged && has_apparmor())
		set_string(&c->apparmor, conf->apparmor_profile);
	for (size_t i = 0; i < conf->n_default_capabilities; i++)
		json_strings_add(&c->default_caps, &c->n_default_caps,
				 conf->default_capabilities[i]);
	if (conf->container_name_as_hostname.set && conf->container_name_as_hostname.v &&
	    !str_eq(c->uts, "host"))
		set_string(&c->hostname, c->name);
	if (c->shm_size == 0 && conf->shm_size) {
		uint64_t size;

		if (parse_size(conf->shm_size, &size) < 0 || size > INT64_MAX)
			return err_set(err, ERR_INVALID, "shm_size '%s': no size", conf->shm_size);
		c->shm_size = (int64_t)size;
	}
	return 0;
}

void create_defaults_lists(const struct engine *e, struct create_options *o)
{
	const struct conf_containers *conf = &e->conf->containers;

	if (o->networks.n == 0 && !str_is_empty(conf->netns) && !str_eq(conf->netns, "private"))
		o->networks = borrowed(&conf->netns, 1);
	o->dns_given = o->dns.n + o->dns_search.n + o->dns_options.n > 0;
	if (o->dns.n == 0)
		o->dns = borrowed(conf->dns_servers, conf->n_dns_servers);
	if (o->dns_search.n == 0)
		o->dns_search = borrowed(conf->dns_searches, conf->n_dns_searches);
	if (o->dns_options.n == 0)
		o->dns_options = borrowed(conf->dns_options, conf->n_dns_options);
}

int create_defaults_merge(const struct engine *e, struct container_config *c, struct err *err)
{
	const struct conf_containers *conf = &e->conf->containers;
	int r = add_named(conf, c, err);

	if (r == 0)
		r = add_pairs(conf, c, err);
	if (r == 0)
		r = set_values(conf, c, err);
	return r < 0 ? err_wrap(err, r, "containers.conf") : 0;
}
