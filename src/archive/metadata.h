/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of a checkpoint archive as C structs: config.dump as podman (libpod's ContainerConfig),
 * CRI-O and containerd (checkpointctl's ContainerConfig) write it, network.status in its forms, CRI-O's
 * bind.mounts, deleted.files, and the annotations of checkpoint images. What a table does not name is kept in
 * `extra` and written back.
 */
#pragma once

#include "archive/reader.h"
#include "core/auto.h"
#include "core/json_table.h"
#include "network/status.h"

enum archive_engine {
	ARCHIVE_ENGINE_UNKNOWN = 0,
	ARCHIVE_ENGINE_PODMAN,
	ARCHIVE_ENGINE_CRIO,
	ARCHIVE_ENGINE_CONTAINERD,
};
/* "Podman", "CRI-O", "containerd", as checkpointctl has them. */
const char *archive_engine_to_string(enum archive_engine engine);

struct archive_named_volume {
	char *volume_name;
	char *dest;
	char **options;
	size_t n_options;
	bool set_anonymous;
	char *sub_path;
	struct json_extra extra;
};

struct archive_overlay_volume {
	char *dest;
	char *source;
	char **options;
	size_t n_options;
	struct json_extra extra;
};

struct archive_image_volume {
	char *source;
	char *dest;
	bool rw;
	char *sub_path;
	struct json_extra extra;
};

struct archive_port {
	char *host_ip;
	uint32_t container_port;
	uint32_t host_port;
	uint32_t range;
	char *protocol; /* may be a list: "tcp,udp" */
	struct json_extra extra;
};

/* One of newNetworks; the MAC address is text in *static_mac, however it was written. */
struct archive_network {
	char *name; /* the key */
	char **static_ips;
	size_t n_static_ips;
	char **aliases;
	size_t n_aliases;
	char *static_mac;
	char *interface_name;
	struct json_string_map options;
	struct json_extra extra;
};

struct archive_secret {
	char *name;
	char *id;
	char *target;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	struct json_extra extra;
};

/*
 * config.dump. Members that only some engines write are NULL or 0 elsewhere. Fields of libpod 1.x
 * (portMappings, networks, staticIP) are decoded into those of today where these are absent.
 */
struct archive_config {
	/* identity */
	char *id;
	char *name;
	char *pod;
	char *namespace;
	char **create_command;
	size_t n_create_command;
	char **dependencies;
	size_t n_dependencies;
	bool pause; /* the infra container of a pod */
	uint32_t lock_id; /* of libpod's locks; means nothing to others */
	struct json_object *spec; /* what create was given; owned */
	struct json_object *id_mappings; /* owned */
	bool is_service;

	/* image and root file system */
	char *raw_image_name;
	char *rootfs_image_id; /* podman: rootfsImageID, CRI: rootfsImageRef */
	char *rootfs_image_name;
	char *rootfs_image; /* CRI: as requested */
	char *rootfs; /* a directory instead of an image */
	bool rootfs_overlay;
	char *rootfs_mapping; /* of its ids: "" as the container's; NULL: none */
	char *shm_dir;
	int64_t shm_size;
	int64_t shm_size_systemd;
	bool no_shm;
	bool no_shm_share; /* it has one that no other container may join */
	bool read_write_tmpfs; /* with a read-only root: on /run, /tmp, /var/tmp */
	char **mounts; /* destinations that the user or the image asked for */
	size_t n_mounts;
	struct archive_named_volume *named_volumes;
	size_t n_named_volumes;
	struct archive_overlay_volume *overlay_volumes;
	size_t n_overlay_volumes;
	struct archive_image_volume *image_volumes;
	size_t n_image_volumes;
	struct archive_secret *secrets;
	size_t n_secrets;
	struct json_object
		*secret_env; /* name of a variable: the secret that is its value; owned */
	char **user_volumes;
	size_t n_user_volumes;

	/* security */
	bool privileged;
	char *process_label;
	char *mount_label;
	char **label_opts;
	size_t n_label_opts;
	char *user;
	char **groups;
	size_t n_groups;
	char **cdi_devices; /* VENDOR/CLASS=NAME, of the host that it starts on */
	size_t n_cdi_devices;

	/* namespaces: ids of the containers that they are of */
	char *ipc_ns_ctr;
	char *mount_ns_ctr;
	char *net_ns_ctr;
	char *pid_ns_ctr;
	char *user_ns_ctr;
	char *uts_ns_ctr;
	char *cgroup_ns_ctr;

	/* network */
	bool create_net_ns;
	char *static_ip; /* libpod before 4.0 */
	char *static_mac; /* text */
	struct archive_port *ports;
	size_t n_ports;
	struct json_object *exposed_ports; /* {"80": ["tcp"]} */
	char **dns_server;
	size_t n_dns_server;
	char **dns_search;
	size_t n_dns_search;
	char **dns_option;
	size_t n_dns_option;
	bool use_image_resolv_conf;
	bool use_image_hosts;
	bool use_image_hostname;
	char **hosts_add;
	size_t n_hosts_add;
	char *base_hosts_file;
	struct archive_network *networks; /* names of libpod 1.x and 3.x are here too */
	size_t n_networks;
	char **network_names; /* as libpod 1.x wrote them; not written */
	size_t n_network_names;
	char *network_mode;

	/* the process */
	char **entrypoint;
	size_t n_entrypoint;
	char **command;
	size_t n_command;
	bool stdin_open;
	struct json_string_map labels;
	uint32_t stop_signal;
	uint32_t stop_timeout; /* seconds */
	uint32_t timeout;
	char *created_time; /* RFC 3339 */
	char *checkpointed_time;
	char *restored_time;
	bool restored;
	char *cgroup_manager;
	bool no_cgroups;
	char *cgroups_mode;
	char *cgroup_parent;
	char *log_path;
	char *log_tag;
	int64_t log_size;
	char *log_driver;
	char *conmon_pid_file;
	char *pid_file;
	char *restart_policy;
	uint32_t restart_retries;
	char *runtime; /* crun, runc, floe-runtime; CRI: the handler */
	char *sdnotify_mode;
	struct opt_bool systemd;
	struct opt_bool passwd; /* false: the image's is left alone */
	char *timezone;
	char *umask;
	struct json_extra extra;
};

/* name is for errors. *ret is zeroed or uninitialised; on failure it owns nothing. */
int archive_config_parse(struct archive_config *ret, const char *text, size_t len, const char *name,
			 struct err *err);
/* As podman writes it: two blanks of indent, no newline at the end. The caller owns it. */
char *archive_config_format(const struct archive_config *config) MUST_CHECK;
void archive_config_done(struct archive_config *config);
DEFINE_AUTO_VAL(archive_config, struct archive_config, archive_config_done)
#define auto_archive_config auto_cleanup(archive_config_cleanup_val)

/* By the annotations of spec.dump: io.container.manager, or CRI-O's. */
enum archive_engine archive_engine_of(const struct json_string_map *annotations);

/*
 * network.status: podman's map (also with MAC addresses as base64), the array of CNI results of libpod
 * 1.x (the networks are then named by `names` in their order, "network-N" beyond), null, nothing.
 */
int archive_network_status_parse(struct network_status *ret, const char *text, size_t len,
				 char *const *names, size_t n_names, struct err *err);

/* deleted.files: ["/etc/x"]. A path that is not absolute, or has "..", is ERR_INVALID. */
int archive_deleted_parse(struct strvec *ret, const char *text, size_t len, struct err *err);
char *archive_deleted_format(char *const *paths, size_t n) MUST_CHECK;

/* bind.mounts of CRI-O. */
struct archive_bind_mount {
	char *source;
	char *destination;
	char *file_type; /* directory file */
	uint32_t permissions;
};
struct archive_bind_mounts {
	struct archive_bind_mount *v;
	size_t n;
};
int archive_bind_mounts_parse(struct archive_bind_mounts *ret, const char *text, size_t len,
			      struct err *err);
void archive_bind_mounts_done(struct archive_bind_mounts *mounts);

/* Annotations of checkpoint images, whichever set there is: podman's, CRI-O's or the generic one. */
struct archive_annotations {
	char *engine_name;
	char *engine_version;
	char *name;
	char *raw_image_name;
	char *rootfs_image_id;
	char *rootfs_image_name;
	char *runtime_name;
	char *runtime_version;
	char *criu_version; /* "40200" */
	char *conmon_version;
	char *host_arch;
	char *host_kernel;
	char *cgroup_version;
	char *distribution_name;
	char *distribution_version;
};
/* 1: *ret is what they say (owned), 0: these are of no checkpoint image. */
int archive_annotations_parse(struct archive_annotations *ret, const struct json_string_map *map);
/* podman's set, and the generic one: what podman 5.8 and later tools look for. */
void archive_annotations_format(const struct archive_annotations *annotations,
				struct json_string_map *map);
void archive_annotations_done(struct archive_annotations *annotations);
DEFINE_AUTO_VAL(archive_annotations, struct archive_annotations, archive_annotations_done)
#define auto_archive_annotations auto_cleanup(archive_annotations_cleanup_val)
