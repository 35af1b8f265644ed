/* SPDX-License-Identifier: Apache-2.0 */
/* config.dump by tables. Keys are libpod's; those of checkpointctl's format are at the end. */
#include "archive/metadata.h"

#include <string.h>

#include "archive/mac.h"
#include "core/alloc.h"
#include "core/str.h"

JSON_DESC_STATIC(named_volume_desc, struct archive_named_volume,
		 F_STRING(struct archive_named_volume, volume_name, "volumeName", JSON_REQUIRED),
		 F_STRING(struct archive_named_volume, dest, "dest", JSON_REQUIRED),
		 F_STRINGS(struct archive_named_volume, options, "options", 0),
		 F_BOOL(struct archive_named_volume, set_anonymous, "setAnonymous", 0),
		 F_STRING(struct archive_named_volume, sub_path, "SubPath", 0),
		 F_EXTRA(struct archive_named_volume, extra));

JSON_DESC_STATIC(overlay_volume_desc, struct archive_overlay_volume,
		 F_STRING(struct archive_overlay_volume, dest, "dest", 0),
		 F_STRING(struct archive_overlay_volume, source, "source", 0),
		 F_STRINGS(struct archive_overlay_volume, options, "options", 0),
		 F_EXTRA(struct archive_overlay_volume, extra));

JSON_DESC_STATIC(image_volume_desc, struct archive_image_volume,
		 F_STRING(struct archive_image_volume, source, "source", 0),
		 F_STRING(struct archive_image_volume, dest, "dest", 0),
		 F_BOOL(struct archive_image_volume, rw, "rw", JSON_ALWAYS),
		 F_STRING(struct archive_image_volume, sub_path, "subPath", 0),
		 F_EXTRA(struct archive_image_volume, extra));

/* The second set of keys is that of libpod before 4.0 (OCICNI). */
JSON_DESC_STATIC(port_desc, struct archive_port,
		 F_STRING(struct archive_port, host_ip, "host_ip", JSON_ALWAYS),
		 F_U32(struct archive_port, container_port, "container_port", JSON_ALWAYS),
		 F_U32(struct archive_port, host_port, "host_port", JSON_ALWAYS),
		 F_U32(struct archive_port, range, "range", JSON_ALWAYS),
		 F_STRING(struct archive_port, protocol, "protocol", JSON_ALWAYS),
		 F_STRING(struct archive_port, host_ip, "hostIP", JSON_DECODE_ONLY),
		 F_U32(struct archive_port, container_port, "containerPort", JSON_DECODE_ONLY),
		 F_U32(struct archive_port, host_port, "hostPort", JSON_DECODE_ONLY),
		 F_EXTRA(struct archive_port, extra));

JSON_DESC_STATIC(network_desc, struct archive_network,
		 F_STRINGS(struct archive_network, static_ips, "static_ips", 0),
		 F_STRINGS(struct archive_network, aliases, "aliases", 0),
		 F_STRING(struct archive_network, static_mac, "static_mac", 0),
		 F_STRING(struct archive_network, interface_name, "interface_name", JSON_ALWAYS),
		 F_STRING_MAP(struct archive_network, options, "options", 0),
		 F_EXTRA(struct archive_network, extra));

JSON_DESC_STATIC(secret_desc, struct archive_secret,
		 F_STRING(struct archive_secret, name, "name", 0),
		 F_STRING(struct archive_secret, id, "id", 0),
		 F_STRING(struct archive_secret, target, "target", 0),
		 F_U32(struct archive_secret, uid, "uid", JSON_ALWAYS),
		 F_U32(struct archive_secret, gid, "gid", JSON_ALWAYS),
		 F_U32(struct archive_secret, mode, "mode", JSON_ALWAYS),
		 F_EXTRA(struct archive_secret, extra));

#define S(member, key) F_STRING(struct archive_config, member, key, 0)
#define L(member, key) F_STRINGS(struct archive_config, member, key, 0)
#define B(member, key) F_BOOL(struct archive_config, member, key, 0)
#define B_ALWAYS(member, key) F_BOOL(struct archive_config, member, key, JSON_ALWAYS)

