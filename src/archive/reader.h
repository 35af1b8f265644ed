/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads checkpoint archives, which strangers made: podman's, CRI-O's and containerd's, as a tar that is
 * not compressed or by zstd, gzip, bzip2 or xz (told by their magic numbers), from a file, a pipe, or a
 * plain directory.
 *
 * What is refused (ERR_INVALID), before a byte of the member is written anywhere: a name that is not in the
 * table (members.h), an absolute one or one with "..", any type but regular file and directory
 * (checkpoint/parent may be a symlink to ../pre-checkpoint), a second member of a name, a member or a sum
 * above the limits, prefixes that are mixed ("", "./", "ctrd-checkpoint/"). ERR_CORRUPT: damage, an
 * archive that ends too early, anything but zeroes behind its end.
 *
 * Frames of zstd (and members of gzip) that are independent are decompressed by worker threads, in
 * order, a few ahead. With a seek table, archive_reader_skip() and archive_reader_rewind() read nothing
 * of what they pass over.
 *
 * Use: open; archive_reader_documents(); decide; archive_reader_unpack(). Or member by member.
 */
#pragma once

#include "archive/members.h"
#include "core/auto.h"
#include "core/rooted.h"
#include "kernel/idmap.h"
#include "storage/tar_reader.h"

struct archive_reader_options {
	unsigned int threads; /* 0: as many as there are processors for us, at most 16 */
	uint64_t max_bytes; /* of everything unpacked; 0: 1 TiB */
	/* How many times larger than the archive what is in it may be, beyond the first 16 GiB. 0: 1000. */
	uint32_t max_ratio;
};

struct archive_reader;

/* path: "-" (stdin), "dir:PATH", a directory, or a file. options NULL: all defaults. */
int archive_reader_open(struct archive_reader **ret, const char *path,
			const struct archive_reader_options *options, struct err *err);
/* A descriptor, which is borrowed, from its current position; `name` is for errors. */
int archive_reader_open_fd(struct archive_reader **ret, int fd, const char *name,
			   const struct archive_reader_options *options, struct err *err);
/* NULL is fine. */
void archive_reader_close(struct archive_reader *reader);

DEFINE_AUTO_PTR(archive_reader, struct archive_reader, archive_reader_close)
#define auto_archive_reader auto_cleanup(archive_reader_cleanup_ptr)

/* The descriptor of an archive that was opened by the path of a file, borrowed; negative for everything else. */
int archive_reader_fd(const struct archive_reader *reader);
/* "zstd", "gzip", "bzip2", "xz", "none", "directory". */
const char *archive_reader_format(const struct archive_reader *reader);
/* Whether archive_reader_rewind() works: everything but a pipe. */
bool archive_reader_can_rewind(const struct archive_reader *reader);
/* Whether members are reached without reading what is before them. */
bool archive_reader_can_seek(const struct archive_reader *reader);

/* --- documents --- */

/* By kind, up to ARCHIVE_DOCUMENT_MAX_; text NULL: there is none (so far). NUL behind each. */
struct archive_documents {
	struct archive_document {
		char *text;
		size_t len;
	} v[ARCHIVE_DOCUMENT_MAX_];
};
void archive_documents_done(struct archive_documents *documents);
DEFINE_AUTO_VAL(archive_documents, struct archive_documents, archive_documents_done)
#define auto_archive_documents auto_cleanup(archive_documents_cleanup_val)

/*
 * The documents of the archive, before anything is unpacked; to be called first. From a file: all of
 * them, what is large is skipped, and the reader is at the beginning again; where skipping is reading, it
 * stops when config.dump, spec.dump and network.status are there. From a pipe: likewise, but it stops at
 * the first member that is too large to be remembered (64 MiB together); what was read is unpacked by
 * archive_reader_unpack(), and returned by archive_reader_next(), all the same. ret belongs to the caller.
 */
int archive_reader_documents(struct archive_reader *reader, struct archive_documents *ret,
			     struct err *err);

