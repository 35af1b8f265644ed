/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive's functions, found when they are needed: its shared library brings XML and Unicode along,
 * for which every `floe ps` would pay. Include this instead of <archive.h>; the functions are called by
 * their own names, after libarchive_load().
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "core/err.h"

#define LIBARCHIVE_FUNCTIONS(X)                                                                    \
	X(archive_entry_atime_is_set)                                                              \
	X(archive_entry_copy_hardlink)                                                             \
	X(archive_entry_copy_pathname)                                                             \
	X(archive_entry_copy_stat)                                                                 \
	X(archive_entry_copy_symlink)                                                              \
	X(archive_entry_free)                                                                      \
	X(archive_entry_hardlink)                                                                  \
	X(archive_entry_new)                                                                       \
	X(archive_entry_pathname)                                                                  \
	X(archive_entry_set_filetype)                                                              \
	X(archive_entry_set_mtime)                                                                 \
	X(archive_entry_set_perm)                                                                  \
	X(archive_entry_set_size)                                                                  \
	X(archive_entry_sparse_add_entry)                                                          \
	X(archive_entry_sparse_count)                                                              \
	X(archive_entry_stat)                                                                      \
	X(archive_entry_symlink)                                                                   \
	X(archive_entry_unset_atime)                                                               \
	X(archive_entry_unset_birthtime)                                                           \
	X(archive_entry_unset_ctime)                                                               \
	X(archive_entry_xattr_add_entry)                                                           \
	X(archive_entry_xattr_next)                                                                \
	X(archive_entry_xattr_reset)                                                               \
	X(archive_errno)                                                                           \
	X(archive_error_string)                                                                    \
	X(archive_read_data_block)                                                                 \
	X(archive_read_free)                                                                       \
	X(archive_read_new)                                                                        \
	X(archive_read_next_header)                                                                \
	X(archive_read_open)                                                                       \
	X(archive_read_open_fd)                                                                    \
	X(archive_read_support_filter_bzip2)                                                       \
	X(archive_read_support_filter_gzip)                                                        \
	X(archive_read_support_filter_xz)                                                          \
	X(archive_read_support_filter_zstd)                                                        \
	X(archive_read_support_format_empty)                                                       \
	X(archive_read_support_format_raw)                                                         \
	X(archive_read_support_format_tar)                                                         \
	X(archive_set_error)                                                                       \
	X(archive_write_close)                                                                     \
	X(archive_write_data)                                                                      \
	X(archive_write_fail)                                                                      \
	X(archive_write_free)                                                                      \
	X(archive_write_header)                                                                    \
	X(archive_write_new)                                                                       \
	X(archive_write_open)                                                                      \
	X(archive_write_set_bytes_in_last_block)                                                   \
	X(archive_write_set_bytes_per_block)                                                       \
	X(archive_write_set_format_pax_restricted)                                                 \
	X(archive_write_set_options)

struct libarchive {
	bool loaded;
#define X(name) typeof(name) *name##_;
	LIBARCHIVE_FUNCTIONS(X)
#undef X
};

/* The functions are the same for everybody in the process, and written once. */
extern struct libarchive libarchive;

/* Once is enough. ERR_UNSUPPORTED with what to install. */
int libarchive_load(struct err *err);

#define archive_entry_atime_is_set libarchive.archive_entry_atime_is_set_
#define archive_entry_copy_hardlink libarchive.archive_entry_copy_hardlink_
#define archive_entry_copy_pathname libarchive.archive_entry_copy_pathname_
#define archive_entry_copy_stat libarchive.archive_entry_copy_stat_
#define archive_entry_copy_symlink libarchive.archive_entry_copy_symlink_
#define archive_entry_free libarchive.archive_entry_free_
#define archive_entry_hardlink libarchive.archive_entry_hardlink_
#define archive_entry_new libarchive.archive_entry_new_
#define archive_entry_pathname libarchive.archive_entry_pathname_
#define archive_entry_set_filetype libarchive.archive_entry_set_filetype_
#define archive_entry_set_mtime libarchive.archive_entry_set_mtime_
#define archive_entry_set_perm libarchive.archive_entry_set_perm_
#define archive_entry_set_size libarchive.archive_entry_set_size_
#define archive_entry_sparse_add_entry libarchive.archive_entry_sparse_add_entry_
#define archive_entry_sparse_count libarchive.archive_entry_sparse_count_
#define archive_entry_stat libarchive.archive_entry_stat_
#define archive_entry_symlink libarchive.archive_entry_symlink_
#define archive_entry_unset_atime libarchive.archive_entry_unset_atime_
#define archive_entry_unset_birthtime libarchive.archive_entry_unset_birthtime_
#define archive_entry_unset_ctime libarchive.archive_entry_unset_ctime_
#define archive_entry_xattr_add_entry libarchive.archive_entry_xattr_add_entry_
#define archive_entry_xattr_next libarchive.archive_entry_xattr_next_
#define archive_entry_xattr_reset libarchive.archive_entry_xattr_reset_
#define archive_errno libarchive.archive_errno_
#define archive_error_string libarchive.archive_error_string_
#define archive_read_data_block libarchive.archive_read_data_block_
#define archive_read_free libarchive.archive_read_free_
#define archive_read_new libarchive.archive_read_new_
#define archive_read_next_header libarchive.archive_read_next_header_
#define archive_read_open libarchive.archive_read_open_
#define archive_read_open_fd libarchive.archive_read_open_fd_
#define archive_read_support_filter_bzip2 libarchive.archive_read_support_filter_bzip2_
#define archive_read_support_filter_gzip libarchive.archive_read_support_filter_gzip_
#define archive_read_support_filter_xz libarchive.archive_read_support_filter_xz_
#define archive_read_support_filter_zstd libarchive.archive_read_support_filter_zstd_
#define archive_read_support_format_empty libarchive.archive_read_support_format_empty_
#define archive_read_support_format_raw libarchive.archive_read_support_format_raw_
#define archive_read_support_format_tar libarchive.archive_read_support_format_tar_
#define archive_set_error libarchive.archive_set_error_
#define archive_write_close libarchive.archive_write_close_
#define archive_write_data libarchive.archive_write_data_
#define archive_write_fail libarchive.archive_write_fail_
#define archive_write_free libarchive.archive_write_free_
#define archive_write_header libarchive.archive_write_header_
#define archive_write_new libarchive.archive_write_new_
#define archive_write_open libarchive.archive_write_open_
#define archive_write_set_bytes_in_last_block libarchive.archive_write_set_bytes_in_last_block_
#define archive_write_set_bytes_per_block libarchive.archive_write_set_bytes_per_block_
#define archive_write_set_format_pax_restricted libarchive.archive_write_set_format_pax_restricted_
#define archive_write_set_options libarchive.archive_write_set_options_
