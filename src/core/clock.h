/* SPDX-License-Identifier: Apache-2.0 */
/* Time: now, deadlines, and RFC 3339 text. All values are nanoseconds. */
#pragma once

#include <stdint.h>

#include "core/macro.h"

#define NSEC_PER_SEC ((uint64_t)1000000000)
#define NSEC_PER_MSEC ((uint64_t)1000000)
#define CLOCK_TEXT_MAX 40

uint64_t clock_now_realtime_ns(void);
uint64_t clock_now_monotonic_ns(void);
/* "2026-11-21T19:08:29.123456789Z" with `digits` (0 to 9) of fraction, or with as few as are needed
 * when digits is negative (Go's RFC3339Nano). */
void clock_format_utc(uint64_t realtime_ns, int digits, char ret[static CLOCK_TEXT_MAX]);
/* Milliseconds left until a monotonic deadline, for poll(2): at least 0, rounded up. */
int clock_ms_until(uint64_t deadline_monotonic_ns);
void clock_sleep_ms(uint64_t ms);
