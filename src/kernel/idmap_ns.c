/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/idmap_ns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fd.h"
#include "kernel/proc_root.h"
#include "kernel/subid.h"
#include "kernel/syscalls.h"

static int open_namespace(pid_t pid, struct err *err)
{
	auto_close int proc_fd = proc_root_open("/proc");
	char path[64];
	int fd;

	if (proc_fd < 0)
		return err_sys(err, proc_fd, "open /proc");
	(void)snprintf(path, sizeof(path), "%d/ns/user", pid);
	/* A magic link, below a directory that is known to be procfs. */
	fd = fd_open_at(proc_fd, path, O_RDONLY, 0);
	return fd < 0 ? err_sys(err, fd, "open a user namespace") : fd;
}

int idmap_ns_open(const struct idmap *uids, const struct idmap *gids, struct err *err)
{
	pid_t parent = getpid();
	pid_t pid = sys_clone(CLONE_NEWUSER | SIGCHLD);
	int fd = -EBADF;
	int r;

	if (pid < 0)
		return err_sys(err, pid, "create a user namespace");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			(void)pause();
		_exit(0);
	}
	r = subid_write_maps(pid, uids, gids, err);
	if (r == 0)
		fd = open_namespace(pid, err);
	(void)kill(pid, SIGKILL);
	(void)RETRY_EINTR(waitpid(pid, NULL, 0));
	return r < 0 ? r : fd;
}
