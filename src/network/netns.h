/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces that live without a process: a file on which the namespace is mounted, where ip-netns(8) and
 * podman have theirs.
 */
#pragma once

#include "core/err.h"

#define NETNS_DIR "/run/netns"

/* A new one with a name of its own and loopback up; *ret_path is owned by the caller. */
int netns_create(char **ret_path, struct err *err);
/* Unmount and remove it; 0 when it is not there. */
int netns_remove(const char *path, struct err *err);
