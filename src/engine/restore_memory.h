/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of an archive's checkpoint, which CRIU reads from the archive itself: large memory images (checkpoint/pages-*.img) are
 * not unpacked, but are files of a directory that this process makes up (kernel/fuse_dir.h), beside the others, which are on the
 * disk and have been looked at. They are decompressed while CRIU puts into place what it has read, and no byte of them is written
 * anywhere but there.
 *
 * Where that cannot be, they are unpacked like everything else: of an archive that cannot be read at any place (a pipe, one of
 * podman's, a directory), with images of a pre-dump, for a container with a user namespace (its root sees the images through a
 * mount with ids mapped), or on a machine without FUSE.
 *
 * Damage in the memory of a process is found when CRIU reads it: its read fails, no process has run yet, and the restore fails by
 * restore_memory_explain(). Shared memory, for which CRIU does not look whether a read fails, is read through before that.
 */
#pragma once

#include "archive/reader.h"
#include "core/err.h"

struct restore_memory;

/* NULL where it cannot be, for reasons of the machine. The reader is borrowed. */
struct restore_memory *restore_memory_new(const struct archive_reader *reader);
/* Nothing of it may be read any more. NULL is fine. */
void restore_memory_free(struct restore_memory *memory);

/* For struct archive_unpack_options: note the large memory images. */
bool restore_memory_leave(struct restore_memory *memory, const struct archive_member *member,
			  uint64_t position);
/*
 * The rest of the archive is unpacked, its images into this directory: serve them and the memory. 0; restore_memory_path() says
 * where, when something was left.
 */
int restore_memory_serve(struct restore_memory *memory, const char *images, struct err *err);
/* Where CRIU finds the images, for processes of this process's pid namespace. NULL: nothing was left, or it is unpacked too now. */
const char *restore_memory_path(const struct restore_memory *memory);
/*
 * After the restore, which returned r: what could not be read is the reason why it has failed, or has to. Returns err's code, or r
 * when everything could be read.
 */
int restore_memory_explain(struct restore_memory *memory, int r, struct err *err);
