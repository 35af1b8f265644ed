/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a container that comes from an archive. */
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/archive_own.h"
#include "engine/archive_record.h"
#include "engine/archive_record_mounts.h"
#include "engine/cdi.h"
#include "engine/specgen.h"
#include "kernel/caps.h"
#include "kernel/idmap.h"
#include "kernel/signals.h"

#define STOP_TIMEOUT_DEFAULT 10
#define SHM_SIZE_DEFAULT (64 << 20)

/* --- network ------------------------------------------------------------------------------------------ */

static void add_network(struct container_config *ret, const struct archive_network *from)
{
	struct network_attachment *to = array_push(ret->networks, ret->n_networks);

	to->network = xstrdup(from->name);
	to->static_mac = xstrdup(from->static_mac);
	to->interface_name = xstrdup(from->interface_name);
	json_strings_add_all(&to->static_ips, &to->n_static_ips, from->static_ips,
			     from->n_static_ips);
	json_strings_add_all(&to->aliases, &to->n_aliases, from->aliases, from->n_aliases);
	json_string_map_set_all(&to->options, &from->options);
}

static void parse_network(struct container_config *ret, const struct archive_config *a,
			  const struct runtime_spec *spec)
{
	const struct oci_namespace *ns = oci_linux_namespace(spec->linux_, "network");
	struct archive_network by_default = { .name = NULL };

	if (!ns) {
		ret->network = xstrdup("host");
		return;
	}
	/* A namespace that an engine made and plugged in; the runtime's own has no path. */
	if (!a->create_net_ns && a->n_networks == 0 && !ns->path) {
		ret->network = xstrdup("none");
		return;
	}
	ret->network = xstrdup("bridge");
	for (size_t i = 0; i < a->n_networks; i++)
		add_network(ret, &a->networks[i]);
	if (ret->n_networks == 0) {
		by_default.name = xstrdup(NETWORK_DEFAULT);
		add_network(ret, &by_default);
		free(by_default.name);
	}
	if (a->static_ip && ret->networks[0].n_static_ips == 0)
		json_strings_add(&ret->networks[0].static_ips, &ret->networks[0].n_static_ips,
				 a->static_ip);
	if (a->static_mac && !ret->networks[0].static_mac)
		ret->networks[0].static_mac = xstrdup(a->static_mac);
}

static int parse_ports(struct container_config *ret, const struct archive_config *a,
		       struct err *err)
{
	for (size_t i = 0; i < a->n_ports; i++) {
		const struct archive_port *p = &a->ports[i];
		auto_strvec struct strvec protocols = STRVEC_INIT;

		strvec_split(&protocols, str_is_empty(p->protocol) ? "tcp" : p->protocol, ',',
			     false);
		for (size_t k = 0; k < protocols.n; k++) {
			struct network_port *port = array_push(ret->ports, ret->n_ports);

			*port = (struct network_port){
				.host_ip = xstrdup(p->host_ip ? p->host_ip : ""),
				.container_port = p->container_port,
				.host_port = p->host_port,
				.range = MAX(p->range, 1U),
				.protocol = xstrdup(protocols.v[k]),
			};
			if (!network_port_is_valid(port))
				return err_set(err, ERR_INVALID,
					       "config.dump: no such port can be published: "
					       "'%s:%u:%u/%s', %u of them",
					       port->host_ip, port->host_port, port->container_port,
					       port->protocol, port->range);
		}
	}
	if (!a->exposed_ports || !json_object_is_type(a->exposed_ports, json_type_object))
		return 0;
	json_object_object_foreach(a->exposed_ports, port, list)
	{
		size_t n = json_object_is_type(list, json_type_array) ?
				   json_object_array_length(list) :
				   0;

		for (size_t i = 0; i < n; i++) {
			auto_free char *text = xasprintf(
				"%s/%s", port,
				json_object_get_string(json_object_array_get_idx(list, i)));

			json_strings_add(&ret->expose, &ret->n_expose, text);
		}
	}
	return 0;
}

/* --- process, security, limits ---------------------------------------------------------------------- */

