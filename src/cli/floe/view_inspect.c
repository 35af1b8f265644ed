/* SPDX-License-Identifier: Apache-2.0 */
/* podman's inspect document of a container. */
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/view.h"
#include "cli/floe/view_mounts.h"
#include "cli/floe/view_network.h"
#include "cli/floe/view_root.h"
#include "cli/gotemplate.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/apparmor.h"
#include "engine/disk_usage.h"
#include "engine/environment.h"
#include "engine/facts.h"
#include "engine/runtime_exec.h"
#include "engine/log_file.h"
#include "engine/specgen.h"
#include "kernel/caps.h"
#include "kernel/cgroupfs.h"
#include "kernel/signals.h"
#include "spec/defaults.h"
#include "spec/runtime_spec.h"

static void add(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

/* --- what podman's documents leave out where it is empty; templates find it all the same --- */

static void add_text(struct json_object *o, const char *key, const char *value)
{
	if (!str_is_empty(value))
		view_add(o, key, value);
}

static void add_number(struct json_object *o, const char *key, int64_t value)
{
	if (value != 0)
		view_add_i64(o, key, value);
}

static void add_flag(struct json_object *o, const char *key, bool value)
{
	if (value)
		view_add_bool(o, key, true);
}

/* Go's lists and maps without content are null, unless somebody has made them. */
static struct json_object *or_null(struct json_object *value)
{
	bool is_empty = json_object_is_type(value, json_type_array) ?
				json_object_array_length(value) == 0 :
				json_object_object_length(value) == 0;

	if (!is_empty)
		return value;
	json_object_put(value);
	return NULL;
}

static struct json_object *state(const struct container *c)
{
	const struct container_status *s = &c->status;
	struct json_object *o = json_object_new_object();
	const char *word = container_phase_to_string(s->phase);

	view_add(o, "OciVersion", SPEC_OCI_VERSION);
	view_add(o, "Status", s->phase == PHASE_STOPPED ? "exited" : word);
	view_add_bool(o, "Running", s->phase == PHASE_RUNNING || s->phase == PHASE_STOPPING);
	view_add_bool(o, "Paused", s->phase == PHASE_PAUSED);
	view_add_bool(o, "Restarting", s->restart_pending);
	view_add_bool(o, "OOMKilled", s->oom_killed);
	view_add_bool(o, "Dead", false);
	view_add_i64(o, "Pid", s->pid);
	add_number(o, "ConmonPid", s->conmon_pid);
	view_add_i64(o, "ExitCode", s->exit_code);
	view_add(o, "Error", s->error);
	view_add_time(o, "StartedAt", s->started_ns);
	view_add_time(o, "FinishedAt", s->finished_ns);
	add_text(o, "CgroupPath", s->cgroup);
	add_flag(o, "Checkpointed", s->checkpointed);
	add_flag(o, "Restored", s->restored);
	view_add_time(o, "CheckpointedAt", s->checkpointed_ns);
	view_add_time(o, "RestoredAt", s->restored_ns);
	add_text(o, "CheckpointPath", s->checkpoint_path);
	add_text(o, "CheckpointLog", s->checkpoint_log);
	add_text(o, "RestoreLog", s->restore_log);
	add_flag(o, "StoppedByUser", s->stopped_by_user);
	gotemplate_add_empty(o, json_tokener_parse("{\"ConmonPid\": 0, \"CgroupPath\": \"\", "
						   "\"Checkpointed\": false, \"Restored\": "
						   "false, \"CheckpointPath\": \"\", "
						   "\"CheckpointLog\": \"\", \"RestoreLog\": \"\", "
						   "\"StoppedByUser\": false}"));
	return o;
}

static struct json_object *secrets(const struct container_config *g)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < g->n_secrets; i++) {
		const struct container_secret *s = &g->secrets[i];
		struct json_object *o = json_object_new_object();

		view_add(o, "Name", s->name);
		view_add(o, "ID", s->id);
		view_add_i64(o, "UID", s->uid);
		view_add_i64(o, "GID", s->gid);
		view_add_i64(o, "Mode", s->mode);
		json_object_array_add(list, o);
	}
	return list;
}

