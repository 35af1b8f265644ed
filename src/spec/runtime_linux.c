/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of the linux.* part. The order of rows is the order of writing, which is that of the
 * specification's Go structs, so that documents compare with those of other runtimes.
 */
#include "spec/runtime_linux.h"

#include "core/str.h"

/* clang-format off: one row a line. */
JSON_DESC(oci_id_mapping_desc, struct oci_id_mapping,
	  F_U32(struct oci_id_mapping, container_id, "containerID", JSON_ALWAYS),
	  F_U32(struct oci_id_mapping, host_id, "hostID", JSON_ALWAYS),
	  F_U32(struct oci_id_mapping, size, "size", JSON_ALWAYS));

JSON_DESC_STATIC(namespace_desc, struct oci_namespace,
		 F_STRING(struct oci_namespace, type, "type", JSON_ALWAYS),
		 F_STRING(struct oci_namespace, path, "path", 0));

JSON_DESC_STATIC(device_desc, struct oci_device,
		 F_STRING(struct oci_device, path, "path", JSON_ALWAYS),
		 F_STRING(struct oci_device, type, "type", JSON_ALWAYS),
		 F_OPT_I64(struct oci_device, major, "major", 0),
		 F_OPT_I64(struct oci_device, minor, "minor", 0),
		 F_OPT_U32(struct oci_device, file_mode, "fileMode", 0),
		 F_OPT_U32(struct oci_device, uid, "uid", 0),
		 F_OPT_U32(struct oci_device, gid, "gid", 0));

JSON_DESC_STATIC(net_device_desc, struct oci_net_device,
		 F_STRING(struct oci_net_device, name, "name", 0));

JSON_DESC_STATIC(device_rule_desc, struct oci_device_rule,
		 F_BOOL(struct oci_device_rule, allow, "allow", JSON_ALWAYS),
		 F_STRING(struct oci_device_rule, type, "type", 0),
		 F_OPT_I64(struct oci_device_rule, major, "major", 0),
		 F_OPT_I64(struct oci_device_rule, minor, "minor", 0),
		 F_STRING(struct oci_device_rule, access, "access", 0));

JSON_DESC_STATIC(memory_desc, struct oci_memory, F_OPT_I64(struct oci_memory, limit, "limit", 0),
		 F_OPT_I64(struct oci_memory, reservation, "reservation", 0),
		 F_OPT_I64(struct oci_memory, swap, "swap", 0),
		 F_OPT_I64(struct oci_memory, kernel, "kernel", 0),
		 F_OPT_I64(struct oci_memory, kernel_tcp, "kernelTCP", 0),
		 F_OPT_U64(struct oci_memory, swappiness, "swappiness", 0),
		 F_OPT_BOOL(struct oci_memory, disable_oom_killer, "disableOOMKiller", 0),
		 F_OPT_BOOL(struct oci_memory, use_hierarchy, "useHierarchy", 0),
		 F_OPT_BOOL(struct oci_memory, check_before_update, "checkBeforeUpdate", 0));

JSON_DESC_STATIC(cpu_desc, struct oci_cpu, F_OPT_U64(struct oci_cpu, shares, "shares", 0),
		 F_OPT_I64(struct oci_cpu, quota, "quota", 0),
		 F_OPT_U64(struct oci_cpu, burst, "burst", 0),
		 F_OPT_U64(struct oci_cpu, period, "period", 0),
		 F_OPT_I64(struct oci_cpu, realtime_runtime, "realtimeRuntime", 0),
		 F_OPT_U64(struct oci_cpu, realtime_period, "realtimePeriod", 0),
		 F_STRING(struct oci_cpu, cpus, "cpus", 0),
		 F_STRING(struct oci_cpu, mems, "mems", 0),
		 F_OPT_I64(struct oci_cpu, idle, "idle", 0));

JSON_DESC_STATIC(pids_desc, struct oci_pids, F_OPT_I64(struct oci_pids, limit, "limit", 0));

JSON_DESC_STATIC(weight_device_desc, struct oci_weight_device,
		 F_I64(struct oci_weight_device, major, "major", JSON_ALWAYS),
		 F_I64(struct oci_weight_device, minor, "minor", JSON_ALWAYS),
		 F_OPT_U32(struct oci_weight_device, weight, "weight", 0),
		 F_OPT_U32(struct oci_weight_device, leaf_weight, "leafWeight", 0));

JSON_DESC_STATIC(throttle_device_desc, struct oci_throttle_device,
		 F_I64(struct oci_throttle_device, major, "major", JSON_ALWAYS),
		 F_I64(struct oci_throttle_device, minor, "minor", JSON_ALWAYS),
		 F_U64(struct oci_throttle_device, rate, "rate", JSON_ALWAYS));

