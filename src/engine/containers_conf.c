/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/containers_conf.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "image/toml.h"

#define FILE_MAX ((size_t)4 << 20)
#define SYSTEM_DIR "/usr/share/containers"
#define ADMIN_DIR "/etc/containers"

/* --- the tables --- */

#define T struct conf_containers
JSON_DESC_STATIC(
	conf_containers_desc, T, F_STRINGS(T, annotations, "annotations", 0),
	F_STRING(T, apparmor_profile, "apparmor_profile", 0),
	F_STRING(T, base_hosts_file, "base_hosts_file", 0),
	F_STRINGS(T, cgroup_conf, "cgroup_conf", 0), F_STRING(T, cgroupns, "cgroupns", 0),
	F_STRING(T, cgroups, "cgroups", 0),
	F_OPT_BOOL(T, container_name_as_hostname, "container_name_as_hostname", 0),
	F_STRINGS(T, default_capabilities, "default_capabilities", 0),
	F_STRINGS(T, default_sysctls, "default_sysctls", 0),
	F_STRINGS(T, default_ulimits, "default_ulimits", 0), F_STRINGS(T, devices, "devices", 0),
	F_STRINGS(T, dns_options, "dns_options", 0), F_STRINGS(T, dns_searches, "dns_searches", 0),
	F_STRINGS(T, dns_servers, "dns_servers", 0), F_STRINGS(T, env, "env", 0),
	F_OPT_BOOL(T, env_host, "env_host", 0),
	F_STRING(T, host_containers_internal_ip, "host_containers_internal_ip", 0),
	F_OPT_BOOL(T, http_proxy, "http_proxy", 0), F_OPT_BOOL(T, init, "init", 0),
	F_STRING(T, init_path, "init_path", 0), F_STRING(T, ipcns, "ipcns", 0),
	F_OPT_BOOL(T, keyring, "keyring", 0), F_STRING(T, log_driver, "log_driver", 0),
	F_OPT_I64(T, log_size_max, "log_size_max", 0), F_STRING(T, log_tag, "log_tag", 0),
	F_STRINGS(T, mounts, "mounts", 0), F_STRING(T, netns, "netns", 0),
	F_OPT_BOOL(T, no_hosts, "no_hosts", 0), F_OPT_I64(T, oom_score_adj, "oom_score_adj", 0),
	F_STRING(T, pidns, "pidns", 0), F_OPT_I64(T, pids_limit, "pids_limit", 0),
	F_OPT_BOOL(T, prepare_volume_on_create, "prepare_volume_on_create", 0),
	F_OPT_BOOL(T, privileged, "privileged", 0), F_OPT_BOOL(T, read_only, "read_only", 0),
	F_STRING(T, seccomp_profile, "seccomp_profile", 0), F_STRING(T, shm_size, "shm_size", 0),
	F_STRING(T, tz, "tz", 0), F_STRING(T, umask, "umask", 0), F_STRING(T, userns, "userns", 0),
	F_STRING(T, utsns, "utsns", 0), F_STRINGS(T, volumes, "volumes", 0));
#undef T

#define T struct conf_engine
JSON_DESC_STATIC(conf_engine_desc, T, F_STRINGS(T, cdi_spec_dirs, "cdi_spec_dirs", 0),
		 F_STRING(T, cgroup_manager, "cgroup_manager", 0),
		 F_STRING(T, compression_format, "compression_format", 0),
		 F_OPT_I64(T, compression_level, "compression_level", 0),
		 F_STRINGS(T, conmon_env_vars, "conmon_env_vars", 0),
		 F_STRINGS(T, conmon_path, "conmon_path", 0),
		 F_STRING(T, detach_keys, "detach_keys", 0), F_STRINGS(T, env, "env", 0),
		 F_OPT_BOOL(T, enable_port_reservation, "enable_port_reservation", 0),
		 F_STRING(T, events_logger, "events_logger", 0),
		 F_STRINGS(T, helper_binaries_dir, "helper_binaries_dir", 0),
		 F_STRINGS(T, hooks_dir, "hooks_dir", 0),
		 F_STRING(T, image_default_transport, "image_default_transport", 0),
		 F_STRING(T, image_volume_mode, "image_volume_mode", 0),
		 F_OPT_BOOL(T, no_pivot_root, "no_pivot_root", 0),
		 F_STRING(T, pull_policy, "pull_policy", 0), F_OPT_U64(T, retry, "retry", 0),
		 F_STRING(T, retry_delay, "retry_delay", 0), F_STRING(T, runtime, "runtime", 0),
		 F_RAW(T, runtimes, "runtimes", 0), F_OPT_U32(T, stop_timeout, "stop_timeout", 0));
