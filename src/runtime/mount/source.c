/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bind sources that the parent opens for the container's init: all those of a container in a user
 * namespace, and id-mapped ones, which only the owner of the file system may make.
 */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/msg.h"
#include "kernel/proc_root.h"
#include "kernel/syscalls.h"
#include "runtime/mount/exec_parts.h"

/*
 * A user namespace with given mappings lives as long as a descriptor of it does; a process that
 * does nothing creates it.
 */

static int write_map(int proc_fd, pid_t pid, const char *name, const struct oci_id_mapping *maps,
		     size_t n)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char path[64];

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&text, "%u %u %u\n", maps[i].container_id, maps[i].host_id,
			    maps[i].size);
	(void)snprintf(path, sizeof(path), "%d/%s", pid, name);
	return proc_root_write(proc_fd, path, text.buf);
}

static int setup_userns(const struct mount_op *op, pid_t pid, struct err *err)
{
	auto_close int proc_fd = proc_root_open("/proc");
	char path[64];
	int fd;
	int r = proc_fd < 0 ? proc_fd : 0;

	if (r < 0)
		return err_sys(err, r, "open /proc");
	r = write_map(proc_fd, pid, "uid_map", op->uid_mappings, op->n_uid_mappings);
	if (r == 0)
		r = write_map(proc_fd, pid, "gid_map", op->gid_mappings, op->n_gid_mappings);
	if (r < 0)
		return err_sys(err, r, "write its id mappings into a user namespace");
	(void)snprintf(path, sizeof(path), "%d/ns/user", pid);
	/* A magic link, below a directory that is known to be procfs. */
	fd = fd_open_at(proc_fd, path, O_RDONLY, 0);
	return fd < 0 ? err_sys(err, fd, "open the user namespace of its id mappings") : fd;
}

static int create_userns(const struct mount_op *op, struct err *err)
{
	pid_t parent = getpid();
	pid_t pid = sys_clone(CLONE_NEWUSER | SIGCHLD);
	int fd;

	if (pid < 0)
		return err_sys(err, pid, "create a user namespace for its id mappings");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			(void)pause();
		_exit(0);
	}
	fd = setup_userns(op, pid, err);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return fd;
}

static int apply_idmap(const struct mountfd_env *env, const struct mount_op *op, int mount_fd,
		       int container_userns_fd, struct err *err)
{
	bool own = op->n_uid_mappings > 0;
	auto_close int userns_fd = own ? create_userns(op, err) : fd_dup(container_userns_fd);
	int r;

	if (userns_fd < 0)
		return own ? userns_fd :
			     err_sys(err, userns_fd, "use the container's user namespace");
	r = mountfd_set_idmap(env, mount_fd, userns_fd, op->idmap == MOUNT_IDMAP_RECURSIVE);
	if (r == -EOPNOTSUPP || r == -ENOSYS)
		return err_set(err, ERR_UNSUPPORTED, "id-mapped mounts need Linux 5.12");
	if (r == -EINVAL)
		return err_sys(err, r,
			       "id-map source '%s' (its file system may not support that, or it is"
			       " id-mapped already)",
			       op->source);
	return r < 0 ? err_sys(err, r, "id-map source '%s'", op->source) : 0;
}

static int open_symlink(const struct mount_op *op)
{
	auto_close int fd = fd_open_at(AT_FDCWD, op->source, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISLNK(st.st_mode) ? take_fd(fd) : -ENOENT;
}

static int open_one(const struct mount_plan *plan, const struct mountfd_env *env,
		    const struct mount_op *op, int userns_fd, struct err *err)
{
	unsigned int flags = (op->recursive ? MOUNTFD_RECURSIVE : 0) |
			     (op->src_nofollow ? MOUNTFD_NOFOLLOW : 0);
	auto_close int fd = op->copy_symlink ? open_symlink(op) : -ENOENT;
	int r = 0;

	if (fd >= 0)
		return take_fd(fd);
	fd = mountfd_clone(env, AT_FDCWD, op->source, flags);
	if (fd < 0)
		return err_sys(err, fd, "open source '%s'", op->source);
	/* As it would be in the copy of our namespace that the container gets: the container's mounts
	 * must not show up here. */
	if (plan->facts.has_user_ns || !(plan->root_propagation & MS_SHARED))
		r = mountfd_set_propagation(env, fd, MS_SLAVE | MS_REC);
	if (r < 0)
		return err_sys(err, r, "set propagation of source '%s'", op->source);
	if (op->idmap != MOUNT_IDMAP_NONE)
		r = apply_idmap(env, op, fd, userns_fd, err);
	return r < 0 ? r : take_fd(fd);
}

static int check_without_api(const struct mount_plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].idmap != MOUNT_IDMAP_NONE)
			return err_set(err, ERR_UNSUPPORTED,
				       "mount '%s': id-mapped mounts need Linux 5.12",
				       plan->ops[i].destination);
	return 0;
}

