/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/xattr.h"

#include "core/str.h"

bool xattr_is_content(const char *name)
{
	if (str_has_prefix(name, "user."))
		return !str_has_prefix(name, "user.overlay.");
	return str_eq(name, "security.capability");
}

bool xattr_is_content_or_acl(const char *name)
{
	return xattr_is_content(name) || str_has_prefix(name, "system.posix_acl_");
}
