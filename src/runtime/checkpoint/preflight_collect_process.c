/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_collect.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/parse.h"
#include "core/str.h"
#include "kernel/idmap.h"
#include "kernel/procfs_maps.h"
#include "runtime/cgroup/backend.h"

/* A thread that is this long in the same uninterruptible wait is stuck. */
#define STUCK_MS 100

/* The number in a line of /proc/PID/status. */
static uint64_t status_number(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	auto_free char *word = NULL;
	uint64_t number;

	if (!line || (line != text && line[-1] != '\n'))
		return 0;
	line += strlen(name);
	line += strspn(line, " \t");
	word = xstrndup(line, strcspn(line, " \t\n"));
	return parse_u64(word, &number) < 0 ? 0 : number;
}

static void collect_status(const struct procfs_task *task, struct preflight_process *p)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (procfs_task_read(task, "status", &text) < 0)
		return;
	p->tracer = (pid_t)status_number(text.buf, "TracerPid:");
	p->threads = (uint32_t)status_number(text.buf, "Threads:");
}

/* What CRIU does first with each process; by user id unless CAP_SYS_RESOURCE (prlimit(2)). */
static bool limits_are_denied(pid_t pid)
{
	struct rlimit limit;

	return prlimit(pid, RLIMIT_CPU, NULL, &limit) < 0 && errno == EPERM;
}

static void collect_namespaces(const struct procfs_task *task, struct preflight_process *p)
{
	for (size_t i = 0; i < PREFLIGHT_NS_COUNT_; i++)
		(void)procfs_task_namespace(task, preflight_namespace_names[i], &p->ns[i]);
}

/* Whether another user namespace than init's owns it; false where that cannot be told. */
static bool is_foreign(const struct procfs_task *task, const char *name, uint64_t user_ns)
{
	auto_free char *path = xasprintf("ns/%s", name);
	auto_close int fd = fd_open_at(task->fd, path, O_RDONLY, 0);
	auto_close int owner = fd < 0 ? -EBADF : ioctl(fd, NS_GET_USERNS);
	struct stat st;

	return owner >= 0 && fstat(owner, &st) == 0 && st.st_ino != user_ns;
}

static void collect_owners(struct preflight_snapshot *s, const struct procfs_task *task)
{
	const uint64_t *ns = s->processes[0].ns;

	for (size_t i = 0; i < PREFLIGHT_NS_COUNT_; i++)
		s->ns_is_foreign[i] =
			i != PREFLIGHT_NS_USER &&
			is_foreign(task, preflight_namespace_names[i], ns[PREFLIGHT_NS_USER]);
}

/* The kernel gives the files of a process that is not dumpable to the root of the namespace that may look at
 * it, and leaves the directory to the process. Nothing is to be told where that is the same root. */
static void collect_hidden(struct preflight_snapshot *s, const struct procfs_task *task)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_idmap struct idmap map = { 0 };
	struct stat own;
	struct stat file;
	uint32_t root;

	if (fstat(task->fd, &own) < 0 || fstatat(task->fd, "environ", &file, 0) < 0 ||
	    own.st_uid == file.st_uid || procfs_task_read(task, "uid_map", &text) < 0 ||
	    idmap_parse(&map, text.buf) < 0 || idmap_to_outside(&map, 0, &root) < 0 || root == 0)
		return;
	s->init_is_hidden = file.st_uid == 0;
	s->init_will_be_hidden = file.st_uid == root;
}

static void collect_memory(struct preflight_collector *k, const struct procfs_task *task,
			   struct preflight_process *p)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct procfs_memory memory;
	int r = procfs_task_read(task, "smaps_rollup", &text);

	if (r == 0 && procfs_memory_parse(&memory, text.buf) == 0)
		p->memory_bytes = memory.anonymous + memory.swap + memory.private_hugetlb;
	else if (r == -EACCES || r == -EPERM)
		preflight_unseen(k, xasprintf("the memory of processes could not be measured: %s",
					      errno_text(r)));
}

