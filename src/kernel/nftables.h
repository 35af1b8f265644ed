/* SPDX-License-Identifier: Apache-2.0 */
/* nf_tables, the kernel's packet filter. */
#pragma once

#include <stdbool.h>

#include "core/strvec.h"

/*
 * Whether the kernel has nf_tables (Linux 3.13; may load the module): it is asked for the number of its
 * current rule set. False as well without CAP_NET_ADMIN over the network namespace of the caller.
 */
bool nftables_is_available(void);

/* Names of the tables of family inet that begin with the prefix, in the caller's network namespace;
 * they are added to *ret. Negative errno. */
int nftables_list_tables(struct strvec *ret, const char *prefix);
/* Delete such a table with all that is in it. */
int nftables_delete_table(const char *name);
