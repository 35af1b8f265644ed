/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include "core/str.h"

static const struct json_enum_name phase_names[] = {
	{ "created", PHASE_CREATED },
	{ "initialized", PHASE_INITIALIZED },
	{ "running", PHASE_RUNNING },
	{ "stopped", PHASE_STOPPED },
	{ "paused", PHASE_PAUSED },
	{ "exited", PHASE_EXITED },
	{ "removing", PHASE_REMOVING },
	{ "stopping", PHASE_STOPPING },
	{ NULL, 0 },
};

const char *container_phase_to_string(enum container_phase phase)
{
	for (const struct json_enum_name *n = phase_names; n->name; n++)
		if (n->value == (int)phase)
			return n->name;
	return "unknown";
}

enum container_phase container_phase_from_string(const char *s)
{
	/* podman knows the first one by this name too. */
	if (str_eq(s, "configured"))
		return PHASE_CREATED;
	for (const struct json_enum_name *n = phase_names; n->name; n++)
		if (str_eq(n->name, s))
			return (enum container_phase)n->value;
	return 0;
}

#define T struct container_mount
/* clang-format off */
JSON_DESC_STATIC(container_mount_desc, T,
	F_STRING(T, type, "type", 0),
	F_STRING(T, source, "source", 0),
	F_STRING(T, destination, "destination", 0),
	F_STRINGS(T, options, "options", 0),
	F_STRING(T, subpath, "subpath", 0),
	F_BOOL(T, anonymous, "anonymous", 0));
/* clang-format on */
#undef T

#define T struct container_device
/* clang-format off */
JSON_DESC_STATIC(container_device_desc, T,
	F_STRING(T, host_path, "hostPath", 0),
	F_STRING(T, path, "path", 0),
	F_STRING(T, permissions, "permissions", 0));
/* clang-format on */
#undef T

#define T struct container_ulimit
/* clang-format off */
JSON_DESC_STATIC(container_ulimit_desc, T,
	F_STRING(T, name, "name", 0),
	F_U64(T, soft, "soft", 0),
	F_U64(T, hard, "hard", 0));
/* clang-format on */
#undef T

#define T struct container_secret
/* clang-format off */
JSON_DESC_STATIC(container_secret_desc, T,
	F_STRING(T, name, "name", 0),
	F_STRING(T, id, "id", 0),
	F_STRING(T, type, "type", 0),
	F_STRING(T, target, "target", 0),
	F_U32(T, uid, "uid", 0),
	F_U32(T, gid, "gid", 0),
	F_U32(T, mode, "mode", 0));
/* clang-format on */
#undef T

#define T struct container_idmap
/* clang-format off */
JSON_DESC_STATIC(container_idmap_desc, T,
	F_U32(T, container, "container", 0),
	F_U32(T, host, "host", 0),
	F_U32(T, size, "size", 0));
/* clang-format on */
#undef T

#define T struct container_throttle
/* clang-format off */
JSON_DESC_STATIC(container_throttle_desc, T,
	F_STRING(T, path, "path", 0),
	F_U64(T, value, "value", 0));
/* clang-format on */
#undef T