/* What a start adds, from the configuration that it wrote; the values of secrets are nobody's to see. */
static void add_env_of_start(const struct container *c, struct json_object *list)
{
	static const char *const added[] = { "HOME=", "HOSTNAME=", "container_uuid=",
					     "NOTIFY_SOCKET=" };
	const struct container_config *g = &c->config;
	auto_free char *path = path_join(c->static_dir, "config.json");
	struct runtime_spec spec;

	if (runtime_spec_load(&spec, AT_FDCWD, path, NULL) < 0)
		return;
	for (size_t i = 0; spec.process && i < spec.process->n_env; i++)
		for (size_t k = 0; k < ARRAY_SIZE(added); k++)
			if (str_has_prefix(spec.process->env[i], added[k]) &&
			    !environment_has(g->env, g->n_env, added[k]))
				(void)json_object_array_add(
					list, json_object_new_string(spec.process->env[i]));
	runtime_spec_done(&spec);
}

static struct json_object *environment(const struct container *c)
{
	struct oci_process process = { 0 };
	struct json_object *list;

	specgen_set_environment(&process, &c->config);
	list = view_strings(process.env, process.n_env);
	for (size_t i = 0; i < process.n_env; i++)
		free(process.env[i]);
	free(process.env);
	add_env_of_start(c, list);
	return list;
}

static struct json_object *config(const struct container *c)
{
	const struct container_config *g = &c->config;
	struct json_object *o = json_object_new_object();
	auto_free char *hostname = g->hostname ? xstrdup(g->hostname) : xstrndup(g->id, 12);
	char signal[SIGNALS_NAME_MAX];

	view_add(o, "Hostname", hostname);
	view_add(o, "Domainname", "");
	view_add(o, "User", g->user);
	view_add_bool(o, "AttachStdin", g->interactive);
	view_add_bool(o, "AttachStdout", true);
	view_add_bool(o, "AttachStderr", true);
	view_add_bool(o, "Tty", g->tty);
	view_add_bool(o, "OpenStdin", g->interactive);
	view_add_bool(o, "StdinOnce", false);
	add(o, "Env", environment(c));
	add(o, "Cmd", view_strings(g->command, g->n_command));
	view_add(o, "Image", g->image_name);
	add(o, "Volumes", NULL);
	view_add(o, "WorkingDir", g->workdir ? g->workdir : "/");
	add(o, "Entrypoint", or_null(view_strings(g->entrypoint, g->n_entrypoint)));
	add(o, "OnBuild", NULL);
	add(o, "Labels", view_map(&g->labels));
	add(o, "Annotations", or_null(view_map(&g->annotations)));
	signals_to_string(g->stop_signal ? signals_from_string(g->stop_signal) : SIGTERM, signal);
	view_add(o, "StopSignal", signal);
	/* There are no health checks; this is what they are without any. */
	view_add(o, "HealthcheckOnFailureAction", "none");
	view_add(o, "HealthLogDestination", "local");
	view_add_i64(o, "HealthcheckMaxLogCount", 5);
	view_add_i64(o, "HealthcheckMaxLogSize", 500);
	add(o, "CreateCommand", view_strings(g->create_command, g->n_create_command));
	add_text(o, "Timezone", g->timezone);
	add_flag(o, "SystemdMode", facts_systemd_mode(g));
	view_add(o, "Umask", g->umask);
	view_add_i64(o, "Timeout", g->timeout);
	view_add_i64(o, "StopTimeout", g->stop_timeout);
	view_add_bool(o, "Passwd", !g->no_passwd);
	view_add(o, "sdNotifyMode", g->sdnotify ? g->sdnotify : "container");
	if (g->n_chroot_dirs)
		add(o, "ChrootDirs", view_strings(g->chroot_dirs, g->n_chroot_dirs));
	if (g->n_secrets)
		add(o, "Secrets", secrets(g));
	if (g->n_expose + g->n_ports)
		add(o, "ExposedPorts", view_exposed_ports(g));
	gotemplate_add_empty(o,
			     json_tokener_parse("{\"HealthMaxLogCount\": 5, \"HealthMaxLogSize\": "
						"500, \"SdNotifySocket\": \"\", "
						"\"Secrets\": [], \"ExposedPorts\": {}, "
						"\"Timezone\": \"\", \"SystemdMode\": false, "
						"\"ChrootDirs\": [], "
						"\"Healthcheck\": null, "
						"\"StartupHealthCheck\": null}"));
	return o;
}

