/* SPDX-License-Identifier: Apache-2.0 */
/* What archive/tree.c has collected, for archive/writer.c. */
#pragma once

#include <sys/stat.h>

#include "archive/tar_header.h"
#include "archive/tree.h"
#include "core/rooted.h"

struct tree_entry {
	char *path; /* in the tar; of a directory with a slash at the end */
	char *name; /* below the base */
	char *link; /* target of a symlink, or path of the first name; else NULL */
	struct tar_xattr *xattrs;
	size_t n_xattrs;
	size_t base;
	struct stat st;
	char type; /* of the tar header */
	unsigned int flags;
};

struct archive_tree {
	struct rooted *bases;
	size_t n_bases;
	struct tree_entry *entries;
	size_t n_entries;
	struct seen *table; /* inodes with several names; open addressing */
	size_t n_table; /* a power of two */
	size_t n_seen;
	uint64_t size; /* without the end */
};

void tree_entry_format(const struct tree_entry *entry, struct strbuf *sb);
/* The file of an entry, which is still what it was: a descriptor, ERR_STATE otherwise. */
int tree_entry_open(const struct archive_tree *tree, const struct tree_entry *entry,
		    struct err *err);
