/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU's image files: a magic (0x54564319, then one for the kind; the inventory has the second only),
 * then entries, each a 32-bit length and a protobuf message; numbers are little-endian. Some kinds
 * have raw data between entries; those are not for this reader. Errors are negative errnos.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "core/auto.h"
#include "core/macro.h"

#define IMAGE_MAGIC_COMMON 0x54564319U
#define IMAGE_MAGIC_SERVICE 0x55105940U
#define IMAGE_MAGIC_INVENTORY 0x58313116U
#define IMAGE_MAGIC_PSTREE 0x50273030U
#define IMAGE_MAGIC_CORE 0x55053847U
#define IMAGE_MAGIC_PAGEMAP 0x56084025U
#define IMAGE_MAGIC_CGROUP 0x59383330U
#define IMAGE_MAGIC_FILES 0x56303138U
#define IMAGE_MAGIC_STATS 0x57093306U

/* No entry of the kinds that we read is larger. */
#define IMAGE_ENTRY_MAX (16U << 20)

struct image_file {
	FILE *stream; /* owned */
	uint64_t left; /* bytes behind the current position */
	uint8_t *entry; /* the current one; owned */
	size_t len;
};

#define IMAGE_FILE_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Open dir_fd/name and read its magic. want: 0 for any kind.
 * Return: 0, -ENOENT, -EBADMSG when it is not such an image, -ENODATA when it ends too early.
 */
int image_file_open(struct image_file *ret, int dir_fd, const char *name, uint32_t want);
/* The same from memory, which is borrowed until the file is closed. */
int image_file_open_memory(struct image_file *ret, const void *data, size_t len, uint32_t want);
/* The next entry: 1 and file->entry, 0 at the end, -ENODATA when the file ends within an entry,
 * -EBADMSG when its length is absurd. */
int image_file_next(struct image_file *file);
/* The same without reading it: file->len only. */
int image_file_skip(struct image_file *file);
void image_file_close(struct image_file *file);

DEFINE_AUTO_VAL(image_file, struct image_file, image_file_close)
#define auto_image_file auto_cleanup(image_file_cleanup_val)
