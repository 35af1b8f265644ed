/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp profiles as containers-common and Docker write them: conditions on capabilities, architectures
 * and kernel version, resolved to the runtime's plain list. */
#pragma once

#include "core/err.h"
#include "spec/runtime_linux.h"

#define SECCOMP_PROFILE_DEFAULT "/usr/share/containers/seccomp.json"
#define SECCOMP_PROFILE_OVERRIDE "/etc/containers/seccomp.json"

/*
 * Read the profile, which is a path, the text itself (it begins with a brace), or NULL: the machine's default, and
 * where it has none, the one that is built in. For a container whose bounding set is caps. The caller owns *ret (json_done with a linux that holds it, as spec_facts do).
 */
int seccomp_profile_load(const char *profile, uint64_t caps, struct oci_seccomp **ret,
			 struct err *err);
