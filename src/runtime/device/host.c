/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/device/host.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "kernel/mountfd.h"
#include "kernel/syscalls.h"
#include "runtime/namespace/userns.h"

/* What the helper and we look at together. */
struct job {
	int result; /* 0 or a negative errno */
	size_t failed; /* the node that `result` is about */
	struct {
		bool is_wanted;
		uid_t uid; /* on the host */
		gid_t gid;
		int fd; /* the detached mount: the helper shares our descriptors */
	} nodes[];
};

static bool is_as_asked(const struct device_node *node, uid_t uid, gid_t gid)
{
	struct stat st;

	if (lstat(node->path, &st) < 0 || (st.st_mode & S_IFMT) != (node->mode & S_IFMT) ||
	    st.st_rdev != makedev(node->major, node->minor))
		return false;
	return !node->is_explicit || ((st.st_mode & 07777) == (node->mode & 07777) &&
				      st.st_uid == uid && st.st_gid == gid);
}

static int map_owner(const struct device_node *node, const struct oci_linux *linux_, uid_t *ret_uid,
		     gid_t *ret_gid, struct err *err)
{
	if (userns_to_host(linux_->uid_mappings, linux_->n_uid_mappings, node->uid, 1, ret_uid) < 0)
		return err_set(err, ERR_INVALID,
			       "device '%s': its owner %u has no mapping in linux.uidMappings",
			       node->path, node->uid);
	if (userns_to_host(linux_->gid_mappings, linux_->n_gid_mappings, node->gid, 1, ret_gid) < 0)
		return err_set(err, ERR_INVALID,
			       "device '%s': its group %u has no mapping in linux.gidMappings",
			       node->path, node->gid);
	return 0;
}

/* Returns how many nodes have to be made. */
static int choose(struct job *job, const struct device_plan *plan, const struct oci_linux *linux_,
		  struct err *err)
{
	int n = 0;

	for (size_t i = 0; i < plan->n_nodes; i++) {
		const struct device_node *node = &plan->nodes[i];
		int r;

		job->nodes[i].fd = -EBADF;
		if (node->is_default || S_ISFIFO(node->mode))
			continue;
		r = map_owner(node, linux_, &job->nodes[i].uid, &job->nodes[i].gid, err);
		if (r < 0)
			return r;
		job->nodes[i].is_wanted = !is_as_asked(node, job->nodes[i].uid, job->nodes[i].gid);
		n += job->nodes[i].is_wanted;
	}
	return n;
}

/* ---- the helper ---- */

/* Over its own root, where it is in nobody's way; the path still leads to what is below. */
static int mount_tmpfs(const struct mountfd_env *env)
{
	const struct mountfd_fs fs = { .type = "tmpfs", .source = "devices" };
	struct mountfd_log log = { 0 };
	auto_close int root_fd = fd_open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	auto_close int fs_fd = -EBADF;
	int r;

	if (root_fd < 0)
		return root_fd;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	fs_fd = mountfd_open_fs(env, &fs, &log);
	if (fs_fd < 0)
		return fs_fd;
	r = mountfd_attach(env, fs_fd, root_fd);
	return r < 0 ? r : take_fd(fs_fd);
}

static int make_one(const struct mountfd_env *env, int dir_fd, size_t i,
		    const struct device_node *node, uid_t uid, gid_t gid)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%zu", i);
	if (mknodat(dir_fd, name, node->mode, makedev(node->major, node->minor)) < 0 ||
	    fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return mountfd_clone(env, dir_fd, name, 0);
}

static int make_all(struct job *job, const struct device_plan *plan)
{
	struct mountfd_env env = MOUNTFD_ENV_INIT;
	int dir_fd;

	mountfd_env_probe(&env);
	if (!env.has_mount_api)
		return -ENOSYS;
	dir_fd = mount_tmpfs(&env);
	if (dir_fd < 0)
		return dir_fd;
	(void)umask(0);
	for (size_t i = 0; i < plan->n_nodes; i++) {
		if (!job->nodes[i].is_wanted)
			continue;
		job->nodes[i].fd = make_one(&env, dir_fd, i, &plan->nodes[i], job->nodes[i].uid,
					    job->nodes[i].gid);
		if (job->nodes[i].fd < 0) {
			job->failed = i;
			close_fd(&dir_fd);
			return job->nodes[i].fd;
		}
	}
	close_fd(&dir_fd);
	return 0;
}

/* ---- the parent ---- */

static int run_helper(struct job *job, const struct device_plan *plan, struct err *err)
{
	int status = 0;
	pid_t pid;

	job->result = -ECHILD; /* should it be killed */
	pid = sys_clone(CLONE_NEWNS | CLONE_FILES | SIGCHLD);
	if (pid == -EPERM) {
		job->result = -EPERM;
		return 0;
	}
	if (pid < 0)
		return err_sys(err, pid, "start a helper to make devices");
	if (pid == 0) {
		job->result = make_all(job, plan);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}

static int take_fds(struct job *job, const struct device_plan *plan, int **ret_fds, struct err *err)
{
	int *fds = xcalloc(plan->n_nodes, sizeof(*fds));

	for (size_t i = 0; i < plan->n_nodes; i++)
		fds[i] = job->nodes[i].fd;
	if (job->result == 0) {
		*ret_fds = fds;
		return 0;
	}
	device_close_host_nodes(plan, fds);
	/* The host's nodes are tried instead, and say what is missing. */
	if (job->result == -EPERM || job->result == -ENOSYS)
		return 0;
	return err_sys(err, job->result, "device '%s': make it on the host's side",
		       plan->nodes[job->failed].path);
}

int device_make_host_nodes(const struct device_plan *plan, const struct oci_linux *linux_,
			   int **ret_fds, struct err *err)
{
	size_t size = sizeof(struct job) + plan->n_nodes * sizeof(((struct job *)NULL)->nodes[0]);
	struct job *job;
	int r;

	*ret_fds = NULL;
	if (!plan->bind_nodes || !linux_ || linux_->n_uid_mappings == 0 ||
	    linux_->n_gid_mappings == 0)
		return 0;
	job = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job == MAP_FAILED)
		return err_sys(err, -errno, "get memory for the devices");
	r = choose(job, plan, linux_, err);
	if (r > 0) {
		r = run_helper(job, plan, err);
		if (r == 0)
			r = take_fds(job, plan, ret_fds, err);
	}
	(void)munmap(job, size);
	return r;
}

void device_close_host_nodes(const struct device_plan *plan, int *fds)
{
	for (size_t i = 0; fds && i < plan->n_nodes; i++)
		close_fd(&fds[i]);
	free(fds);
}
