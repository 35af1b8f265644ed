/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters, kept in <state root>/.cache/seccomp/ (0700), one file (0600) per profile.
 *
 * A container's isolation hangs on this, so an entry is used only when it is certainly the compiled
 * form of this very profile: the file holds the whole key (the profile in a canonical form, the
 * version of libseccomp, the kernel's release and build, the format's version), which is compared
 * byte by byte; the file's name is a hash of the key and its strength does not matter. The file must
 * be ours, closed to everybody else, regular and with one link, and so must the directories for a
 * new one to be put there. An entry that is damaged or foreign is compiled again and replaced. At most
 * SECCOMP_CACHE_ENTRIES are kept; the oldest goes.
 *
 * The first use of a large profile costs what compiling costs (13 ms for podman's), later ones 15 us.
 */
#pragma once

#include "runtime/seccomp/compile.h"

#define SECCOMP_CACHE_ENTRIES 64

/*
 * The filter of a profile, from the cache or compiled (and then put there). root_fd: the state root,
 * O_PATH is enough; negative: no cache. Trouble with the cache is no error: it is logged at debug
 * level. Errors as of seccomp_filter_compile().
 */
int seccomp_filter_get(struct seccomp_filter *ret, const struct oci_seccomp *profile, int root_fd,
		       struct err *err);

/* For tests: the entry's name ("0123456789abcdef"). Caller owns. */
char *seccomp_cache_name(const struct oci_seccomp *profile);
