/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime configuration of a container that was frozen, made fit for this machine and this restore. What
 * the processes can see stays as it was: which mounts there are, which namespaces are their own, their
 * environment, capabilities and seccomp. What is only a place on the host becomes one of this host: the root,
 * sources of volumes and generated files, paths of namespaces, the cgroup, hooks. Pure.
 */
#pragma once

#include "engine/specgen.h"

/*
 * What `update` has made of limits since the container was started with this configuration. throttle_numbers: as for
 * specgen_limits(). What the record says nothing of stays. Variables `update` has changed in the configuration itself: it may have
 * others than the record, from devices.
 */
int restore_spec_update(struct runtime_spec *spec, const struct container_config *config,
			const struct json_string_map *throttle_numbers, struct err *err);
/* Takes the hooks out of the facts. ERR_INVALID for a document that is no container's of Linux. */
int restore_spec_adapt(struct runtime_spec *spec, const struct container_config *config,
		       struct spec_facts *facts, struct err *err);
