/* SPDX-License-Identifier: Apache-2.0 */
/* How processes get into a container's cgroup; see the head of backend.h for why there are two ways. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/fd.h"
#include "runtime/cgroup/backend_internal.h"

int cgroup_clone_fd(struct cgroup *cg)
{
	struct cgroup_node *node = cgroup_unified(cg);

	/* A directory that is there before its unit is started is a left-over. */
	return node && !cg->wants_process ? cgroup_node_dir(node) : -ENOENT;
}

int cgroup_entry_open(struct cgroup *cg, bool in_unified, struct cgroup_entry *ret, struct err *err)
{
	auto_cgroup_entry struct cgroup_entry entry = CGROUP_ENTRY_INIT;

	for (size_t i = 0; i < cg->n_nodes; i++) {
		const struct cgroup_node *node = &cg->node[i];
		const char *file = node->unified ? "cgroup.procs" : "tasks";
		int fd;

		if (node->absent || node->joined || (node->unified && in_unified))
			continue;
		fd = cgroup_node_open(node, file, O_WRONLY);
		/* Where the directory is missing, runc's words, for those who look for them. */
		if (fd == -ENOENT)
			return err_sys(err, fd, "open %s/cgroup.procs", node->path);
		if (fd < 0)
			return err_sys(err, fd, "open '%s/%s'", node->path, file);
		entry.name[entry.n] = node->path;
		entry.fd[entry.n++] = fd;
	}
	*ret = entry;
	entry.n = 0;
	return 0;
}

void cgroup_entry_from_fds(struct cgroup_entry *ret, const struct cgroup *cg, const int *fds,
			   size_t n)
{
	size_t node = 0;

	*ret = (struct cgroup_entry)CGROUP_ENTRY_INIT;
	/* In the order of cgroup_entry_open(): that of the nodes, where the v2 one is the last. */
	for (size_t i = 0; i < n && i < CGROUP_HIERARCHIES_MAX; i++, ret->n++) {
		while (node < cg->n_nodes && cg->node[node].absent)
			node++;
		ret->fd[i] = fds[i];
		/* Which ones systemd has left over is not known here. */
		ret->name[i] = node < cg->n_nodes && !cg->wants_process ? cg->node[node++].path :
									  "of the container";
	}
}

void cgroup_entry_close(struct cgroup_entry *entry)
{
	for (size_t i = 0; i < entry->n; i++)
		close_fd(&entry->fd[i]);
	entry->n = 0;
}

int cgroup_enter_self(const struct cgroup_entry *entry, struct err *err)
{
	for (size_t i = 0; i < entry->n; i++)
		if (RETRY_EINTR(write(entry->fd[i], "0", 1)) != 1)
			return err_sys(err, -errno,
				       "adding pid %d to cgroups: write %s/cgroup.procs",
				       (int)getpid(), entry->name[i]);
	return 0;
}

/* EINVAL of v2 is passing: the kernel gives it while the process is in the middle of exec, or a
 * controller is being enabled above. */
static int attach_pid(const struct cgroup_node *node, const char *pid)
{
	int r = cgroup_node_write(node, "cgroup.procs", pid);

	for (int i = 0; r == -EINVAL && node->unified && i < 5; i++) {
		clock_sleep_ms(30);
		r = cgroup_node_write(node, "cgroup.procs", pid);
	}
	return r;
}

bool cgroup_place(struct cgroup *cg, pid_t pid)
{
	return cg->backend->place && cg->backend->place(cg, pid);
}

int cgroup_attach_pid(struct cgroup *cg, pid_t pid, struct err *err)
{
	char text[16];
	int r;

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	for (size_t i = 0; i < cg->n_nodes; i++) {
		struct cgroup_node *node = &cg->node[i];

		if (node->absent || node->joined)
			continue;
		r = attach_pid(node, text);
		if (r < 0)
			return err_sys(err, r, "put process %d into cgroup '%s'", (int)pid,
				       node->path);
	}
	return 0;
}
