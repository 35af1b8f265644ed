/* SPDX-License-Identifier: Apache-2.0 */
/* The standard alphabet of RFC 4648, section 4. */
#pragma once

#include "core/strbuf.h"

/* Append what text stands for. White space is passed over, padding may be missing; -EINVAL for
 * anything else that is not of the alphabet, or a length that no encoder produces. */
int base64_decode(const char *text, struct strbuf *ret);
/* Append the encoding of data, padded. */
void base64_encode(const void *data, size_t len, struct strbuf *ret);
