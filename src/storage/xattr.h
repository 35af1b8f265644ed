/* SPDX-License-Identifier: Apache-2.0 */
/* Which extended attributes belong to the content of a file, for archives in and out. */
#pragma once

#include <stdbool.h>

/*
 * user.* and security.capability. Not what the overlay keeps in user.overlay.*, whiteouts and all, nor labels,
 * which belong to the place where the file is.
 */
bool xattr_is_content(const char *name);
/* Those and POSIX ACLs, in which ids of users stand as they are: where ids are translated they would be wrong. */
bool xattr_is_content_or_acl(const char *name);
