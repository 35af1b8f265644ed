/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of tar: written as POSIX pax (pax(1), "pax Interchange Format") with SCHILY.xattr.*, read as
 * pax, ustar and what GNU tar and Go write.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "core/auto.h"
#include "core/macro.h"
#include "core/strbuf.h"

#define TAR_BLOCK 512U
#define TAR_END (2 * TAR_BLOCK)

/* Up to the next block. */
static inline uint64_t tar_padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) & ~(uint64_t)(TAR_BLOCK - 1);
}

struct tar_xattr {
	char *name;
	void *value;
	size_t len;
};

/* Strings are borrowed. */
struct tar_header {
	const char *path; /* directories end with a slash */
	const char *link; /* of links and symlinks; else NULL */
	char type; /* '0' file, '1' link, '2' symlink, '3' char, '4' block, '5' directory, '6' fifo */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size; /* of the content that follows */
	struct timespec mtime;
	unsigned int major;
	unsigned int minor;
	const struct tar_xattr *xattrs;
	size_t n_xattrs;
};

/* All blocks of the header. */
void tar_header_format(struct strbuf *sb, const struct tar_header *header);

/* What the blocks in front of a header have said about it. */
struct tar_override {
	char *path;
	char *link;
	bool has_size;
	uint64_t size;
	bool sparse;
};
void tar_override_done(struct tar_override *override);
/* Records of a pax header: path, linkpath, size; GNU.sparse.* only as sparse. -EBADMSG. */
int tar_override_parse(struct tar_override *override, const char *text, size_t len);

/* One block as it is, strings copied. */
struct tar_block {
	char path[257];
	char link[101];
	char type;
	uint64_t size;
};
/* 1; 0 for a block of zeroes; -EBADMSG: no header, or one whose checksum is wrong. */
int tar_block_parse(struct tar_block *ret, const uint8_t block[static TAR_BLOCK]);
