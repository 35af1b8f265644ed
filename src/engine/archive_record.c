/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/archive_record.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/archive_own.h"
#include "engine/facts.h"
#include "engine/prepare.h"
#include "engine/restore_check.h"
#include "engine/runtime_exec.h"
#include "engine/specgen.h"
#include "kernel/signals.h"

/* --- from the record ---------------------------------------------------------------------------------- */

static void format_mounts(const struct container_config *g, struct archive_config *ret)
{
	for (size_t i = 0; i < g->n_mounts; i++) {
		const struct container_mount *m = &g->mounts[i];
		struct archive_named_volume *v;

		json_strings_add(&ret->user_volumes, &ret->n_user_volumes, m->destination);
		json_strings_add(&ret->mounts, &ret->n_mounts, m->destination);
		if (str_eq(m->type, "image"))
			*array_push(ret->image_volumes, ret->n_image_volumes) =
				(struct archive_image_volume){
					.source = xstrdup(m->source),
					.dest = xstrdup(m->destination),
					.rw = specgen_has_option(m->options, m->n_options, "rw"),
					.sub_path = xstrdup(m->subpath),
				};
		if (!str_eq(m->type, "volume"))
			continue;
		v = array_push(ret->named_volumes, ret->n_named_volumes);
		v->volume_name = xstrdup(m->source);
		v->dest = xstrdup(m->destination);
		v->set_anonymous = m->anonymous;
		v->sub_path = xstrdup(m->subpath);
		json_strings_add_all(&v->options, &v->n_options, m->options, m->n_options);
	}
}

static const char *interface_name(const struct container *c, const char *network)
{
	for (size_t i = 0; i < c->status.n_attachments; i++)
		if (str_eq(c->status.attachments[i].network, network))
			return c->status.attachments[i].interface_name;
	return NULL;
}

/* Addresses that were asked for; those that were given are in network.status. Without podman's alias by id. */
static void format_networks(const struct container *c, struct archive_config *ret)
{
	const struct container_config *g = &c->config;
	auto_free char *short_id = xstrndup(g->id, 12);

	for (size_t i = 0; i < g->n_networks; i++) {
		const struct network_attachment *a = &g->networks[i];
		struct archive_network *to = array_push(ret->networks, ret->n_networks);
		const char *name = interface_name(c, a->network);

		to->name = xstrdup(a->network);
		to->static_mac = xstrdup(a->static_mac);
		to->interface_name = xstrdup(name ? name : a->interface_name);
		json_strings_add_all(&to->static_ips, &to->n_static_ips, a->static_ips,
				     a->n_static_ips);
		for (size_t k = 0; k < a->n_aliases; k++)
			if (!str_eq(a->aliases[k], short_id))
				json_strings_add(&to->aliases, &to->n_aliases, a->aliases[k]);
		json_string_map_set_all(&to->options, &a->options);
	}
	ret->create_net_ns = g->n_networks > 0;
	ret->network_mode = xstrdup(g->n_networks > 0 ? "bridge" : g->network);
}

static void format_ports(const struct container *c, struct archive_config *ret)
{
	const struct container_status *s = &c->status;
	const struct network_port *v = s->n_ports ? s->ports : c->config.ports;
	size_t n = s->n_ports ? s->n_ports : c->config.n_ports;

	for (size_t i = 0; i < n; i++)
		*array_push(ret->ports, ret->n_ports) = (struct archive_port){
			.host_ip = xstrdup(v[i].host_ip),
			.container_port = v[i].container_port,
			.host_port = v[i].host_port,
			.range = v[i].range,
			.protocol = xstrdup(v[i].protocol),
		};
}

static void format_exposed(const struct container_config *g, struct archive_config *ret)
{
	if (g->n_expose == 0)
		return;
	ret->exposed_ports = json_object_new_object();
	for (size_t i = 0; i < g->n_expose; i++) {
		const char *slash = strchr(g->expose[i], '/');
		auto_free char *port = xstrndup(g->expose[i], strcspn(g->expose[i], "/"));
		struct json_object *list = NULL;

		if (!json_object_object_get_ex(ret->exposed_ports, port, &list)) {
			list = json_object_new_array();
			json_object_object_add(ret->exposed_ports, port, list);
		}
		json_object_array_add(list, json_object_new_string(slash ? slash + 1 : "tcp"));
	}
}

