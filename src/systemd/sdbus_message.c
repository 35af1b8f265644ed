/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/sdbus_message.h"

#include <string.h>

#include "core/alloc.h"

/* "as" is opened as array of "s", "(st)" as struct of "st", "{sv}" as entry of "sv". */
static int append_container(const struct sdbus_library *lib, sd_bus_message *m,
			    const struct systemd_value *value)
{
	size_t len = strlen(value->signature);
	auto_free char *content = NULL;
	char type = value->signature[0];
	int r;

	if (type == 'v')
		content = xstrdup(value->child[0].signature);
	else if (type == 'a')
		content = xstrdup(value->signature + 1);
	else
		content = xstrndup(value->signature + 1, len - 2);
	if (type == '(')
		type = SD_BUS_TYPE_STRUCT;
	else if (type == '{')
		type = SD_BUS_TYPE_DICT_ENTRY;
	r = lib->message_open_container(m, type, content);
	for (size_t i = 0; i < value->n && r >= 0; i++)
		r = sdbus_append_value(lib, m, &value->child[i]);
	return r < 0 ? r : lib->message_close_container(m);
}

int sdbus_append_value(const struct sdbus_library *lib, sd_bus_message *m,
		       const struct systemd_value *value)
{
	char type = value->signature[0];
	union {
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int b;
	} narrow;
	const void *p = &narrow;

	switch (type) {
	case 'b':
		narrow.b = value->u != 0;
		break;
	case 'y':
		narrow.y = (uint8_t)value->u;
		break;
	case 'n':
		narrow.n = (int16_t)value->i;
		break;
	case 'q':
		narrow.q = (uint16_t)value->u;
		break;
	case 'i':
	case 'h':
		narrow.i = (int32_t)value->i;
		break;
	case 'u':
		narrow.u = (uint32_t)value->u;
		break;
	case 'x':
		p = &value->i;
		break;
	case 't':
		p = &value->u;
		break;
	case 'd':
		p = &value->d;
		break;
	case 's':
	case 'o':
	case 'g':
		p = value->s;
		break;
	default:
		return append_container(lib, m, value);
	}
	return lib->message_append_basic(m, type, p);
}

/* a(sv) */
int sdbus_append_properties(const struct sdbus_library *lib, sd_bus_message *m,
			    const struct systemd_plan *properties, struct err *err)
{
	const char *name = "";
	int r = lib->message_open_container(m, 'a', "(sv)");

	for (size_t i = 0; i < properties->n && r >= 0; i++) {
		const struct systemd_property *p = &properties->v[i];

		name = p->name;
		r = lib->message_open_container(m, 'r', "sv");
		if (r >= 0)
			r = lib->message_append_basic(m, 's', name);
		if (r >= 0)
			r = lib->message_open_container(m, 'v', p->value.signature);
		if (r >= 0)
			r = sdbus_append_value(lib, m, &p->value);
		if (r >= 0)
			r = lib->message_close_container(m);
		if (r >= 0)
			r = lib->message_close_container(m);
	}
	if (r >= 0)
		r = lib->message_close_container(m);
	return r < 0 ? err_sys(err, r, "write property '%s' for systemd", name) : 0;
}
