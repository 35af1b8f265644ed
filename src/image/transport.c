/* SPDX-License-Identifier: Apache-2.0 */
#include "image/transport.h"

#include "core/str.h"

const char *transport_of(const char *what, const char **ret_rest)
{
	static const char *const transports[] = {
		"oci", "oci-archive",	     "docker-archive",
		"dir", "containers-storage", "docker-daemon",
	};
	const char *rest = str_skip_prefix(what, "docker://");

	*ret_rest = what;
	if (rest) {
		*ret_rest = rest;
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		rest = str_skip_prefix(what, transports[i]);
		if (rest && *rest == ':') {
			*ret_rest = rest + 1;
			return transports[i];
		}
	}
	return NULL;
}
