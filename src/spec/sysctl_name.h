/* SPDX-License-Identifier: Apache-2.0 */
/* Names of kernel parameters as linux.sysctl has them. */
#pragma once

#include "core/macro.h"

/*
 * The path below /proc/sys, which the caller owns, or NULL when the name is no such path (an empty
 * component, "." or ".."). As sysctl(8) reads names: the separator that comes first separates, the
 * other one stands for itself, so that "net/ipv4/conf/eth0.1/forwarding" and
 * "net.ipv4.conf.eth0/1.forwarding" are the same parameter.
 */
char *sysctl_name_to_path(const char *name);

/*
 * The type of the namespace ("ipc", "network", "uts", "user") that has a value of its own of the
 * parameter with this path; NULL for those that are the whole host's.
 */
const char *sysctl_path_namespace(const char *path);