/* "notify: signal/tid.7" of a timer that signals thread 7. */
static void collect_timers(const struct procfs_task *task, struct preflight_process *p)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *target = xasprintf("/tid.%d\n", p->pid);

	if (procfs_task_read(task, "timers", &text) == 0)
		p->has_leader_timer = strstr(text.buf, target) != NULL;
}

/* AppArmor writes "profile (mode)", SELinux a context, and no module "kernel" or an error. */
static void collect_label(const struct procfs_task *task, struct preflight_process *p)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (procfs_task_read(task, "attr/current", &text) < 0)
		return;
	text.buf[strcspn(text.buf, "\n")] = '\0';
	if (*text.buf && !str_has_prefix(text.buf, "unconfined") && !str_eq(text.buf, "kernel"))
		p->security_label = xstrdup(text.buf);
}

/* Context switches of a thread in state D; false when it is in another. */
static bool is_uninterruptible(const struct procfs_task *task, int thread, uint64_t *ret_switches)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *name = xasprintf("task/%d/status", thread);

	if (procfs_task_read(task, name, &text) < 0 || !strstr(text.buf, "\nState:\tD"))
		return false;
	*ret_switches = status_number(text.buf, "voluntary_ctxt_switches:");
	return true;
}

static void suspect(struct preflight_collector *k, const struct procfs_task *task, size_t process,
		    int thread)
{
	struct preflight_suspect *suspect;
	uint64_t switches;

	if (!is_uninterruptible(task, thread, &switches))
		return;
	if (k->n_suspects == 0)
		k->suspects_since_ns = clock_now_monotonic_ns();
	suspect = array_push(k->suspects, k->n_suspects);
	*suspect = (struct preflight_suspect){ process, thread, switches };
}

/* In the v1 freezer every thread is in state D. */
static void collect_suspects(struct preflight_collector *k, const struct procfs_task *task,
			     size_t process)
{
	auto_procfs_numbers struct procfs_numbers threads = PROCFS_NUMBERS_INIT;
	const struct preflight_process *p = &k->s->processes[process];

	if (k->s->host.is_frozen)
		return;
	if (p->threads <= 1) {
		if (p->state == 'D')
			suspect(k, task, process, p->pid);
		return;
	}
	if (procfs_task_list(task, "task", &threads) < 0)
		return;
	for (size_t i = 0; i < threads.n; i++)
		suspect(k, task, process, threads.v[i]);
}

void preflight_collect_stuck(struct preflight_collector *k)
{
	uint64_t deadline = k->suspects_since_ns + STUCK_MS * NSEC_PER_MSEC;

	if (k->n_suspects == 0)
		return;
	clock_sleep_ms((uint64_t)clock_ms_until(deadline));
	for (size_t i = 0; i < k->n_suspects; i++) {
		struct preflight_process *p = &k->s->processes[k->suspects[i].process];
		auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
		uint64_t switches;

		if (procfs_task_open(&task, &k->proc, p->pid) == 0 &&
		    is_uninterruptible(&task, k->suspects[i].thread, &switches) &&
		    switches == k->suspects[i].switches)
			p->is_stuck = true;
	}
}

static bool is_same(pid_t a, pid_t b, int type)
{
	return syscall(SYS_kcmp, a, b, type, 0, 0) == 0;
}

static void collect_sharing(struct preflight_process *p)
{
	p->shares_memory = is_same(p->pid, p->ppid, KCMP_VM);
	p->shares_fs = is_same(p->pid, p->ppid, KCMP_FS);
}

static bool is_dead(const struct preflight_process *p)
{
	return p->state == 'Z' || p->state == 'X' || p->state == 'x';
}

static struct preflight_process *find(struct preflight_snapshot *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_processes; i++)
		if (s->processes[i].pid == pid)
			return &s->processes[i];
	return NULL;
}

