/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container is to be (config, written once at creation and changed only by update and rename)
 * and what it is at the moment (status). Plain data with JSON tables; both are columns of the data base.
 * Options are kept as the user gave them, as far as inspect prints them; what follows from them for the
 * runtime is computed by engine/specgen.h.
 */
#pragma once

#include "core/auto.h"
#include "core/json_table.h"
#include "network/attachment.h"

/* What is mounted into the container, in the user's words. */
struct container_mount {
	char *type; /* bind volume tmpfs ramfs devpts mqueue */
	char *source; /* bind: host path, absolute; volume: its name; else NULL */
	char *destination; /* absolute, clean */
	char **options; /* as for a mount of the runtime configuration, and z Z U O copy nocopy */
	size_t n_options;
	char *subpath; /* of a volume */
	bool anonymous; /* the volume was made for this container and goes with it */
};

struct container_device {
	char *host_path;
	char *path;
	char *permissions; /* some of rwm */
};

struct container_ulimit {
	char *name; /* RLIMIT_NOFILE */
	uint64_t soft;
	uint64_t hard;
};

struct container_secret {
	char *name;
	char *id;
	char *type; /* mount env */
	char *target; /* path or name of the variable */
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
};

/* Ids of the container's user namespace and what they are outside. */
struct container_idmap {
	uint32_t container;
	uint32_t host;
	uint32_t size;
};

/* A value for one block device: weights, rates. */
struct container_throttle {
	char *path;
	uint64_t value;
};

struct container_limits {
	struct opt_i64 memory; /* bytes; -1: no limit, likewise below */
	struct opt_i64 memory_swap;
	struct opt_i64 memory_reservation;
	struct opt_u64 memory_swappiness;
	struct opt_bool oom_kill_disable;
	struct opt_u64 cpu_shares;
	struct opt_u64 cpu_period; /* us */
	struct opt_i64 cpu_quota; /* us */
	struct opt_u64 cpu_rt_period;
	struct opt_i64 cpu_rt_runtime;
	char *cpuset_cpus;
	char *cpuset_mems;
	struct opt_i64 pids;
	struct opt_u32 blkio_weight;
	struct container_throttle *blkio_weight_device;
	size_t n_blkio_weight_device;
	struct container_throttle *read_bps;
	size_t n_read_bps;
	struct container_throttle *write_bps;
	size_t n_write_bps;
	struct container_throttle *read_iops;
	size_t n_read_iops;
	struct container_throttle *write_iops;
	size_t n_write_iops;
	struct json_string_map unified; /* --cgroup-conf */
};

struct container_config {
	char *id;
	char *name;
	int64_t created_ns;
	char **create_command;
	size_t n_create_command;

	/* the root file system: an image's layers, or a directory */
	char *image_name; /* as given; NULL with rootfs */
	char *image_id;
	char *image_digest;
	char *runtime; /* name or path of the OCI runtime that it was made for; NULL: the engine's (an old record) */
	char *rootfs;
	bool rootfs_overlay; /* changes go to a directory of ours */
	bool rootfs_idmap; /* its ids are those inside of the container's user namespace */
	bool read_only;
	bool read_write_tmpfs; /* with read_only: tmpfs on /run, /tmp, /var/tmp */

	/* the process, with what the image says already in it */
	char **entrypoint;
	size_t n_entrypoint;
	char **command;
	size_t n_command;
	char **env;
	size_t n_env;
	char **unset_env; /* which of the default variables are not to be there */
	size_t n_unset_env;
	char *workdir;
	bool workdir_must_exist; /* the user's, which nobody makes */
	char *user; /* NULL: root */
	char **groups;
	size_t n_groups;
	bool tty;
	bool interactive;
	bool init;
	char *init_path;
	char *systemd; /* true always false */
	char *umask; /* "0022" */
	char *timezone;
	struct opt_i64 oom_score_adj;
	char *personality;
	uint32_t preserve_fds;
	char **preserve_fd; /* numbers of descriptors, in place of preserve_fds */
	size_t n_preserve_fd;
	char *stop_signal; /* name; NULL: SIGTERM */
	uint32_t stop_timeout; /* seconds */
	uint32_t timeout; /* seconds until it is killed; 0: never */

	char *hostname; /* NULL: by id */
	struct json_string_map labels;
	struct json_string_map annotations;
	char *log_driver;
	char *log_path;
	struct opt_i64 log_size_max; /* bytes */
	char *log_tag;
	char *restart_policy; /* no always on-failure unless-stopped */
	uint32_t restart_max;
	bool auto_remove;
	bool auto_remove_image; /* with auto_remove: the image too, unless somebody else uses it */
	char *pidfile;
	char *conmon_pidfile;
	char *cidfile;
	char *sdnotify; /* container conmon ignore */

	/* namespaces: private host none container:ID ns:PATH shareable; NULL: the default */
	char *network;
	char *pid;
	char *ipc;
	char *uts;
	char *userns; /* as given: auto:size=..., too */
	struct container_idmap
		*uid_maps; /* of a user namespace of its own, or of the one that it joins */
	size_t n_uid_maps;
	struct container_idmap *gid_maps;
	size_t n_gid_maps;
	char *cgroupns;
	char *cgroups; /* enabled disabled no-conmon split */
	char *cgroup_parent;
	char **dependencies; /* ids of containers whose namespaces or volumes are used */
	size_t n_dependencies;

