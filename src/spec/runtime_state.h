/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state document of a container, as hooks and seccomp listeners read it on their input and
 * `state` and `list` print it.
 */
#pragma once

#include "core/json_table.h"

/* What the specification defines: for hooks and listeners. */
struct oci_state {
	char *oci_version;
	char *id;
	char *status; /* creating created running stopped, and paused outside of the specification */
	int pid; /* 0 once stopped: not written then */
	char *bundle;
	struct json_string_map annotations;
};

/* With what runc adds for `state` and `list`. */
struct container_state {
	char *oci_version;
	char *id;
	int pid; /* 0 once stopped: written all the same */
	char *status;
	char *bundle;
	char *rootfs;
	char *created; /* RFC 3339 with nanoseconds, UTC */
	struct json_string_map annotations;
	char *owner; /* user name, "#uid" when the id has none; "" for `state` */
};

/* What is sent to a seccomp listener with the descriptors. */
struct oci_seccomp_state {
	char *oci_version;
	char **fds; /* one name for each descriptor of the message: "seccompFd" */
	size_t n_fds;
	int pid;
	char *metadata; /* linux.seccomp.listenerMetadata */
	struct oci_state state;
};

extern const struct json_desc oci_state_desc;
extern const struct json_desc container_state_desc;
extern const struct json_desc oci_seccomp_state_desc;