static void format_namespaces(const struct container_config *g, struct archive_config *ret)
{
	ret->ipc_ns_ctr = xstrdup(facts_mode_container(g->ipc));
	ret->net_ns_ctr = xstrdup(facts_mode_container(g->network));
	ret->pid_ns_ctr = xstrdup(facts_mode_container(g->pid));
	ret->user_ns_ctr = xstrdup(facts_mode_container(g->userns));
	ret->uts_ns_ctr = xstrdup(facts_mode_container(g->uts));
	ret->cgroup_ns_ctr = xstrdup(facts_mode_container(g->cgroupns));
}

static struct json_object *idmap_object(const struct container_idmap *v, size_t n)
{
	struct json_object *list = n > 0 ? json_object_new_array() : NULL;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "container_id", json_object_new_int64(v[i].container));
		json_object_object_add(o, "host_id", json_object_new_int64(v[i].host));
		json_object_object_add(o, "size", json_object_new_int64(v[i].size));
		json_object_array_add(list, o);
	}
	return list;
}

/* Without which podman takes the document for none of its own. */
static void format_podmans(const struct container_config *g, const struct runtime_spec *spec,
			   struct archive_config *ret)
{
	auto_free char *text = runtime_spec_to_json(spec, JSON_COMPACT);
	struct json_object *maps = json_object_new_object();
	bool is_mapped = g->n_uid_maps > 0;

	json_object_object_add(maps, "HostUIDMapping", json_object_new_boolean(!is_mapped));
	json_object_object_add(maps, "HostGIDMapping", json_object_new_boolean(!is_mapped));
	json_object_object_add(maps, "UIDMap", idmap_object(g->uid_maps, g->n_uid_maps));
	json_object_object_add(maps, "GIDMap", idmap_object(g->gid_maps, g->n_gid_maps));
	json_object_object_add(maps, "AutoUserNs", json_object_new_boolean(false));
	ret->spec = json_tokener_parse(text);
	ret->id_mappings = maps;
}

static char *time_text(int64_t ns)
{
	char text[CLOCK_TEXT_MAX];

	if (ns == 0)
		return NULL;
	clock_format_utc((uint64_t)ns, -1, text);
	return xstrdup(text);
}

static void format_process(const struct container_config *g, struct archive_config *ret)
{
	int signal_number = g->stop_signal ? signals_from_string(g->stop_signal) : SIGTERM;

	json_strings_add_all(&ret->entrypoint, &ret->n_entrypoint, g->entrypoint, g->n_entrypoint);
	json_strings_add_all(&ret->command, &ret->n_command, g->command, g->n_command);
	ret->stdin_open = g->interactive;
	ret->user = xstrdup(g->user);
	json_strings_add_all(&ret->groups, &ret->n_groups, g->groups, g->n_groups);
	json_strings_add_all(&ret->cdi_devices, &ret->n_cdi_devices, g->cdi_devices,
			     g->n_cdi_devices);
	ret->stop_signal = signal_number > 0 ? (uint32_t)signal_number : SIGTERM;
	ret->stop_timeout = g->stop_timeout;
	ret->timeout = g->timeout;
	ret->timezone = xstrdup(g->timezone);
	ret->umask = xstrdup(g->umask);
	ret->systemd = (struct opt_bool){ true, str_eq(g->systemd, "always") };
	ret->passwd = (struct opt_bool){ g->no_passwd, !g->no_passwd };
	ret->sdnotify_mode = xstrdup(g->sdnotify ? g->sdnotify : "container");
	ret->restart_policy = xstrdup(g->restart_policy);
	ret->restart_retries = g->restart_max;
	ret->privileged = g->privileged;
	ret->process_label = xstrdup(g->selinux_process);
	ret->mount_label = xstrdup(g->selinux_mount);
}