/* The v1 freezer makes every state D; where a task waits tells what it was before. */
static char real_state(const struct preflight_collector *k, const struct procfs_task *task,
		       char state)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (k->s->host.is_frozen && state == 'D' && procfs_task_read(task, "wchan", &text) == 0 &&
	    str_has_prefix(text.buf, "do_signal_stop"))
		return 'T';
	return state;
}

static int add_process(struct preflight_collector *k, const struct procfs_task *task, bool in_tree)
{
	struct preflight_snapshot *s = k->s;
	struct preflight_process *p;
	struct procfs_stat stat;
	int r = procfs_task_read_stat(task, &stat);

	if (r < 0)
		return r;
	p = array_push(s->processes, s->n_processes);
	*p = (struct preflight_process){ .pid = task->pid,
					 .ppid = stat.ppid,
					 .pgrp = stat.pgrp,
					 .session = stat.session,
					 .state = real_state(k, task, stat.state),
					 .is_in_tree = in_tree,
					 .threads = 1 };
	(void)snprintf(p->comm, sizeof(p->comm), "%s", stat.comm);
	collect_status(task, p);
	collect_namespaces(task, p);
	collect_suspects(k, task, s->n_processes - 1);
	return 0;
}

static void collect_init(struct preflight_snapshot *s, const struct procfs_task *task)
{
	collect_owners(s, task);
	collect_hidden(s, task);
}

/* A process that CRIU takes; its children are appended to the queue. */
static int collect_member(struct preflight_collector *k, pid_t pid, struct procfs_numbers *queue)
{
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
	struct preflight_process *p;
	size_t index = k->s->n_processes;
	int r = procfs_task_open(&task, &k->proc, pid);

	if (r == 0)
		r = add_process(k, &task, true);
	if (r < 0)
		return r;
	p = &k->s->processes[index];
	/* Not a later process with the number of one that ended just now. */
	if (index > 0 && !find(k->s, p->ppid)) {
		k->s->n_processes--;
		return -ESRCH;
	}
	(void)procfs_task_children(&task, queue);
	if (is_dead(p))
		return 0;
	if (index > 0)
		collect_sharing(p);
	else
		collect_init(k->s, &task);
	p->limits_are_denied = limits_are_denied(pid);
	collect_memory(k, &task, p);
	collect_timers(&task, p);
	collect_label(&task, p);
	(void)preflight_collect_mounts(k, &task, p->ns[PREFLIGHT_NS_MNT]);
	preflight_collect_files(k, &task, index);
	return 0;
}

static void collect_others(struct preflight_collector *k, const struct cgroup_pids *pids)
{
	for (size_t i = 0; i < pids->n; i++) {
		auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
		struct preflight_process *p = find(k->s, pids->v[i]);

		if (!p && procfs_task_open(&task, &k->proc, pids->v[i]) == 0 &&
		    add_process(k, &task, false) == 0)
			p = &k->s->processes[k->s->n_processes - 1];
		if (p)
			p->is_in_cgroup = true;
	}
}

int preflight_collect_processes(struct preflight_collector *k, struct cgroup *cg, struct err *err)
{
	auto_procfs_numbers struct procfs_numbers queue = PROCFS_NUMBERS_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };
	int r = collect_member(k, k->c->record.pid, &queue);

	if (r < 0)
		return err_sys(err, r, "look at the container's first process %d",
			       k->c->record.pid);
	for (size_t i = 0; i < queue.n; i++) {
		/* A child may be listed twice when its parent ends and it moves up. */
		if (find(k->s, queue.v[i]))
			continue;
		r = collect_member(k, queue.v[i], &queue);
		if (r < 0 && !procfs_task_is_gone(r))
			return err_sys(err, r, "look at process %d", queue.v[i]);
	}
	if (cgroup_pids(cg, &pids, NULL) == 0)
		collect_others(k, &pids);
	return 0;
}
