/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and times as podman prints them for people. The caller owns the texts. */
#pragma once

#include <stdint.h>

/* "7.66 MB": decimal units, so many significant digits, `gap` before the unit. podman's tables differ in both. */
char *human_size(uint64_t bytes, int digits, const char *gap);
/* "7.304MiB", "492KiB": binary units, four significant digits. */
char *human_size_binary(uint64_t bytes);
/* "2 hours", "About a minute", "Less than a second": how long ago it was. */
char *human_since(uint64_t realtime_ns);
/* "2 hours ago"; "N/A" for 0, which means unknown. */
char *human_ago(uint64_t realtime_ns);
/* "2026-11-21 19:08:29 +0000 UTC"; `fraction`: with up to nine digits of it, as Go prints times. */
char *human_time(uint64_t realtime_ns, int fraction);
