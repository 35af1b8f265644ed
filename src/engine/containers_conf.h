/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers.conf(5), the defaults that podman and its relatives share: what of it means something to this
 * engine. One table for each of its tables; keys that mean nothing here are listed beside them with
 * the reason in docs/configuration.md, all others are named in a warning.
 *
 * Files, later ones over earlier ones, key by key: /usr/share/containers/containers.conf,
 * /etc/containers/containers.conf, /etc/containers/containers.conf.d in order of name. CONTAINERS_CONF
 * names one file in place of all of these; CONTAINERS_CONF_OVERRIDE and modules (--module) come last. A
 * list replaces the one before it, unless {append=true} stands in it.
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"
#include "core/strvec.h"

/* [containers]: of each container that is made. Strings and lists are as their option has them. */
struct conf_containers {
	char **annotations;
	size_t n_annotations;
	char *apparmor_profile;
	char *base_hosts_file; /* a path, "image", "none" */
	char **cgroup_conf;
	size_t n_cgroup_conf;
	char *cgroupns;
	char *cgroups;
	struct opt_bool container_name_as_hostname;
	char **default_capabilities;
	size_t n_default_capabilities;
	char **default_sysctls;
	size_t n_default_sysctls;
	char **default_ulimits;
	size_t n_default_ulimits;
	char **devices;
	size_t n_devices;
	char **dns_options;
	size_t n_dns_options;
	char **dns_searches;
	size_t n_dns_searches;
	char **dns_servers;
	size_t n_dns_servers;
	char **env;
	size_t n_env;
	struct opt_bool env_host;
	char *host_containers_internal_ip; /* an address, "none" */
	struct opt_bool http_proxy;
	struct opt_bool init;
	char *init_path;
	char *ipcns;
	struct opt_bool keyring; /* a session keyring for each container (default: true) */
	char *log_driver;
	struct opt_i64 log_size_max; /* bytes; negative: no limit */
	char *log_tag;
	char **mounts;
	size_t n_mounts;
	char *netns;
	struct opt_bool no_hosts;
	struct opt_i64 oom_score_adj;
	char *pidns;
	struct opt_i64 pids_limit;
	struct opt_bool prepare_volume_on_create;
	struct opt_bool privileged;
	struct opt_bool read_only;
	char *seccomp_profile;
	char *shm_size; /* "65536k" */
	char *tz;
	char *umask;
	char *userns;
	char *utsns;
	char **volumes;
	size_t n_volumes;
};

/* [engine] */
struct conf_engine {
	char *cgroup_manager;
	char *compression_format;
	struct opt_i64 compression_level;
	char **cdi_spec_dirs;
	size_t n_cdi_spec_dirs;
	char **conmon_env_vars;
	size_t n_conmon_env_vars;
	char **conmon_path;
	size_t n_conmon_path;
	char *detach_keys;
	char **env;
	size_t n_env;
	struct opt_bool enable_port_reservation;
	char *events_logger;
	char **helper_binaries_dir;
	size_t n_helper_binaries_dir;
	char **hooks_dir;
	size_t n_hooks_dir;
	char *image_default_transport; /* "docker://" */
	char *image_volume_mode; /* as --image-volume */
	struct opt_bool no_pivot_root;
	char *pull_policy;
	struct opt_u64 retry;
	char *retry_delay;
	char *runtime;
	struct json_object *runtimes; /* name: list of paths */
	struct opt_u32 stop_timeout; /* seconds */
};

struct conf_subnet_pool {
	char *base;
	uint32_t size; /* prefix length */
};

/* [network] */
struct conf_network {
	char **cni_plugin_dirs;
	size_t n_cni_plugin_dirs;
	char *default_network;
	char *default_subnet;
	struct conf_subnet_pool *default_subnet_pools;
	size_t n_default_subnet_pools;
	struct opt_u32 dns_bind_port;
	char *firewall_driver;
	char **netavark_plugin_dirs;
	size_t n_netavark_plugin_dirs;
	char *network_backend;
	char *network_config_dir;
};

/* [secrets]: of those that are made without these options. */
struct conf_secrets {
	char *driver;
	struct json_string_map opts;
};

struct containers_conf {
	struct conf_containers containers;
	struct conf_engine engine;
	struct conf_network network;
	struct conf_secrets secrets;
	struct strvec files; /* that were read, in this order */
};

/* modules: names or paths of further files; NULL: none. ERR_INVALID with the file; ERR_NOT_FOUND for a file
 * that a variable or a module names. */
int containers_conf_load(struct containers_conf *ret, const struct strvec *modules,
			 struct err *err);
void containers_conf_done(struct containers_conf *conf);
/* The paths of a runtime of [engine.runtimes]; NULL when it is not there. A json-c array that stays conf's. */
struct json_object *containers_conf_runtime(const struct containers_conf *conf, const char *name);

/* The driver of storage.conf ($CONTAINERS_STORAGE_CONF, /etc/containers, /usr/share/containers); the
 * caller owns it. NULL: none is named. All else in that file is about podman's own storage. */
int storage_conf_driver(char **ret, struct err *err);

DEFINE_AUTO_VAL(containers_conf, struct containers_conf, containers_conf_done)
#define auto_containers_conf auto_cleanup(containers_conf_cleanup_val)
