/* SPDX-License-Identifier: Apache-2.0 */
#include "core/path.h"

#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/strbuf.h"
#include "core/strvec.h"

char *path_clean(const char *path)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	auto_strvec struct strvec kept = STRVEC_INIT;
	bool absolute = path[0] == '/';
	auto_free char *joined = NULL;

	strvec_split(&parts, path, '/', false);
	for (size_t i = 0; i < parts.n; i++) {
		const char *part = parts.v[i];

		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			if (kept.n > 0 && strcmp(kept.v[kept.n - 1], "..") != 0) {
				strvec_remove(&kept, kept.n - 1);
				continue;
			}
			if (absolute)
				continue;
		}
		strvec_add(&kept, part);
	}
	joined = strvec_join(&kept, "/");
	if (absolute)
		return xasprintf("/%s", joined);
	return *joined ? take_ptr(joined) : xstrdup(".");
}

bool path_has_dotdot(const char *path)
{
	for (const char *p = strstr(path, ".."); p; p = strstr(p + 1, ".."))
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

char *path_join(const char *a, const char *b)
{
	auto_free char *both = *a && *b ? xasprintf("%s/%s", a, b) : xstrdup(*a ? a : b);

	return path_clean(both);
}

bool path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return path[0] == '/';
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

const char *path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_dirname(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	if (slash == path)
		return xstrdup("/");
	return xstrndup(path, (size_t)(slash - path));
}

char *path_absolute(const char *path, const char *base)
{
	auto_free char *cwd = NULL;

	if (path[0] == '/')
		return path_clean(path);
	if (base)
		return path_join(base, path);
	cwd = getcwd(NULL, 0);
	return cwd ? path_join(cwd, path) : NULL;
}