static struct json_object *restart_policy(const struct container_config *g)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "Name", g->restart_policy ? g->restart_policy : "no");
	view_add_i64(o, "MaximumRetryCount", g->restart_max);
	return o;
}

static struct json_object *log_config(const struct container *c)
{
	struct json_object *o = json_object_new_object();
	auto_free char *path = log_file_path(c);
	auto_free char *size = human_size((uint64_t)MAX(c->config.log_size_max.v, 0), 4, "");

	view_add(o, "Type", c->config.log_driver);
	add(o, "Config", NULL);
	view_add(o, "Path", path);
	view_add(o, "Tag", c->config.log_tag);
	view_add(o, "Size", size);
	return o;
}

static struct json_object *ulimits(const struct container_config *g)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < g->n_ulimits; i++) {
		struct json_object *o = json_object_new_object();

		view_add(o, "Name", g->ulimits[i].name);
		view_add_i64(o, "Soft", (int64_t)g->ulimits[i].soft);
		view_add_i64(o, "Hard", (int64_t)g->ulimits[i].hard);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *devices(const struct container_config *g)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < g->n_devices; i++) {
		struct json_object *o = json_object_new_object();

		view_add(o, "PathOnHost", g->devices[i].host_path);
		view_add(o, "PathInContainer", g->devices[i].path);
		view_add(o, "CgroupPermissions", g->devices[i].permissions);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *binds(const struct container *c)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		if (!str_eq(m->type, "bind") && !str_eq(m->type, "volume"))
			continue;
		strbuf_addf(&sb, "%s:%s", m->source, m->destination);
		for (size_t k = 0; k < m->n_options; k++)
			strbuf_addf(&sb, "%c%s", k ? ',' : ':', m->options[k]);
		json_object_array_add(list, json_object_new_string(sb.buf));
	}
	return list;
}

/* [{"Path": "/dev/sda", "Rate": 1048576}]; key: Rate or Weight. */
static struct json_object *throttles(const struct container_throttle *v, size_t n, const char *key)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		view_add(o, "Path", v[i].path);
		view_add_i64(o, key, (int64_t)v[i].value);
		json_object_array_add(list, o);
	}
	return list;
}

/* {"/run": "rw,size=1m"} */
static struct json_object *tmpfs(const struct container_config *g)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < g->n_mounts; i++) {
		const struct container_mount *m = &g->mounts[i];
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		if (!str_eq(m->type, "tmpfs"))
			continue;
		for (size_t k = 0; k < m->n_options; k++)
			strbuf_addf(&sb, "%s%s", k ? "," : "", m->options[k]);
		view_add(o, m->destination, sb.buf);
	}
	return o;
}