/* The image's entrypoint and command, where together they are what runs; else that itself. */
static void parse_command(struct container_config *ret, const struct archive_config *a,
			  const struct oci_process *p)
{
	size_t skip = p->n_args > 2 && (str_eq(p->args[0], "/run/podman-init") ||
					str_eq(p->args[0], "/dev/init")) ?
			      2 :
			      0;
	bool same = a->n_entrypoint + a->n_command == p->n_args - skip;

	for (size_t i = 0; same && i < a->n_entrypoint; i++)
		same = str_eq(a->entrypoint[i], p->args[skip + i]);
	for (size_t i = 0; same && i < a->n_command; i++)
		same = str_eq(a->command[i], p->args[skip + a->n_entrypoint + i]);
	ret->init = skip > 0;
	if (same) {
		json_strings_add_all(&ret->entrypoint, &ret->n_entrypoint, a->entrypoint,
				     a->n_entrypoint);
		json_strings_add_all(&ret->command, &ret->n_command, a->command, a->n_command);
	} else {
		json_strings_add_all(&ret->command, &ret->n_command, p->args + skip,
				     p->n_args - skip);
	}
}

static void parse_capabilities(struct container_config *ret, const struct oci_process *p)
{
	const struct container_config plain = { .privileged = ret->privileged };
	uint64_t base = 0;
	uint64_t added = 0;
	uint64_t has = 0;

	if (!p->capabilities)
		return;
	for (size_t i = 0; i < p->capabilities->n_bounding; i++) {
		int cap = caps_from_name(p->capabilities->bounding[i]);

		if (cap >= 0)
			has |= CAPS_BIT(cap);
	}
	(void)specgen_capabilities(&plain, caps_last(), &base, &added, NULL);
	specgen_cap_names(has & ~base, &ret->cap_add, &ret->n_cap_add);
	specgen_cap_names(base & ~has, &ret->cap_drop, &ret->n_cap_drop);
}

static const char *namespace_mode(const struct runtime_spec *spec, const char *type)
{
	return oci_linux_namespace(spec->linux_, type) ? NULL : "host";
}

/* The ids that it had: what it has written is theirs. */
static int parse_idmap(const struct oci_id_mapping *from, size_t n, struct container_idmap **ret,
		       size_t *ret_n, struct err *err)
{
	auto_idmap struct idmap map = { 0 };

	for (size_t i = 0; i < n; i++) {
		idmap_add(&map, from[i].container_id, from[i].host_id, from[i].size);
		*array_push(*ret, *ret_n) = (struct container_idmap){ from[i].container_id,
								      from[i].host_id,
								      from[i].size };
	}
	return n == 0 || idmap_check(&map) == 0 ? 0 :
						  err_set(err, ERR_INVALID,
							  "spec.dump: the ids of its user "
							  "namespace are not mapped one to one");
}

static int parse_userns(struct container_config *ret, const struct archive_config *a,
			const struct oci_linux *l, struct err *err)
{
	int r;

	if (!oci_linux_namespace(l, "user"))
		return 0;
	if (l->n_uid_mappings == 0 || l->n_gid_mappings == 0)
		return err_set(err, ERR_INVALID,
			       "spec.dump: it has a user namespace, and its ids are not mapped");
	ret->userns = xstrdup(archive_own_is_auto_userns(a) ? "auto" : "private");
	r = parse_idmap(l->uid_mappings, l->n_uid_mappings, &ret->uid_maps, &ret->n_uid_maps, err);
	return r < 0 ? r :
		       parse_idmap(l->gid_mappings, l->n_gid_mappings, &ret->gid_maps,
				   &ret->n_gid_maps, err);
}

static void parse_security(struct container_config *ret, const struct archive_config *a,
			   const struct runtime_spec *spec)
{
	const struct oci_linux *l = spec->linux_;
	const struct oci_process *p = spec->process;

	ret->privileged = a->privileged;
	ret->read_only = spec->root && spec->root->readonly;
	ret->no_new_privileges = p->no_new_privileges;
	ret->seccomp = l->seccomp ? NULL : xstrdup("unconfined");
	if (p->no_new_privileges)
		json_strings_add(&ret->security_opts, &ret->n_security_opts, "no-new-privileges");
	if (!l->seccomp && !ret->privileged)
		json_strings_add(&ret->security_opts, &ret->n_security_opts, "seccomp=unconfined");
	ret->apparmor = xstrdup(p->apparmor_profile);
	ret->selinux_process = xstrdup(p->selinux_label);
	ret->selinux_mount = xstrdup(l->mount_label);
	parse_capabilities(ret, p);
	ret->pid = xstrdup(namespace_mode(spec, "pid"));
	ret->ipc = xstrdup(a->no_shm			  ? "none" :
			   !oci_linux_namespace(l, "ipc") ? "host" :
			   a->no_shm_share		  ? "private" :
							    NULL);
	ret->uts = xstrdup(namespace_mode(spec, "uts"));
	/* What is the default depends on the machine. */
	ret->cgroupns = xstrdup(oci_linux_namespace(l, "cgroup") ? "private" : "host");
	specgen_masks_of(l, ret);
	json_string_map_set_all(&ret->sysctl, &l->sysctl);
}

