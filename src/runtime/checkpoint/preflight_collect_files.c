/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_collect.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "kernel/procfs_fdinfo.h"
#include "kernel/procfs_maps.h"
#include "kernel/syscalls.h"

/* What statx(2) tells of the file behind a link of procfs; cached, so that no server is waited for. */
static int stat_link(int dir_fd, const char *name, struct statx *ret)
{
	return statx(dir_fd, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		     STATX_BASIC_STATS | STATX_MNT_ID, ret) < 0 ?
		       -errno :
		       0;
}

static char *read_link(int dir_fd, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target));

	return n < 0 ? NULL : xstrndup(target, (size_t)n);
}

void preflight_collect_shm_device(struct preflight_collector *k)
{
	auto_close int fd = sys_memfd_create("floe", 0);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		k->shm_major = major(st.st_dev);
		k->shm_minor = minor(st.st_dev);
	}
}

static uint64_t fs_magic_of(int dir_fd, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", fd_path(dir_fd).text, name);
	struct statfs fs;

	return statfs(path, &fs) < 0 ? 0 : (uint64_t)fs.f_type;
}

/* On a mount of the kernel's own, which no mountinfo shows. */
static bool is_internal(const struct preflight_collector *k, const struct preflight_file *f)
{
	if (f->path[0] != '/')
		return true;
	if (f->mount)
		return false;
	return (f->dev_major == k->shm_major && f->dev_minor == k->shm_minor) ||
	       f->fs_magic == HUGETLBFS_MAGIC || str_has_prefix(f->path, "/[aio]");
}

/* A server might not answer; CRIU has to ask, we need not. */
static bool is_remote(const char *fs_type)
{
	return str_has_prefix(fs_type, "fuse") || str_has_prefix(fs_type, "nfs") ||
	       str_eq(fs_type, "cifs") || str_eq(fs_type, "smb3") || str_eq(fs_type, "9p") ||
	       str_eq(fs_type, "ceph");
}

/* Files of these come and go by themselves; CRIU knows that. */
static bool has_volatile_names(const char *fs_type)
{
	return str_eq(fs_type, "proc") || str_eq(fs_type, "devpts");
}

static enum preflight_name look_up(const struct rooted *root, const struct preflight_file *f)
{
	auto_close int fd = rooted_openat(root, f->path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return PREFLIGHT_NAME_GONE;
	if (fd < 0 || fstat(fd, &st) < 0)
		return PREFLIGHT_NAME_UNKNOWN;
	return st.st_ino == f->ino && major(st.st_dev) == f->dev_major &&
			       minor(st.st_dev) == f->dev_minor ?
		       PREFLIGHT_NAME_SAME :
		       PREFLIGHT_NAME_OTHER;
}

static void look_for_name(const struct preflight_collector *k, struct preflight_file *f)
{
	size_t ns;

	if (f->is_internal || !f->mount || f->links == 0 || S_ISSOCK(f->mode) ||
	    has_volatile_names(f->mount->fs_type) || is_remote(f->mount->fs_type))
		return;
	if (preflight_find_mount(k->s, f->mnt_id, &ns) && k->roots[ns].fd >= 0)
		f->name = look_up(&k->roots[ns], f);
}

static void fill_file(struct preflight_collector *k, struct preflight_file *f,
		      const struct statx *st, int dir_fd, const char *name)
{
	size_t ns;

	f->mode = st->stx_mode;
	f->dev_major = st->stx_dev_major;
	f->dev_minor = st->stx_dev_minor;
	f->ino = st->stx_ino;
	f->rdev_major = st->stx_rdev_major;
	f->rdev_minor = st->stx_rdev_minor;
	f->links = st->stx_nlink;
	f->size = st->stx_size;
	f->stored_bytes = st->stx_blocks * 512;
	/* Linux 5.8. Without it nothing is said about where the file is. */
	f->mnt_id = st->stx_mask & STATX_MNT_ID ? (int)st->stx_mnt_id : -1;
	f->mount = f->mnt_id < 0 ? NULL : preflight_find_mount(k->s, f->mnt_id, &ns);
	if (f->path[0] == '/' && !f->mount && f->mnt_id >= 0)
		f->fs_magic = fs_magic_of(dir_fd, name);
	f->is_internal = is_internal(k, f);
	look_for_name(k, f);
}

/* Those of one kind all have the same inode, or none that means anything. */
static bool is_anonymous(const char *path)
{
	return str_has_prefix(path, "anon_inode:") || str_has_prefix(path, "pidfd:");
}

/* Index of the file behind dir_fd/name, which the link's text (taken) names; SIZE_MAX: gone. */
static size_t add_file(struct preflight_collector *k, int dir_fd, const char *name, char *link)
{
	struct preflight_snapshot *s = k->s;
	auto_free char *path = link;
	auto_free char *key = NULL;
	const size_t *known;
	struct statx st;
	struct preflight_file *f;

	if (stat_link(dir_fd, name, &st) < 0)
		return SIZE_MAX;
	key = xasprintf("%x:%x:%" PRIx64 ":%" PRIx64 ":%s", st.stx_dev_major, st.stx_dev_minor,
			(uint64_t)st.stx_ino, (uint64_t)st.stx_mnt_id, path);
	known = is_anonymous(path) ? NULL : preflight_index_find(&k->files, key);
	if (known)
		return *known;
	f = array_push(s->files, s->n_files);
	f->path = take_ptr(path);
	fill_file(k, f, &st, dir_fd, name);
	preflight_index_add(&k->files, key, s->n_files - 1);
	return s->n_files - 1;
}

static struct preflight_use *add_use(struct preflight_snapshot *s, size_t process, size_t file,
				     int descriptor)
{
	struct preflight_use *u = array_push(s->uses, s->n_uses);

	*u = (struct preflight_use){
		.process = process, .file = file, .descriptor = descriptor, .pidfd_pid = -1
	};
	return u;
}

static bool needs_info(const struct preflight_file *f)
{
	if (S_ISREG(f->mode) || S_ISFIFO(f->mode) || is_anonymous(f->path))
		return true;
	/* tun */
	return S_ISCHR(f->mode) && f->rdev_major == 10 && f->rdev_minor == 200;
}

static void collect_info(struct preflight_collector *k, const struct procfs_task *task,
			 struct preflight_use *u)
{
	auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;
	auto_free char *path = xasprintf("fdinfo/%d", u->descriptor);