/* What podman prints for Docker's sake: of other systems, or never set. */
static void add_constants(struct json_object *o)
{
	static const char *const zeroes[] = { "DiskQuota",  "KernelMemory",  "CpuCount",
					      "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth" };
	static const char *const empty[] = { "VolumeDriver", "Cgroup", "Isolation" };
	struct json_object *size = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(zeroes); i++)
		view_add_i64(o, zeroes[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		view_add(o, empty[i], "");
	json_object_array_add(size, json_object_new_int(0));
	json_object_array_add(size, json_object_new_int(0));
	add(o, "ConsoleSize", size);
	add(o, "Links", NULL);
}

static void add_limits(struct json_object *o, const struct container_limits *l)
{
	view_add_i64(o, "CpuShares", (int64_t)l->cpu_shares.v);
	view_add_i64(o, "Memory", l->memory.v);
	view_add_i64(o, "NanoCpus",
		     l->cpu_period.v ? l->cpu_quota.v * 1000000000 / (int64_t)l->cpu_period.v : 0);
	view_add_i64(o, "CpuPeriod", (int64_t)l->cpu_period.v);
	view_add_i64(o, "CpuQuota", l->cpu_quota.v);
	view_add_i64(o, "CpuRealtimePeriod", (int64_t)l->cpu_rt_period.v);
	view_add_i64(o, "CpuRealtimeRuntime", l->cpu_rt_runtime.v);
	view_add(o, "CpusetCpus", l->cpuset_cpus);
	view_add(o, "CpusetMems", l->cpuset_mems);
	view_add_i64(o, "MemoryReservation", l->memory_reservation.v);
	view_add_i64(o, "MemorySwap", l->memory_swap.set ? l->memory_swap.v : l->memory.v * 2);
	view_add_i64(o, "MemorySwappiness",
		     l->memory_swappiness.set ? (int64_t)l->memory_swappiness.v : 0);
	view_add_bool(o, "OomKillDisable", l->oom_kill_disable.v);
	view_add_i64(o, "PidsLimit", l->pids.v);
	view_add_i64(o, "BlkioWeight", l->blkio_weight.v);
	add(o, "BlkioWeightDevice",
	    or_null(throttles(l->blkio_weight_device, l->n_blkio_weight_device, "Weight")));
	add(o, "BlkioDeviceReadBps", or_null(throttles(l->read_bps, l->n_read_bps, "Rate")));
	add(o, "BlkioDeviceWriteBps", or_null(throttles(l->write_bps, l->n_write_bps, "Rate")));
	add(o, "BlkioDeviceReadIOps", or_null(throttles(l->read_iops, l->n_read_iops, "Rate")));
	add(o, "BlkioDeviceWriteIOps", or_null(throttles(l->write_iops, l->n_write_iops, "Rate")));
	add(o, "CgroupConf", or_null(view_map(&l->unified)));
}

static struct json_object *ranges(const struct container_idmap *v, size_t n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		auto_free char *text = xasprintf("%u:%u:%u", v[i].container, v[i].host, v[i].size);

		json_object_array_add(list, json_object_new_string(text));
	}
	return list;
}

static struct json_object *id_mappings(const struct container_config *g)
{
	struct json_object *o = json_object_new_object();

	add(o, "UidMap", ranges(g->uid_maps, g->n_uid_maps));
	add(o, "GidMap", ranges(g->gid_maps, g->n_gid_maps));
	return o;
}

/* Under their whole names, however they were given. */
static struct json_object *capabilities(char *const *v, size_t n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		int cap = specgen_capability(v[i]);

		json_object_array_add(list,
				      json_object_new_string(cap < 0 ? v[i] : caps_to_name(cap)));
	}
	return list;
}

/* What the container gets by default depends on the machine. */
static const char *cgroup_mode(const struct container_config *g)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;

	if (g->cgroupns)
		return g->cgroupns;
	return cgroupfs_open(&cgroups, NULL) == 0 && cgroups.mode == CGROUPFS_V2 ? "private" :
										   "host";
}

/* Who is privileged sees everything; what else is masked or not, podman does not tell. */
static struct json_object *security_options(const struct container_config *g)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < g->n_security_opts; i++)
		if (!str_has_prefix(g->security_opts[i], "mask=") &&
		    !str_has_prefix(g->security_opts[i], "unmask="))
			json_object_array_add(list, json_object_new_string(g->security_opts[i]));
	if (g->privileged)
		json_object_array_add(list, json_object_new_string("unmask=all"));
	return list;
}

static struct json_object *host_config(const struct container *c)
{
	const struct container_config *g = &c->config;
	struct json_object *o = json_object_new_object();