/* Nodes that CDI devices gave it come anew with them. */
static int parse_devices(struct container_config *ret, const struct archive_config *a,
			 const struct oci_linux *l, struct err *err)
{
	for (size_t i = 0; !ret->privileged && i < l->n_devices; i++) {
		struct container_device *d;

		if (archive_own_is_default(a, ARCHIVE_OWN_DEVICES, l->devices[i].path))
			continue;
		d = array_push(ret->devices, ret->n_devices);
		d->host_path = xstrdup(l->devices[i].path);
		d->path = xstrdup(l->devices[i].path);
		d->permissions = xstrdup("rwm");
	}
	for (size_t i = 0; i < a->n_cdi_devices; i++)
		if (!cdi_is_name(a->cdi_devices[i]))
			return err_set(
				err, ERR_INVALID,
				"config.dump: cdiDevices[%zu]: '%s' is not VENDOR/CLASS=NAME", i,
				a->cdi_devices[i]);
	json_strings_add_all(&ret->cdi_devices, &ret->n_cdi_devices, a->cdi_devices,
			     a->n_cdi_devices);
	return 0;
}

static void parse_limits(struct container_limits *ret, const struct oci_resources *r)
{
	if (!r)
		return;
	if (r->memory) {
		ret->memory = r->memory->limit;
		ret->memory_swap = r->memory->swap;
		ret->memory_reservation = r->memory->reservation;
		ret->memory_swappiness = r->memory->swappiness;
		ret->oom_kill_disable = r->memory->disable_oom_killer;
	}
	if (r->cpu) {
		ret->cpu_shares = r->cpu->shares;
		ret->cpu_period = r->cpu->period;
		ret->cpu_quota = r->cpu->quota;
		ret->cpu_rt_period = r->cpu->realtime_period;
		ret->cpu_rt_runtime = r->cpu->realtime_runtime;
		ret->cpuset_cpus = xstrdup(r->cpu->cpus);
		ret->cpuset_mems = xstrdup(r->cpu->mems);
	}
	if (r->pids)
		ret->pids = r->pids->limit;
	if (r->block_io)
		ret->blkio_weight = r->block_io->weight;
	json_string_map_set_all(&ret->unified, &r->unified);
}

/* What an engine adds it adds anew at every start, with the name that the container has then. */
static void parse_env(struct container_config *ret, const struct archive_config *a,
		      const struct runtime_spec *spec)
{
	const struct oci_process *p = spec->process;

	for (size_t i = 0; i < p->n_env; i++) {
		const char *value = strchr(p->env[i], '=');
		auto_free char *name = xstrndup(p->env[i], strcspn(p->env[i], "="));
		bool is_secret = json_object_is_type(a->secret_env, json_type_object) &&
				 json_object_object_get_ex(a->secret_env, name, NULL);
		bool is_engines =
			archive_own_is_default(a, ARCHIVE_OWN_ENV, name) ||
			(str_eq(name, "HOSTNAME") && value && str_eq(value + 1, spec->hostname)) ||
			str_eq(p->env[i], "container=podman");

		if (!is_secret && !is_engines)
			json_strings_add(&ret->env, &ret->n_env, p->env[i]);
	}
}

