/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers-policy.json(5) says of images that floe reads itself, from files and directories. Those of registries are
 * skopeo's to judge, with their signatures.
 */
#pragma once

#include <stdbool.h>

#include "core/err.h"

/*
 * Whether an image may come by this transport ("docker-archive", "oci-archive", "oci", "dir", "tarball"). file: the policy, NULL:
 * the user's, else the system's, and where there is neither everything may. path: where it lies, for the scopes of "oci" and
 * "dir"; NULL: nowhere. ref: oci's name behind the path, or NULL. ERR_DENIED: it may not, or has no signature that the
 * policy asks for (none of these has any). ERR_INVALID: the policy is none.
 */
int policy_check(const char *file, const char *transport, const char *path, const char *ref,
		 struct err *err);
/* Whether it lets in everything that comes by this transport, unasked. A file that is missing or wrong does not. */
bool policy_is_open(const char *file, const char *transport);
