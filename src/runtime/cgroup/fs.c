/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroupfs driver: directories made, prepared and removed by hand. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "kernel/mountinfo.h"
#include "runtime/cgroup/backend_internal.h"

/* Killed processes leave when they get the CPU: on a machine with a load of twenty that has been seen to take over two seconds. */
#define REMOVE_TIMEOUT_MS 10000
#define DEPTH_MAX 64

/* --- cpuset: a new v1 cpuset is empty, and nothing may run in an empty one --------------------- */

static int read_value(const char *dir, const char *file, struct strbuf *sb)
{
	auto_free char *path = xasprintf("%s/%s", dir, file);
	int r;

	strbuf_clear(sb);
	r = io_read_file_at(AT_FDCWD, path, 65536, sb);
	while (r == 0 && sb->len > 0 && sb->buf[sb->len - 1] == '\n')
		strbuf_truncate(sb, sb->len - 1);
	return r;
}

static int write_value(const char *dir, const char *file, const char *value)
{
	auto_free char *path = xasprintf("%s/%s", dir, file);

	return io_write_file_at(AT_FDCWD, path, value);
}

/*
 * The value that dir has, after giving it that of the directory above if it has none. Goes up only
 * as far as there is emptiness, which is one level as a rule.
 */
static int inherit(char *dir, size_t mount_len, const char *file, bool is_new, struct strbuf *value)
{
	char *slash = strrchr(dir, '/');
	int r;

	if (!is_new) {
		r = read_value(dir, file, value);
		if (r < 0 || value->len > 0)
			return r;
	}
	if (!slash || (size_t)(slash - dir) < mount_len)
		return -EINVAL;
	*slash = '\0';
	r = inherit(dir, mount_len, file, false, value);
	*slash = '/';
	return r < 0 ? r : write_value(dir, file, value->buf);
}

static int inherit_cpuset(const struct cgroup_node *node, struct err *err)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	auto_free char *dir = xstrdup(node->path);
	auto_strbuf struct strbuf value = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int r = inherit(dir, node->mount_len, files[i], node->made_from > 0, &value);

		if (r < 0)
			return err_sys(err, r, "inherit '%s' for cgroup '%s'", files[i],
				       node->path);
	}
	return 0;
}

/* --- v2: controllers and types ------------------------------------------------------------- */

static void write_controllers(const char *dir, const struct strvec *controllers)
{
	auto_strbuf struct strbuf all = STRBUF_INIT;

	for (size_t i = 0; i < controllers->n; i++)
		strbuf_addf(&all, "%s+%s", i ? " " : "", controllers->v[i]);
	if (controllers->n == 0 || write_value(dir, "cgroup.subtree_control", all.buf) == 0)
		return;
	/* All or nothing is the kernel's way; some may be possible one by one. */
	for (size_t i = 0; i < controllers->n; i++) {
		auto_free char *one = xasprintf("+%s", controllers->v[i]);
		int r = write_value(dir, "cgroup.subtree_control", one);

		if (r < 0)
			log_debug("enable controller '%s' below cgroup '%s': %s", controllers->v[i],
				  dir, errno_text(r));
	}
}

/* Pass down what dir has and does not pass down yet; `only` names one controller, or NULL for all.
 * Failures show when a limit is written: "the controller is not available". */
static void delegate_controllers(const char *dir, const char *only)
{
	auto_strbuf struct strbuf available = STRBUF_INIT;
	auto_strbuf struct strbuf passed = STRBUF_INIT;
	auto_strvec struct strvec have = STRVEC_INIT;
	auto_strvec struct strvec done = STRVEC_INIT;
	auto_strvec struct strvec missing = STRVEC_INIT;

	if (read_value(dir, "cgroup.controllers", &available) < 0 ||
	    read_value(dir, "cgroup.subtree_control", &passed) < 0)
		return;
	strvec_split(&have, available.buf, ' ', false);
	strvec_split(&done, passed.buf, ' ', false);
	for (size_t i = 0; i < have.n; i++)
		if (!strvec_contains(&done, have.v[i]) && (!only || str_eq(only, have.v[i])))
			strvec_add(&missing, have.v[i]);
	write_controllers(dir, &missing);
}

