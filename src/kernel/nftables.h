/* SPDX-License-Identifier: Apache-2.0 */
/* nf_tables, the kernel's packet filter. */
#pragma once

#include <stdbool.h>

/*
 * Whether the kernel has nf_tables (Linux 3.13; may load the module): it is asked for the number of its
 * current rule set. False as well without CAP_NET_ADMIN over the network namespace of the caller.
 */
bool nftables_is_available(void);
