/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/helpers.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "kernel/procfs_task.h"

#define TIMEOUT_MS 5000
#define STEP_US 2000

void criu_helpers_adopt(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool is_criu(const struct procfs *proc, pid_t pid)
{
	struct procfs_stat stat;

	return procfs_read_stat(proc, pid, &stat) == 0 && strcmp(stat.comm, "criu") == 0;
}

/* Those that one of them leaves become our children in turn. */
static void kill_own(const struct procfs *proc, const struct procfs_task *self)
{
	struct procfs_numbers children = PROCFS_NUMBERS_INIT;

	(void)procfs_task_children(self, &children);
	for (size_t i = 0; i < children.n; i++)
		if (is_criu(proc, children.v[i])) {
			log_debug("criu has left its process %d: killing it", children.v[i]);
			(void)kill(children.v[i], SIGKILL);
		}
	procfs_numbers_done(&children);
}

void criu_helpers_end(void)
{
	uint64_t deadline = clock_now_monotonic_ns() + TIMEOUT_MS * NSEC_PER_MSEC;
	struct procfs proc = PROCFS_INIT;
	struct procfs_task self = PROCFS_TASK_INIT;
	pid_t pid;

	if (procfs_open(&proc, NULL) == 0)
		(void)procfs_task_open(&self, &proc, getpid());
	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 && clock_ms_until(deadline) > 0) {
		if (pid != 0)
			continue;
		if (self.fd >= 0)
			kill_own(&proc, &self);
		(void)usleep(STEP_US);
	}
	procfs_task_close(&self);
	procfs_close(&proc);
}
