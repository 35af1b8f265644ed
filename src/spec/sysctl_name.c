/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/sysctl_name.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/str.h"

static bool is_clean(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", 2) == 0))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

char *sysctl_name_to_path(const char *name)
{
	auto_free char *path = xstrdup(name);

	if (name[strcspn(name, "./")] == '.') {
		for (char *p = path; *p; p++) {
			if (*p == '.')
				*p = '/';
			else if (*p == '/')
				*p = '.';
		}
	}
	return is_clean(path) ? take_ptr(path) : NULL;
}

const char *sysctl_path_namespace(const char *path)
{
	static const char *const ipc[] = {
		"kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
		"kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++)
		if (str_eq(path, ipc[i]))
			return "ipc";
	if (str_has_prefix(path, "fs/mqueue/"))
		return "ipc";
	if (str_has_prefix(path, "net/"))
		return "network";
	if (str_eq(path, "kernel/domainname") || str_eq(path, "kernel/hostname"))
		return "uts";
	if (str_has_prefix(path, "user/"))
		return "user";
	return NULL;
}