#undef T

#define T struct conf_subnet_pool
JSON_DESC_STATIC(conf_subnet_pool_desc, T, F_STRING(T, base, "base", JSON_REQUIRED),
		 F_U32(T, size, "size", JSON_REQUIRED));
#undef T

#define T struct conf_network
JSON_DESC_STATIC(conf_network_desc, T, F_STRINGS(T, cni_plugin_dirs, "cni_plugin_dirs", 0),
		 F_STRING(T, default_network, "default_network", 0),
		 F_STRING(T, default_subnet, "default_subnet", 0),
		 F_OBJECTS(T, default_subnet_pools, struct conf_subnet_pool, "default_subnet_pools",
			   0, conf_subnet_pool_desc),
		 F_OPT_U32(T, dns_bind_port, "dns_bind_port", 0),
		 F_STRING(T, firewall_driver, "firewall_driver", 0),
		 F_STRINGS(T, netavark_plugin_dirs, "netavark_plugin_dirs", 0),
		 F_STRING(T, network_backend, "network_backend", 0),
		 F_STRING(T, network_config_dir, "network_config_dir", 0));
#undef T

#define T struct conf_secrets
JSON_DESC_STATIC(conf_secrets_desc, T, F_STRING(T, driver, "driver", 0),
		 F_STRING_MAP(T, opts, "opts", 0));
#undef T

#define T struct containers_conf
JSON_DESC_STATIC(containers_conf_desc, T,
		 F_OBJECT(T, containers, struct conf_containers, "containers", 0,
			  conf_containers_desc),
		 F_OBJECT(T, engine, struct conf_engine, "engine", 0, conf_engine_desc),
		 F_OBJECT(T, network, struct conf_network, "network", 0, conf_network_desc),
		 F_OBJECT(T, secrets, struct conf_secrets, "secrets", 0, conf_secrets_desc));
#undef T

/* Known, and of no effect; docs/configuration.md says why. A table's name stands for all that is in it. */
static const char *const ignored[] = {
	"configmaps",
	"containers.enable_keyring",
	"containers.enable_labeling",
	"containers.interface_name",
	"containers.label",
	"containers.label_users",
	"containers.log_path",
	"containers.rootless_networking",
	"containers.userns_size",
	"engine.active_service",
	"engine.add_compression",
	"engine.chown_copied_files",
	"engine.compat_api_enforce_docker_hub",
	"engine.compose_providers",
	"engine.compose_warning_logs",
	"engine.conmonrs_path",
	"engine.database_backend",
	"engine.events_container_create_inspect_data",
	"engine.events_logfile_max_size",
	"engine.events_logfile_path",
	"engine.exit_command_delay",
	"engine.healthcheck_events",
	"engine.image_build_format",
	"engine.image_copy_tmp_dir",
	"engine.image_default_format",
	"engine.image_parallel_copies",
	"engine.infra_command",
	"engine.infra_image",
	"engine.kube_generate_type",
	"engine.lock_type",
	"engine.machine_enabled",
	"engine.multi_image_archive",
	"engine.namespace",
	"engine.network_cmd_options",
	"engine.network_cmd_path",
	"engine.num_locks",
	"engine.platform_to_oci_runtime",
	"engine.pod_exit_policy",
	"engine.remote",
	"engine.remote_identity",
	"engine.remote_uri",
	"engine.runtime_supports_json",
	"engine.runtime_supports_kvm",
	"engine.runtime_supports_nocgroups",
	"engine.service_destinations",
	"engine.service_timeout",
	"engine.ssh_config",
	"engine.static_dir",
	"engine.tmp_dir",
	"engine.volume_path",
	"engine.volume_plugin_timeout",
	"engine.volume_plugins",
	"farms",
	"machine",
	"network.default_host_ips",
	"network.default_rootless_network_cmd",
	"network.pasta_options",
	"podmansh",
};

static bool is_ignored(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (str_eq(ignored[i], key))
			return true;
	return false;
}

static const struct json_field *find_field(const struct json_desc *desc, const char *key)
{
	for (size_t i = 0; i < desc->n_fields; i++)
		if (str_eq(desc->fields[i].key, key))
			return &desc->fields[i];
	return NULL;
}

