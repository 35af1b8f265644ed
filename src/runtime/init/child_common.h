/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps that the init of a container (child.c) and the process of an exec (exec_join.c) share, from
 * clone(2) to execve(2). The stage functions take a struct child as context.
 */
#pragma once

#include "runtime/init/courier.h"
#include "runtime/launch.h"
#include "runtime/terminal.h"

struct child {
	struct launch *l;
	const struct runtime_spec *spec;
	const struct oci_process *process;
	struct mount_context mounts;
	struct terminal terminal;
	int ptmx_fd; /* the host's /dev/ptmx, for a container without mounts of its own */
	int proc_fd; /* the container's procfs, verified; -EBADF when it has none */
	int gate_fd; /* O_PATH of the gate, to be opened through proc_fd; -EBADF without procfs */
	int fifo_fd;
	char *exec_path;
	struct courier courier;
};

static inline bool child_has(const struct child *c, enum namespace_kind kind)
{
	return namespace_plan_has(&c->l->namespaces, kind);
}

void child_init(struct child *ret, struct launch *l);

/* Default signal dispositions, own session; gives up what is the parent's alone. */
int child_settle(void *context, struct err *err);
int child_join_namespaces(void *context, struct err *err);
/* Wait for CGROUP, enter; then the new cgroup namespace, whose root is where its creator is. */
int child_enter_cgroup(void *context, struct err *err);
/* All CPUs of the cgroup, whatever CPUs the caller of the runtime may use. Never fails. */
int child_reset_affinity(void *context, struct err *err);
int child_join_keyring(void *context, struct err *err);
/* For createContainer and startContainer; cwd and env may be NULL. */
int child_run_hooks(const struct child *c, const char *name, const struct oci_hook *hooks, size_t n,
		    enum container_status status, const char *cwd, char *const *env,
		    struct err *err);
/* Before the root changes, where that is no more than a chroot(2) and there is no devpts inside. */
void child_keep_host_ptmx(struct child *c);
/* A pty of the container's devpts as stdio, when process.terminal; its master goes to the parent. */
int child_open_terminal(void *context, struct err *err);
/*
 * A null device of the host among 0, 1, 2 becomes the container's own: it would be the one file from
 * outside of its mounts, which no checkpoint could name. In the container's root already; what is at
 * /dev/null there is used only if it is the null device.
 */
int child_reopen_null_stdio(void *context, struct err *err);
/* umask, no_new_privs, scheduling */
int child_set_attributes(void *context, struct err *err);
/* READY, and wait for START. */
int child_report_ready(void *context, struct err *err);
/*
 * Close what is the host's: directories above all. Close-on-exec would not be enough, since
 * "/proc/self/fd/N/../.." as program, as its interpreter or as a link in the image is looked up
 * before execve(2) closes anything (CVE-2024-21626).
 */
int child_close_host_descriptors(void *context, struct err *err);
/* The log is a file of the host too; to be closed before anybody may look into this process. */
void child_close_log(void);
int child_set_labels(void *context, struct err *err);
/* With CAP_SYS_ADMIN still held, unless no_new_privs. */
int child_load_filter_early(void *context, struct err *err);
int child_become_user(void *context, struct err *err);
int child_find_program(void *context, struct err *err);
/* With no_new_privs, as late as can be. */
int child_load_filter_late(void *context, struct err *err);
/*
 * Open the gate (exec.fifo, or the fifo of `exec --exec-wait-fifo`) for writing, which blocks until
 * somebody opens the other end. The descriptor, or -errno.
 */
int child_open_gate(const struct child *c);
/* Hand down the descriptors that are for the container, and become the program; returns on failure. */
int child_execute(struct child *c, struct err *err);
/* Tell whoever waits (the parent, or `start` through exec.fifo), and exit. */
NORETURN void child_fail(const struct child *c, const struct err *err);
