/* SPDX-License-Identifier: Apache-2.0 */
/* The host as its containers may call it where no network of theirs leads to it. */
#pragma once

/* The first IPv4 address of the host that is not a loopback's; NULL when there is none. Caller owns. */
char *network_host_address(void);