static void parse_process(struct container_config *ret, const struct archive_config *a,
			  const struct oci_process *p)
{
	char name[SIGNALS_NAME_MAX];

	parse_command(ret, a, p);
	ret->workdir = xstrdup(p->cwd);
	ret->user = !str_is_empty(a->user) ? xstrdup(a->user) :
		    p->user.uid == 0 && p->user.gid == 0 ?
					     NULL :
					     xasprintf("%u:%u", p->user.uid, p->user.gid);
	json_strings_add_all(&ret->groups, &ret->n_groups, a->groups, a->n_groups);
	ret->tty = p->terminal;
	ret->interactive = a->stdin_open;
	ret->oom_score_adj = p->oom_score_adj;
	ret->umask = p->user.umask.set ? xasprintf("%04o", p->user.umask.v) : xstrdup("0022");
	for (size_t i = 0; i < p->n_rlimits; i++)
		if (!archive_own_is_default(a, ARCHIVE_OWN_ULIMITS, p->rlimits[i].type))
			*array_push(ret->ulimits, ret->n_ulimits) = (struct container_ulimit){
				xstrdup(p->rlimits[i].type),
				p->rlimits[i].soft,
				p->rlimits[i].hard,
			};
	if (a->stop_signal > 0 && a->stop_signal <= 64 && a->stop_signal != SIGTERM) {
		signals_to_string((int)a->stop_signal, name);
		ret->stop_signal = xstrdup(name);
	}
	ret->stop_timeout = a->stop_timeout ? a->stop_timeout : STOP_TIMEOUT_DEFAULT;
	ret->timeout = a->timeout;
	ret->systemd = a->systemd.set && a->systemd.v ? xstrdup("always") : NULL;
	ret->no_passwd = a->passwd.set && !a->passwd.v;
	if (str_is_one_of(a->sdnotify_mode, (const char *const[]){ "conmon", "ignore", NULL }))
		ret->sdnotify = xstrdup(a->sdnotify_mode);
	ret->timezone = str_is_empty(a->timezone) ? NULL : xstrdup(a->timezone);
	ret->restart_policy = str_is_empty(a->restart_policy) ? NULL : xstrdup(a->restart_policy);
	ret->restart_max = a->restart_retries;
}

static void parse_annotations(struct container_config *ret, const struct json_string_map *from)
{
	static const char *const engines[] = {
		"org.opencontainers.image.stopSignal",
		"io.container.manager",
		"io.podman.annotations.privileged",
		"io.podman.annotations.init",
		NULL,
	};

	for (size_t i = 0; i < from->n; i++)
		if (str_eq(from->v[i].key, "io.podman.annotations.autoremove"))
			ret->auto_remove = str_eq(from->v[i].value, "TRUE");
		else if (!str_is_one_of(from->v[i].key, engines))
			json_string_map_set(&ret->annotations, from->v[i].key, from->v[i].value);
}

/* A cgroup that somebody has chosen; what engines choose by themselves each chooses anew. */
static char *cgroup_parent(const char *parent)
{
	static const char *const defaults[] = { "/libpod_parent", "/floe", "machine.slice", NULL };
	auto_free char *clean = str_is_empty(parent) ? NULL : path_clean(parent);

	if (!clean || clean[0] != '/' || !str_eq(clean, parent) || strstr(parent, "..") ||
	    str_is_one_of(parent, defaults) || str_has_prefix(parent, "/libpod_parent/"))
		return NULL;
	return xstrdup(parent);
}

static void parse_secret_env(struct container_config *ret, const struct archive_config *a)
{
	if (!json_object_is_type(a->secret_env, json_type_object))
		return;
	json_object_object_foreach(a->secret_env, variable, secret)
	{
		struct json_object *name = NULL;

		if (json_object_is_type(secret, json_type_object))
			(void)json_object_object_get_ex(secret, "name", &name);
		*array_push(ret->secrets, ret->n_secrets) = (struct container_secret){
			.name = xstrdup(name ? json_object_get_string(name) : variable),
			.type = xstrdup("env"),
			.target = xstrdup(variable),
			.mode = 0444,
		};
	}
}