void cgroup_fs_enable_controller(const struct cgroup_node *node, const char *controller)
{
	auto_free char *dir = xstrdup(node->path);
	size_t len = strlen(dir);

	if (node->mount_len == 0)
		return; /* reopened: was done at create */
	for (size_t i = node->mount_len; i < len; i++) {
		if (dir[i] != '/')
			continue;
		dir[i] = '\0';
		delegate_controllers(dir, controller);
		dir[i] = '/';
	}
}

/* A cgroup below a threaded one is "domain invalid" at birth and can only become threaded. */
static int check_type(struct cgroup *cg, struct cgroup_node *node, struct err *err)
{
	auto_strbuf struct strbuf type = STRBUF_INIT;
	int r = cgroup_node_read(node, "cgroup.type", &type);

	if (r < 0) /* the file came with Linux 4.14 */
		return 0;
	if (str_eq(type.buf, "domain invalid")) {
		if (cg->wants_domain)
			return err_set(err, ERR_STATE,
				       "cannot enter cgroupv2 \"%s\" with domain controllers -- it "
				       "is in an invalid state",
				       node->path);
		r = cgroup_node_write(node, "cgroup.type", "threaded");
		if (r < 0)
			return err_sys(err, r, "make cgroup '%s' threaded", node->path);
		return 0;
	}
	if (str_has_suffix(type.buf, "threaded") && cg->wants_domain)
		return err_set(err, ERR_STATE,
			       "cannot enter cgroupv2 \"%s\" with domain controllers -- it is in "
			       "%s mode",
			       node->path, type.buf);
	return 0;
}

/* --- making -------------------------------------------------------------------------------- */

/* Make what is missing of the path. made_from becomes the offset of the slash before the first
 * component that is new. */
static int make_directories(struct cgroup_node *node)
{
	auto_free char *path = xstrdup(node->path);
	size_t len = strlen(path);

	/* The parents are there as a rule. */
	if (mkdir(path, 0755) == 0) {
		node->made_from = (size_t)(strrchr(path, '/') - path);
		return 0;
	}
	if (errno != ENOENT)
		return errno == EEXIST ? 0 : -errno;
	for (size_t slash = node->mount_len; slash < len;) {
		size_t end = slash + 1 + strcspn(path + slash + 1, "/");
		char saved = path[end];
		int r;

		path[end] = '\0';
		r = mkdir(path, 0755) < 0 ? -errno : 0;
		path[end] = saved;
		if (r < 0 && r != -EEXIST)
			return r;
		if (r == 0 && node->made_from == 0)
			node->made_from = slash;
		slash = end;
	}
	return 0;
}

/* A directory that was there may be left over, but nothing may live in it. */
static int check_existing(struct cgroup *cg, struct cgroup_node *node, struct err *err)
{
	int n = cgroup_count_pids(node->path);
	bool frozen = false;
	int r;

	if (n < 0)
		return err_sys(err, n, "list the processes of cgroup '%s'", node->path);
	if (n > 0)
		return err_set(err, ERR_STATE,
			       "container's cgroup is not empty: %d process(es) found in '%s'", n,
			       node->path);
	if (node != cgroup_main_node(cg))
		return 0;
	r = cgroup_is_frozen(cg, &frozen, err);
	if (r < 0)
		return r;
	if (frozen)
		return err_set(err, ERR_STATE, "container's cgroup unexpectedly frozen: '%s'",
			       node->path);
	return 0;
}

/*
 * A rootless caller does without what it may not have, unless it named the cgroup. The v2 tree beside
 * version 1 has no limits of anybody's, so nobody delegates it: that it lacks even then.
 */
