/* SPDX-License-Identifier: Apache-2.0 */
/* libsystemd's functions, found when they are needed; only sdbus*.c include it. */
#pragma once

#include <systemd/sd-bus.h>

#include "core/err.h"

/* Member and function sd_bus_<member>; all of them are there since systemd 237. */
#define SDBUS_LIBRARY_FUNCTIONS(X)                                                                 \
	X(call)                                                                                    \
	X(error_free)                                                                              \
	X(flush_close_unref)                                                                       \
	X(get_fd)                                                                                  \
	X(get_property_string)                                                                     \
	X(match_signal)                                                                            \
	X(message_append_basic)                                                                    \
	X(message_close_container)                                                                 \
	X(message_new_method_call)                                                                 \
	X(message_open_container)                                                                  \
	X(message_read_basic)                                                                      \
	X(message_unref)                                                                           \
	X(new)                                                                                     \
	X(open_system)                                                                             \
	X(open_user)                                                                               \
	X(process)                                                                                 \
	X(set_address)                                                                             \
	X(start)                                                                                   \
	X(unref)                                                                                   \
	X(wait)

struct sdbus_library {
#define X(name) typeof(&sd_bus_##name) name;
	SDBUS_LIBRARY_FUNCTIONS(X)
#undef X
};

/* ERR_UNSUPPORTED: it is not installed, or lacks a function. It stays loaded: it has state of its own. */
int sdbus_library_load(struct sdbus_library *ret, struct err *err);