/* Where another one's place on another host means nothing here. */
static void parse_rest(struct container_config *ret, const struct archive_config *a,
		       const struct runtime_spec *spec)
{
	ret->id = xstrdup(a->id);
	ret->name = xstrdup(a->name);
	ret->created_ns = (int64_t)clock_now_realtime_ns();
	json_strings_add_all(&ret->create_command, &ret->n_create_command, a->create_command,
			     a->n_create_command);
	ret->image_name = xstrdup(a->rootfs_image_name ? a->rootfs_image_name : a->rootfs_image);
	ret->image_id = xstrdup(a->rootfs_image_id);
	ret->rootfs = str_is_empty(a->rootfs) ? NULL : xstrdup(a->rootfs);
	ret->rootfs_overlay = ret->rootfs && a->rootfs_overlay;
	ret->rootfs_idmap = ret->rootfs && a->rootfs_mapping;
	ret->read_write_tmpfs = a->read_write_tmpfs;
	json_string_map_set_all(&ret->labels, &a->labels);
	parse_annotations(ret, &spec->annotations);
	ret->log_driver = xstrdup(str_eq(a->log_driver, "json-file") ||
						  str_eq(a->log_driver, "none") ||
						  str_eq(a->log_driver, "journald") ?
					  a->log_driver :
					  "k8s-file");
	ret->log_tag = str_is_empty(a->log_tag) ? NULL : xstrdup(a->log_tag);
	if (a->log_size > 0)
		ret->log_size_max = (struct opt_i64){ true, a->log_size };
	ret->shm_size = a->shm_size > 0 ? a->shm_size : SHM_SIZE_DEFAULT;
	ret->cgroup_parent = cgroup_parent(a->cgroup_parent);
	ret->cgroups = a->no_cgroups ? xstrdup("disabled") : NULL;
	if (spec->hostname && !(a->id && str_has_prefix(a->id, spec->hostname)))
		ret->hostname = xstrdup(spec->hostname);
	json_strings_add_all(&ret->dns, &ret->n_dns, a->dns_server, a->n_dns_server);
	json_strings_add_all(&ret->dns_search, &ret->n_dns_search, a->dns_search, a->n_dns_search);
	json_strings_add_all(&ret->dns_options, &ret->n_dns_options, a->dns_option,
			     a->n_dns_option);
	json_strings_add_all(&ret->add_hosts, &ret->n_add_hosts, a->hosts_add, a->n_hosts_add);
	ret->no_hosts = a->use_image_hosts;
	ret->no_hostname = a->use_image_hostname;
	ret->hosts_file =
		str_is_one_of(a->base_hosts_file, (const char *const[]){ "none", "image", NULL }) ?
			xstrdup(a->base_hosts_file) :
			NULL;
	parse_secret_env(ret, a);
	for (size_t i = 0; i < a->n_secrets; i++)
		*array_push(ret->secrets, ret->n_secrets) = (struct container_secret){
			.name = xstrdup(a->secrets[i].name),
			.type = xstrdup("mount"),
			.target = xstrdup(a->secrets[i].target),
			.uid = a->secrets[i].uid,
			.gid = a->secrets[i].gid,
			.mode = a->secrets[i].mode,
		};
}

static int check(const struct archive_config *a, const struct runtime_spec *spec, struct err *err)
{
	if (!spec->linux_ || !spec->process || spec->process->n_args == 0)
		return err_set(err, ERR_INVALID,
			       "spec.dump: it is no configuration of a container of Linux");
	if (a->n_dependencies > 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "the archive's container depends on container '%s'",
			       a->dependencies[0]);
	if (!str_is_empty(a->pod))
		return err_set(err, ERR_UNSUPPORTED, "cannot restore pod container without --pod");
	if (!str_is_empty(a->rootfs) && !str_is_empty(a->rootfs_mapping))
		return err_set(err, ERR_UNSUPPORTED,
			       "the ids of the archive's root file system '%s' are mapped in a way "
			       "of their own (idmap=%s)",
			       a->rootfs, a->rootfs_mapping);
	return 0;
}

int archive_record_parse(struct container_config *ret, const struct archive_config *a,
			 const struct runtime_spec *spec, struct err *err)
{
	struct container_config g = { 0 };
	int r = check(a, spec, err);

	if (r < 0)
		return r;
	parse_rest(&g, a, spec);
	parse_env(&g, a, spec);
	parse_process(&g, a, spec->process);
	parse_security(&g, a, spec);
	parse_limits(&g.limits, spec->linux_->resources);
	parse_network(&g, a, spec);
	r = parse_userns(&g, a, spec->linux_, err);
	g.rootfs_idmap = g.rootfs_idmap && g.n_uid_maps > 0 && !g.rootfs_overlay;
	if (r == 0)
		r = parse_devices(&g, a, spec->linux_, err);
	if (r == 0)
		r = archive_record_mounts(&g, a, spec, err);
	if (r == 0)
		r = parse_ports(&g, a, err);
	if (r < 0) {
		container_config_done(&g);
		return r;
	}
	*ret = g;
	return 0;
}