/* Name what nobody knows: most often it is mistyped. */
static void warn_unknown(struct json_object *document, const char *path)
{
	json_object_object_foreach(document, table, members)
	{
		const struct json_field *f = find_field(&containers_conf_desc, table);

		if (!f && !is_ignored(table))
			log_warning("%s: unknown table or key '%s'", path, table);
		if (!f || !json_object_is_type(members, json_type_object))
			continue;
		json_object_object_foreach(members, key, value)
		{
			auto_free char *name = xasprintf("%s.%s", table, key);

			if (find_field(f->desc, key))
				continue;
			if (is_ignored(name))
				log_debug("%s: '%s' is of no effect here", path, name);
			else
				log_warning("%s: unknown key '%s'", path, name);
		}
	}
}

/* --- several files --- */

/* {append=true} in a list; 1 or 0, -1 when it does not say. */
static int append_mark(struct json_object *list)
{
	int mark = -1;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *element = json_object_array_get_idx(list, i);
		struct json_object *append;

		if (json_object_is_type(element, json_type_object) &&
		    json_object_object_get_ex(element, "append", &append))
			mark = json_object_get_boolean(append);
	}
	return mark;
}

/* The elements behind those of the earlier list, if one of the two says so. */
static struct json_object *merge_lists(struct json_object *before, struct json_object *list)
{
	int mark = append_mark(list);
	struct json_object *merged;

	if (mark < 0 && before)
		mark = append_mark(before);
	if (mark != 1 || !before)
		return json_object_get(list);
	merged = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(before); i++)
		json_object_array_add(merged,
				      json_object_get(json_object_array_get_idx(before, i)));
	for (size_t i = 0; i < json_object_array_length(list); i++)
		json_object_array_add(merged, json_object_get(json_object_array_get_idx(list, i)));
	return merged;
}

static void merge(struct json_object *to, struct json_object *from)
{
	json_object_object_foreach(from, key, value)
	{
		struct json_object *before = NULL;
		bool both = json_object_object_get_ex(to, key, &before) &&
			    json_object_get_type(before) == json_object_get_type(value);

		if (both && json_object_is_type(value, json_type_object))
			merge(before, value);
		else if (json_object_is_type(value, json_type_array))
			json_object_object_add(to, key, merge_lists(both ? before : NULL, value));
		else
			json_object_object_add(to, key, json_object_get(value));
	}
}

/* Without the marks, as the tables want it. A new list. */
static struct json_object *without_marks(struct json_object *list)
{
	struct json_object *bare = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *element = json_object_array_get_idx(list, i);

		if (!json_object_is_type(element, json_type_object) ||
		    !json_object_object_get_ex(element, "append", NULL))
			json_object_array_add(bare, json_object_get(element));
	}
	return bare;
}

static struct json_object *strip(struct json_object *document)
{
	struct json_object *bare = json_object_new_object();

	json_object_object_foreach(document, key, value)
	{
		if (json_object_is_type(value, json_type_object))
			json_object_object_add(bare, key, strip(value));
		else if (json_object_is_type(value, json_type_array))
			json_object_object_add(bare, key, without_marks(value));
		else
			json_object_object_add(bare, key, json_object_get(value));
	}
	return bare;
}

static int decode(struct json_object *document, const char *name, struct containers_conf *ret,
		  struct err *err)
{
	struct json_object *bare = strip(document);
	int r = json_decode_value(&containers_conf_desc, ret, bare, name, err);

	json_object_put(bare);
	return r;
}

/* -ENOENT without *err. */
static int load_document(const char *path, struct json_object **ret, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(AT_FDCWD, path, FILE_MAX, &text);

	if (r == -ENOENT || r == -ENOTDIR)
		return -ENOENT;
	if (r < 0)
		return err_sys(err, r, "read '%s'", path);
	return toml_to_json(text.buf, path, ret, err);
}

struct loading {
	struct json_object *document;
	struct strvec *files;
};

static int load_file(struct loading *l, const char *path, bool must, struct err *err)
{
	struct containers_conf alone = { 0 };
	struct json_object *document = NULL;
	int r = load_document(path, &document, err);

	if (r == -ENOENT)
		return must ? err_sys(err, r, "read configuration '%s'", path) : 0;
	/* By itself first, so that a mistake is named with its file. */
	if (r == 0)
		r = decode(document, path, &alone, err);
	if (r == 0) {
		json_done(&containers_conf_desc, &alone);
		warn_unknown(document, path);
		merge(l->document, document);
		strvec_add(l->files, path);
	}
	json_object_put(document);
	return r;
}