JSON_DESC_STATIC(block_io_desc, struct oci_block_io,
		 F_OPT_U32(struct oci_block_io, weight, "weight", 0),
		 F_OPT_U32(struct oci_block_io, leaf_weight, "leafWeight", 0),
		 F_OBJECTS(struct oci_block_io, weight_device, struct oci_weight_device,
			   "weightDevice", 0, weight_device_desc),
		 F_OBJECTS(struct oci_block_io, throttle_read_bps, struct oci_throttle_device,
			   "throttleReadBpsDevice", 0, throttle_device_desc),
		 F_OBJECTS(struct oci_block_io, throttle_write_bps, struct oci_throttle_device,
			   "throttleWriteBpsDevice", 0, throttle_device_desc),
		 F_OBJECTS(struct oci_block_io, throttle_read_iops, struct oci_throttle_device,
			   "throttleReadIOPSDevice", 0, throttle_device_desc),
		 F_OBJECTS(struct oci_block_io, throttle_write_iops, struct oci_throttle_device,
			   "throttleWriteIOPSDevice", 0, throttle_device_desc));

JSON_DESC_STATIC(hugepage_limit_desc, struct oci_hugepage_limit,
		 F_STRING(struct oci_hugepage_limit, page_size, "pageSize", JSON_ALWAYS),
		 F_U64(struct oci_hugepage_limit, limit, "limit", JSON_ALWAYS));

JSON_DESC_STATIC(interface_priority_desc, struct oci_interface_priority,
		 F_STRING(struct oci_interface_priority, name, "name", JSON_ALWAYS),
		 F_U32(struct oci_interface_priority, priority, "priority", JSON_ALWAYS));

JSON_DESC_STATIC(network_desc, struct oci_network,
		 F_OPT_U32(struct oci_network, class_id, "classID", 0),
		 F_OBJECTS(struct oci_network, priorities, struct oci_interface_priority,
			   "priorities", 0, interface_priority_desc));

JSON_DESC_STATIC(rdma_desc, struct oci_rdma,
		 F_OPT_U32(struct oci_rdma, hca_handles, "hcaHandles", 0),
		 F_OPT_U32(struct oci_rdma, hca_objects, "hcaObjects", 0));

JSON_DESC(oci_resources_desc, struct oci_resources,
	  F_OBJECTS(struct oci_resources, devices, struct oci_device_rule, "devices", 0,
		    device_rule_desc),
	  F_OBJECT_PTR(struct oci_resources, memory, struct oci_memory, "memory", 0, memory_desc),
	  F_OBJECT_PTR(struct oci_resources, cpu, struct oci_cpu, "cpu", 0, cpu_desc),
	  F_OBJECT_PTR(struct oci_resources, pids, struct oci_pids, "pids", 0, pids_desc),
	  F_OBJECT_PTR(struct oci_resources, block_io, struct oci_block_io, "blockIO", 0,
		       block_io_desc),
	  F_OBJECTS(struct oci_resources, hugepage_limits, struct oci_hugepage_limit,
		    "hugepageLimits", 0, hugepage_limit_desc),
	  F_OBJECT_PTR(struct oci_resources, network, struct oci_network, "network", 0,
		       network_desc),
	  F_OBJECT_MAP(struct oci_resources, rdma, struct oci_rdma, "rdma", 0, rdma_desc),
	  F_STRING_MAP(struct oci_resources, unified, "unified", 0),
	  F_EXTRA(struct oci_resources, extra));

JSON_DESC_STATIC(seccomp_arg_desc, struct oci_seccomp_arg,
		 F_U32(struct oci_seccomp_arg, index, "index", JSON_ALWAYS),
		 F_U64(struct oci_seccomp_arg, value, "value", JSON_ALWAYS),
		 F_U64(struct oci_seccomp_arg, value_two, "valueTwo", 0),
		 F_STRING(struct oci_seccomp_arg, op, "op", JSON_ALWAYS));

JSON_DESC_STATIC(seccomp_syscall_desc, struct oci_seccomp_syscall,
		 F_STRINGS(struct oci_seccomp_syscall, names, "names", JSON_ALWAYS),
		 F_STRING(struct oci_seccomp_syscall, action, "action", JSON_ALWAYS),
		 F_OPT_U32(struct oci_seccomp_syscall, errno_ret, "errnoRet", 0),
		 F_OBJECTS(struct oci_seccomp_syscall, args, struct oci_seccomp_arg, "args", 0,
			   seccomp_arg_desc));