#define T struct container_limits
/* clang-format off */
JSON_DESC(container_limits_desc, T,
	F_OPT_I64(T, memory, "memory", 0),
	F_OPT_I64(T, memory_swap, "memorySwap", 0),
	F_OPT_I64(T, memory_reservation, "memoryReservation", 0),
	F_OPT_U64(T, memory_swappiness, "memorySwappiness", 0),
	F_OPT_BOOL(T, oom_kill_disable, "oomKillDisable", 0),
	F_OPT_U64(T, cpu_shares, "cpuShares", 0),
	F_OPT_U64(T, cpu_period, "cpuPeriod", 0),
	F_OPT_I64(T, cpu_quota, "cpuQuota", 0),
	F_OPT_U64(T, cpu_rt_period, "cpuRtPeriod", 0),
	F_OPT_I64(T, cpu_rt_runtime, "cpuRtRuntime", 0),
	F_STRING(T, cpuset_cpus, "cpusetCpus", 0),
	F_STRING(T, cpuset_mems, "cpusetMems", 0),
	F_OPT_I64(T, pids, "pids", 0),
	F_OPT_U32(T, blkio_weight, "blkioWeight", 0),
	F_OBJECTS(T, blkio_weight_device, struct container_throttle, "blkioWeightDevice", 0, container_throttle_desc),
	F_OBJECTS(T, read_bps, struct container_throttle, "readBps", 0, container_throttle_desc),
	F_OBJECTS(T, write_bps, struct container_throttle, "writeBps", 0, container_throttle_desc),
	F_OBJECTS(T, read_iops, struct container_throttle, "readIops", 0, container_throttle_desc),
	F_OBJECTS(T, write_iops, struct container_throttle, "writeIops", 0, container_throttle_desc),
	F_STRING_MAP(T, unified, "unified", 0));
/* clang-format on */
#undef T