static bool can_do_without(const struct cgroup *cg, const struct cgroup_node *node, int r)
{
	if (r != -EACCES && r != -EPERM && r != -EROFS)
		return false;
	return cg->tolerate_denied || (cg->rootless && node->unified && !cg->is_v2);
}

/* Whether processes may be put into what is there already, which may be somebody else's. */
static int check_ours(const struct cgroup_node *node)
{
	auto_free char *file = path_join(node->path, "cgroup.procs");

	return faccessat(AT_FDCWD, file, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int make_node(struct cgroup *cg, struct cgroup_node *node, struct err *err)
{
	int r = make_directories(node);

	if (r == 0 && node->made_from == 0 && cg->rootless)
		r = check_ours(node);
	if (can_do_without(cg, node, r)) {
		node->absent = true;
		return 0;
	}
	if (r < 0)
		return err_sys(err, r, "unable to apply cgroup configuration: create cgroup '%s'",
			       node->path);
	if (node->made_from == 0) {
		r = check_existing(cg, node, err);
		if (r < 0)
			return r;
	}
	if (mountinfo_list_has(node->controllers, "cpuset"))
		return inherit_cpuset(node, err);
	if (node->unified && cg->is_v2) {
		cgroup_fs_enable_controller(node, NULL);
		return check_type(cg, node, err);
	}
	return 0;
}

int cgroup_fs_create_node(struct cgroup *cg, struct cgroup_node *node, struct err *err)
{
	int r = make_node(cg, node, err);

	node->ready = r == 0;
	return r;
}

/* --- removing ------------------------------------------------------------------------------ */

/* Remove the directories below dir_fd. The root of a hierarchy (inode 1 of v1 and v2 alike) is
 * nobody's container, whatever a damaged state file says. */
static int remove_children(int dir_fd, int depth)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	int fd = fd_open_at(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_ino == 1 || depth > DEPTH_MAX) {
		(void)close(fd);
		return -EBUSY;
	}
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		auto_close int child = -EBADF;

		if (entry->d_type != DT_DIR || str_eq(entry->d_name, ".") ||
		    str_eq(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0)
			continue;
		child = fd_open_at(fd, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		if (child >= 0) {
			(void)remove_children(child, depth + 1);
			(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
		}
	}
	return 0;
}

/* 0 also when it is gone. EBUSY: processes, or children that have some. */
static int remove_directory(const char *path)
{
	auto_close int fd = -EBADF;

	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	(void)remove_children(fd, 0);
	return rmdir(path) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Processes that were killed leave their cgroup a moment after the signal. */
static int remove_until(const char *path, uint64_t deadline)
{
	uint64_t pause_ms = 1;
	int r;

	for (;;) {
		r = remove_directory(path);
		if (r != -EBUSY && r != -ENOTEMPTY)
			return r;
		if (clock_now_monotonic_ns() >= deadline)
			return r;
		clock_sleep_ms(pause_ms);
		pause_ms = MIN(pause_ms * 2, (uint64_t)50);
	}
}

static int remove_node(const struct cgroup_node *node, uint64_t deadline, struct err *err)
{
	int r = remove_until(node->path, deadline);
	int n;

	if (r == 0)
		return 0;
	n = r == -EBUSY ? cgroup_count_pids(node->path) : 0;
	if (n > 0)
		return err_set(err, ERR_STATE, "remove cgroup '%s': %d process(es) are still in it",
			       node->path, n);
	return err_sys(err, r, "remove cgroup '%s'", node->path);
}

static int fs_destroy(struct cgroup *cg, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + REMOVE_TIMEOUT_MS * NSEC_PER_MSEC;
	int result = 0;

	for (size_t i = 0; i < cg->n_nodes; i++) {
		struct cgroup_node *node = &cg->node[i];
		int r;

		if (node->absent)
			continue;
		close_fd(&node->dir_fd);
		r = remove_node(node, deadline, result < 0 ? NULL : err);
		if (result == 0)
			result = r;
	}
	return result;
}

bool cgroup_destroy_unused(struct cgroup *cg)
{
	if (cg->backend != &cgroup_backend_fs)
		return false;
	for (size_t i = 0; i < cg->n_nodes; i++) {
		struct cgroup_node *node = &cg->node[i];

		if (node->absent)
			continue;
		close_fd(&node->dir_fd);
		if (rmdir(node->path) < 0 && errno != ENOENT)
			return false;
	}
	return true;
}

/* --- all nodes ----------------------------------------------------------------------------- */

static void undo_node(struct cgroup_node *node, uint64_t deadline)
{
	auto_free char *path = xstrdup(node->path);
	int r;

	node->ready = false;
	close_fd(&node->dir_fd);
	if (node->made_from == 0)
		return;
	r = remove_until(path, deadline);
	if (r < 0) {
		log_warning("cgroup '%s', which was made for the container, is left: remove it: %s",
			    path, errno_text(r));
		return;
	}
	/* Parents that we made, unless somebody else uses them by now. */
	for (size_t len = strlen(path); r == 0;) {
		while (path[--len] != '/')
			;
		path[len] = '\0';
		r = len > node->made_from ? rmdir(path) : -1;
	}
	node->made_from = 0;
}

static void fs_undo_create(struct cgroup *cg)
{
	uint64_t deadline = clock_now_monotonic_ns() + REMOVE_TIMEOUT_MS * NSEC_PER_MSEC;

	for (size_t i = 0; i < cg->n_nodes; i++)
		undo_node(&cg->node[i], deadline);
}

static int fs_create(struct cgroup *cg, pid_t pid UNUSED, bool unified_only, struct err *err)
{
	bool made_now[CGROUP_HIERARCHIES_MAX] = { false };
	int r = 0;

	for (size_t i = 0; r == 0 && i < cg->n_nodes; i++) {
		struct cgroup_node *node = &cg->node[i];

		if (node->ready || (unified_only && !node->unified))
			continue;
		made_now[i] = true;
		r = cgroup_fs_create_node(cg, node, err);
	}
	/* Not those of an earlier call: a process that was cloned into the v2 one may live still. */
	for (size_t i = 0; r < 0 && i < cg->n_nodes; i++)
		if (made_now[i])
			undo_node(&cg->node[i], 0);
	return r;
}

/* --- ownership ----------------------------------------------------------------------------- */

static void delegatable_files(struct strvec *files)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", 65536, &text) < 0)
		strbuf_adds(&text, "cgroup.procs\ncgroup.subtree_control\ncgroup.threads");
	strvec_split(files, text.buf, '\n', false);
}

int cgroup_chown(struct cgroup *cg, uid_t uid, struct err *err)
{
	struct cgroup_node *node = cgroup_unified(cg);
	auto_strvec struct strvec files = STRVEC_INIT;
	int fd;

	if (!cg->is_v2 || !node)
		return 0;
	fd = cgroup_node_dir(node);
	if (fd < 0)
		return err_sys(err, fd, "open cgroup '%s'", node->path);
	if (fchownat(fd, "", uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return err_sys(err, -errno, "change the owner of cgroup '%s'", node->path);
	delegatable_files(&files);
	for (size_t i = 0; i < files.n; i++) {
		/* The list names files of controllers too, which need not be enabled here. */
		if (strchr(files.v[i], '/') ||
		    fchownat(fd, files.v[i], uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0 ||
		    errno == ENOENT)
			continue;
		return err_sys(err, -errno, "change the owner of '%s/%s'", node->path, files.v[i]);
	}
	return 0;
}

/* --- limits -------------------------------------------------------------------------------- */

static int fs_apply(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	int r = cgroup_apply_devices(cg, res, err);

	return r < 0 || !res ? r : cgroup_apply_limits(cg, res, err);
}

const struct cgroup_backend cgroup_backend_fs = {
	.name = "cgroupfs",
	.create = fs_create,
	.undo_create = fs_undo_create,
	.apply = fs_apply,
	.update = cgroup_apply_limits,
	.destroy = fs_destroy,
};
