/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that `floe-runtime spec` writes: a shell in a read-only root filesystem. */
#pragma once

#include "spec/runtime_spec.h"

/* What this code writes into ociVersion. */
#define SPEC_OCI_VERSION "1.3.0"

struct spec_default_opts {
	/* Add a cgroup namespace: where the host has cgroup v2 alone. */
	bool has_cgroup_namespace;
	/* For a caller without privileges: a user namespace that maps root to host_uid and host_gid, the
	 * host's network and /sys, no cgroup limits, no ids in mount options. */
	bool is_rootless;
	uint32_t host_uid;
	uint32_t host_gid;
};

/*
 * The content is that of runc's template (1.2 and later, which give no ambient capabilities), but
 * for the host name "floe" and the version. *ret is the caller's, runtime_spec_done() frees it.
 */
void runtime_spec_default(struct runtime_spec *ret, const struct spec_default_opts *opts);
