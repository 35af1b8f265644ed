/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of one process in procfs, held open. Whatever is read through it belongs to that
 * process: once it has ended, everything below gives -ESRCH or -ENOENT, also when a later process got
 * the same number. Errors are negative errnos.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/macro.h"
#include "core/strbuf.h"
#include "kernel/procfs.h"

struct procfs_task {
	int fd; /* of /proc/PID, O_PATH; owned. Others may use it with the *at functions */
	pid_t pid;
};

#define PROCFS_TASK_INIT                                                                           \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/* -ENOENT when there is no such process. */
int procfs_task_open(struct procfs_task *ret, const struct procfs *proc, pid_t pid);
void procfs_task_close(struct procfs_task *task);

/* Whether the error says that the process has ended. */
static inline bool procfs_task_is_gone(int r)
{
	return r == -ESRCH || r == -ENOENT;
}

/* Append the content of a file ("maps", "task/7/children"). */
int procfs_task_read(const struct procfs_task *task, const char *name, struct strbuf *sb);
int procfs_task_read_stat(const struct procfs_task *task, struct procfs_stat *ret);
/* Target of a link ("exe", "cwd", "root") as text, which the caller owns; NULL and errno. */
char *procfs_task_readlink(const struct procfs_task *task, const char *name);
/* Inode of a namespace ("net", "pid_for_children"). -ENOENT where the kernel has none of that kind,
 * or pid_for_children while it has no process yet. */
int procfs_task_namespace(const struct procfs_task *task, const char *name, uint64_t *ret);

struct procfs_numbers {
	int *v;
	size_t n;
};

#define PROCFS_NUMBERS_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

/* The entries of a directory that are numbers ("fd", "task"), as the kernel orders them. */
int procfs_task_list(const struct procfs_task *task, const char *name, struct procfs_numbers *ret);
/* Append the children that all threads of the process have (CONFIG_PROC_CHILDREN). */
int procfs_task_children(const struct procfs_task *task, struct procfs_numbers *ret);
void procfs_numbers_done(struct procfs_numbers *numbers);

DEFINE_AUTO_VAL(procfs_task, struct procfs_task, procfs_task_close)
#define auto_procfs_task auto_cleanup(procfs_task_cleanup_val)
DEFINE_AUTO_VAL(procfs_numbers, struct procfs_numbers, procfs_numbers_done)
#define auto_procfs_numbers auto_cleanup(procfs_numbers_cleanup_val)