#define T struct container_config
/* clang-format off */
JSON_DESC(container_config_desc, T,
	F_STRING(T, id, "id", 0),
	F_STRING(T, name, "name", 0),
	F_I64(T, created_ns, "createdNs", 0),
	F_STRINGS(T, create_command, "createCommand", 0),
	F_STRING(T, image_name, "imageName", 0),
	F_STRING(T, image_id, "imageId", 0),
	F_STRING(T, image_digest, "imageDigest", 0),
	F_STRING(T, runtime, "runtime", 0),
	F_STRING(T, rootfs, "rootfs", 0),
	F_BOOL(T, rootfs_overlay, "rootfsOverlay", 0),
	F_BOOL(T, rootfs_idmap, "rootfsIdmap", 0),
	F_BOOL(T, read_only, "readOnly", 0),
	F_BOOL(T, read_write_tmpfs, "readWriteTmpfs", 0),
	F_STRINGS(T, entrypoint, "entrypoint", 0),
	F_STRINGS(T, command, "command", 0),
	F_STRINGS(T, env, "env", 0),
	F_STRINGS(T, unset_env, "unsetEnv", 0),
	F_STRING(T, workdir, "workdir", 0),
	F_BOOL(T, workdir_must_exist, "workdirMustExist", 0),
	F_STRING(T, user, "user", 0),
	F_STRINGS(T, groups, "groups", 0),
	F_BOOL(T, tty, "tty", 0),
	F_BOOL(T, interactive, "interactive", 0),
	F_BOOL(T, init, "init", 0),
	F_STRING(T, init_path, "initPath", 0),
	F_STRING(T, systemd, "systemd", 0),
	F_STRING(T, umask, "umask", 0),
	F_STRING(T, timezone, "timezone", 0),
	F_OPT_I64(T, oom_score_adj, "oomScoreAdj", 0),
	F_STRING(T, personality, "personality", 0),
	F_U32(T, preserve_fds, "preserveFds", 0),
	F_STRINGS(T, preserve_fd, "preserveFd", 0),
	F_STRING(T, stop_signal, "stopSignal", 0),
	F_U32(T, stop_timeout, "stopTimeout", 0),
	F_U32(T, timeout, "timeout", 0),
	F_STRING(T, hostname, "hostname", 0),
	F_STRING_MAP(T, labels, "labels", 0),
	F_STRING_MAP(T, annotations, "annotations", 0),
	F_STRING(T, log_driver, "logDriver", 0),
	F_STRING(T, log_path, "logPath", 0),
	F_OPT_I64(T, log_size_max, "logSizeMax", 0),
	F_STRING(T, log_tag, "logTag", 0),
	F_STRING(T, restart_policy, "restartPolicy", 0),
	F_U32(T, restart_max, "restartMax", 0),
	F_BOOL(T, auto_remove, "autoRemove", 0),
	F_BOOL(T, auto_remove_image, "autoRemoveImage", 0),
	F_STRING(T, pidfile, "pidfile", 0),
	F_STRING(T, conmon_pidfile, "conmonPidfile", 0),
	F_STRING(T, cidfile, "cidfile", 0),
	F_STRING(T, sdnotify, "sdnotify", 0),
	F_STRING(T, network, "network", 0),
	F_STRING(T, pid, "pid", 0),
	F_STRING(T, ipc, "ipc", 0),
	F_STRING(T, uts, "uts", 0),
	F_STRING(T, userns, "userns", 0),
	F_OBJECTS(T, uid_maps, struct container_idmap, "uidMaps", 0, container_idmap_desc),
	F_OBJECTS(T, gid_maps, struct container_idmap, "gidMaps", 0, container_idmap_desc),
	F_STRING(T, cgroupns, "cgroupns", 0),
	F_STRING(T, cgroups, "cgroups", 0),
	F_STRING(T, cgroup_parent, "cgroupParent", 0),
	F_STRINGS(T, dependencies, "dependencies", 0),
	F_OBJECTS(T, mounts, struct container_mount, "mounts", 0, container_mount_desc),
	F_STRINGS(T, volumes_from, "volumesFrom", 0),
	F_OBJECTS(T, secrets, struct container_secret, "secrets", 0, container_secret_desc),
	F_STRINGS(T, cdi_devices, "cdiDevices", 0),
	F_OBJECTS(T, devices, struct container_device, "devices", 0, container_device_desc),
	F_STRINGS(T, device_cgroup_rules, "deviceCgroupRules", 0),
	F_I64(T, shm_size, "shmSize", 0),
	F_OPT_I64(T, shm_size_systemd, "shmSizeSystemd", 0),
	F_BOOL(T, privileged, "privileged", 0),
	F_STRINGS(T, default_caps, "defaultCaps", 0), F_STRINGS(T, cap_add, "capAdd", 0),
	F_STRINGS(T, cap_drop, "capDrop", 0),
	F_STRINGS(T, security_opts, "securityOpts", 0),
	F_BOOL(T, no_new_privileges, "noNewPrivileges", 0),
	F_STRING(T, apparmor, "apparmor", 0),
	F_STRING(T, seccomp, "seccomp", 0),
	F_STRING(T, selinux_process, "selinuxProcess", 0),
	F_STRING(T, selinux_mount, "selinuxMount", 0),
	F_STRINGS(T, mask, "mask", 0),
	F_STRINGS(T, unmask, "unmask", 0),
	F_STRING(T, proc_opts, "procOpts", 0),
	F_STRING_MAP(T, sysctl, "sysctl", 0),
	F_OBJECTS(T, ulimits, struct container_ulimit, "ulimits", 0, container_ulimit_desc),
	F_OBJECT(T, limits, struct container_limits, "limits", 0, container_limits_desc),
	F_STRINGS(T, dns, "dns", 0),
	F_STRINGS(T, dns_search, "dnsSearch", 0),
	F_STRINGS(T, dns_options, "dnsOptions", 0),
	F_STRINGS(T, add_hosts, "addHosts", 0),
	F_BOOL(T, no_hosts, "noHosts", 0),
	F_BOOL(T, no_hostname, "noHostname", 0),
	F_STRING(T, hosts_file, "hostsFile", 0),
	F_BOOL(T, no_passwd, "noPasswd", 0),
	F_STRING(T, passwd_entry, "passwdEntry", 0),
	F_STRING(T, group_entry, "groupEntry", 0),
	F_STRINGS(T, host_users, "hostUsers", 0),
	F_STRINGS(T, chroot_dirs, "chrootDirs", 0),
	F_OBJECT_MAP(T, networks, struct network_attachment, "networks", 0,
		     network_attachment_desc),
	F_OBJECTS(T, ports, struct network_port, "ports", 0, network_port_desc),
	F_STRINGS(T, expose, "expose", 0),
	F_BOOL(T, publish_all, "publishAll", 0));