static void format_dns(const struct container_config *g, struct archive_config *ret)
{
	json_strings_add_all(&ret->dns_server, &ret->n_dns_server, g->dns, g->n_dns);
	json_strings_add_all(&ret->dns_search, &ret->n_dns_search, g->dns_search, g->n_dns_search);
	json_strings_add_all(&ret->dns_option, &ret->n_dns_option, g->dns_options,
			     g->n_dns_options);
	json_strings_add_all(&ret->hosts_add, &ret->n_hosts_add, g->add_hosts, g->n_add_hosts);
	ret->base_hosts_file = xstrdup(g->hosts_file);
	ret->use_image_hosts = g->no_hosts;
	ret->use_image_hostname = g->no_hostname;
	ret->use_image_resolv_conf = g->n_dns == 1 && str_eq(g->dns[0], "none");
}

static void format_secrets(const struct container_config *g, struct archive_config *ret)
{
	for (size_t i = 0; i < g->n_secrets; i++) {
		const struct container_secret *s = &g->secrets[i];
		struct json_object *o;

		if (!str_eq(s->type, "env")) {
			*array_push(ret->secrets, ret->n_secrets) = (struct archive_secret){
				.name = xstrdup(s->name),
				.id = xstrdup(s->id),
				.target = xstrdup(s->target),
				.uid = s->uid,
				.gid = s->gid,
				.mode = s->mode,
			};
			continue;
		}
		if (!ret->secret_env)
			ret->secret_env = json_object_new_object();
		o = json_object_new_object();
		json_object_object_add(o, "name", json_object_new_string(s->name));
		json_object_object_add(o, "id", json_object_new_string(s->id ? s->id : ""));
		json_object_object_add(ret->secret_env, s->target ? s->target : s->name, o);
	}
}

void archive_record_format(const struct container *c, const struct runtime_spec *spec,
			   struct archive_config *ret)
{
	const struct container_config *g = &c->config;
	const struct engine *e = c->engine;

	*ret = (struct archive_config){
		.id = xstrdup(g->id),
		.name = xstrdup(g->name),
		.raw_image_name = xstrdup(g->image_name),
		.rootfs_image_id = xstrdup(g->image_id),
		.rootfs_image_name = xstrdup(g->image_name),
		.rootfs = xstrdup(g->rootfs),
		.rootfs_overlay = g->rootfs_overlay,
		.rootfs_mapping = g->rootfs_idmap ? xstrdup("") : NULL,
		.read_write_tmpfs = g->read_write_tmpfs,
		.shm_dir = container_shm_path(c),
		.shm_size = g->shm_size,
		.created_time = time_text(g->created_ns),
		.checkpointed_time = time_text((int64_t)clock_now_realtime_ns()),
		.restored = c->status.restored,
		.restored_time = time_text(c->status.restored_ns),
		.cgroup_manager =
			xstrdup(e->cgroup_manager == ENGINE_SYSTEMD ? "systemd" : "cgroupfs"),
		.cgroups_mode = xstrdup(g->cgroups ? g->cgroups : "enabled"),
		.no_cgroups = str_eq(g->cgroups, "disabled"),
		.cgroup_parent = xstrdup(g->cgroup_parent),
		.log_path = g->log_path ? xstrdup(g->log_path) :
					  path_join(c->static_dir, "ctr.log"),
		.log_tag = xstrdup(g->log_tag),
		.log_size = g->log_size_max.v,
		.log_driver = xstrdup(g->log_driver),
		.runtime = xstrdup(container_runtime_name(c)),
		.no_shm = str_eq(g->ipc, "none"),
		.no_shm_share = str_eq(g->ipc, "private"),
	};
	json_strings_add_all(&ret->create_command, &ret->n_create_command, g->create_command,
			     g->n_create_command);
	json_string_map_set_all(&ret->labels, &g->labels);
	format_process(g, ret);
	format_mounts(g, ret);
	format_namespaces(g, ret);
	format_networks(c, ret);
	format_ports(c, ret);
	format_exposed(g, ret);
	format_dns(g, ret);
	format_secrets(g, ret);
	format_podmans(g, spec, ret);
	ret->extra.object = restore_check_host();
	archive_own_format(g, spec, ret->extra.object);
}
