/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_collect.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/program.h"
#include "core/str.h"
#include "criu/find.h"
#include "runtime/cgroup/backend.h"
#include "runtime/checkpoint/page_server.h"
#include "runtime/checkpoint/tuning.h"

#define CRIU_PROGRAM_MAX ((size_t)64 << 20)
/* Bit of an entry of pagemap: written to since the last clearing (Documentation/admin-guide/mm). */
#define PAGEMAP_SOFT_DIRTY ((uint64_t)1 << 55)

static bool has_entries(int dir_fd)
{
	auto_close int fd = fd_reopen(dir_fd, O_RDONLY | O_DIRECTORY);
	auto_closedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return false;
	(void)take_fd(fd);
	while ((entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			return true;
	return false;
}

/* Whether the mount is the one that a path lookup reaches. */
static bool is_visible(const struct mountinfo *mounts, const struct mountinfo_entry *m)
{
	return mountinfo_find(mounts, m->mount_point) == m;
}

static void collect_mount_state(struct preflight_collector *k, const struct mountinfo_entry *m)
{
	bool is_tmpfs = str_eq(m->fs_type, "tmpfs");
	auto_close int fd = -EBADF;
	struct preflight_mount_state *state;
	struct statfs fs;

	if (!is_tmpfs && !str_eq(m->fs_type, "mqueue") && !str_eq(m->fs_type, "pstore"))
		return;
	fd = rooted_openat(&k->roots[0], m->mount_point, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return;
	state = array_push(k->s->mount_states, k->s->n_mount_states);
	state->mount = m;
	if (!is_tmpfs)
		state->has_content = has_entries(fd);
	else if (fstatfs(fd, &fs) == 0)
		state->used_bytes = (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
}

void preflight_collect_mount_states(struct preflight_collector *k)
{
	const struct mountinfo *mounts;

	if (k->n_roots == 0 || k->roots[0].fd < 0)
		return;
	mounts = &k->s->mount_namespaces[0].mounts;
	for (size_t i = 0; i < mounts->n; i++) {
		const struct mountinfo_entry *m = &mounts->v[i];

		/* Parts of a tmpfs are not packed a second time. */
		if (str_eq(m->root, "/") && is_visible(mounts, m) &&
		    !preflight_is_external(k->s, m->mount_point))
			collect_mount_state(k, m);
	}
}

static void need_program(struct preflight_collector *k, const char *program)
{
	auto_free char *path = program_on_path(program);

	if (!path)
		strvec_add(&k->s->host.missing_programs, program);
}

/* CRIU's default is iptables; it locks only a network namespace that is not its own. */
static void collect_programs(struct preflight_collector *k)
{
	const struct preflight_snapshot *s = k->s;
	bool has_tmpfs = false;

	for (size_t i = 0; i < s->n_mount_states; i++)
		has_tmpfs |= str_eq(s->mount_states[i].mount->fs_type, "tmpfs");
	if (has_tmpfs) {
		need_program(k, "tar");
		need_program(k, "gzip");
	}
	if (s->processes[0].ns[PREFLIGHT_NS_NET] == s->host.ns[PREFLIGHT_NS_NET])
		return;
	if (s->options.network_lock == CHECKPOINT_NETWORK_LOCK_DEFAULT ||
	    s->options.network_lock == CHECKPOINT_NETWORK_LOCK_IPTABLES) {
		need_program(k, "iptables-restore");
		if (fs_exists(k->proc.fd, "sys/net/ipv6"))
			need_program(k, "ip6tables-restore");
	}
}

/* The image directory, or what there is of the way to it. */
static void collect_space(struct preflight_collector *k, const struct checkpoint_options *opts)
{
	const char *path = opts->image_path ? opts->image_path : CHECKPOINT_DEFAULT_DIRECTORY;
	auto_free char *dir = path_absolute(path, NULL);
	struct statvfs fs;

	while (dir && strcmp(dir, "/") != 0 && !fs_exists(AT_FDCWD, dir))
		replace_ptr(dir, path_dirname(dir));
	if (!dir || statvfs(dir, &fs) < 0)
		return;
	k->s->host.has_disk_free = true;
	k->s->host.disk_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	k->s->host.image_path = path_absolute(path, NULL);
}

static bool read_soft_dirty(int pagemap, const char *page, bool *ret)
{
	off_t offset =
		(off_t)((uintptr_t)page / (uintptr_t)sysconf(_SC_PAGESIZE) * sizeof(uint64_t));
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry), offset) != (ssize_t)sizeof(entry))
		return false;
	*ret = entry & PAGEMAP_SOFT_DIRTY;
	return true;
}

/* A page of our own, cleared and written to. */
static bool page_is_tracked(int pagemap, char *page)
{
	bool before = true;
	bool after = false;

	*(volatile char *)page = 1;
	if (io_write_file_at(AT_FDCWD, "/proc/self/clear_refs", "4") < 0 ||
	    !read_soft_dirty(pagemap, page, &before))
		return false;
	*(volatile char *)page = 2;
	return read_soft_dirty(pagemap, page, &after) && !before && after;
}

static bool kernel_tracks_memory(void)
{
	auto_close int pagemap = fd_open_at(AT_FDCWD, "/proc/self/pagemap", O_RDONLY, 0);
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is_tracked;

	if (page == MAP_FAILED)
		return false;
	is_tracked = pagemap >= 0 && page_is_tracked(pagemap, page);
	(void)munmap(page, size);
	return is_tracked;
}

static bool kernel_has_userfaultfd(void)
{
	auto_close int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	return fd >= 0;
}

static void collect_page_server(struct preflight_host *host)
{
	struct err why = ERR_INIT;

	if (page_server_check(&why) < 0)
		host->page_server_error = xstrdup(why.msg);
}

static bool has_bpf_map(const struct preflight_snapshot *s)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (str_eq(s->files[i].path, "anon_inode:bpf-map"))
			return true;
	return false;
}

