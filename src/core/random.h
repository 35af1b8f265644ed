/* SPDX-License-Identifier: Apache-2.0 */
/* Names that nobody guesses and nothing else has. */
#pragma once

#include <stddef.h>

/* `n` lower-case hexadecimal digits from getrandom(2), at most RANDOM_HEX_MAX; caller owns. */
#define RANDOM_HEX_MAX 512
char *random_hex(size_t n);