	if (procfs_fdinfo_read(&info, task->fd, path) < 0)
		return;
	u->has_info = true;
	u->flags = info.flags;
	u->lock = take_ptr(info.lock);
	u->pidfd_pid = info.pid;
	u->tun_device = take_ptr(info.tun_device);
	if (info.n_watches)
		preflight_collect_watches(k, &k->s->files[u->file], &info);
}

static void collect_descriptors(struct preflight_collector *k, const struct procfs_task *task,
				size_t process)
{
	auto_procfs_numbers struct procfs_numbers fds = PROCFS_NUMBERS_INIT;
	auto_close int dir_fd = fd_open_at(task->fd, "fd", O_PATH | O_DIRECTORY, 0);
	int r = procfs_task_list(task, "fd", &fds);

	if (r == -EACCES || r == -EPERM)
		preflight_unseen(k,
				 xasprintf("the descriptors of process %d could not be listed: %s",
					   task->pid, errno_text(r)));
	k->s->processes[process].descriptors = (uint32_t)fds.n;
	for (size_t i = 0; i < fds.n; i++) {
		auto_free char *name = xasprintf("%d", fds.v[i]);
		char *link = read_link(dir_fd, name);
		size_t file = link ? add_file(k, dir_fd, name, link) : SIZE_MAX;
		struct preflight_use *u;

		if (file == SIZE_MAX)
			continue;
		u = add_use(k->s, process, file, fds.v[i]);
		if (needs_info(&k->s->files[file]))
			collect_info(k, task, u);
	}
}

static void collect_link(struct preflight_collector *k, const struct procfs_task *task,
			 size_t process, const char *name, int descriptor)
{
	char *link = read_link(task->fd, name);
	size_t file = link ? add_file(k, task->fd, name, link) : SIZE_MAX;

	if (file != SIZE_MAX)
		(void)add_use(k->s, process, file, descriptor);
}

/* The kernel's own names of what is no file: "[heap]", "[stack]"; and AIO rings, which CRIU keeps. */
static bool is_plain_memory(const struct procfs_mapping *m)
{
	return m->ino == 0 || m->path[0] == '[' || str_has_prefix(m->path, "/[aio]");
}

static size_t add_mapping(struct preflight_collector *k, int dir_fd, const struct procfs_mapping *m)
{
	auto_free char *name = xasprintf("%" PRIx64 "-%" PRIx64, m->start, m->end);
	char *link = read_link(dir_fd, name);

	if (!link) {
		/* The mapping may have changed just now; only a lack of privilege is worth a word. */
		if (errno == EPERM || errno == EACCES)
			preflight_unseen(k, xasprintf("mapped files could not be examined: %s",
						      errno_text(-errno)));
		return SIZE_MAX;
	}
	return add_file(k, dir_fd, name, link);
}

/* Which of the files a process has mapped is enough; their mappings are many. */
static void collect_mappings(struct preflight_collector *k, const struct procfs_task *task,
			     size_t process)
{
	auto_close int dir_fd = fd_open_at(task->fd, "map_files", O_PATH | O_DIRECTORY, 0);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct preflight_index seen = { 0 };
	struct procfs_mapping m;
	char *cursor;

	if (dir_fd < 0 || procfs_task_read(task, "maps", &text) < 0)
		return;
	cursor = text.buf;
	while (procfs_maps_next(&cursor, &m) == 1) {
		auto_free char *key = NULL;
		const size_t *known;
		size_t file;

		if (strcmp(m.path, "[uprobes]") == 0)
			k->s->processes[process].has_uprobes = true;
		if (is_plain_memory(&m))
			continue;
		/* The same names may be other files in another mount namespace. */
		key = xasprintf("%" PRIx64 ":%x:%x:%" PRIx64 ":%s",
				k->s->processes[process].ns[PREFLIGHT_NS_MNT], m.major, m.minor,
				m.ino, m.path);
		if (preflight_index_find(&seen, key))
			continue;
		known = preflight_index_find(&k->mappings, key);
		file = known ? *known : add_mapping(k, dir_fd, &m);
		if (file == SIZE_MAX)
			continue;
		if (!known)
			preflight_index_add(&k->mappings, key, file);
		preflight_index_add(&seen, key, file);
		(void)add_use(k->s, process, file, PREFLIGHT_MAPPED);
	}
	preflight_index_done(&seen);
}

void preflight_collect_files(struct preflight_collector *k, const struct procfs_task *task,
			     size_t process)
{
	collect_link(k, task, process, "exe", PREFLIGHT_PROGRAM);
	collect_link(k, task, process, "cwd", PREFLIGHT_CWD);
	collect_link(k, task, process, "root", PREFLIGHT_ROOT);
	collect_descriptors(k, task, process);
	collect_mappings(k, task, process);
}
