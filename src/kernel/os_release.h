/* SPDX-License-Identifier: Apache-2.0 */
/* What distribution this is: os-release(5). */
#pragma once

/* The value of a key such as "VERSION_ID", without quotes. The caller owns it; NULL: not told. */
char *os_release_value(const char *key);