JSON_DESC_STATIC(
	config_desc, struct archive_config, F_RAW(struct archive_config, spec, "spec", 0),
	F_STRING(struct archive_config, id, "id", JSON_REQUIRED | JSON_ALWAYS),
	F_STRING(struct archive_config, name, "name", JSON_REQUIRED | JSON_ALWAYS), S(pod, "pod"),
	S(namespace, "namespace"), F_U32(struct archive_config, lock_id, "lockID", JSON_ALWAYS),
	L(create_command, "CreateCommand"), S(raw_image_name, "RawImageName"),
	F_RAW(struct archive_config, id_mappings, "idMappingsOptions", 0),
	L(dependencies, "Dependencies"), S(rootfs_image_id, "rootfsImageID"),
	S(rootfs_image_name, "rootfsImageName"), S(rootfs, "rootfs"),
	B(rootfs_overlay, "rootfs_overlay"), S(rootfs_mapping, "rootfs_mapping"),
	S(shm_dir, "ShmDir"), B(no_shm, "NoShm"), B(no_shm_share, "NOShmShare"),
	B_ALWAYS(read_write_tmpfs, "readWriteTmpfs"),
	F_I64(struct archive_config, shm_size, "shmSize", JSON_ALWAYS),
	F_I64(struct archive_config, shm_size_systemd, "shmSizeSystemd", JSON_ALWAYS),
	L(mounts, "mounts"),
	F_OBJECTS(struct archive_config, named_volumes, struct archive_named_volume, "namedVolumes",
		  0, named_volume_desc),
	F_OBJECTS(struct archive_config, overlay_volumes, struct archive_overlay_volume,
		  "overlayVolumes", 0, overlay_volume_desc),
	F_OBJECTS(struct archive_config, image_volumes, struct archive_image_volume,
		  "ctrImageVolumes", 0, image_volume_desc),
	F_OBJECTS(struct archive_config, secrets, struct archive_secret, "secrets", 0, secret_desc),
	F_RAW(struct archive_config, secret_env, "secret_env", 0),
	B_ALWAYS(privileged, "privileged"), S(process_label, "ProcessLabel"),
	S(mount_label, "MountLabel"), L(label_opts, "labelopts"), S(user, "user"),
	L(groups, "groups"), S(ipc_ns_ctr, "ipcNsCtr"), S(mount_ns_ctr, "mountNsCtr"),
	S(net_ns_ctr, "netNsCtr"), S(pid_ns_ctr, "pidNsCtr"), S(user_ns_ctr, "userNsCtr"),
	S(uts_ns_ctr, "utsNsCtr"), S(cgroup_ns_ctr, "cgroupNsCtr"),
	B_ALWAYS(create_net_ns, "createNetNS"), S(static_ip, "staticIP"),
	S(static_mac, "staticMAC"),
	F_OBJECTS(struct archive_config, ports, struct archive_port, "newPortMappings", 0,
		  port_desc),
	F_OBJECTS(struct archive_config, ports, struct archive_port, "portMappings",
		  JSON_DECODE_ONLY, port_desc),
	F_RAW(struct archive_config, exposed_ports, "exposedPorts", 0), L(dns_server, "dnsServer"),
	L(dns_search, "dnsSearch"), L(dns_option, "dnsOption"),
	B(use_image_resolv_conf, "UseImageResolvConf"),
	B_ALWAYS(use_image_hostname, "useImageHostname"), B(use_image_hosts, "UseImageHosts"),
	S(base_hosts_file, "baseHostsFile"), L(hosts_add, "hostsAdd"),
	F_OBJECT_MAP(struct archive_config, networks, struct archive_network, "newNetworks", 0,
		     network_desc),
	L(network_names, "networks"), S(network_mode, "networkMode"),
	L(user_volumes, "userVolumes"), L(entrypoint, "entrypoint"), L(command, "command"),
	B(stdin_open, "stdin"), F_STRING_MAP(struct archive_config, labels, "labels", 0),
	F_U32(struct archive_config, stop_signal, "stopSignal", 0),
	F_U32(struct archive_config, stop_timeout, "stopTimeout", 0),
	F_U32(struct archive_config, timeout, "timeout", 0),
	F_STRING(struct archive_config, created_time, "createdTime", 0),
	S(cgroup_manager, "cgroupManager"), B(no_cgroups, "noCgroups"),
	S(cgroups_mode, "cgroupsMode"),
	F_STRING(struct archive_config, cgroup_parent, "cgroupParent", JSON_ALWAYS),
	F_STRING(struct archive_config, log_path, "logPath", JSON_ALWAYS),
	F_STRING(struct archive_config, log_tag, "logTag", JSON_ALWAYS),
	F_I64(struct archive_config, log_size, "logSize", JSON_ALWAYS),
	F_STRING(struct archive_config, log_driver, "logDriver", JSON_ALWAYS),
	S(conmon_pid_file, "conmonPidFile"), S(restart_policy, "restart_policy"),
	F_U32(struct archive_config, restart_retries, "restart_retries", 0), S(runtime, "runtime"),
	S(sdnotify_mode, "sdnotifyMode"), F_OPT_BOOL(struct archive_config, systemd, "systemd", 0),
	F_OPT_BOOL(struct archive_config, passwd, "passwd", 0), S(timezone, "timezone"),
	S(umask, "umask"), S(pid_file, "pid_file"), L(cdi_devices, "cdiDevices"),
	B_ALWAYS(pause, "pause"), B_ALWAYS(is_service, "isService"),
	/* checkpointctl's */
	S(rootfs_image, "rootfsImage"),
	F_STRING(struct archive_config, rootfs_image_id, "rootfsImageRef", JSON_DECODE_ONLY),
	S(checkpointed_time, "checkpointedTime"), S(restored_time, "restoredTime"),
	B(restored, "restored"), F_EXTRA(struct archive_config, extra));

#undef S
#undef L
#undef B
#undef B_ALWAYS

static struct archive_network *find_network(struct archive_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_networks; i++)
		if (str_eq(config->networks[i].name, name))
			return &config->networks[i];
	return NULL;
}

/* What earlier libpods wrote elsewhere. */
static void modernise(struct archive_config *config)
{
	for (size_t i = 0; i < config->n_network_names; i++) {
		struct archive_network *network;

		if (find_network(config, config->network_names[i]))
			continue;
		network = array_push(config->networks, config->n_networks);
		network->name = xstrdup(config->network_names[i]);
	}
	for (size_t i = 0; i < config->n_networks; i++)
		archive_mac_to_text(&config->networks[i].static_mac);
	archive_mac_to_text(&config->static_mac);
	for (size_t i = 0; i < config->n_ports; i++)
		if (config->ports[i].range == 0)
			config->ports[i].range = 1;
}

int archive_config_parse(struct archive_config *ret, const char *text, size_t len, const char *name,
			 struct err *err)
{
	int r = json_decode(&config_desc, ret, text, len, name, err);

	if (r == 0)
		modernise(ret);
	return r;
}

char *archive_config_format(const struct archive_config *config)
{
	struct archive_config written = *config;

	/* The networks have them. */
	written.network_names = NULL;
	written.n_network_names = 0;
	return json_encode(&config_desc, &written, JSON_INDENT2);
}

void archive_config_done(struct archive_config *config)
{
	json_done(&config_desc, config);
}
