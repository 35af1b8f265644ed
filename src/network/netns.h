/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces that live without a process: a file on which the namespace is mounted, where ip-netns(8) and
 * podman have theirs.
 */
#pragma once

#include <sys/types.h>

#include "core/err.h"

#define NETNS_DIR "/run/netns"

/* Where a namespace of this name is: NETNS_DIR/NAME; the caller owns it. */
char *netns_path(const char *name);
/* A new one with loopback up. One of the same name that is there already, left by a crash, is removed. */
int netns_create(const char *path, struct err *err);
/* The one of a process, which is kept when that ends; loopback is brought up. As with a new one, what is there is removed. */
int netns_keep(const char *path, pid_t pid, struct err *err);
/* Unmount and remove it; 0 when it is not there. */
int netns_remove(const char *path, struct err *err);
