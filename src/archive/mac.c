/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/mac.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"

#define ETHERNET 6
#define EUI64 8

void archive_mac_to_text(char **mac)
{
	auto_strbuf struct strbuf bytes = STRBUF_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!*mac || strchr(*mac, ':') || base64_decode(*mac, &bytes) < 0 ||
	    (bytes.len != ETHERNET && bytes.len != EUI64))
		return;
	for (size_t i = 0; i < bytes.len; i++)
		strbuf_addf(&text, "%s%02x", i ? ":" : "", (uint8_t)bytes.buf[i]);
	replace_ptr(*mac, strbuf_take(&text));
}