JSON_DESC_STATIC(seccomp_desc, struct oci_seccomp,
		 F_STRING(struct oci_seccomp, default_action, "defaultAction", JSON_ALWAYS),
		 F_OPT_U32(struct oci_seccomp, default_errno_ret, "defaultErrnoRet", 0),
		 F_STRINGS(struct oci_seccomp, architectures, "architectures", 0),
		 F_STRINGS(struct oci_seccomp, flags, "flags", 0),
		 F_STRING(struct oci_seccomp, listener_path, "listenerPath", 0),
		 F_STRING(struct oci_seccomp, listener_metadata, "listenerMetadata", 0),
		 F_OBJECTS(struct oci_seccomp, syscalls, struct oci_seccomp_syscall, "syscalls", 0,
			   seccomp_syscall_desc));

JSON_DESC_STATIC(intel_rdt_desc, struct oci_intel_rdt,
		 F_STRING(struct oci_intel_rdt, clos_id, "closID", 0),
		 F_STRINGS(struct oci_intel_rdt, schemata, "schemata", 0),
		 F_STRING(struct oci_intel_rdt, l3_cache_schema, "l3CacheSchema", 0),
		 F_STRING(struct oci_intel_rdt, mem_bw_schema, "memBwSchema", 0),
		 F_BOOL(struct oci_intel_rdt, enable_monitoring, "enableMonitoring", 0),
		 F_EXTRA(struct oci_intel_rdt, extra));

JSON_DESC_STATIC(memory_policy_desc, struct oci_memory_policy,
		 F_STRING(struct oci_memory_policy, mode, "mode", JSON_ALWAYS),
		 F_STRING(struct oci_memory_policy, nodes, "nodes", 0),
		 F_STRINGS(struct oci_memory_policy, flags, "flags", 0));

JSON_DESC_STATIC(personality_desc, struct oci_personality,
		 F_STRING(struct oci_personality, domain, "domain", JSON_ALWAYS),
		 F_STRINGS(struct oci_personality, flags, "flags", 0));

JSON_DESC_STATIC(time_offset_desc, struct oci_time_offset,
		 F_I64(struct oci_time_offset, secs, "secs", 0),
		 F_U32(struct oci_time_offset, nanosecs, "nanosecs", 0));

JSON_DESC(oci_linux_desc, struct oci_linux,
	  F_OBJECTS(struct oci_linux, uid_mappings, struct oci_id_mapping, "uidMappings", 0,
		    oci_id_mapping_desc),
	  F_OBJECTS(struct oci_linux, gid_mappings, struct oci_id_mapping, "gidMappings", 0,
		    oci_id_mapping_desc),
	  F_STRING_MAP(struct oci_linux, sysctl, "sysctl", 0),
	  F_OBJECT_PTR(struct oci_linux, resources, struct oci_resources, "resources", 0,
		       oci_resources_desc),
	  F_STRING(struct oci_linux, cgroups_path, "cgroupsPath", 0),
	  F_OBJECTS(struct oci_linux, namespaces, struct oci_namespace, "namespaces", 0,
		    namespace_desc),
	  F_OBJECTS(struct oci_linux, devices, struct oci_device, "devices", 0, device_desc),
	  F_OBJECT_MAP(struct oci_linux, net_devices, struct oci_net_device, "netDevices", 0,
		       net_device_desc),
	  F_OBJECT_PTR(struct oci_linux, seccomp, struct oci_seccomp, "seccomp", 0, seccomp_desc),
	  F_STRING(struct oci_linux, rootfs_propagation, "rootfsPropagation", 0),
	  F_STRINGS(struct oci_linux, masked_paths, "maskedPaths", 0),
	  F_STRINGS(struct oci_linux, readonly_paths, "readonlyPaths", 0),
	  F_STRING(struct oci_linux, mount_label, "mountLabel", 0),
	  F_OBJECT_PTR(struct oci_linux, intel_rdt, struct oci_intel_rdt, "intelRdt", 0,
		       intel_rdt_desc),
	  F_OBJECT_PTR(struct oci_linux, memory_policy, struct oci_memory_policy, "memoryPolicy", 0,
		       memory_policy_desc),
	  F_OBJECT_PTR(struct oci_linux, personality, struct oci_personality, "personality", 0,
		       personality_desc),
	  F_OBJECT_MAP(struct oci_linux, time_offsets, struct oci_time_offset, "timeOffsets", 0,
		       time_offset_desc),
	  F_EXTRA(struct oci_linux, extra));
/* clang-format on */

const struct oci_namespace *oci_linux_namespace(const struct oci_linux *linux_, const char *type)
{
	for (size_t i = 0; linux_ && i < linux_->n_namespaces; i++)
		if (str_eq(linux_->namespaces[i].type, type))
			return &linux_->namespaces[i];
	return NULL;
}

bool oci_memory_policy_is_empty(const struct oci_memory_policy *policy)
{
	return str_is_empty(policy->mode) && str_is_empty(policy->nodes) && policy->n_flags == 0;
}