	struct container_mount *mounts;
	size_t n_mounts;
	char **volumes_from;
	size_t n_volumes_from;
	struct container_secret *secrets;
	size_t n_secrets;
	struct container_device *devices;
	size_t n_devices;
	char **cdi_devices; /* VENDOR/CLASS=NAME */
	size_t n_cdi_devices;
	char **device_cgroup_rules;
	size_t n_device_cgroup_rules;
	int64_t shm_size; /* bytes; -1: no limit */
	struct opt_i64 shm_size_systemd; /* bytes of each tmpfs of systemd mode; 0: no limit */

	bool privileged;
	char **default_caps; /* in place of those that a container has anyway */
	size_t n_default_caps;
	char **cap_add;
	size_t n_cap_add;
	char **cap_drop;
	size_t n_cap_drop;
	char **security_opts; /* as given, for inspect */
	size_t n_security_opts;
	bool no_new_privileges;
	char *apparmor;
	char *seccomp; /* NULL: the default profile; unconfined; a path */
	char *selinux_process;
	char *selinux_mount;
	char **mask;
	size_t n_mask;
	char **unmask;
	size_t n_unmask;
	char *proc_opts;
	struct json_string_map sysctl;
	struct container_ulimit *ulimits;
	size_t n_ulimits;
	struct container_limits limits;

	char **dns;
	size_t n_dns;
	char **dns_search;
	size_t n_dns_search;
	char **dns_options;
	size_t n_dns_options;
	char **add_hosts;
	size_t n_add_hosts;
	bool no_hosts;
	bool no_hostname;
	char *hosts_file;
	bool no_passwd;
	char *passwd_entry;
	char *group_entry;
	char **host_users; /* names or numbers, whose line of the host's /etc/passwd is added */
	size_t n_host_users;
	char **chroot_dirs; /* where generated files of /etc are mounted as well */
	size_t n_chroot_dirs;
	struct network_attachment *networks; /* where network is "bridge" */
	size_t n_networks;
	struct network_port *ports; /* host_port 0: any */
	size_t n_ports;
	char **expose;
	size_t n_expose;
	bool publish_all;
};

extern const struct json_desc container_config_desc;
/* The members that a list of containers shows. */
extern const struct json_desc container_brief_desc;
extern const struct json_desc container_limits_desc;
/* Free what it owns. */
void container_mount_done(struct container_mount *mount);
/* The mount at a place; NULL: there is none, nor is there one in NULL. */
struct container_mount *container_config_mount(const struct container_config *config,
					       const char *destination);
void container_config_done(struct container_config *config);
DEFINE_AUTO_VAL(container_config, struct container_config, container_config_done)
#define auto_container_config auto_cleanup(container_config_cleanup_val)

/* As podman counts and names them: `created` has nothing in the runtime yet, `initialized` has. */
enum container_phase {
	PHASE_CREATED = 1,
	PHASE_INITIALIZED,
	PHASE_RUNNING,
	PHASE_STOPPED, /* the process has ended, its remains are not cleaned up yet */
	PHASE_PAUSED,
	PHASE_EXITED,
	PHASE_REMOVING,
	PHASE_STOPPING,
};

const char *container_phase_to_string(enum container_phase phase);
/* 0 for an unknown word. */
enum container_phase container_phase_from_string(const char *s);

struct container_exec {
	char *id;
	int pid;
	char **command;
	size_t n_command;
};

struct container_status {
	enum container_phase phase;
	char *boot_id; /* of the boot that the rest speaks of */
	int pid;
	uint64_t
		pid_start_time; /* clock ticks since boot, so that a later process is not taken for ours */
	int conmon_pid;
	uint64_t conmon_start_time;
	bool mounted;
	char *mount_point;
	int64_t started_ns;
	int64_t finished_ns;
	int exit_code;
	bool oom_killed;
	char *error;
	bool stopped_by_user;
	uint32_t restart_count;
	bool restart_pending; /* the policy says: start again */
	/* Of the networks, as they are set up at the moment; taken before they are, so that a crash loses nothing. */
	char *netns; /* path of a network namespace of ours; NULL: nothing is set up */
	struct network_attachment *attachments; /* with addresses and names of interfaces */
	size_t n_attachments;
	struct network *networks; /* what these were then */
	size_t n_networks;
	struct network_port *ports; /* with host ports */
	size_t n_ports;
	char *cgroup; /* path of the container's cgroup as the runtime was told */
	char *conmon_cgroup; /* where conmon was put; NULL: nowhere */
	struct json_object *network; /* what the network said, as it said it */
	struct container_exec *execs;
	size_t n_execs;

	bool importing; /* what an archive brings is not all there yet */
	char **import_volumes; /* that are made for it meanwhile */
	size_t n_import_volumes;

	/* The last checkpoint and restore; 0: never. */
	bool checkpointed; /* it ended by a checkpoint, and has not been started since */
	bool restored; /* it runs since a restore */
	int64_t checkpointed_ns;
	int64_t restored_ns;
	char *checkpoint_path; /* CRIU's images */
	char *checkpoint_log;
	char *restore_log;
	struct network_port *checkpoint_ports; /* that were published, with host ports */
	size_t n_checkpoint_ports;
};

extern const struct json_desc container_status_desc;
void container_status_done(struct container_status *status);
