/* SPDX-License-Identifier: Apache-2.0 */
/* The features document (features.md of the runtime specification): what `features` prints. */
#pragma once

#include "core/json_table.h"

struct features_cgroup {
	struct opt_bool v1;
	struct opt_bool v2;
	struct opt_bool systemd;
	struct opt_bool systemd_user;
	struct opt_bool rdma;
};

struct features_seccomp {
	struct opt_bool enabled;
	char **actions;
	size_t n_actions;
	char **operators;
	size_t n_operators;
	char **archs;
	size_t n_archs;
	char **known_flags; /* that this build knows */
	size_t n_known_flags;
	char **supported_flags; /* that the kernel has as well */
	size_t n_supported_flags;
};

/* apparmor, selinux, mountExtensions.idmap, netDevices */
struct features_enabled {
	struct opt_bool enabled;
};

struct features_intel_rdt {
	struct opt_bool enabled;
	struct opt_bool schemata;
	struct opt_bool monitoring;
};

struct features_memory_policy {
	char **modes;
	size_t n_modes;
	char **flags;
	size_t n_flags;
};

struct features_mount_extensions {
	struct features_enabled *idmap;
};

struct features_linux {
	char **namespaces;
	size_t n_namespaces;
	char **capabilities;
	size_t n_capabilities;
	struct features_cgroup *cgroup;
	struct features_seccomp *seccomp;
	struct features_enabled *apparmor;
	struct features_enabled *selinux;
	struct features_intel_rdt *intel_rdt;
	struct features_memory_policy *memory_policy;
	struct features_mount_extensions *mount_extensions;
	struct features_enabled *net_devices;
};

/* Pointers that are NULL and opt_ that are not set mean "unknown" and are not written. */
struct runtime_features {
	char *oci_version_min;
	char *oci_version_max;
	char **hooks;
	size_t n_hooks;
	char **mount_options; /* sorted */
	size_t n_mount_options;
	struct features_linux *linux_;
	struct json_string_map annotations;
	/* Annotations of a configuration that a runtime acts on; names that end with "." are prefixes. */
	char **unsafe_annotations;
	size_t n_unsafe_annotations;
};

extern const struct json_desc runtime_features_desc;
