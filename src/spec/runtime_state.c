/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/runtime_state.h"

/* clang-format off: one row a line. */
JSON_DESC(oci_state_desc, struct oci_state,
	  F_STRING(struct oci_state, oci_version, "ociVersion", JSON_ALWAYS),
	  F_STRING(struct oci_state, id, "id", JSON_ALWAYS),
	  F_STRING(struct oci_state, status, "status", JSON_ALWAYS),
	  F_INT(struct oci_state, pid, "pid", 0),
	  F_STRING(struct oci_state, bundle, "bundle", JSON_ALWAYS),
	  F_STRING_MAP(struct oci_state, annotations, "annotations", 0));

JSON_DESC(container_state_desc, struct container_state,
	  F_STRING(struct container_state, oci_version, "ociVersion", JSON_ALWAYS),
	  F_STRING(struct container_state, id, "id", JSON_ALWAYS),
	  F_INT(struct container_state, pid, "pid", JSON_ALWAYS),
	  F_STRING(struct container_state, status, "status", JSON_ALWAYS),
	  F_STRING(struct container_state, bundle, "bundle", JSON_ALWAYS),
	  F_STRING(struct container_state, rootfs, "rootfs", JSON_ALWAYS),
	  F_STRING(struct container_state, created, "created", JSON_ALWAYS),
	  F_STRING_MAP(struct container_state, annotations, "annotations", 0),
	  F_STRING(struct container_state, owner, "owner", JSON_ALWAYS));

JSON_DESC(oci_seccomp_state_desc, struct oci_seccomp_state,
	  F_STRING(struct oci_seccomp_state, oci_version, "ociVersion", JSON_ALWAYS),
	  F_STRINGS(struct oci_seccomp_state, fds, "fds", JSON_ALWAYS),
	  F_INT(struct oci_seccomp_state, pid, "pid", JSON_ALWAYS),
	  F_STRING(struct oci_seccomp_state, metadata, "metadata", 0),
	  F_OBJECT(struct oci_seccomp_state, state, struct oci_state, "state", JSON_ALWAYS,
		   oci_state_desc));
