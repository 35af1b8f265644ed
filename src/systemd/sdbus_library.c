/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/sdbus_library.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libsystemd.so.0"

static int not_loaded(const char *reason, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "load '" LIBRARY
		       "' for --systemd-cgroup: %s; install libsystemd, or use the "
		       "cgroupfs driver (leave out --systemd-cgroup; engines: cgroup manager "
		       "'cgroupfs')",
		       reason);
}

int sdbus_library_load(struct sdbus_library *ret, struct err *err)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	void *symbol;

	if (!handle)
		return not_loaded(dlerror(), err);
/* POSIX has dlsym() return functions as void *; ISO C has no conversion, hence the copy. */
#define X(name)                                                                                    \
	symbol = dlsym(handle, "sd_bus_" #name);                                                   \
	if (!symbol)                                                                               \
		return not_loaded("it has no function sd_bus_" #name, err);                        \
	memcpy(&ret->name, &symbol, sizeof(symbol));
	SDBUS_LIBRARY_FUNCTIONS(X)
#undef X
	return 0;
}
