/* SPDX-License-Identifier: Apache-2.0 */
/* What completion offers as values of options, where neither choices nor the kind of the value say it. */
#include "cli/floe/commands.h"

#define NAMESPACE "host private container: ns:"
#define CONTAINER_FILTERS                                                                          \
	"ancestor= before= command= exited= health= id= label= name= network= pod= "               \
	"restart-policy= should-start-on-boot= since= status= until= volume="
#define CAPABILITIES                                                                               \
	"ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN "     \
	"DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE "                \
	"LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST "   \
	"NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT "      \
	"SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME "                \
	"SYS_TTY_CONFIG WAKE_ALARM"
#define SIGNALS                                                                                    \
	"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT "  \
	"STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
#define STATES                                                                                     \
	"configured created exited healthy initialized paused removing running stopped stopping "  \
	"unhealthy unknown"
#define CHANGES "CMD= ENTRYPOINT= ENV= EXPOSE= LABEL= ONBUILD= STOPSIGNAL= USER= VOLUME= WORKDIR="

const struct cli_value_source floe_value_sources[] = {
	{ NULL, "network", "bridge none " NAMESPACE, "floe network ls --format '{{.Name}}'" },
	{ NULL, "volume", NULL, FLOE_VOLUMES },
	{ NULL, "volumes-from", NULL, FLOE_CONTAINERS },
	{ NULL, "requires", NULL, FLOE_CONTAINERS },
	{ NULL, "secret", NULL, FLOE_SECRETS },
	{ NULL, "ipc", "none shareable " NAMESPACE, NULL },
	{ NULL, "pid", NAMESPACE, NULL },
	{ NULL, "uts", NAMESPACE, NULL },
	{ NULL, "cgroupns", NAMESPACE, NULL },
	{ NULL, "userns", "auto keep-id nomap " NAMESPACE, NULL },
	{ NULL, "cgroups", "enabled disabled no-conmon split", NULL },
	{ NULL, "restart", "always no on-failure unless-stopped", NULL },
	{ NULL, "pull", "always missing never newer", NULL },
	{ NULL, "policy", "always missing never newer", NULL },
	{ NULL, "log-driver", "k8s-file json-file journald none passthrough passthrough-tty",
	  NULL },
	{ NULL, "log-opt", "path= max-size= tag=", NULL },
	{ NULL, "cap-add", CAPABILITIES, NULL },
	{ NULL, "cap-drop", CAPABILITIES, NULL },
	{ NULL, "security-opt",
	  "apparmor= label= mask= no-new-privileges proc-opts= seccomp= systempaths= unmask=",
	  NULL },
	{ NULL, "seccomp-policy", "default image", NULL },
	{ NULL, "stop-signal", SIGNALS, NULL },
	{ NULL, "signal", SIGNALS, NULL },
	{ NULL, "sdnotify", "container conmon ignore", NULL },
	{ NULL, "systemd", "true false always", NULL },
	{ NULL, "image-volume", "bind tmpfs ignore", NULL },
	{ NULL, "mount",
	  "type=bind, type=volume, type=tmpfs, type=image, type=glob, type=ramfs, type=devpts,",
	  NULL },
	{ NULL, "personality", "LINUX LINUX32", NULL },
	{ NULL, "ulimit",
	  "as= core= cpu= data= fsize= host locks= memlock= msgqueue= nice= nofile= nproc= rss= "
	  "rtprio= rttime= sigpending= stack=",
	  NULL },
	{ NULL, "attach", "stdin stdout stderr", NULL },
	{ NULL, "arch", "386 amd64 arm arm64 ppc64le riscv64 s390x", NULL },
	{ NULL, "os", "linux windows", NULL },
	{ NULL, "platform", "linux/amd64 linux/arm64 linux/arm linux/386 linux/riscv64", NULL },
	{ NULL, "detach-keys", "ctrl-", NULL },
	{ NULL, "tz", "local", NULL },
	{ NULL, "gpus", "all", NULL },
	{ NULL, "change", CHANGES, NULL },
	{ NULL, "condition", STATES, NULL },
	{ NULL, "compression-format", "gzip zstd zstd:chunked", NULL },
	{ NULL, "compress", "gzip none zstd", NULL },
	{ NULL, "runtime", "floe-runtime crun runc", NULL },
	{ NULL, "ipam-driver", "host-local dhcp none", NULL },
	{ "/network/create", "driver", "bridge macvlan ipvlan", NULL },
	{ "/network/create", "opt",
	  "mtu= vlan= parent= mode= isolate= metric= no_default_route=", NULL },
	{ "/volume/create", "driver", "local", NULL },
	{ "/volume/create", "opt", "type= device= o=", NULL },
	{ "/secret/create", "driver", "file shell", NULL },
	{ "/ps /container/list", "sort", "command created id image names runningfor size status",
	  NULL },
	{ "/images /image/ls", "filter",
	  "before= containers= dangling= digest= id= intermediate= label= manifest= readonly= "
	  "reference= "
	  "since= until=",
	  NULL },
	{ "/volume/ls /volume/prune", "filter",
	  "dangling= driver= label= name= opt= scope= since= until=", NULL },
	{ "/network/ls /network/prune", "filter",
	  "dangling= driver= id= label= name= until=", NULL },
	{ "/secret/ls", "filter", "id= name=", NULL },
	{ "/search /image/search", "filter", "is-automated is-official stars=", NULL },
	{ "/events /system/events", "filter",
	  "container= event= image= label= type= volume=", NULL },
	{ "/image/prune /container/prune /system/prune", "filter", "label= until=", NULL },
	{ NULL, "filter", CONTAINER_FILTERS, NULL },
	{ "/save /image/save", "format", "docker-archive docker-dir oci-archive oci-dir", NULL },
	{ "/commit /container/commit", "format", "oci docker", NULL },
	{ "/push /image/push", "format", "oci v2s1 v2s2", NULL },
	{ NULL, "format", "json", NULL },
};
const size_t floe_n_value_sources = ARRAY_SIZE(floe_value_sources);
