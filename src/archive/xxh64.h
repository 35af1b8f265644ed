/* SPDX-License-Identifier: Apache-2.0 */
/* XXH64, of which a frame of zstd has the low half of its content's (RFC 8878, 3.1.1; no protection against intent). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* With seed 0. */
uint64_t xxh64(const void *data, size_t len);