	add(o, "Binds", binds(c));
	view_add(o, "CgroupManager",
		 c->engine->cgroup_manager == ENGINE_SYSTEMD ? "systemd" : "cgroupfs");
	view_add(o, "CgroupMode", cgroup_mode(g));
	view_add(o, "ContainerIDFile", g->cidfile);
	add(o, "LogConfig", log_config(c));
	view_add(o, "NetworkMode", g->network);
	add(o, "RestartPolicy", restart_policy(g));
	view_add_bool(o, "AutoRemove", g->auto_remove);
	view_add_bool(o, "AutoRemoveImage", g->auto_remove_image);
	view_add(o, "HostsFile", g->hosts_file);
	add(o, "Tmpfs", tmpfs(g));
	add_constants(o);
	add(o, "Annotations", or_null(view_map(&g->annotations)));
	add(o, "VolumesFrom", or_null(view_strings(g->volumes_from, g->n_volumes_from)));
	add(o, "CapAdd", capabilities(g->cap_add, g->n_cap_add));
	add(o, "CapDrop", capabilities(g->cap_drop, g->n_cap_drop));
	add(o, "Dns", view_strings(g->dns, g->n_dns));
	add(o, "DnsOptions", view_strings(g->dns_options, g->n_dns_options));
	add(o, "DnsSearch", view_strings(g->dns_search, g->n_dns_search));
	add(o, "ExtraHosts", view_strings(g->add_hosts, g->n_add_hosts));
	add(o, "GroupAdd", view_strings(g->groups, g->n_groups));
	view_add(o, "IpcMode", g->ipc ? g->ipc : "shareable");
	view_add(o, "Cgroups", g->cgroups ? g->cgroups : "default");
	view_add_i64(o, "OomScoreAdj", g->oom_score_adj.v);
	view_add(o, "PidMode", g->pid ? g->pid : "private");
	view_add_bool(o, "Privileged", g->privileged);
	add(o, "PortBindings", view_port_bindings(g));
	view_add_bool(o, "PublishAllPorts", g->publish_all);
	view_add_bool(o, "ReadonlyRootfs", g->read_only);
	add(o, "SecurityOpt", security_options(g));
	view_add(o, "UTSMode", g->uts ? g->uts : "private");
	view_add(o, "UsernsMode",
		 g->n_uid_maps && !str_has_prefix(g->userns, "container:") ? "private" : g->userns);
	if (g->n_uid_maps)
		add(o, "IDMappings", id_mappings(g));
	view_add_i64(o, "ShmSize", MAX(g->shm_size, 0));
	view_add(o, "Runtime", "oci");
	view_add(o, "CgroupParent", g->cgroup_parent);
	add(o, "Devices", devices(g));
	add(o, "Ulimits", ulimits(g));
	add_flag(o, "Init", g->init);
	add_limits(o, &g->limits);
	gotemplate_add_empty(
		o, json_tokener_parse(
			   "{\"Init\": false, \"IntelRdtClosID\": \"\", \"IDMappings\": null}"));
	return o;
}

static struct json_object *sorted_capabilities(uint64_t caps)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	for (int cap = 0; cap < 64; cap++)
		if ((caps & CAPS_BIT(cap)) && caps_to_name(cap))
			strvec_add(&names, caps_to_name(cap));
	strvec_sort(&names);
	return view_strings(names.v, names.n);
}

static void add_capabilities(struct json_object *o, const struct container_config *g)
{
	auto_free char *user = g->user ? xstrndup(g->user, strcspn(g->user, ":")) : NULL;
	bool is_root = str_is_empty(user) || str_eq(user, "root") || str_eq(user, "0");
	uint64_t bounding = 0;
	uint64_t added = 0;

	if (specgen_capabilities(g, caps_last(), &bounding, &added, NULL) < 0)
		bounding = added = 0;
	add(o, "EffectiveCaps", sorted_capabilities(is_root ? bounding : added));
	add(o, "BoundingCaps", sorted_capabilities(bounding));
}

static void add_files(struct json_object *o, const struct container *c)
{
	const struct {
		const char *key;
		const char *name;
	} files[] = {
		{ "ResolvConfPath", "resolv.conf" },
		{ "HostnamePath", "hostname" },
		{ "HostsPath", "hosts" },
		{ "ConmonPidFile", "conmon.pid" },
		{ "PidFile", "pidfile" },
	};
	auto_free char *spec = path_join(c->static_dir, "config.json");

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		auto_free char *path = path_join(c->run_dir, files[i].name);

		view_add(o, files[i].key, path);
	}
	view_add(o, "StaticDir", c->static_dir);
	if (access(spec, F_OK) == 0)
		view_add(o, "OCIConfigPath", spec);
}

