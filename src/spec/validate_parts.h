/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of validate.h by subject; used by this folder only. */
#pragma once

#include "core/err.h"
#include "core/str.h"
#include "spec/runtime_spec.h"
#include "spec/vocabulary.h"

int validate_linux(const struct oci_linux *linux_, struct err *err);
int validate_seccomp(const struct oci_seccomp *seccomp, struct err *err);
/* name: the kind of hook, for errors. */
int validate_hook_list(const struct oci_hook *list, size_t n, const char *name, struct err *err);

/* Both lists of a mapping; path is what they belong to ("linux", "mounts[2]"). */
int validate_mappings(const struct oci_id_mapping *uid_mappings, size_t n_uid_mappings,
		      const struct oci_id_mapping *gid_mappings, size_t n_gid_mappings,
		      const char *path, struct err *err);

/* Refuse what is none of the words: "PATH: unknown value 'x', expected one of a, b". */
int validate_word(const struct vocabulary *words, const char *value, struct err *err,
		  const char *path_fmt, ...) PRINTF_LIKE(4, 5);

/* Whether s is a list of numbers and ranges as cpusets and node lists are written: "0-3,7". */
bool is_number_list(const char *s);
