/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strvec.h"
#include "criu/image_file.h"
#include "criu/images.pb-c.h"

#define REMEDY "make the checkpoint again, or copy it again from where it came"

/* task_state */
enum {
	TASK_ALIVE = 1,
	TASK_STOPPED = 3,
};

/* flags of page maps */
enum {
	PAGE_IN_PARENT = 1 << 0,
	PAGE_LAZY = 1 << 1,
	PAGE_PRESENT = 1 << 2,
};

/* Kinds without raw data between the entries; the name is this, or begins with it when it ends in a
 * dash. */
static const char *const plain_kinds[] = {
	"cgroup.img", "core-",	      "fdinfo-",     "files.img", "fs-",    "ids-",
	"mm-",	      "mountpoints-", "seccomp.img", "timens-",	  "utsns-",
};

static int fail_file(struct err *err, int r, const char *name)
{
	if (r == -ENOENT)
		return err_set(err, ERR_CORRUPT, "image '%s' is missing; " REMEDY, name);
	if (r == -ENODATA)
		return err_set(err, ERR_CORRUPT, "image '%s' is cut short; " REMEDY, name);
	if (r == -EBADMSG)
		return err_set(err, ERR_CORRUPT,
			       "'%s' is not an image of CRIU, or damaged; " REMEDY, name);
	return err_sys(err, r, "read image '%s'", name);
}

static bool directory_is_empty(int dir_fd)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	return fs_list(dir_fd, ".", &names) == 0 && names.n == 0;
}

static int check_inventory(int dir_fd, struct err *err)
{
	static const char name[] = "inventory.img";
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open(&file, dir_fd, name, IMAGE_MAGIC_INVENTORY);

	if (r == -ENOENT && directory_is_empty(dir_fd))
		return err_set(err, ERR_CORRUPT, "the image directory is empty");
	if (r == -ENOENT)
		return err_set(err, ERR_CORRUPT,
			       "the image directory holds no complete checkpoint ('%s' is missing)",
			       name);
	if (r == 0)
		r = image_file_skip(&file);
	if (r == 0)
		r = -ENODATA; /* a magic and nothing else */
	return r < 0 ? fail_file(err, r, name) : 0;
}

/* Whether the task still has memory and files, by its core image. */
static int read_core(int dir_fd, uint32_t pid, bool *ret_is_alive, struct err *err)
{
	auto_free char *name = xasprintf("core-%" PRIu32 ".img", pid);
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	CriuCoreEntry *core = NULL;
	int r = image_file_open(&file, dir_fd, name, IMAGE_MAGIC_CORE);

	if (r == 0)
		r = image_file_next(&file);
	if (r == 0)
		r = -ENODATA;
	if (r > 0)
		core = criu_core_entry__unpack(NULL, file.len, file.entry);
	if (!core)
		return fail_file(err, r < 0 ? r : -EBADMSG, name);
	*ret_is_alive = core->tc && (core->tc->task_state == TASK_ALIVE ||
				     core->tc->task_state == TASK_STOPPED);
	criu_core_entry__free_unpacked(core, NULL);
	return 0;
}

static int need_file(int dir_fd, const char *kind, uint32_t id, struct err *err)
{
	auto_free char *name = xasprintf("%s-%" PRIu32 ".img", kind, id);

	return fs_exists(dir_fd, name) ? 0 : fail_file(err, -ENOENT, name);
}