int mount_open_sources(const struct mount_plan *plan, int userns_fd, int **ret_fds, struct err *err)
{
	struct mountfd_env env = MOUNTFD_ENV_INIT;
	int *fds;
	int r = 0;

	*ret_fds = NULL;
	if (plan->n_sources == 0)
		return 0;
	mountfd_env_probe(&env);
	if (!mount_sources_can_be_sent(&env))
		return check_without_api(plan, err);
	fds = xcalloc(plan->n_sources, sizeof(*fds));
	for (size_t i = 0; i < plan->n_sources; i++)
		fds[i] = -EBADF;
	for (size_t i = 0; r >= 0 && i < plan->n_ops; i++) {
		const struct mount_op *op = &plan->ops[i];

		if (op->source_slot < 0)
			continue;
		r = open_one(plan, &env, op, userns_fd, err);
		if (r < 0)
			(void)err_wrap(err, r, "mount '%s'", op->destination);
		else
			fds[op->source_slot] = r;
	}
	if (r >= 0) {
		*ret_fds = fds;
		return 0;
	}
	for (size_t i = 0; i < plan->n_sources; i++)
		close_fd(&fds[i]);
	free(fds);
	return r;
}

/* The helper of mount_open_source_inside(): what it opened, or why not, goes over the socket. */
static void open_and_send(const struct mount_plan *plan, const struct mount_op *op, int ns_fd,
			  int userns_fd, int sync_fd)
{
	struct mountfd_env env = MOUNTFD_ENV_INIT;
	struct err err = ERR_INIT;
	int fd;

	if (setns(ns_fd, CLONE_NEWNS) < 0) {
		fd = err_sys(&err, -errno, "enter the container's mount namespace");
	} else {
		mountfd_env_probe(&env);
		fd = open_one(plan, &env, op, userns_fd, &err);
	}
	if (fd < 0)
		(void)msg_send(sync_fd, 0, &err, sizeof(err), NULL, 0);
	else
		(void)msg_send(sync_fd, 0, NULL, 0, &fd, 1);
}

static int receive_source(int sync_fd, struct err *err)
{
	auto_msg struct msg m = { 0 };
	struct err failure;
	int r = msg_receive(sync_fd, -1, &m);

	if (r == 1 && m.n_fds == 1)
		return msg_take_fd(&m);
	if (r != 1 || m.len != sizeof(failure))
		return err_set(err, ERR_INTERNAL, "its opener ended unexpectedly");
	memcpy(&failure, m.payload, sizeof(failure));
	if (err)
		*err = failure;
	return failure.code;
}

int mount_open_source_inside(const struct mount_plan *plan, size_t n, pid_t pid, int userns_fd,
			     struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/ns/mnt", (int)pid);
	auto_close int ns_fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	const struct mount_op *op = &plan->ops[n];
	int sync_fds[2];
	pid_t helper;
	int r;

	if (ns_fd < 0)
		return err_sys(err, ns_fd, "open '%s'", path);
	r = msg_pair(sync_fds);
	if (r < 0)
		return err_sys(err, r, "make a socket pair");
	/* A process of its own, since nobody comes back from there. */
	helper = sys_clone(SIGCHLD);
	if (helper == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(sync_fds[0]);
		open_and_send(plan, op, ns_fd, userns_fd, sync_fds[1]);
		_exit(0);
	}
	(void)close(sync_fds[1]);
	r = helper < 0 ? err_sys(err, helper, "make a process") : receive_source(sync_fds[0], err);
	(void)close(sync_fds[0]);
	while (helper > 0 && waitpid(helper, NULL, 0) < 0 && errno == EINTR)
		continue;
	return r < 0 ? err_wrap(err, r, "mount '%s'", op->destination) : r;
}
