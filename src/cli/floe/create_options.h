/* SPDX-License-Identifier: Apache-2.0 */
/* Options that create and run have in common, and what becomes of them. */
#pragma once

#include "cli/cli.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "image/skopeo.h"

struct create_options {
	const char *name, *hostname, *workdir, *user, *entrypoint, *restart, *stop_signal;
	const char *log_driver, *pid, *ipc, *uts, *userns, *cgroupns, *cgroups;
	const char *cgroup_parent, *cidfile, *pidfile, *conmon_pidfile, *init_path, *systemd;
	const char *umask, *timezone, *personality, *cpus, *cpuset_cpus, *cpuset_mems;
	const char *hosts_file, *passwd_entry, *group_entry, *pull, *detach_keys;
	bool dns_given; /* by options, and not by containers.conf */
	struct strvec env, env_file, env_merge, unsetenv, volumes, mounts, tmpfs, labels,
		label_files;
	struct strvec annotations, cap_add, cap_drop, security_opts, devices, device_rules, groups;
	struct strvec ulimits, sysctl, secrets, dns, dns_search, dns_options, add_hosts, attach;
	struct strvec log_opts, volumes_from, cgroup_conf, blkio_weight_device, read_bps, write_bps;
	struct strvec read_iops, write_iops, requires, publish, expose, networks, network_aliases;
	struct strvec gpus;
	struct strvec host_users, chroot_dirs, preserve_fd;
	struct strvec uid_maps, gid_maps;
	const char *sub_uid_name, *sub_gid_name;
	const char *ip, *ip6, *mac_address, *image_volume, *seccomp_policy, *sdnotify;
	struct opt_i64 shm_size_systemd;
	bool remove_image;
	const char *default_network; /* no option; NULL: podman's */
	struct opt_i64 memory, memory_swap, memory_reservation, shm_size, pids_limit, oom_score_adj;
	struct opt_i64 memory_swappiness, cpu_quota, cpu_rt_runtime;
	struct opt_u64 cpu_shares, cpu_period, cpu_rt_period, blkio_weight;
	uint32_t stop_timeout, timeout, preserve_fds;
	struct opt_bool passwd, read_write_tmpfs, sig_proxy, http_proxy;
	struct opt_bool remove;
	struct opt_i64 kernel_memory;
	/* Of the pull. */
	struct skopeo_options skopeo;
	const char *platform;
	struct opt_u64 retry;
	bool content_trust;
	bool interactive, tty, detach, init, privileged, read_only, rootfs, replace, no_hosts;
	bool no_hostname, env_host, unset_all, oom_kill_disable, publish_all, quiet, no_healthcheck;
};

extern const struct create_options create_options_default;

