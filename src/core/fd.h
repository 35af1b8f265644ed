/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors: every one is close-on-exec from birth, never 0, 1 or 2, and held in an int that is
 * -EBADF while empty. Functions that open return the descriptor or a negative errno.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <sys/stat.h>
#include <fcntl.h>

#include "core/auto.h"
#include "core/macro.h"

/* openat(2) with O_CLOEXEC and O_NOCTTY added; mode matters with O_CREAT. For paths of the host that
 * we chose or that configuration names; paths inside a container's root go through rooted.h. */
int fd_open_at(int dir_fd, const char *path, int flags, mode_t mode);
/* A second descriptor of the same open file, above stdio. */
int fd_dup(int fd);
/* Open again what fd refers to (also from O_PATH), with other flags, through /proc/self/fd. */
int fd_reopen(int fd, int flags);
/* "/proc/self/fd/N" for system calls that want a path; N is the descriptor. */
struct fd_path {
	char text[32];
};
struct fd_path fd_path(int fd);
/* The target of /proc/self/fd/N as text, which the caller owns; NULL and errno on failure. */
char *fd_readlink(int fd);
/* The target of a symlink of the host's, likewise. */
char *fd_readlink_path(const char *path);

/* Whether a read would not wait: there is something, or the end. */
bool fd_is_readable(int fd);
/* Whether fd is open. */
bool fd_is_valid(int fd);
/* Whether fd is this character device; also true for an O_PATH descriptor of its node. */
bool fd_is_char_device(int fd, unsigned int major_nr, unsigned int minor_nr);
/* Whether fd is open and was so when our program was executed: what comes through execve(2) has no
 * close-on-exec flag, and everything of ours has it from its birth on. */
bool fd_is_inherited(int fd);
int fd_set_nonblock(int fd, bool nonblock);
/* Open stdin, stdout, stderr on /dev/null where the caller gave us none, so that no descriptor of
 * ours ever gets such a number. */
int fd_ensure_stdio(void);
/*
 * Mark all descriptors from `first` on close-on-exec, or close them except those in keep[] (unordered;
 * negative ones do not count). Use close_range(2) (Linux 5.11 for CLOSE_RANGE_CLOEXEC), /proc/self/fd
 * where that is missing.
 */
int fd_cloexec_from(int first);
int fd_close_from(int first, const int *keep, size_t n_keep);
