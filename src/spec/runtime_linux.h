/* SPDX-License-Identifier: Apache-2.0 */
/* The linux.* part of the OCI runtime configuration (runtime-spec 1.3); see runtime_spec.h. */
#pragma once

#include "core/json_table.h"

struct oci_id_mapping {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct oci_namespace {
	char *type; /* pid network mount ipc uts user cgroup time */
	char *path; /* NULL: create a new one */
};

struct oci_device {
	char *type; /* c b u p */
	char *path;
	struct opt_i64 major;
	struct opt_i64 minor;
	struct opt_u32 file_mode;
	struct opt_u32 uid;
	struct opt_u32 gid;
};

struct oci_net_device {
	char *key; /* name on the host */
	char *name; /* name in the container; NULL: the same */
};

struct oci_device_rule {
	bool allow;
	char *type; /* a b c; NULL: a */
	struct opt_i64 major; /* absent or -1: any */
	struct opt_i64 minor;
	char *access; /* some of r w m; NULL: all */
};

struct oci_memory {
	struct opt_i64 limit; /* bytes; -1: no limit */
	struct opt_i64 reservation; /* bytes */
	struct opt_i64 swap; /* bytes of memory plus swap */
	struct opt_i64 kernel;
	struct opt_i64 kernel_tcp;
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer;
	struct opt_bool use_hierarchy;
	struct opt_bool check_before_update;
};

struct oci_cpu {
	struct opt_u64 shares;
	struct opt_i64 quota; /* us */
	struct opt_u64 burst; /* us */
	struct opt_u64 period; /* us */
	struct opt_i64 realtime_runtime;
	struct opt_u64 realtime_period;
	char *cpus;
	char *mems;
	struct opt_i64 idle;
};

struct oci_pids {
	struct opt_i64 limit;
};

struct oci_weight_device {
	int64_t major;
	int64_t minor;
	struct opt_u32 weight;
	struct opt_u32 leaf_weight;
};

struct oci_throttle_device {
	int64_t major;
	int64_t minor;
	uint64_t rate;
};

struct oci_block_io {
	struct opt_u32 weight;
	struct opt_u32 leaf_weight;
	struct oci_weight_device *weight_device;
	size_t n_weight_device;
	struct oci_throttle_device *throttle_read_bps;
	size_t n_throttle_read_bps;
	struct oci_throttle_device *throttle_write_bps;
	size_t n_throttle_write_bps;
	struct oci_throttle_device *throttle_read_iops;
	size_t n_throttle_read_iops;
	struct oci_throttle_device *throttle_write_iops;
	size_t n_throttle_write_iops;
};

struct oci_hugepage_limit {
	char *page_size; /* "2MB" */
	uint64_t limit; /* bytes */
};

struct oci_interface_priority {
	char *name;
	uint32_t priority;
};

struct oci_network {
	struct opt_u32 class_id;
	struct oci_interface_priority *priorities;
	size_t n_priorities;
};

struct oci_rdma {
	char *key; /* device */
	struct opt_u32 hca_handles;
	struct opt_u32 hca_objects;
};

struct oci_resources {
	struct oci_device_rule *devices;
	size_t n_devices;
	struct oci_memory *memory;
	struct oci_cpu *cpu;
	struct oci_pids *pids;
	struct oci_block_io *block_io;
	struct oci_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct oci_network *network;
	struct oci_rdma *rdma;
	size_t n_rdma;
	struct json_string_map unified;
	struct json_extra extra;
};

struct oci_seccomp_arg {
	uint32_t index;
	uint64_t value;
	uint64_t value_two;
	char *op; /* SCMP_CMP_NE ... */
};

struct oci_seccomp_syscall {
	char **names;
	size_t n_names;
	char *action;
	struct opt_u32 errno_ret;
	struct oci_seccomp_arg *args;
	size_t n_args;
};

struct oci_seccomp {
	char *default_action;
	struct opt_u32 default_errno_ret;
	char **architectures;
	size_t n_architectures;
	char **flags; /* n_flags == 0 and flags == NULL: absent; flags != NULL: given, maybe empty */
	size_t n_flags;
	char *listener_path;
	char *listener_metadata;
	struct oci_seccomp_syscall *syscalls;
	size_t n_syscalls;
};

struct oci_intel_rdt {
	char *clos_id;
	char **schemata;
	size_t n_schemata;
	char *l3_cache_schema;
	char *mem_bw_schema;
	bool enable_monitoring;
	struct json_extra extra;
};

struct oci_memory_policy {
	char *mode; /* MPOL_BIND ... */
	char *nodes;
	char **flags;
	size_t n_flags;
};

struct oci_personality {
	char *domain; /* LINUX LINUX32 */
	char **flags;
	size_t n_flags;
};

struct oci_time_offset {
	char *key; /* monotonic boottime */
	int64_t secs;
	uint32_t nanosecs;
};

struct oci_linux {
	struct oci_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	struct oci_id_mapping *gid_mappings;
	size_t n_gid_mappings;
	struct json_string_map sysctl;
	struct oci_resources *resources;
	char *cgroups_path;
	struct oci_namespace *namespaces;
	size_t n_namespaces;
	struct oci_device *devices;
	size_t n_devices;
	struct oci_net_device *net_devices;
	size_t n_net_devices;
	struct oci_seccomp *seccomp;
	char *rootfs_propagation;
	char **masked_paths;
	size_t n_masked_paths;
	char **readonly_paths;
	size_t n_readonly_paths;
	char *mount_label;
	struct oci_intel_rdt *intel_rdt;
	struct oci_memory_policy *memory_policy;
	struct oci_personality *personality;
	struct oci_time_offset *time_offsets;
	size_t n_time_offsets;
	struct json_extra extra;
};

extern const struct json_desc oci_linux_desc;
extern const struct json_desc oci_id_mapping_desc;
extern const struct json_desc oci_id_mapping_desc;
extern const struct json_desc oci_id_mapping_desc;
/* One resources object, as `update --resources` reads it. */
extern const struct json_desc oci_resources_desc;

/* The entry of linux.namespaces with this type ("network"), NULL when there is none: the container
 * shares that namespace with the runtime. linux_ may be NULL. */
const struct oci_namespace *oci_linux_namespace(const struct oci_linux *linux_, const char *type);

/* {}: asks for nothing. */
bool oci_memory_policy_is_empty(const struct oci_memory_policy *policy);