/* Maps of bpf are an option of CRIU's build; its program then names that library. */
static bool links_libbpf(const char *program)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	return io_read_file_at(AT_FDCWD, program, CRIU_PROGRAM_MAX, &text) == 0 &&
	       memmem(text.buf, text.len, "libbpf.so", strlen("libbpf.so"));
}

static void collect_criu(struct preflight_collector *k)
{
	auto_criu_location struct criu_location location = CRIU_LOCATION_INIT;
	struct criu_find_opts find = { .configured = k->c->rt->criu_path };
	struct err why = ERR_INIT;

	if (criu_find(&location, &find, &why) < 0)
		k->s->host.criu_error = xstrdup(why.msg);
	else if (has_bpf_map(k->s))
		k->s->host.libbpf_is_linked = links_libbpf(location.path);
}

static void collect_own_namespaces(struct preflight_collector *k)
{
	auto_procfs_task struct procfs_task self = PROCFS_TASK_INIT;

	if (procfs_task_open(&self, &k->proc, getpid()) < 0)
		return;
	for (size_t i = 0; i < PREFLIGHT_NS_COUNT_; i++)
		(void)procfs_task_namespace(&self, preflight_namespace_names[i], &k->s->host.ns[i]);
}

int preflight_collect_host(struct preflight_collector *k, struct cgroup *cg,
			   const struct checkpoint_options *opts, struct err *err)
{
	struct preflight_host *host = &k->s->host;
	const struct preflight_options *options = &k->s->options;

	(void)err;
	host->is_privileged = geteuid() == 0;
	host->freezer_is_v1 = !cg->is_v2 && cgroup_freezer_path(cg);
	collect_own_namespaces(k);
	collect_criu(k);
	collect_programs(k);
	collect_space(k, opts);
	if (options->pre_dump || options->has_parent)
		host->lacks_memory_tracking = !kernel_tracks_memory();
	if (options->lazy_pages) {
		host->lacks_userfaultfd = !kernel_has_userfaultfd();
		collect_page_server(host);
	}
	return 0;
}
