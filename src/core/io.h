/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes: EINTR and short transfers end here. Errors are negative errnos. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "core/macro.h"
#include "core/strbuf.h"

/* Read until the end of file, but at most limit bytes: -EFBIG when there is more. Appends to sb. */
int io_read_all(int fd, size_t limit, struct strbuf *sb);
/* The same by path. Regular files and pseudo-files of procfs and sysfs; opened O_NONBLOCK so that a
 * fifo in the place of the file cannot block us. /dev/null is an empty file. */
int io_read_file_at(int dir_fd, const char *path, size_t limit, struct strbuf *sb);
/* First line (without newline) of a small pseudo-file as malloc'ed string; NULL and errno on failure. */
char *io_read_line_at(int dir_fd, const char *path);

/* A memory file (memfd_create(2), close-on-exec) that holds `content` (NULL: nothing), at its beginning. */
int io_memory_file(const char *name, const char *content);

/* Exactly len bytes; 1 on success, 0 when the file ended before the first byte, -EIO within. */
int io_read_exact(int fd, void *buf, size_t len);
/* The same at an offset, without moving the descriptor's: 1, or 0 when the file ends before the last byte. */
int io_pread_exact(int fd, void *buf, size_t len, uint64_t offset);
int io_write_all(int fd, const void *buf, size_t len);
/* The same into a pipe of ours: that its reader has gone is -EPIPE, and not the end of the program by SIGPIPE. */
int io_write_pipe(int fd, const void *buf, size_t len);
/* All of the parts, at most IOV_MAX, which are changed. */
int io_writev_all(int fd, struct iovec *parts, size_t n);
int io_pwrite_all(int fd, const void *buf, size_t len, off_t offset);
int io_pwritev_all(int fd, struct iovec *parts, size_t n, off_t offset);
/* The same into a file that has nothing there yet: runs of zeroes (whole 4 KiB of buf) are left out, so that
 * they become holes; the caller sets the size in the end. */
int io_pwrite_sparse(int fd, const void *buf, size_t len, off_t offset);
/* One write(2) of s to an existing file, as cgroupfs and procfs want it: short is -EIO. */
int io_write_file_at(int dir_fd, const char *path, const char *s);
