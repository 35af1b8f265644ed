/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/xxh64.h"

#include <endian.h>
#include <string.h>

#define PRIME1 0x9E3779B185EBCA87ULL
#define PRIME2 0xC2B2AE3D27D4EB4FULL
#define PRIME3 0x165667B19E3779F9ULL
#define PRIME4 0x85EBCA77C2B2AE63ULL
#define PRIME5 0x27D4EB2F165667C5ULL
/* Four lanes of eight bytes. */
#define STRIPE 32

static uint64_t rotate(uint64_t v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t mix_word(uint64_t lane, uint64_t word)
{
	return rotate(lane + word * PRIME2, 31) * PRIME1;
}

static uint64_t merge_lane(uint64_t sum, uint64_t lane)
{
	return (sum ^ mix_word(0, lane)) * PRIME1 + PRIME4;
}

/* What comes before the last stripe's end. */
static uint64_t sum_stripes(const uint8_t *p, const uint8_t *end)
{
	uint64_t a = PRIME1 + PRIME2;
	uint64_t b = PRIME2;
	uint64_t c = 0;
	uint64_t d = 0 - PRIME1;
	uint64_t sum;

	for (; p < end; p += STRIPE) {
		a = mix_word(a, get_u64(p));
		b = mix_word(b, get_u64(p + 8));
		c = mix_word(c, get_u64(p + 16));
		d = mix_word(d, get_u64(p + 24));
	}
	sum = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
	sum = merge_lane(sum, a);
	sum = merge_lane(sum, b);
	sum = merge_lane(sum, c);
	return merge_lane(sum, d);
}

static uint64_t add_tail(uint64_t sum, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8)
		sum = rotate(sum ^ mix_word(0, get_u64(p)), 27) * PRIME1 + PRIME4;
	if (len >= 4) {
		sum = rotate(sum ^ get_u32(p) * PRIME1, 23) * PRIME2 + PRIME3;
		p += 4;
		len -= 4;
	}
	for (; len > 0; p++, len--)
		sum = rotate(sum ^ *p * PRIME5, 11) * PRIME1;
	return sum;
}

uint64_t xxh64(const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t striped = len - len % STRIPE;
	uint64_t sum = striped > 0 ? sum_stripes(p, p + striped) : PRIME5;

	sum = add_tail(sum + len, p + striped, len - striped);
	sum = (sum ^ sum >> 33) * PRIME2;
	sum = (sum ^ sum >> 29) * PRIME3;
	return sum ^ sum >> 32;
}