#define CREATE_ROWS(T, M)                                                                          \
	OPT_STRING(T, M.name, "name", 0, "NAME", "name of the container"),                         \
		OPT_STRING(T, M.hostname, "hostname", 'h', "NAME", "host name inside"),            \
		OPT_STRING(T, M.workdir, "workdir", 'w', "DIR", "working directory inside"),       \
		OPT_STRING(T, M.user, "user", 'u', "USER[:GROUP]", "who runs the command"),        \
		OPT_STRING(T, M.entrypoint, "entrypoint", 0, "COMMAND|JSON",                       \
			   "program to run instead of the image's"),                               \
		OPT_STRING(T, M.restart, "restart", 0, "no|always|on-failure[:N]|unless-stopped",  \
			   "whether to start it again when it has ended"),                         \
		OPT_STRING(T, M.stop_signal, "stop-signal", 0, "SIGNAL", "what stop sends"),       \
		OPT_U32(T, M.stop_timeout, "stop-timeout", 0, "SECONDS",                           \
			"how long stop waits before it kills"),                                    \
		OPT_U32(T, M.timeout, "timeout", 0, "SECONDS", "kill it after this time"),         \
		OPT_STRING(T, M.log_driver, "log-driver", 0, "DRIVER",                             \
			   "where its output goes: k8s-file, json-file, journald, none or "        \
			   "passthrough"),                                                         \
		OPT_STRVEC(T, M.log_opts, "log-opt", 0, "KEY=VALUE",                               \
			   "option of the log: path, max-size, tag"),                              \
		OPT_STRVEC(T, M.networks, "network", 0, "MODE|NAME[:KEY=VALUE,...]",               \
			   "network: bridge, none, host, ns:PATH, container:NAME, or a "           \
			   "network's name (ip=, ip6=, mac=, alias=, interface_name=)"),           \
		OPT_STRVEC_F(T, M.networks, "net", 0, "MODE", "older name of --network",           \
			     CLI_HIDDEN),                                                          \
		OPT_STRVEC_F(T, M.network_aliases, "network-alias", 0, "NAME",                     \
			     "further name of the container in its networks", CLI_LIST),           \
		OPT_STRING(T, M.ip, "ip", 0, "ADDRESS", "IPv4 address in its only network"),       \
		OPT_STRING(T, M.ip6, "ip6", 0, "ADDRESS", "IPv6 address in its only network"),     \
		OPT_STRING(T, M.mac_address, "mac-address", 0, "ADDRESS",                          \
			   "MAC address in its only network"),                                     \
		OPT_STRVEC_F(T, M.publish, "publish", 'p',                                         \
			     "[[ADDRESS:]HOST-PORT:]PORT[/PROTOCOL]",                              \
			     "make a port of the container one of the host", CLI_LIST),            \
		OPT_FLAG(T, M.publish_all, "publish-all", 'P',                                     \
			 "publish every exposed port at a free port of the host"),                 \
		OPT_STRVEC_F(T, M.expose, "expose", 0, "PORT[/PROTOCOL]",                          \
			     "say that the container listens there", CLI_LIST),                    \
		OPT_STRING(T, M.pid, "pid", 0, "MODE",                                             \
			   "process ids: private, host, ns:PATH or container:NAME"),               \
		OPT_STRING(T, M.ipc, "ipc", 0, "MODE",                                             \
			   "shared memory: private, shareable, none, host, ns:PATH or "            \
			   "container:NAME"),                                                      \
		OPT_STRING(T, M.uts, "uts", 0, "MODE",                                             \
			   "host name: private, host, ns:PATH or container:NAME"),                 \
		OPT_STRING(T, M.userns, "userns", 0, "MODE",                                       \
			   "user ids: host, auto[:size=N,...], private (with --uidmap), "          \
			   "ns:PATH or container:NAME"),                                           \
		OPT_STRVEC_F(T, M.uid_maps, "uidmap", 0, "INSIDE:OUTSIDE[:N]",                     \
			     "what users of a user namespace of its own are outside", CLI_LIST),   \
		OPT_STRVEC_F(T, M.gid_maps, "gidmap", 0, "INSIDE:OUTSIDE[:N]",                     \
			     "the same of groups", CLI_LIST),                                      \
		OPT_STRING(T, M.sub_uid_name, "subuidname", 0, "NAME",                             \
			   "map the ids that /etc/subuid gives to this user"),                     \
		OPT_STRING(T, M.sub_gid_name, "subgidname", 0, "NAME",                             \
			   "map the ids that /etc/subgid gives to this group or user"),            \
		OPT_STRING(T, M.cgroupns, "cgroupns", 0, "MODE",                                   \
			   "cgroups: private, host, ns:PATH or container:NAME"),                   \
		OPT_STRING(T, M.cgroups, "cgroups", 0, "HOW",                                      \
			   "enabled, disabled, no-conmon or split"),                               \
		OPT_STRING(T, M.cgroup_parent, "cgroup-parent", 0, "CGROUP",                       \
			   "cgroup in which its cgroup is made"),                                  \
		OPT_STRING(T, M.cidfile, "cidfile", 0, "FILE", "write the id to this file"),       \
		OPT_STRING(T, M.pidfile, "pidfile", 0, "FILE",                                     \
			   "write the process id of its init to this file"),                       \
		OPT_STRING(T, M.conmon_pidfile, "conmon-pidfile", 0, "FILE",                       \
			   "write the process id of its monitor to this file"),                    \
		OPT_FLAG(T, M.init, "init", 0, "run an init (catatonit) that reaps processes"),    \
		OPT_STRING(T, M.init_path, "init-path", 0, "FILE", "init program of the host"),    \
		OPT_STRING(T, M.systemd, "systemd", 0, "true|false|always",                        \
			   "prepare it for systemd as its init"),                                  \
		OPT_STRING(T, M.umask, "umask", 0, "MODE", "umask of the command"),                \
		OPT_STRING(T, M.timezone, "tz", 0, "ZONE", "time zone inside, or `local`"),        \
		OPT_STRING(T, M.personality, "personality", 0, "LINUX|LINUX32",                    \
			   "execution domain (personality(2))"),                                   \
		OPT_STRVEC(T, M.env, "env", 'e', "NAME[=VALUE]", "set a variable"),                \
		OPT_STRVEC(T, M.env_file, "env-file", 0, "FILE", "read variables from a file"),    \
		OPT_STRVEC(T, M.env_merge, "env-merge", 0, "NAME=VALUE",                           \
			   "set a variable from others: PATH=${PATH}:/x"),                         \
		OPT_STRVEC(T, M.unsetenv, "unsetenv", 0, "NAME", "remove a variable"),             \
		OPT_FLAG(T, M.unset_all, "unsetenv-all", 0, "remove all variables but --env's"),   \
		OPT_FLAG(T, M.env_host, "env-host", 0, "set all variables of the caller's"),       \
		OPT_OPTBOOL(T, M.http_proxy, "http-proxy", 0,                                      \
			    "pass the caller's proxy variables (default: true)"),                  \
		OPT_STRVEC(T, M.volumes, "volume", 'v', "[SOURCE:]TARGET[:OPTIONS]",               \
			   "mount a directory or a named volume"),                                 \
		OPT_STRVEC(T, M.mounts, "mount", 0, "type=TYPE,KEY=VALUE...",                      \
			   "mount: bind, volume, tmpfs, image, glob, ramfs, devpts"),              \
		OPT_STRVEC(T, M.tmpfs, "tmpfs", 0, "TARGET[:OPTIONS]", "mount a tmpfs"),           \
		OPT_STRVEC(T, M.volumes_from, "volumes-from", 0, "CONTAINER[:OPTIONS]",            \
			   "mount what that container has mounted"),                               \
		OPT_STRING(T, M.image_volume, "image-volume", 0, "anonymous|tmpfs|ignore",         \
			   "what becomes of the volumes that the image declares "                  \
			   "(default: anonymous)"),                                                \
		OPT_STRVEC_F(T, M.requires, "requires", 0, "CONTAINER,...",                        \
			     "container that must run before this one starts", CLI_LIST),          \
		OPT_STRVEC_F(T, M.chroot_dirs, "chrootdirs", 0, "DIR,...",                         \
			     "directory in which hosts, resolv.conf and the like are mounted too", \
			     CLI_LIST),                                                            \
		OPT_STRVEC(T, M.labels, "label", 'l', "KEY=VALUE", "give it a label"),             \
		OPT_STRVEC(T, M.label_files, "label-file", 0, "FILE", "read labels from a file"),  \
		OPT_STRVEC(T, M.annotations, "annotation", 0, "KEY=VALUE",                         \
			   "add an annotation for the runtime"),                                   \
		OPT_FLAG(T, M.privileged, "privileged", 0, "all capabilities and devices"),        \
		OPT_STRVEC_F(T, M.cap_add, "cap-add", 0, "CAP", "add a capability", CLI_LIST),     \
		OPT_STRVEC_F(T, M.cap_drop, "cap-drop", 0, "CAP", "drop a capability", CLI_LIST),  \
		OPT_STRVEC(T, M.security_opts, "security-opt", 0, "OPTION",                        \
			   "seccomp=, apparmor=, label=, no-new-privileges, mask=, unmask=, "      \
			   "proc-opts=, systempaths=unconfined"),                                  \
		OPT_STRING(T, M.seccomp_policy, "seccomp-policy", 0, "default|image",              \
			   "where the seccomp profile comes from: image takes the one in the "     \
			   "image's label io.containers.seccomp.profile"),                         \
		OPT_STRVEC_F(T, M.devices, "device", 0, "FILE[:PATH][:rwm]|VENDOR/CLASS=NAME",     \
			     "give it a device of the host, or one of the Container Device "       \
			     "Interface",                                                          \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.gpus, "gpus", 0, "all|NAME,...",                                 \
			     "the same as --device nvidia.com/gpu=NAME", CLI_LIST),                \
		OPT_STRVEC_F(T, M.device_rules, "device-cgroup-rule", 0, "RULE",                   \
			     "allow devices: `c 189:* rwm`", CLI_LIST),                            \
		OPT_STRVEC_F(T, M.groups, "group-add", 0, "GROUP", "further group of its user",    \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.ulimits, "ulimit", 0, "NAME=SOFT[:HARD]", "limit of resources",  \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.sysctl, "sysctl", 0, "NAME=VALUE", "kernel parameter inside",    \
			     CLI_LIST),                                                            \
		OPT_STRVEC(T, M.secrets, "secret", 0, "NAME[,KEY=VALUE...]", "give it a secret"),  \
		OPT_FLAG(T, M.read_only, "read-only", 0, "make its root file system read-only"),   \
		OPT_OPTBOOL(T, M.read_write_tmpfs, "read-only-tmpfs", 0,                           \
			    "with --read-only, tmpfs on /run, /tmp, /var/tmp (default: true)"),    \
		OPT_STRING(T, M.pull, "pull", 0, "always|missing|never|newer",                     \
			   "whether to fetch the image first (default: missing)"),                 \
		OPT_FLAG(T, M.rootfs, "rootfs", 0, "the first argument is a directory, no image"), \
		OPT_FLAG(T, M.tty, "tty", 't', "give it a terminal"),                              \
		OPT_FLAG(T, M.interactive, "interactive", 'i', "keep its input open"),             \
		OPT_FLAG(T, M.replace, "replace", 0, "remove a container of the same name first"), \
		OPT_U32(T, M.preserve_fds, "preserve-fds", 0, "N",                                 \
			"hand it descriptors 3 to 3+N-1"),                                         \
		OPT_STRVEC_F(T, M.preserve_fd, "preserve-fd", 0, "FD,...",                         \
			     "hand it these descriptors", CLI_LIST),                               \
		OPT_STRING(T, M.sdnotify, "sdnotify", 0, "container|conmon|ignore",                \
			   "who tells systemd that it is ready (default: container)"),             \
		OPT_I64(T, M.oom_score_adj, "oom-score-adj", 0, "N",                               \
			"how likely it is killed when memory runs out, -1000 to 1000"),            \
		OPT_FLAG(T, M.oom_kill_disable, "oom-kill-disable", 0,                             \
			 "do not kill when memory runs out"),                                      \
		OPT_SIZE(T, M.shm_size, "shm-size", 0, "SIZE", "size of /dev/shm (default: 64m)"), \
		OPT_SIZE(T, M.shm_size_systemd, "shm-size-systemd", 0, "SIZE",                     \
			 "size of each tmpfs of systemd mode (default: no limit)"),                \
		OPT_STRVEC_F(T, M.dns, "dns", 0, "ADDRESS", "name server; none: no resolv.conf",   \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.dns_search, "dns-search", 0, "DOMAIN", "search domain; .: none", \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.dns_options, "dns-option", 0, "OPTION", "resolver option",       \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.dns_options, "dns-opt", 0, "OPTION", "the same",                 \
			     CLI_HIDDEN | CLI_LIST),                                               \
		OPT_STRVEC_F(T, M.add_hosts, "add-host", 0, "NAME:ADDRESS", "line of /etc/hosts",  \
			     CLI_LIST),                                                            \
		OPT_FLAG(T, M.no_healthcheck, "no-healthcheck", 0,                                 \
			 "run no health checks, of which there are none anyway"),                  \
		OPT_FLAG(T, M.no_hosts, "no-hosts", 0, "leave the image's /etc/hosts alone"),      \
		OPT_FLAG(T, M.no_hostname, "no-hostname", 0,                                       \
			 "leave the image's /etc/hostname alone"),                                 \
		OPT_STRING(T, M.hosts_file, "hosts-file", 0, "FILE|image|none",                    \
			   "what /etc/hosts begins with"),                                         \
		OPT_OPTBOOL(T, M.passwd, "passwd", 0,                                              \
			    "add its user to /etc/passwd and /etc/group (default: true)"),         \
		OPT_STRING(T, M.passwd_entry, "passwd-entry", 0, "LINE", "that line"),             \
		OPT_STRING(T, M.group_entry, "group-entry", 0, "LINE", "that line of the group"),  \
		OPT_SIZE_F(T, M.kernel_memory, "kernel-memory", 0, "SIZE", "of no effect",         \
			   CLI_HIDDEN),                                                            \
		OPT_STRVEC_F(T, M.host_users, "hostuser", 0, "USER,...",                           \
			     "add a user of the host to /etc/passwd", CLI_LIST),                   \
		CREATE_LIMIT_ROWS(T, M)