/* --- unpacking --- */

/*
 * Called for each tar in the archive, in the archive's order, with a reader of it at its beginning. Return
 * 1: it is dealt with (what was not read is passed over); 0, without having read: it is stored as a file;
 * or a negative errno and *err.
 */
typedef int archive_inner_fn(void *context, const struct archive_member *member,
			     struct tar_reader *tar, struct err *err);

/*
 * Called for each regular member that could be read later where it is (content.h): whether it is to be left, and not unpacked.
 * `position` is that of its content in the tar.
 */
typedef bool archive_leave_fn(void *context, const struct archive_member *member,
			      uint64_t position);

struct archive_unpack_options {
	archive_inner_fn *inner; /* NULL: tars are stored as files */
	archive_leave_fn *leave; /* NULL: nothing is left */
	void *context;
	/* Members of kinds whose bit is here (1u << kind) are passed over. */
	uint32_t skip_kinds;
};

struct archive_unpack_result {
	uint64_t n_members;
	uint64_t bytes; /* of all members */
	uint64_t checkpoint_bytes; /* of files in checkpoint/ */
	uint64_t pages_bytes; /* of pages-*.img */
	uint64_t rootfs_bytes; /* of rootfs-diff.tar */
	bool has_checkpoint;
	bool has_pre_checkpoint;
};

/*
 * Unpack into the directory dir_fd, which is empty and nobody else's: files with mode 0600, directories
 * 0700, all ours, runs of zeroes as holes. The documents are unpacked as files too, under their podman's
 * names. Once per reader, at the beginning (after open or archive_reader_documents()). ret may be NULL. On
 * failure the caller removes the directory.
 */
int archive_reader_unpack(struct archive_reader *reader, int dir_fd,
			  const struct archive_unpack_options *options,
			  struct archive_unpack_result *ret, struct err *err);

/*
 * Unpack a tar of the archive (from archive_inner_fn) into a root file system, a volume or /dev/shm. Every
 * name is resolved inside root. Links and symlinks are as they are; owner, mode, times and xattrs are set.
 * ERR_INVALID for a device unless allow_devices (whiteouts of a layer, 0:0, are devices too).
 * Whiteout files (.wh.NAME, containerd's) remove what they name when `whiteouts`, else are ordinary files.
 */
struct archive_inner_options {
	bool allow_devices;
	bool whiteouts;
	uint64_t max_bytes; /* 0: UNPACK_BYTES_MAX */
	const struct idmap *uids; /* as of struct unpack_options */
	const struct idmap *gids;
};
int archive_unpack_inner(struct tar_reader *tar, const struct rooted *root,
			 const struct archive_inner_options *options, struct err *err);

/* Remove the files of deleted.files (`paths`: absolute inside root) in root, without following a symlink
 * at the end of a path; what is not there is passed over. */
int archive_remove_deleted(const struct rooted *root, char *const *paths, size_t n,
			   struct err *err);

/* --- member by member --- */

/* 1: *ret is the next member (valid until the next call), 0: the end of the archive (which is whole). */
int archive_reader_next(struct archive_reader *reader, const struct archive_member **ret,
			struct err *err);
/* Up to len bytes of the current member's content; *ret_len 0 at its end. */
int archive_reader_read(struct archive_reader *reader, void *buf, size_t len, size_t *ret_len,
			struct err *err);
/* Pass over len bytes of it, at most to its end. archive_reader_next() passes over what is left. */
int archive_reader_skip(struct archive_reader *reader, uint64_t len, struct err *err);
/* The whole of it, at most limit bytes (-EFBIG, ERR_INVALID); NUL behind. The caller owns *ret. */
int archive_reader_slurp(struct archive_reader *reader, size_t limit, char **ret, size_t *ret_len,
			 struct err *err);
/* To the beginning. ERR_UNSUPPORTED for a pipe. */
int archive_reader_rewind(struct archive_reader *reader, struct err *err);
