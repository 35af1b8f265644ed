/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container: listing, signalling, killing. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/str.h"
#include "runtime/cgroup/backend_internal.h"

#define PIDS_FILE_MAX ((size_t)64 << 20)
#define DEPTH_MAX 64
#define KILL_TIMEOUT_MS 2000

static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

static int parse_pids(char *text, struct cgroup_pids *pids)
{
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		uint32_t pid;

		/* 0: a process that is not in our pid namespace. */
		if (!*line || str_eq(line, "0"))
			continue;
		if (parse_u32(line, &pid) < 0 || pid > INT32_MAX)
			return -EBADMSG;
		*array_push(pids->v, pids->n) = (pid_t)pid;
	}
	return 0;
}

static int collect_own(int dir_fd, struct cgroup_pids *pids)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(dir_fd, "cgroup.procs", PIDS_FILE_MAX, &text);

	/* A threaded cgroup shows its processes only at the top of its subtree (cgroups(7)). */
	if (r == -EOPNOTSUPP)
		r = io_read_file_at(dir_fd, "cgroup.threads", PIDS_FILE_MAX, &text);
	if (is_gone(r))
		return 0;
	return r < 0 ? r : parse_pids(text.buf, pids);
}

static int collect_tree(int dir_fd, const char *name, struct cgroup_pids *pids, int depth)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	int fd = fd_open_at(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (fd < 0)
		return is_gone(fd) ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	r = collect_own(fd, pids);
	/* Two links: no directory below, so that the forty files need not be listed. */
	if (r < 0 || depth > DEPTH_MAX || (fstat(fd, &st) == 0 && st.st_nlink == 2))
		return r;
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && !str_eq(entry->d_name, ".") &&
		    !str_eq(entry->d_name, ".."))
			r = collect_tree(fd, entry->d_name, pids, depth + 1);
	return r;
}

int cgroup_count_pids(const char *path)
{
	auto_cgroup_pids struct cgroup_pids pids = { 0 };
	int r = collect_tree(AT_FDCWD, path, &pids, 0);

	return r < 0 ? r : (int)pids.n;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a;
	pid_t y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* A process that moves while we read may have been seen twice. */
static void sort_unique(struct cgroup_pids *pids)
{
	size_t kept = 0;

	if (pids->n == 0)
		return;
	qsort(pids->v, pids->n, sizeof(*pids->v), compare_pids);
	for (size_t i = 0; i < pids->n; i++)
		if (i == 0 || pids->v[i] != pids->v[kept - 1])
			pids->v[kept++] = pids->v[i];
	pids->n = kept;
}

int cgroup_pids(struct cgroup *cg, struct cgroup_pids *ret, struct err *err)
{
	struct cgroup_node *node = cgroup_main_node(cg);
	struct cgroup_pids pids = { 0 };
	int r;

	*ret = pids;
	if (!node)
		return 0;
	r = collect_tree(AT_FDCWD, node->path, &pids, 0);
	if (r < 0) {
		cgroup_pids_done(&pids);
		return err_sys(err, r, "list the processes of cgroup '%s'", node->path);
	}
	sort_unique(&pids);
	*ret = pids;
	return 0;
}

void cgroup_pids_done(struct cgroup_pids *pids)
{
	free(pids->v);
	*pids = (struct cgroup_pids){ 0 };
}

/* Signal everything that is listed now; *ret_n is how many that were. */
static int signal_all(struct cgroup *cg, int sig, size_t *ret_n, struct err *err)
{
	auto_cgroup_pids struct cgroup_pids pids = { 0 };
	int r = cgroup_pids(cg, &pids, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < pids.n; i++) {
		if (pids.v[i] <= 1 || pids.v[i] == getpid())
			continue;
		if (kill(pids.v[i], sig) < 0 && errno != ESRCH)
			return err_sys(err, -errno, "send signal %d to process %d", sig,
				       (int)pids.v[i]);
	}
	*ret_n = pids.n;
	return 0;
}

int cgroup_signal(struct cgroup *cg, int sig, struct err *err)
{
	size_t n;

	return signal_all(cg, sig, &n, err);
}

/* Whether the v2 tree did it. Others than the v2 tree's processes do not exist where all hierarchies
 * have the same members; should a hybrid host's differ, the lists below find them. */
static bool kill_by_kernel(struct cgroup *cg)
{
	struct cgroup_node *node = cgroup_unified(cg);
	int r = node ? cgroup_node_write(node, "cgroup.kill", "1") : -ENOENT;

	if (r < 0 && !is_gone(r))
		log_debug("write '%s/cgroup.kill': %s", node->path, errno_text(r));
	return r == 0;
}

/* Without a freezer: again and again, until none is left or they fork faster than we kill. */
static int kill_running(struct cgroup *cg, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + KILL_TIMEOUT_MS * NSEC_PER_MSEC;
	size_t n;
	int r;

	for (;;) {
		r = signal_all(cg, SIGKILL, &n, err);
		if (r < 0 || n == 0)
			return r;
		if (clock_now_monotonic_ns() >= deadline)
			return err_set(err, ERR_TIMEOUT,
				       "kill the container's processes: %zu are still alive", n);
		clock_sleep_ms(1);
	}
}

static int kill_frozen(struct cgroup *cg, struct err *err)
{
	struct err freeze_err = ERR_INIT;
	size_t n;
	int r;
	int thaw_r;

	if (cgroup_freeze(cg, &freeze_err) < 0) {
		log_debug("%s", freeze_err.msg);
		return kill_running(cg, err);
	}
	r = signal_all(cg, SIGKILL, &n, err);
	thaw_r = cgroup_thaw(cg, r < 0 ? NULL : err);
	return r < 0 ? r : thaw_r;
}

int cgroup_kill(struct cgroup *cg, struct err *err)
{
	bool frozen = false;
	size_t n;
	int r;

	if (cg->n_nodes == 0 || !cgroup_exists(cg))
		return 0;
	if (!kill_by_kernel(cg))
		return kill_frozen(cg, err);
	if (cg->is_v2) {
		/* A frozen v2 cgroup dies as it is; thawing is for whoever uses the directory next. */
		return cgroup_is_frozen(cg, &frozen, err) == 0 && frozen ? cgroup_thaw(cg, err) : 0;
	}
	r = signal_all(cg, SIGKILL, &n, err);
	if (r < 0)
		return r;
	r = cgroup_is_frozen(cg, &frozen, err);
	return r == 0 && frozen ? cgroup_thaw(cg, err) : r;
}