/* CRIU has these for each task; without one it crashes or just says that it failed. */
static int check_alive(int dir_fd, const CriuPstreeEntry *task, struct err *err)
{
	static const char *const kinds[] = { "mm", "pagemap", "fs", "ids" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = need_file(dir_fd, kinds[i], task->pid, err);
	for (size_t i = 0; r == 0 && i < task->n_threads; i++)
		r = need_file(dir_fd, "core", task->threads[i], err);
	/* Before 3.3 each kind of file had an image of its own. */
	if (r == 0 && !fs_exists(dir_fd, "files.img") && !fs_exists(dir_fd, "reg-files.img"))
		r = fail_file(err, -ENOENT, "files.img");
	return r;
}

static int check_task(int dir_fd, const struct image_file *file, struct criu_images_info *info,
		      struct err *err)
{
	CriuPstreeEntry *task = criu_pstree_entry__unpack(NULL, file->len, file->entry);
	bool is_alive = false;
	int r;

	if (!task)
		return fail_file(err, -EBADMSG, "pstree.img");
	info->n_tasks++;
	info->n_threads += task->n_threads;
	r = read_core(dir_fd, task->pid, &is_alive, err);
	if (r == 0 && is_alive)
		r = check_alive(dir_fd, task, err);
	criu_pstree_entry__free_unpacked(task, NULL);
	return r;
}

static int check_tasks(int dir_fd, struct criu_images_info *info, struct err *err)
{
	static const char name[] = "pstree.img";
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open(&file, dir_fd, name, IMAGE_MAGIC_PSTREE);

	/* A pre-dump writes memory and inventory only. */
	if (r == -ENOENT)
		return err_set(
			err, ERR_CORRUPT,
			"the image directory holds a pre-dump or an incomplete checkpoint ('%s' is "
			"missing); a pre-dump can only be the parent of a checkpoint",
			name);
	while (r >= 0 && (r = image_file_next(&file)) > 0) {
		r = check_task(dir_fd, &file, info, err);
		if (r < 0)
			return r;
	}
	if (r == 0 && info->n_tasks == 0)
		r = -ENODATA;
	return r < 0 ? fail_file(err, r, name) : 0;
}

static void add_saturating(uint64_t *sum, uint64_t v)
{
	if (__builtin_add_overflow(*sum, v, sum))
		*sum = UINT64_MAX;
}

static int read_head(struct image_file *file, uint32_t *ret_pages_id)
{
	CriuPagemapHead *head;
	int r = image_file_next(file);

	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	head = criu_pagemap_head__unpack(NULL, file->len, file->entry);
	if (!head)
		return -EBADMSG;
	*ret_pages_id = head->pages_id;
	criu_pagemap_head__free_unpacked(head, NULL);
	return 0;
}

struct pagemap {
	uint32_t pages_id;
	uint64_t here; /* pages in its own memory file */
	uint64_t all; /* and in those of pre-dumps */
};

static int read_pagemap(struct image_file *file, struct pagemap *map, struct criu_images_info *info)
{
	int r = read_head(file, &map->pages_id);

	if (r < 0)
		return r;
	while ((r = image_file_next(file)) > 0) {
		CriuPagemapEntry *e = criu_pagemap_entry__unpack(NULL, file->len, file->entry);
		uint32_t flags;
		uint64_t n;

		if (!e)
			return -EBADMSG;
		flags = e->has_flags ? e->flags : e->in_parent ? PAGE_IN_PARENT : PAGE_PRESENT;
		n = e->has_nr_pages ? e->nr_pages : e->compat_nr_pages;
		if (flags & PAGE_PRESENT)
			add_saturating(&map->here, n);
		if (flags & (PAGE_PRESENT | PAGE_IN_PARENT))
			add_saturating(&map->all, n);
		info->has_parent |= (flags & PAGE_IN_PARENT) != 0;
		info->is_elsewhere |= flags == PAGE_LAZY;
		criu_pagemap_entry__free_unpacked(e, NULL);
	}
	return r;
}

int criu_images_pages_id(int dir_fd, const char *pagemap, uint32_t *ret, struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open(&file, dir_fd, pagemap, IMAGE_MAGIC_PAGEMAP);

	if (r == 0)
		r = read_head(&file, ret);
	return r < 0 ? fail_file(err, r, pagemap) : 0;
}

/* Shared memory has a page map of its own: pagemap-shmem-ID.img. */
static void note_largest(struct criu_images_info *info, const char *name, uint64_t bytes)
{
	const char *id = str_skip_prefix(name, "pagemap-");
	auto_free char *number = xstrndup(id, strcspn(id, "."));
	uint32_t pid;

	if (parse_u32(number, &pid) < 0 || bytes <= info->largest_bytes)
		return;
	info->largest_bytes = bytes;
	info->largest_pid = pid;
}

static int check_pagemap(int dir_fd, const char *name, struct criu_images_info *info,
			 struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	auto_free char *pages_name = NULL;
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	struct pagemap map = { 0 };
	struct stat st;
	int r = image_file_open(&file, dir_fd, name, IMAGE_MAGIC_PAGEMAP);

	if (r == 0)
		r = read_pagemap(&file, &map, info);
	if (r < 0)
		return fail_file(err, r, name);
	if (map.all <= UINT64_MAX / page_size)
		note_largest(info, name, map.all * page_size);
	if (map.here == 0)
		return 0;
	pages_name = xasprintf("pages-%" PRIu32 ".img", map.pages_id);
	if (fstatat(dir_fd, pages_name, &st, 0) < 0)
		return fail_file(err, -errno, pages_name);
	if (map.here > UINT64_MAX / page_size || (uint64_t)st.st_size < map.here * page_size)
		return err_set(err, ERR_CORRUPT,
			       "image '%s' is cut short (%" PRIu64 " bytes of %" PRIu64
			       " pages); " REMEDY,
			       pages_name, (uint64_t)st.st_size, map.here);
	info->memory_bytes += map.here * page_size;
	return 0;
}

int criu_images_huge_bytes(int dir_fd, uint32_t pid, uint64_t *ret, struct err *err)
{
	/* CRIU says which size they have in the same place as mmap(2), with or without the other flag. */
	const uint32_t huge = MAP_HUGETLB | ((uint32_t)MAP_HUGE_MASK << MAP_HUGE_SHIFT);
	auto_free char *name = xasprintf("mm-%" PRIu32 ".img", pid);
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	CriuMmAreas *mm = NULL;
	uint64_t bytes = 0;
	int r = image_file_open(&file, dir_fd, name, 0);

	if (r == 0)
		r = image_file_next(&file);
	if (r == 0)
		r = -ENODATA;
	if (r > 0)
		mm = criu_mm_areas__unpack(NULL, file.len, file.entry);
	if (!mm)
		return fail_file(err, r < 0 ? r : -EBADMSG, name);
	for (size_t i = 0; i < mm->n_areas; i++)
		if (mm->areas[i]->flags & huge && mm->areas[i]->end > mm->areas[i]->start)
			add_saturating(&bytes, mm->areas[i]->end - mm->areas[i]->start);
	criu_mm_areas__free_unpacked(mm, NULL);
	*ret = bytes;
	return 0;
}

static bool is_plain_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain_kinds); i++) {
		const char *kind = plain_kinds[i];

		if (str_has_suffix(kind, "-") ? str_has_prefix(name, kind) : str_eq(name, kind))
			return true;
	}
	return false;
}