#define CREATE_LIMIT_ROWS(T, M)                                                                    \
	OPT_SIZE(T, M.memory, "memory", 'm', "SIZE", "limit of memory"),                           \
		OPT_SIZE(T, M.memory_swap, "memory-swap", 0, "SIZE",                               \
			 "limit of memory and swap together; -1: none"),                           \
		OPT_SIZE(T, M.memory_reservation, "memory-reservation", 0, "SIZE",                 \
			 "memory that it is left when memory is short"),                           \
		OPT_I64(T, M.memory_swappiness, "memory-swappiness", 0, "N", "0 to 100"),          \
		OPT_STRING(T, M.cpus, "cpus", 0, "N", "number of CPUs: 1.5"),                      \
		OPT_U64(T, M.cpu_shares, "cpu-shares", 'c', "N", "share of CPU time"),             \
		OPT_U64(T, M.cpu_period, "cpu-period", 0, "US", "period of the CPU limit"),        \
		OPT_I64(T, M.cpu_quota, "cpu-quota", 0, "US", "CPU time in each period"),          \
		OPT_U64(T, M.cpu_rt_period, "cpu-rt-period", 0, "US", "period of realtime"),       \
		OPT_I64(T, M.cpu_rt_runtime, "cpu-rt-runtime", 0, "US", "realtime in each"),       \
		OPT_STRING(T, M.cpuset_cpus, "cpuset-cpus", 0, "LIST", "CPUs: 0-2,7"),             \
		OPT_STRING(T, M.cpuset_mems, "cpuset-mems", 0, "LIST", "memory nodes"),            \
		OPT_I64(T, M.pids_limit, "pids-limit", 0, "N",                                     \
			"limit of processes (default: 2048); 0 or -1: none"),                      \
		OPT_U64(T, M.blkio_weight, "blkio-weight", 0, "N", "weight of its I/O, 10-1000"),  \
		OPT_STRVEC(T, M.blkio_weight_device, "blkio-weight-device", 0, "DEV:N",            \
			   "the same for one device"),                                             \
		OPT_STRVEC_F(T, M.read_bps, "device-read-bps", 0, "DEV:SIZE", "bytes a second",    \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.write_bps, "device-write-bps", 0, "DEV:SIZE", "bytes a second",  \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.read_iops, "device-read-iops", 0, "DEV:N", "reads a second",     \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.write_iops, "device-write-iops", 0, "DEV:N", "writes a second",  \
			     CLI_LIST),                                                            \
		OPT_STRVEC_F(T, M.cgroup_conf, "cgroup-conf", 0, "KEY=VALUE",                      \
			     "file of cgroup version 2", CLI_LIST)