JSON_DESC(container_brief_desc, T,
	F_STRING(T, id, "id", 0),
	F_STRING(T, name, "name", 0),
	F_I64(T, created_ns, "createdNs", 0),
	F_STRING(T, image_name, "imageName", 0),
	F_STRINGS(T, entrypoint, "entrypoint", 0),
	F_STRINGS(T, command, "command", 0),
	F_OBJECTS(T, ports, struct network_port, "ports", 0, network_port_desc),
	F_STRINGS(T, expose, "expose", 0));
/* clang-format on */
#undef T

#define T struct container_exec
/* clang-format off */
JSON_DESC_STATIC(container_exec_desc, T,
	F_STRING(T, id, "id", 0),
	F_INT(T, pid, "pid", 0),
	F_STRINGS(T, command, "command", 0));
/* clang-format on */
#undef T

#define T struct container_status
/* clang-format off */
JSON_DESC(container_status_desc, T,
	F_ENUM(T, phase, "phase", 0, phase_names),
	F_STRING(T, boot_id, "bootId", 0),
	F_INT(T, pid, "pid", 0),
	F_U64(T, pid_start_time, "pidStartTime", 0),
	F_INT(T, conmon_pid, "conmonPid", 0),
	F_U64(T, conmon_start_time, "conmonStartTime", 0),
	F_BOOL(T, mounted, "mounted", 0),
	F_STRING(T, mount_point, "mountPoint", 0),
	F_I64(T, started_ns, "startedNs", 0),
	F_I64(T, finished_ns, "finishedNs", 0),
	F_INT(T, exit_code, "exitCode", 0),
	F_BOOL(T, oom_killed, "oomKilled", 0),
	F_STRING(T, error, "error", 0),
	F_BOOL(T, stopped_by_user, "stoppedByUser", 0),
	F_U32(T, restart_count, "restartCount", 0),
	F_BOOL(T, restart_pending, "restartPending", 0),
	F_STRING(T, netns, "netns", 0),
	F_OBJECT_MAP(T, attachments, struct network_attachment, "attachments", 0,
		     network_attachment_desc),
	F_OBJECTS(T, networks, struct network, "networks", 0, network_desc),
	F_OBJECTS(T, ports, struct network_port, "ports", 0, network_port_desc),
	F_STRING(T, cgroup, "cgroup", 0),
	F_STRING(T, conmon_cgroup, "conmonCgroup", 0),
	F_RAW(T, network, "network", 0),
	F_OBJECTS(T, execs, struct container_exec, "execs", 0, container_exec_desc),
	F_BOOL(T, importing, "importing", 0),
	F_STRINGS(T, import_volumes, "importVolumes", 0),
	F_BOOL(T, checkpointed, "checkpointed", 0),
	F_BOOL(T, restored, "restored", 0),
	F_I64(T, checkpointed_ns, "checkpointedNs", 0),
	F_I64(T, restored_ns, "restoredNs", 0),
	F_STRING(T, checkpoint_path, "checkpointPath", 0),
	F_STRING(T, checkpoint_log, "checkpointLog", 0),
	F_STRING(T, restore_log, "restoreLog", 0),
	F_OBJECTS(T, checkpoint_ports, struct network_port, "checkpointPorts", 0, network_port_desc));
/* clang-format on */
#undef T

void container_mount_done(struct container_mount *mount)
{
	json_done(&container_mount_desc, mount);
}

struct container_mount *container_config_mount(const struct container_config *config,
					       const char *destination)
{
	for (size_t i = 0; config && i < config->n_mounts; i++)
		if (str_eq(config->mounts[i].destination, destination))
			return &config->mounts[i];
	return NULL;
}

void container_config_done(struct container_config *config)
{
	json_done(&container_config_desc, config);
}

void container_status_done(struct container_status *status)
{
	json_done(&container_status_desc, status);
}