static int load_usual(struct loading *l, struct err *err)
{
	auto_strvec struct strvec dropins = STRVEC_INIT;
	int r = load_file(l, SYSTEM_DIR "/containers.conf", false, err);

	if (r == 0)
		r = load_file(l, ADMIN_DIR "/containers.conf", false, err);
	if (r == 0) {
		r = fs_list_paths(ADMIN_DIR "/containers.conf.d", ".conf", &dropins);
		r = r == -ENOENT ? 0 : r;
		if (r < 0)
			return err_sys(err, r, "read '%s'", ADMIN_DIR "/containers.conf.d");
	}
	for (size_t i = 0; r == 0 && i < dropins.n; i++)
		r = load_file(l, dropins.v[i], false, err);
	return r;
}

static int load_module(struct loading *l, const char *name, struct err *err)
{
	static const char *const dirs[] = { ADMIN_DIR, SYSTEM_DIR };

	if (name[0] == '/') {
		if (fs_exists(AT_FDCWD, name))
			return load_file(l, name, true, err);
		return err_set(err, ERR_NOT_FOUND,
			       "could not resolve module '%s': no such file or directory", name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		auto_free char *path = xasprintf("%s/containers.conf.modules/%s", dirs[i], name);

		if (fs_exists(AT_FDCWD, path))
			return load_file(l, path, true, err);
	}
	return err_set(err, ERR_NOT_FOUND,
		       "could not resolve module '%s': no such file in " ADMIN_DIR
		       "/containers.conf.modules",
		       name);
}

int containers_conf_load(struct containers_conf *ret, const struct strvec *modules, struct err *err)
{
	const char *only = getenv("CONTAINERS_CONF");
	const char *last = getenv("CONTAINERS_CONF_OVERRIDE");
	auto_strvec struct strvec files = STRVEC_INIT;
	struct loading l = { json_object_new_object(), &files };
	struct containers_conf conf = { 0 };
	int r = str_is_empty(only) ? load_usual(&l, err) : load_file(&l, only, true, err);

	if (r == 0 && !str_is_empty(last))
		/* As in podman, this one may be absent: it adds to others, that stay. */
		r = load_file(&l, last, false, err);
	for (size_t i = 0; r == 0 && modules && i < modules->n; i++)
		r = load_module(&l, modules->v[i], err);
	if (r == 0)
		r = decode(l.document, "containers.conf", &conf, err);
	json_object_put(l.document);
	if (r < 0)
		return r;
	*ret = conf;
	ret->files = files;
	files = (struct strvec)STRVEC_INIT;
	return 0;
}

void containers_conf_done(struct containers_conf *conf)
{
	/* Before json_done(), which clears the struct as a whole. */
	strvec_done(&conf->files);
	json_done(&containers_conf_desc, conf);
}

struct json_object *containers_conf_runtime(const struct containers_conf *conf, const char *name)
{
	struct json_object *paths = NULL;

	if (!json_object_is_type(conf->engine.runtimes, json_type_object) ||
	    !json_object_object_get_ex(conf->engine.runtimes, name, &paths))
		return NULL;
	return json_object_is_type(paths, json_type_array) ? paths : NULL;
}

/* --- storage.conf --- */

int storage_conf_driver(char **ret, struct err *err)
{
	static const char *const usual[] = { ADMIN_DIR "/storage.conf",
					     SYSTEM_DIR "/storage.conf" };
	const char *given = getenv("CONTAINERS_STORAGE_CONF");
	struct json_object *document = NULL;
	struct json_object *storage;
	struct json_object *driver;
	int r = -ENOENT;

	*ret = NULL;
	if (!str_is_empty(given)) {
		r = load_document(given, &document, err);
		if (r == -ENOENT)
			return err_sys(err, r, "read configuration '%s'", given);
	}
	for (size_t i = 0; r == -ENOENT && i < ARRAY_SIZE(usual); i++)
		r = load_document(usual[i], &document, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (json_object_object_get_ex(document, "storage", &storage) &&
	    json_object_is_type(storage, json_type_object) &&
	    json_object_object_get_ex(storage, "driver", &driver)) {
		if (!json_object_is_type(driver, json_type_string))
			r = err_set(err, ERR_INVALID,
				    "storage.conf: storage.driver is not a text; write \"overlay\" "
				    "or \"vfs\"");
		else if (!str_is_empty(json_object_get_string(driver)))
			*ret = xstrdup(json_object_get_string(driver));
	}
	json_object_put(document);
	return r;
}
