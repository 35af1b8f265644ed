/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * Length (1 to 4) of the well-formed UTF-8 sequence that s begins with, of which n bytes are there;
 * 0 when there is none: overlong forms, surrogates and values above U+10FFFF are not well-formed
 * (Unicode 15, table 3-7).
 */
size_t utf8_sequence(const char *s, size_t n);

/*
 * A copy for a terminal, to be freed: bytes that would move its cursor, set its colour or begin a line of their own (control
 * characters, also those of two bytes), and such as are no UTF-8, become "\\n", "\\t" or "\\x1b".
 */
char *utf8_printable(const char *s);