static int check_entries(int dir_fd, const char *name, struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open(&file, dir_fd, name, 0);

	while (r >= 0) {
		r = image_file_skip(&file);
		if (r == 0)
			return 0;
	}
	return fail_file(err, r, name);
}

static int check_file(int dir_fd, const char *name, struct criu_images_info *info, struct err *err)
{
	if (!str_has_suffix(name, ".img"))
		return 0;
	if (str_has_prefix(name, "pagemap-"))
		return check_pagemap(dir_fd, name, info, err);
	return is_plain_kind(name) ? check_entries(dir_fd, name, err) : 0;
}

static int check_files(int dir_fd, struct criu_images_info *info, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(dir_fd, ".", &names);

	if (r < 0)
		return err_sys(err, r, "read image directory");
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = check_file(dir_fd, names.v[i], info, err);
	return r;
}

static int check_parent(int dir_fd, struct err *err)
{
	auto_close int fd = fd_open_at(dir_fd, "parent", O_PATH | O_DIRECTORY, 0);

	if (fd >= 0)
		return 0;
	return err_set(
		err, ERR_CORRUPT,
		"part of the memory is in the image of a pre-dump, and 'parent' leads to none "
		"(%s); keep the images of the pre-dumps beside the last one",
		errno_text(fd));
}

int criu_images_check(int dir_fd, struct criu_images_info *ret, struct err *err)
{
	struct criu_images_info info = { 0 };
	int r = check_inventory(dir_fd, err);

	if (r == 0)
		r = check_tasks(dir_fd, &info, err);
	if (r == 0)
		r = check_files(dir_fd, &info, err);
	if (r == 0 && info.has_parent)
		r = check_parent(dir_fd, err);
	if (r == 0 && ret)
		*ret = info;
	return r;
}

bool criu_images_have_connections(int dir_fd)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	(void)fs_list(dir_fd, ".", &names);
	for (size_t i = 0; i < names.n; i++)
		if (str_has_prefix(names.v[i], "tcp-stream-"))
			return true;
	return false;
}

bool criu_images_have_file_locks(int dir_fd)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;

	return image_file_open(&file, dir_fd, "filelocks.img", 0) == 0 &&
	       image_file_skip(&file) == 1;
}

bool criu_images_have_cgroups(int dir_fd)
{
	struct image_file file = IMAGE_FILE_INIT;
	bool have = true;

	if (image_file_open(&file, dir_fd, "cgroup.img", IMAGE_MAGIC_CGROUP) < 0)
		return true;
	if (image_file_next(&file) == 1) {
		CriuCgroupEntry *entry = criu_cgroup_entry__unpack(NULL, file.len, file.entry);

		have = !entry;
		for (size_t i = 0; entry && i < entry->n_controllers; i++)
			have = have || entry->controllers[i]->n_dirs > 0;
		if (entry)
			criu_cgroup_entry__free_unpacked(entry, NULL);
	}
	image_file_close(&file);
	return have;
}
