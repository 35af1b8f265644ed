/* SPDX-License-Identifier: Apache-2.0 */
#include "core/program.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/macro.h"
#include "core/path.h"
#include "core/strvec.h"

static const char *const usual[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
				     "/usr/bin",	"/sbin",	  "/bin" };

char *program_in(const char *const *dirs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *path = path_join(dirs[i], name);

		if (dirs[i][0] == '/' && access(path, X_OK) == 0)
			return take_ptr(path);
	}
	return NULL;
}

char *program_on_path(const char *name)
{
	auto_strvec struct strvec dirs = STRVEC_INIT;
	const char *path = getenv("PATH");

	if (!path)
		return program_in(usual, ARRAY_SIZE(usual), name);
	strvec_split(&dirs, path, ':', false);
	return program_in((const char *const *)dirs.v, dirs.n, name);
}

char *program_find(const char *name)
{
	char *path = program_on_path(name);

	return path ? path : program_in(usual, ARRAY_SIZE(usual), name);
}
