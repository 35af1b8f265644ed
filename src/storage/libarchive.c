/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/libarchive.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libarchive.so.13"

struct libarchive libarchive;

static int not_loaded(const char *reason, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "load '" LIBRARY "': %s; install the package 'libarchive13'", reason);
}

int libarchive_load(struct err *err)
{
	void *handle;
	void *symbol;

	if (libarchive.loaded)
		return 0;
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return not_loaded(dlerror(), err);
/* POSIX has dlsym() return functions as void *; ISO C has no conversion, hence the copy. */
#define X(name)                                                                                    \
	symbol = dlsym(handle, #name);                                                             \
	if (!symbol)                                                                               \
		return not_loaded("it has no function " #name, err);                               \
	memcpy(&libarchive.name##_, &symbol, sizeof(symbol));
	LIBARCHIVE_FUNCTIONS(X)
#undef X
	libarchive.loaded = true;
	return 0;
}
