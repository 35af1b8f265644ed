/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trusted handle on /proc: the directory is opened once and checked to be a real procfs, so that a
 * file system mounted in its place cannot make us read or write something else. Errors are negative
 * errnos; a process that is gone gives -ENOENT or -ESRCH.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/macro.h"
#include "core/strbuf.h"

struct procfs {
	int fd; /* the directory, O_PATH; owned. Others may use it with the *at functions */
};

#define PROCFS_INIT                                                                                \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/* Open /proc; -EXDEV when that is no procfs. prefix: NULL, or for tests a directory whose "proc" is
 * taken unchecked. */
int procfs_open(struct procfs *ret, const char *prefix);
void procfs_close(struct procfs *proc);

/* "PID/name" below /proc; pid 0 stands for "self". */
struct procfs_path {
	char text[64];
};
struct procfs_path procfs_path(pid_t pid, const char *name);
/* Append the content of /proc/PID/name. */
int procfs_read(const struct procfs *proc, pid_t pid, const char *name, struct strbuf *sb);

#define PROCFS_COMM_MAX 64 /* the kernel's is 16, of kernel workers up to 64 */

struct procfs_stat {
	pid_t pid;
	char comm[PROCFS_COMM_MAX]; /* may hold any byte but NUL: spaces, ')' and newlines too */
	char state; /* R S D Z T t X I ... */
	pid_t ppid;
	pid_t pgrp;
	pid_t session;
	uint64_t
		start_time; /* clock ticks since boot (field 22), of the machine's boot, not of a time namespace */
};

int procfs_stat_parse(struct procfs_stat *ret, const char *text);
int procfs_read_stat(const struct procfs *proc, pid_t pid, struct procfs_stat *ret);
/*
 * Whether the process exists, is neither zombie nor dead, and (unless start_time is 0) is the one
 * that started then, not a later process with the same number.
 */
bool procfs_process_is_alive(const struct procfs *proc, pid_t pid, uint64_t start_time);

/* Value of a line of /proc/PID/status ("NSpid", "Uid", "CapEff"), without name and leading blanks;
 * the caller owns it. NULL and errno when it is missing (ENODATA) or unreadable. */
char *procfs_status_field(const struct procfs *proc, pid_t pid, const char *name);

/* One line of /proc/PID/cgroup. */
struct procfs_cgroup {
	unsigned int hierarchy; /* 0: the v2 tree */
	const char *controllers; /* "cpu,cpuacct", "name=systemd"; "" for the v2 tree */
	const char *path; /* from the root of the reader's cgroup namespace; begins with "/" */
};

struct procfs_cgroups {
	struct procfs_cgroup *v;
	size_t n;
	char *text; /* owned; the entries point into it */
};

#define PROCFS_CGROUPS_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

int procfs_cgroups_parse(struct procfs_cgroups *ret, const char *text, size_t len);
int procfs_read_cgroups(const struct procfs *proc, pid_t pid, struct procfs_cgroups *ret);
void procfs_cgroups_done(struct procfs_cgroups *cgroups);
/* The entry whose list of controllers has this word ("" for the v2 tree); NULL when there is none. */
const struct procfs_cgroup *procfs_cgroups_find(const struct procfs_cgroups *cgroups,
						const char *controller);

DEFINE_AUTO_VAL(procfs, struct procfs, procfs_close)
#define auto_procfs auto_cleanup(procfs_cleanup_val)
DEFINE_AUTO_VAL(procfs_cgroups, struct procfs_cgroups, procfs_cgroups_done)
#define auto_procfs_cgroups auto_cleanup(procfs_cgroups_cleanup_val)
