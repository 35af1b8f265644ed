/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict readers of values in text: the whole string must be the value; no leading space, no sign
 * where none belongs, no overflow. Return: 0, -EINVAL (not such a value), -ERANGE (too large).
 */
#pragma once

#include <stdint.h>

#include "core/macro.h"

int parse_u32(const char *s, uint32_t *ret);
int parse_u64(const char *s, uint64_t *ret);
int parse_i64(const char *s, int64_t *ret);
int parse_u64_base(const char *s, int base, uint64_t *ret);
/* What containers, volumes, networks and secrets may be called: [a-zA-Z0-9][a-zA-Z0-9_.-]*. */
bool parse_is_name(const char *s);
/* true/false, yes/no, on/off, 1/0, t/f in any case. */
int parse_bool(const char *s, bool *ret);
/* "512m", "1.5GiB", "100": bytes with base 1024 and units b k m g t p, "kb", "kib" (docker's RAMInBytes). */
int parse_size(const char *s, uint64_t *ret_bytes);
/* The same with units of 1000. */
int parse_size_decimal(const char *s, uint64_t *ret_bytes);
/* Go durations: "1h2m3.5s", "100ms", "5s"; plain "0" too. Nanoseconds, not negative. */
int parse_duration(const char *s, uint64_t *ret_ns);
