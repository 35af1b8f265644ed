/* SPDX-License-Identifier: Apache-2.0 */
/* "TRANSPORT:DETAILS" as containers-transports(5) has it. */
#pragma once

/* The transport that `what` begins with, or NULL when it is a plain name (or docker://). *ret_rest
 * points behind "docker://", or to what itself. */
const char *transport_of(const char *what, const char **ret_rest);
