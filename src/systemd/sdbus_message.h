/* SPDX-License-Identifier: Apache-2.0 */
/* Values and properties as parts of D-Bus messages; only sdbus.c includes it. */
#pragma once

#include "systemd/sdbus_library.h"
#include "systemd/systemd_plan.h"

/* Return: as of sd-bus, negative for an error. */
int sdbus_append_value(const struct sdbus_library *lib, sd_bus_message *m,
		       const struct systemd_value *value);
/* An array of them, a(sv). */
int sdbus_append_properties(const struct sdbus_library *lib, sd_bus_message *m,
			    const struct systemd_plan *properties, struct err *err);
