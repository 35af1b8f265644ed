/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/runtime_features.h"

/* clang-format off: one row a line. */
JSON_DESC_STATIC(cgroup_desc, struct features_cgroup,
		 F_OPT_BOOL(struct features_cgroup, v1, "v1", 0),
		 F_OPT_BOOL(struct features_cgroup, v2, "v2", 0),
		 F_OPT_BOOL(struct features_cgroup, systemd, "systemd", 0),
		 F_OPT_BOOL(struct features_cgroup, systemd_user, "systemdUser", 0),
		 F_OPT_BOOL(struct features_cgroup, rdma, "rdma", 0));

JSON_DESC_STATIC(seccomp_desc, struct features_seccomp,
		 F_OPT_BOOL(struct features_seccomp, enabled, "enabled", 0),
		 F_STRINGS(struct features_seccomp, actions, "actions", 0),
		 F_STRINGS(struct features_seccomp, operators, "operators", 0),
		 F_STRINGS(struct features_seccomp, archs, "archs", 0),
		 F_STRINGS(struct features_seccomp, known_flags, "knownFlags", 0),
		 F_STRINGS(struct features_seccomp, supported_flags, "supportedFlags", 0));

JSON_DESC_STATIC(enabled_desc, struct features_enabled,
		 F_OPT_BOOL(struct features_enabled, enabled, "enabled", 0));

JSON_DESC_STATIC(intel_rdt_desc, struct features_intel_rdt,
		 F_OPT_BOOL(struct features_intel_rdt, enabled, "enabled", 0),
		 F_OPT_BOOL(struct features_intel_rdt, schemata, "schemata", 0),
		 F_OPT_BOOL(struct features_intel_rdt, monitoring, "monitoring", 0));

JSON_DESC_STATIC(memory_policy_desc, struct features_memory_policy,
		 F_STRINGS(struct features_memory_policy, modes, "modes", 0),
		 F_STRINGS(struct features_memory_policy, flags, "flags", 0));

JSON_DESC_STATIC(mount_extensions_desc, struct features_mount_extensions,
		 F_OBJECT_PTR(struct features_mount_extensions, idmap, struct features_enabled,
			      "idmap", 0, enabled_desc));

JSON_DESC_STATIC(linux_desc, struct features_linux,
		 F_STRINGS(struct features_linux, namespaces, "namespaces", 0),
		 F_STRINGS(struct features_linux, capabilities, "capabilities", 0),
		 F_OBJECT_PTR(struct features_linux, cgroup, struct features_cgroup, "cgroup", 0,
			      cgroup_desc),
		 F_OBJECT_PTR(struct features_linux, seccomp, struct features_seccomp, "seccomp", 0,
			      seccomp_desc),
		 F_OBJECT_PTR(struct features_linux, apparmor, struct features_enabled, "apparmor",
			      0, enabled_desc),
		 F_OBJECT_PTR(struct features_linux, selinux, struct features_enabled, "selinux", 0,
			      enabled_desc),
		 F_OBJECT_PTR(struct features_linux, intel_rdt, struct features_intel_rdt,
			      "intelRdt", 0, intel_rdt_desc),
		 F_OBJECT_PTR(struct features_linux, memory_policy, struct features_memory_policy,
			      "memoryPolicy", 0, memory_policy_desc),
		 F_OBJECT_PTR(struct features_linux, mount_extensions,
			      struct features_mount_extensions, "mountExtensions", 0,
			      mount_extensions_desc),
		 F_OBJECT_PTR(struct features_linux, net_devices, struct features_enabled,
			      "netDevices", 0, enabled_desc));

JSON_DESC(runtime_features_desc, struct runtime_features,
	  F_STRING(struct runtime_features, oci_version_min, "ociVersionMin", 0),
	  F_STRING(struct runtime_features, oci_version_max, "ociVersionMax", 0),
	  F_STRINGS(struct runtime_features, hooks, "hooks", 0),
	  F_STRINGS(struct runtime_features, mount_options, "mountOptions", 0),
	  F_OBJECT_PTR(struct runtime_features, linux_, struct features_linux, "linux", 0,
		       linux_desc),
	  F_STRING_MAP(struct runtime_features, annotations, "annotations", 0),
	  F_STRINGS(struct runtime_features, unsafe_annotations,
		    "potentiallyUnsafeConfigAnnotations", 0));