struct sizes {
	uint64_t written;
	uint64_t total;
};

/* Where podman has no number it prints none. */
static void add_sizes(struct json_object *o, const struct sizes *sizes)
{
	view_add_i64(o, "SizeRw", (int64_t)sizes->written);
	if (sizes->total > 0)
		view_add_i64(o, "SizeRootFs", (int64_t)sizes->total);
}

/* As podman: a program without arguments is its own. */
static void add_command(struct json_object *o, const struct container_config *g)
{
	struct json_object *args = json_object_new_array();
	const char *path = g->n_entrypoint > 0 ? g->entrypoint[0] :
			   g->n_command > 0    ? g->command[0] :
						 "";

	for (size_t i = 0; i < g->n_entrypoint; i++)
		json_object_array_add(args, json_object_new_string(g->entrypoint[i]));
	for (size_t i = 0; i < g->n_command; i++)
		json_object_array_add(args, json_object_new_string(g->command[i]));
	if (json_object_array_length(args) > 1)
		json_object_array_del_idx(args, 0, 1);
	view_add(o, "Path", path);
	add(o, "Args", args);
}

static struct json_object *exec_ids(const struct container_status *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->n_execs; i++)
		json_object_array_add(list, json_object_new_string(s->execs[i].id));
	return list;
}

static struct json_object *inspected(const struct container *c, const struct sizes *sizes)
{
	const struct container_config *g = &c->config;
	struct json_object *o = json_object_new_object();

	view_add(o, "Id", g->id);
	view_add_time(o, "Created", g->created_ns);
	add_command(o, g);
	add(o, "State", state(c));
	view_add(o, "Image", g->image_id);
	view_add(o, "ImageDigest", g->image_digest);
	view_add(o, "ImageName", g->image_name);
	view_add(o, "Rootfs", g->rootfs);
	view_add(o, "Pod", "");
	add_files(o, c);
	view_add(o, "OCIRuntime",
		 c->config.runtime ? c->config.runtime : container_runtime_name(c));
	view_add(o, "Name", g->name);
	view_add_i64(o, "RestartCount", c->status.restart_count);
	view_add_root(o, c);
	view_add(o, "MountLabel", g->selinux_mount);
	view_add(o, "ProcessLabel", g->selinux_process);
	view_add(o, "AppArmorProfile", apparmor_profile_of(g));
	add_capabilities(o, g);
	add(o, "ExecIDs", exec_ids(&c->status));
	if (sizes)
		add_sizes(o, sizes);
	gotemplate_add_empty(
		o, json_tokener_parse(
			   "{\"SizeRw\": null, \"SizeRootFs\": 0, \"OCIConfigPath\": \"\"}"));
	add(o, "Mounts", view_mounts(c));
	add(o, "Dependencies", view_strings(g->dependencies, g->n_dependencies));
	add(o, "NetworkSettings", view_network_settings(c));
	view_add(o, "Namespace", "");
	view_add_bool(o, "IsInfra", false);
	view_add_bool(o, "IsService", false);
	view_add(o, "KubeExitCodePropagation", "invalid");
	view_add_i64(o, "lockNumber", 0);
	view_add_bool(o, "UseImageHosts", g->no_hosts);
	view_add_bool(o, "UseImageHostname", g->no_hostname);
	add(o, "Config", config(c));
	add(o, "HostConfig", host_config(c));
	return o;
}

int view_inspect(const struct container *c, bool size, struct json_object **ret, struct err *err)
{
	struct sizes sizes;
	int r = size ? disk_usage_container(c, &sizes.written, &sizes.total, err) : 0;

	if (r < 0)
		return r;
	*ret = inspected(c, size ? &sizes : NULL);
	return 0;
}
