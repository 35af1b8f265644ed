/* SPDX-License-Identifier: Apache-2.0 */
/* What specgen must be told about this machine and about other containers. */
#pragma once

#include "core/rooted.h"
#include "engine/container.h"
#include "engine/specgen.h"
#include "kernel/cgroupfs.h"

/* Namespaces to join ("container:ID", "ns:PATH"). ERR_STATE when that container does not run. */
int facts_namespaces(struct container *c, struct spec_facts *f, struct err *err);
/* --device, all devices with --privileged, block devices of limits. */
int facts_devices(const struct container *c, struct spec_facts *f, struct err *err);
/* "MAJOR:MINOR" of the block devices that limits are for, by path. */
int facts_throttle_numbers(const struct container_limits *limits, struct json_string_map *ret,
			   struct err *err);
/* cgroup path for the runtime; with the limits that we have ourselves and the kernel's last capability. */
int facts_machine(struct container *c, struct spec_facts *f, struct err *err);
/* Path of the cgroup that a process (0: we) is in, below a mount point (with version 1: of name=systemd); the caller's.
 * -ENOENT. */
int facts_cgroup_of(const struct cgroupfs *cgroups, pid_t pid, char **ret);
/* Names in the cgroup that --cgroups=split divides, of what is no container: floe itself, and the monitors. */
#define SPLIT_SELF "runtime"
#define SPLIT_MONITORS "supervisor"
/* Path of that cgroup, which is ours or, where we are in one of those two, the one above; the caller's. -ENOENT. */
int facts_split_cgroup(const struct cgroupfs *cgroups, char **ret);
/* Whether the command is an init system (or --systemd=always). */
bool facts_systemd_mode(const struct container_config *config);
/* The modes of those namespaces that may be another container's. */
struct facts_mode {
	const char *type; /* as in the runtime configuration */
	const char *file; /* in /proc/PID/ns */
	const char *mode;
};
#define FACTS_MODES 6
void facts_modes(const struct container_config *config, struct facts_mode ret[static FACTS_MODES]);
/*
 * Whether a running container still has the namespaces of those containers that its configuration names. ERR_STATE where one
 * of them has ended since, or has been started anew with others.
 */
int facts_check_joined(const struct container *c, struct err *err);
/* The descriptor of a namespace mode: the id in "container:ID", NULL for other modes. */
const char *facts_mode_container(const char *mode);
