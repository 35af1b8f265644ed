/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a container's configuration to the configuration of the runtime. Pure: everything that has to
 * be looked up (users, devices, volumes, namespaces of other containers, profiles) stands in the facts,
 * which engine/prepare.c collects; golden tests hold the results.
 *
 * Order and content follow podman's: default mounts, generated files, the user's mounts (which replace
 * what has the same destination), then systemd mode; mounts sorted by depth.
 */
#pragma once

#include "core/err.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "spec/runtime_spec.h"

/* A file of ours in the container. */
struct spec_bind {
	char *destination;
	char *source;
	bool read_only;
	bool is_shm; /* a mount, with a mount's options */
};

/* A device node of the host. */
struct spec_device {
	char *path; /* in the container */
	char type; /* c b */
	int64_t major;
	int64_t minor;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	char *access; /* rwm; NULL: no rule of its own (all are allowed) */
};

/* The namespace of another process, or a bind of one. */
struct spec_namespace {
	char *type;
	char *path;
};

struct spec_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t *groups;
	size_t n_groups;
	char *home;
	bool given; /* the configuration names a user */
};

struct spec_facts {
	char *rootfs; /* path on the host */
	char *hostname; /* of the container, or of the one whose uts namespace it shares */
	struct spec_user user;
	struct spec_bind *binds;
	size_t n_binds;
	struct spec_namespace *namespaces; /* to join */
	size_t n_namespaces;
	struct spec_device *devices; /* the user's, or all of the host's with privileged */
	size_t n_devices;
	struct container_mount *mounts; /* the configuration's, sources found, options complete */
	size_t n_mounts;
	struct json_string_map secret_env;
	struct oci_seccomp *seccomp; /* NULL: unconfined */
	struct oci_hooks *hooks;
	struct oci_hook *precreate; /* hooks that may still change the whole configuration */
	size_t n_precreate;
	struct json_string_map throttle_numbers; /* path of a block device: "MAJOR:MINOR" */
	char *cgroups_path;
	char *apparmor_profile; /* NULL: none */
	char *init_path; /* of the host, with --init */
	char *notify_dir; /* directory of the notify socket, for --sdnotify=container */
	bool restored; /* it goes on: what a start does with its mounts has been done */
	bool own_userns; /* a new user namespace by the configuration's maps */
	bool foreign_netns; /* the network namespace belongs to another user namespace than the container's */
	bool no_tty_group; /* group 5, which terminals belong to, is not mapped */
	bool systemd_mode;
	bool cgroup_v2;
	bool no_host_mqueue; /* /dev/mqueue is not there on the host */
	uint64_t nofile_max; /* our own hard limits, which only some may raise */
	uint64_t nproc_max;
	int last_cap;
	uint64_t missing_caps; /* what we have not ourselves, and so can give nobody */
};

void spec_facts_done(struct spec_facts *facts);
DEFINE_AUTO_VAL(spec_facts, struct spec_facts, spec_facts_done)
#define auto_spec_facts auto_cleanup(spec_facts_cleanup_val)

/* ERR_INVALID for what the configuration asks for and cannot be said. *ret is runtime_spec_done()'s;
 * it takes seccomp and hooks out of the facts. */
int specgen(struct runtime_spec *ret, const struct container_config *config,
	    struct spec_facts *facts, struct err *err);

/* The parts, each in a file of its own. */
int specgen_mounts(struct runtime_spec *spec, const struct container_config *config,
		   const struct spec_facts *facts, struct err *err);
/* By depth, so that no mount hides one that was made before; those of one depth keep their order. */
void specgen_sort_mounts(struct runtime_spec *spec);
int specgen_resources(struct runtime_spec *spec, const struct container_config *config,
		      const struct spec_facts *facts, struct err *err);
int specgen_security(struct runtime_spec *spec, const struct container_config *config,
		     const struct spec_facts *facts, struct err *err);
/* linux.resources of these limits alone, for update. */
int specgen_limits(struct oci_resources *ret, const struct container_limits *limits,
		   const struct json_string_map *throttle_numbers, bool cgroup_v2, struct err *err);
/* The variables that are known before a start: the configuration's and the engine's own. */
void specgen_set_environment(struct oci_process *process, const struct container_config *config);
/* The configuration's limits in the process's: those of its names change, the others are added, what it does not name stays. */
void specgen_set_rlimits(struct oci_process *process, const struct container_config *config);
/* "c 189:* rwm" of --device-cgroup-rule, added to the rules. ERR_INVALID. */
int specgen_device_rule(struct oci_resources *to, const char *text, struct err *err);
/* The capabilities that the process may have (bit N: capability N), and those asked for by name. */
int specgen_capabilities(const struct container_config *config, int last_cap,
			 uint64_t *ret_bounding, uint64_t *ret_added, struct err *err);
/* The other way round: what config->mask and unmask must be for these paths; what is in config already stays. */
void specgen_masks_of(const struct oci_linux *from, struct container_config *config);
/* "NET_ADMIN", "cap_net_admin": its number, or -EINVAL. */
int specgen_capability(const char *name);
void specgen_cap_names(uint64_t caps, char ***list, size_t *n);
bool specgen_has_option(char *const *options, size_t n, const char *option);