/*
 * The configuration that options and arguments ([IMAGE|ROOTFS] [COMMAND...]) ask for. ERR_INVALID for
 * values that are wrong. argv: the whole command line, for inspect.
 */
int create_options_apply(const struct create_options *o, char *const *args, size_t n_args,
			 char *const *argv, struct container_config *ret, struct err *err);
/* The parts that others use as well. */
int create_options_limits(const struct create_options *o, struct container_limits *ret,
			  struct err *err);
int create_options_restart(const char *text, struct container_config *c, struct err *err);
/* NAME=VALUE, or NAME with the caller's value; nothing when the caller has none. Replaces. */
void create_env_set(char ***env, size_t *n, const char *text);
/* That there is a name in what was given for it. ERR_INVALID. */
int create_env_check(const char *text, struct err *err);
int create_env_file(const char *path, char ***env, size_t *n, struct err *err);
/* --preserve-fd and --preserve-fds: from 3 on, and not too many. */
int create_check_fds(const struct strvec *numbers, uint32_t n, struct err *err);

/* cli/floe/mount_options.c: -v, --mount, --tmpfs. */
int network_options_apply(const struct create_options *o, struct container_config *c,
			  struct err *err);
/* cli/floe/userns_options.c: --uidmap, --gidmap, --subuidname, --subgidname. */
int userns_options_apply(const struct create_options *o, struct container_config *c,
			 struct err *err);
int mount_options_apply(const struct create_options *o, struct container_config *c,
			struct err *err);
/* cli/floe/security_options.c: --security-opt, --device, --ulimit, --secret. */
int security_options_apply(const struct create_options *o, struct container_config *c,
			   struct err *err);
/* --ulimit alone, appended. ERR_INVALID. */
int security_options_ulimits(const struct strvec *texts, struct container_config *c,
			     struct err *err);

/* create_defaults.c: what containers.conf says. For cli_command.prepare: the options' own defaults. */
void create_defaults_prepare(const void *context, void *options);
/* Lists that are taken as a whole, where the user gives none; they stay the configuration's, so that *o is to
 * be a copy that nobody frees. */
void create_defaults_lists(const struct engine *e, struct create_options *o);
/* What is added to the user's: mounts, devices, limits, annotations and the like. ERR_INVALID. */
int create_defaults_merge(const struct engine *e, struct container_config *c, struct err *err);
