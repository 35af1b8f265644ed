/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters, kept in <state root>/.cache/seccomp/ (0700), one file (0600) per profile.
 *
 * A container's isolation hangs on this, so an entry is used only when it is certainly the compiled
 * form of this very profile: the file holds the whole key (the profile in a canonical form, the
 * version of libseccomp, the kernel's release, the format's version), which is compared byte by byte;
 * the file's name is a hash of the key and its strength does not matter. Directory and file must be
 * ours and closed to everybody else, the file regular and with one link, no symlink anywhere. An entry
 * that is damaged or foreign is compiled again and replaced. At most SECCOMP_CACHE_ENTRIES are kept;
 * the oldest goes.
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
