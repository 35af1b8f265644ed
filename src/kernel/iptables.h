/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of iptables in the caller's network namespace, by its programs: which of the kernel's two packet filters the rules
 * are in is their choice, and what shares a rule's table with them is theirs alone to know.
 */
#pragma once

#include <stdbool.h>

#include "core/strvec.h"

enum iptables_family {
	IPTABLES_IPV4,
	IPTABLES_IPV6,
	IPTABLES_FAMILY_COUNT_,
};

/* The lines of `iptables-save -t filter` are added to *ret. -ENOENT when the program is not on PATH, -EIO when it fails,
 * another negative errno when it cannot be run. */
int iptables_save(enum iptables_family family, struct strvec *ret);
/* Give the text to `iptables-restore --noflush`; it does all of it or nothing. Errors as above. */
int iptables_restore(enum iptables_family family, const char *text);
