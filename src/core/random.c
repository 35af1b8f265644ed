/* SPDX-License-Identifier: Apache-2.0 */
#include "core/random.h"

#include <assert.h>
#include <sys/random.h>

#include "core/alloc.h"

char *random_hex(size_t n)
{
	unsigned char bytes[RANDOM_HEX_MAX / 2];
	char *text = xcalloc(n + 1, 1);

	assert(n <= RANDOM_HEX_MAX);
	/* Up to 256 bytes are always delivered whole. */
	(void)!getrandom(bytes, sizeof(bytes), 0);
	for (size_t i = 0; i < n; i++)
		text[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 * 4) & 15];
	return text;
}
