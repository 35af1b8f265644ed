/* SPDX-License-Identifier: Apache-2.0 */
/* The check of image directories, and CRIU's statistics, on images made by hand. */
#include "criu/image_check.h"
#include "criu/image_discard.h"
#include "criu/image_parent.h"
#include "criu/image_sockets.h"
#include "criu/stats.h"

#include <endian.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fs.h"
#include "core/strbuf.h"
#include "criu/image_file.h"
#include "criu/images.pb-c.h"
#include "criu/stats.pb-c.h"

#define MAGIC_ANY 0x57492820U

static char base[] = "/tmp/floe-test-images.XXXXXX";
static int base_fd = -EBADF;
static int dir_fd = -EBADF;

static int set_up_group(void **state UNUSED)
{
	if (!mkdtemp(base))
		return -1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return base_fd < 0 ? -1 : 0;
}

static int tear_down_group(void **state UNUSED)
{
	(void)close(base_fd);
	return fs_remove_tree(AT_FDCWD, base);
}

/* ---- making images ---- */

static void add_u32(struct strbuf *sb, uint32_t v)
{
	v = htole32(v);
	strbuf_add(sb, &v, sizeof(v));
}

static void add_entry(struct strbuf *sb, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *buf = malloc(len + 1);

	protobuf_c_message_pack(message, buf);
	add_u32(sb, (uint32_t)len);
	strbuf_add(sb, buf, len);
	free(buf);
}

static void begin(struct strbuf *sb, uint32_t magic)
{
	strbuf_clear(sb);
	if (magic != IMAGE_MAGIC_INVENTORY)
		add_u32(sb, magic == IMAGE_MAGIC_STATS ? IMAGE_MAGIC_SERVICE : IMAGE_MAGIC_COMMON);
	add_u32(sb, magic);
}

static void put(const char *name, const struct strbuf *sb)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, sb->buf, sb->len), (ssize_t)sb->len);
	(void)close(fd);
}

/* A file with a magic and one entry whose content does not matter. */
static void put_plain(const char *name, uint32_t magic)
{
	CriuPagemapHead content = CRIU_PAGEMAP_HEAD__INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	begin(&sb, magic);
	add_entry(&sb, &content.base);
	put(name, &sb);
}

static void put_core(const char *name, uint32_t task_state)
{
	CriuTaskCore tc = CRIU_TASK_CORE__INIT;
	CriuCoreEntry core = CRIU_CORE_ENTRY__INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	tc.task_state = task_state;
	core.tc = task_state ? &tc : NULL;
	begin(&sb, IMAGE_MAGIC_CORE);
	add_entry(&sb, &core.base);
	put(name, &sb);
}

static void add_task(struct strbuf *sb, uint32_t pid, uint32_t *threads, size_t n)
{
	CriuPstreeEntry task = CRIU_PSTREE_ENTRY__INIT;

	task.pid = pid;
	task.threads = threads;
	task.n_threads = n;
	add_entry(sb, &task.base);
}

static void add_run(struct strbuf *sb, uint32_t flags, uint64_t nr_pages, uint32_t compat)
{
	CriuPagemapEntry entry = CRIU_PAGEMAP_ENTRY__INIT;

	entry.compat_nr_pages = compat;
	entry.has_flags = flags != 0;
	entry.flags = flags;
	entry.has_nr_pages = nr_pages != 0;
	entry.nr_pages = nr_pages;
	add_entry(sb, &entry.base);
}

static void begin_pagemap(struct strbuf *sb, uint32_t id)
{
	CriuPagemapHead head = CRIU_PAGEMAP_HEAD__INIT;

	begin(sb, IMAGE_MAGIC_PAGEMAP);
	head.pages_id = id;
	add_entry(sb, &head.base);
}

static void put_size(const char *name, off_t size)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	(void)close(fd);
}

/* Task 10 with threads 10 and 11 and five pages, and the zombie 12. */
static int set_up(void **state UNUSED)
{
	static uint32_t threads[] = { 10, 11 };
	static uint32_t zombie[] = { 12 };
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	long page = sysconf(_SC_PAGESIZE);

	if (mkdirat(base_fd, "image", 0700) < 0)
		return -1;
	dir_fd = openat(base_fd, "image", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_plain("inventory.img", IMAGE_MAGIC_INVENTORY);
	begin(&sb, IMAGE_MAGIC_PSTREE);
	add_task(&sb, 10, threads, 2);
	add_task(&sb, 12, zombie, 1);
	put("pstree.img", &sb);
	put_core("core-10.img", 1);
	put_core("core-11.img", 0);
	put_core("core-12.img", 6);
	put_plain("mm-10.img", MAGIC_ANY);
	put_plain("fs-10.img", MAGIC_ANY);
	put_plain("ids-10.img", MAGIC_ANY);
	put_plain("files.img", MAGIC_ANY);
	begin_pagemap(&sb, 3);
	add_run(&sb, 4, 2, 0); /* present, new form */
	add_run(&sb, 2, 100, 0); /* lazy, not here */
	add_run(&sb, 6, 1, 0); /* lazy and here */
	add_run(&sb, 0, 0, 2); /* old form */
	put("pagemap-10.img", &sb);
	put_size("pages-3.img", 5 * page);
	/* Raw and unknown ones are nobody's business. */
	put_size("tmpfs-dev-30.tar.gz.img", 3);
	put_size("netns-ct-9.img", 1);
	put_size("dump.log", 7);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	(void)close(dir_fd);
	return fs_remove_tree(base_fd, "image");
}

static void test_good(void **state UNUSED)
{
	struct criu_images_info info = { 0 };
	struct err err = ERR_INIT;

	if (criu_images_check(dir_fd, &info, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(info.n_tasks, 2);
	assert_int_equal(info.n_threads, 3);
	assert_int_equal(info.memory_bytes, 5 * sysconf(_SC_PAGESIZE));
	assert_false(info.has_parent);
	assert_true(info.is_elsewhere);
	assert_int_equal(criu_images_check(dir_fd, NULL, &err), 0);
}

static void assert_corrupt(const char *text)
{
	struct criu_images_info info = { .n_tasks = 77 };
	struct err err = ERR_INIT;

	assert_true(criu_images_check(dir_fd, &info, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
	if (!strstr(err.msg, text))
		fail_msg("'%s' is not in '%s'", text, err.msg);
	assert_int_equal(info.n_tasks, 77);
}

static void drop(const char *name)
{
	assert_int_equal(unlinkat(dir_fd, name, 0), 0);
}

static void test_missing(void **state UNUSED)
{
	static const char *const needed[] = { "core-10.img", "core-11.img", "core-12.img",
					      "mm-10.img",   "fs-10.img",   "ids-10.img",
					      "files.img",   "pages-3.img", "pagemap-10.img" };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		char text[64];

		assert_int_equal(renameat(dir_fd, needed[i], dir_fd, "aside"), 0);
		(void)snprintf(text, sizeof(text), "image '%s' is missing", needed[i]);
		assert_corrupt(text);
		assert_int_equal(renameat(dir_fd, "aside", dir_fd, needed[i]), 0);
	}
	drop("pstree.img");
	assert_corrupt("a pre-dump or an incomplete checkpoint");
	drop("inventory.img");
	assert_corrupt("no complete checkpoint ('inventory.img' is missing)");
}

static void test_empty_directory(void **state UNUSED)
{
	(void)close(dir_fd);
	assert_int_equal(fs_remove_tree(base_fd, "image"), 0);
	assert_int_equal(mkdirat(base_fd, "image", 0700), 0);
	dir_fd = openat(base_fd, "image", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_corrupt("the image directory is empty");
}

/* Cut each plain file at every length: nothing but the empty rest of pstree may pass for whole. */
static void test_cut_short(void **state UNUSED)
{
	static const char *const plain[] = { "inventory.img", "pstree.img", "core-10.img",
					     "core-11.img",   "mm-10.img",  "fs-10.img",
					     "ids-10.img",    "files.img",  "pagemap-10.img" };

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		int fd = openat(dir_fd, plain[i], O_RDWR | O_CLOEXEC);
		char whole[512];
		ssize_t len = read(fd, whole, sizeof(whole));

		assert_true(len > 8 && len < (ssize_t)sizeof(whole));
		for (off_t cut = 0; cut < 8; cut++) {
			assert_int_equal(ftruncate(fd, cut), 0);
			assert_corrupt(plain[i]);
		}
		assert_int_equal(ftruncate(fd, len - 1), 0);
		assert_int_equal(pwrite(fd, whole, (size_t)len - 1, 0), len - 1);
		assert_corrupt(plain[i]);
		assert_int_equal(pwrite(fd, whole, (size_t)len, 0), len);
		(void)close(fd);
	}
	put_size("pages-3.img", 5 * sysconf(_SC_PAGESIZE) - 1);
	assert_corrupt("image 'pages-3.img' is cut short (");
}

static void test_not_an_image(void **state UNUSED)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, "this is a text, not an image");
	put("mm-10.img", &sb);
	assert_corrupt("'mm-10.img' is not an image of CRIU, or damaged");
	put("pstree.img", &sb);
	assert_corrupt("'pstree.img' is not an image of CRIU, or damaged");
	/* An image, but of another kind. */
	put_plain("inventory.img", IMAGE_MAGIC_PSTREE);
	assert_corrupt("'inventory.img' is not an image of CRIU, or damaged");
	drop("inventory.img");
	assert_int_equal(mkfifoat(dir_fd, "inventory.img", 0600), 0);
	assert_corrupt("'inventory.img' is not an image");
}

static void test_absurd_sizes(void **state UNUSED)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	begin_pagemap(&sb, 3);
	add_run(&sb, 4, UINT64_MAX / 2, 0);
	put("pagemap-10.img", &sb);
	assert_corrupt("image 'pages-3.img' is cut short");
	/* The sum wraps around. */
	begin_pagemap(&sb, 3);
	add_run(&sb, 4, UINT64_MAX, 0);
	add_run(&sb, 4, 2, 0);
	put("pagemap-10.img", &sb);
	assert_corrupt("image 'pages-3.img' is cut short");
	begin_pagemap(&sb, 3);
	put("pagemap-10.img", &sb);
	begin(&sb, MAGIC_ANY);
	add_u32(&sb, 0xffffffff);
	put("mm-10.img", &sb);
	assert_corrupt("image 'mm-10.img' is cut short");
}

static void test_parent(void **state UNUSED)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct criu_images_info info;
	struct err err = ERR_INIT;

	begin_pagemap(&sb, 3);
	add_run(&sb, 1, 10, 0);
	put("pagemap-10.img", &sb);
	assert_corrupt("'parent' leads to none (no such file or directory)");
	assert_int_equal(symlinkat("..", dir_fd, "parent"), 0);
	assert_int_equal(criu_images_check(dir_fd, &info, &err), 0);
	assert_true(info.has_parent);
	assert_false(info.is_elsewhere);
	assert_int_equal(info.memory_bytes, 0);
	assert_int_equal(info.largest_bytes, 10 * sysconf(_SC_PAGESIZE));
}

static void add_area(CriuMmAreas *mm, CriuArea *area, uint64_t start, uint64_t end, uint32_t flags)
{
	*area = (CriuArea)CRIU_AREA__INIT;
	area->start = start;
	area->end = end;
	area->flags = flags;
	mm->areas[mm->n_areas++] = area;
}

/* The largest process, and what of it is not counted as memory. */
static void test_largest(void **state UNUSED)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	CriuArea areas[3];
	CriuArea *list[3];
	CriuMmAreas mm = CRIU_MM_AREAS__INIT;
	struct criu_images_info info;
	struct err err = ERR_INIT;
	uint64_t huge = 1;
	long page = sysconf(_SC_PAGESIZE);

	begin_pagemap(&sb, 5);
	add_run(&sb, 4, 7, 0);
	put("pagemap-11.img", &sb);
	put_size("pages-5.img", 7 * page);
	begin_pagemap(&sb, 6);
	add_run(&sb, 4, 50, 0);
	put("pagemap-shmem-12.img", &sb);
	put_size("pages-6.img", 50 * page);
	assert_int_equal(criu_images_check(dir_fd, &info, &err), 0);
	assert_int_equal(info.largest_bytes, 7 * page);
	assert_int_equal(info.largest_pid, 11);
	mm.areas = list;
	add_area(&mm, &areas[0], 0x1000, 0x3000, MAP_PRIVATE | MAP_ANONYMOUS);
	begin(&sb, MAGIC_ANY);
	add_entry(&sb, &mm.base);
	put("mm-11.img", &sb);
	assert_int_equal(criu_images_huge_bytes(dir_fd, 11, &huge, &err), 0);
	assert_int_equal(huge, 0);
	add_area(&mm, &areas[1], 0x200000, 0x400000, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
	add_area(&mm, &areas[2], 0x600000, 0x800000, MAP_PRIVATE | 21U << 26);
	begin(&sb, MAGIC_ANY);
	add_entry(&sb, &mm.base);
	put("mm-11.img", &sb);
	assert_int_equal(criu_images_huge_bytes(dir_fd, 11, &huge, &err), 0);
	assert_int_equal(huge, 0x400000);
	assert_true(criu_images_huge_bytes(dir_fd, 99, &huge, &err) < 0);
}

static void add_pages(struct strbuf *sb, uint32_t flags, uint64_t address, uint64_t pages)
{
	CriuPagemapEntry entry = CRIU_PAGEMAP_ENTRY__INIT;

	entry.vaddr = address * (uint64_t)sysconf(_SC_PAGESIZE);
	entry.has_flags = true;
	entry.flags = flags;
	entry.has_nr_pages = true;
	entry.nr_pages = pages;
	add_entry(sb, &entry.base);
}

static void put_parent(const struct strbuf *sb)
{
	int child_fd = dir_fd;

	(void)mkdirat(dir_fd, "before", 0700);
	dir_fd = openat(child_fd, "before", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put("pagemap-10.img", sb);
	(void)close(dir_fd);
	dir_fd = child_fd;
}

static int check_parent(struct err *err)
{
	int fd = openat(dir_fd, "before", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = criu_images_check_parent(dir_fd, fd, err);

	(void)close(fd);
	return r;
}

static void test_pages_of_parent(void **state UNUSED)
{
	static const struct {
		uint64_t address;
		uint64_t pages;
		bool has; /* pages 10 to 19, 30 to 39 */
	} cases[] = {
		{ 10, 10, true },  { 12, 3, true },  { 15, 1, true },  { 30, 10, true },
		{ 9, 2, false },   { 15, 6, false }, { 20, 1, false }, { 25, 10, false },
		{ 10, 30, false }, { 39, 2, false }, { 50, 1, false }, { 0, 1, false },
		{ 1, 60, false },  { 36, 4, true },
	};
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_pagemap(&sb, 1);
		add_pages(&sb, 4, 10, 5);
		add_pages(&sb, 1, 15, 5);
		add_pages(&sb, 4, 30, 10);
		put_parent(&sb);
		begin_pagemap(&sb, 3);
		/* That it has itself is nobody's else. */
		add_pages(&sb, 4, 5, 1);
		add_pages(&sb, 1, cases[i].address, cases[i].pages);
		add_pages(&sb, 4, 100, 1);
		put("pagemap-10.img", &sb);
		assert_int_equal(check_parent(&err) == 0, cases[i].has);
		if (!cases[i].has)
			assert_int_equal(err.kind, ERR_CORRUPT);
	}
	/* Several, and no page map at all. */
	begin_pagemap(&sb, 3);
	add_pages(&sb, 1, 11, 2);
	add_pages(&sb, 1, 14, 2);
	add_pages(&sb, 4, 16, 1);
	add_pages(&sb, 1, 31, 1);
	put("pagemap-10.img", &sb);
	assert_int_equal(check_parent(&err), 0);
	assert_int_equal(unlinkat(dir_fd, "before/pagemap-10.img", 0), 0);
	assert_true(check_parent(&err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_stats(void **state UNUSED)
{
	/* As CRIU 4.2.1 wrote it. */
	static const uint8_t dump[] = {
		0x40, 0x59, 0x10, 0x55, 0x06, 0x33, 0x09, 0x57, 0x20, 0x00, 0x00,
		0x00, 0x0a, 0x1e, 0x08, 0x64, 0x10, 0x9d, 0x16, 0x18, 0xc2, 0x03,
		0x20, 0x7b, 0x28, 0x71, 0x30, 0x00, 0x38, 0x4d, 0x40, 0x00, 0x48,
		0x00, 0x50, 0x10, 0x58, 0x10, 0x60, 0x00, 0x68, 0x00, 0x70, 0x00,
	};
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	CriuRestoreStats restore = CRIU_RESTORE_STATS__INIT;
	CriuStatsEntry entry = CRIU_STATS_ENTRY__INIT;
	struct criu_stats stats;
	struct err err = ERR_INIT;

	assert_true(criu_stats_load(&stats, dir_fd, CRIU_STATS_DUMP, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	strbuf_add(&sb, dump, sizeof(dump));
	put(CRIU_STATS_DUMP, &sb);
	assert_int_equal(criu_stats_load(&stats, dir_fd, CRIU_STATS_DUMP, &err), 0);
	assert_int_equal(stats.dump.freezing_time, 100);
	assert_int_equal(stats.dump.frozen_time, 2845);
	assert_int_equal(stats.dump.memdump_time, 450);
	assert_int_equal(stats.dump.memwrite_time, 123);
	assert_int_equal(stats.dump.pages_scanned, 113);
	assert_int_equal(stats.dump.pages_written, 77);
	assert_int_equal(stats.restore.restore_time, 0);
	restore.has_restore_time = true;
	restore.restore_time = 7026;
	restore.has_pages_restored = true;
	restore.pages_restored = 46;
	entry.restore = &restore;
	begin(&sb, IMAGE_MAGIC_STATS);
	add_entry(&sb, &entry.base);
	put(CRIU_STATS_RESTORE, &sb);
	assert_int_equal(criu_stats_load(&stats, dir_fd, CRIU_STATS_RESTORE, &err), 0);
	assert_int_equal(stats.restore.restore_time, 7026);
	assert_int_equal(stats.restore.pages_restored, 46);
	put_size(CRIU_STATS_DUMP, 20);
	assert_true(criu_stats_load(&stats, dir_fd, CRIU_STATS_DUMP, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

/* ---- names of sockets ---- */

static void add_unix(struct strbuf *sb, uint32_t ino, int state, const char *name, size_t len)
{
	CriuUnixNames usk = CRIU_UNIX_NAMES__INIT;
	CriuFileNames file = CRIU_FILE_NAMES__INIT;

	usk.has_ino = usk.has_type = usk.has_state = usk.has_name = usk.has_deleted = true;
	usk.ino = ino;
	usk.type = SOCK_STREAM;
	usk.state = (uint32_t)state;
	usk.name.data = (uint8_t *)(uintptr_t)name;
	usk.name.len = len;
	usk.name_dir = name[0] == 'r' ? (char *)(uintptr_t) "/run" : NULL;
	usk.deleted = true;
	file.usk = &usk;
	add_entry(sb, &file.base);
}

/* A socket's entry with fields that we do not know: type 9 and id 5 of the file, backlog 6. */
static void add_unknown_fields(struct strbuf *sb)
{
	static const uint8_t entry[] = { 8,  9, 16, 5, 130, 1,	 19,  16,  9,	24,  1, 32,  10,
					 56, 6, 90, 7, '/', 'o', 'l', 'd', '/', 'x', 0, 120, 1 };

	add_u32(sb, sizeof(entry));
	strbuf_add(sb, entry, sizeof(entry));
}

static void put_sockets(void)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	begin(&sb, IMAGE_MAGIC_FILES);
	add_unix(&sb, 7, TCP_LISTEN, "/run/first", 11);
	add_unix(&sb, 8, TCP_ESTABLISHED, "/run/first", 11);
	add_unix(&sb, 6, TCP_CLOSE, "\0abstract", 9);
	add_unix(&sb, 5, TCP_LISTEN, "relative", 9);
	add_unknown_fields(&sb);
	put("files.img", &sb);
}

/* The next entry has this name, or is said to be deleted still. */
static CriuUnixNames *next_socket(struct image_file *file, CriuFileNames **ret)
{
	assert_int_equal(image_file_next(file), 1);
	*ret = criu_file_names__unpack(NULL, file->len, file->entry);
	assert_non_null(*ret);
	return (*ret)->usk;
}

static void test_sockets(void **state UNUSED)
{
	auto_criu_bound_sockets struct criu_bound_sockets sockets = CRIU_BOUND_SOCKETS_INIT;
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	static const char *const names[] = { "/run/second", "/run/first", "", "short", "/new" };
	char long_path[256];
	struct stat st;
	struct err err = ERR_INIT;

	put_sockets();
	assert_int_equal(criu_images_bound_sockets(&sockets, dir_fd, &err), 0);
	assert_int_equal(sockets.n, 3);
	assert_int_equal(sockets.v[0].ino, 5);
	assert_int_equal(sockets.v[1].ino, 7);
	assert_int_equal(sockets.v[2].ino, 9);
	assert_ptr_equal(criu_bound_sockets_find(&sockets, 7), &sockets.v[1]);
	assert_null(criu_bound_sockets_find(&sockets, 8));
	memset(long_path, 'd', sizeof(long_path));
	memcpy(long_path, "/", 1);
	memcpy(long_path + 200, "/short", 7);
	assert_true(criu_can_bind_to(long_path));
	assert_true(criu_can_bind_to(long_path + 200 - 107 + 6));
	long_path[200] = 'd';
	assert_false(criu_can_bind_to(long_path));
	long_path[200] = '/';
	sockets.v[0].path = strdup(long_path);
	sockets.v[1].path = strdup("/run/second");
	sockets.v[2].path = strdup("/new");
	assert_int_equal(criu_images_rename_sockets(dir_fd, &sockets, &err), 0);
	assert_int_equal(fstatat(dir_fd, "files.img", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(image_file_open(&file, dir_fd, "files.img", IMAGE_MAGIC_FILES), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CriuFileNames *f;
		CriuUnixNames *usk = next_socket(&file, &f);

		assert_string_equal((const char *)usk->name.data, names[i]);
		assert_int_equal(usk->has_deleted, i == 1 || i == 2);
		assert_int_equal(usk->name_dir != NULL, i == 3);
		if (i == 3)
			assert_int_equal(strlen(usk->name_dir), 200);
		if (i < 4)
			assert_int_equal(usk->name.len, i == 2 ? 9 : strlen(names[i]) + 1);
		if (i == 4) {
			assert_int_equal(f->base.n_unknown_fields, 2);
			assert_int_equal(usk->base.n_unknown_fields, 1);
			assert_int_equal(usk->base.unknown_fields[0].data[0], 6);
		}
		criu_file_names__free_unpacked(f, NULL);
	}
	assert_int_equal(image_file_next(&file), 0);
}

static void test_damaged_sockets(void **state UNUSED)
{
	auto_criu_bound_sockets struct criu_bound_sockets sockets = CRIU_BOUND_SOCKETS_INIT;
	struct stat before;
	struct stat after;
	struct err err = ERR_INIT;

	put_sockets();
	assert_int_equal(fstatat(dir_fd, "files.img", &before, 0), 0);
	put_size("files.img", before.st_size - 3);
	assert_true(criu_images_bound_sockets(&sockets, dir_fd, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(fstatat(dir_fd, "files.img", &before, 0), 0);
	assert_true(criu_images_rename_sockets(dir_fd, &sockets, &err) < 0);
	assert_int_equal(fstatat(dir_fd, "files.img", &after, 0), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(unlinkat(dir_fd, "files.img", 0), 0);
	assert_true(criu_images_bound_sockets(&sockets, dir_fd, &err) < 0);
}

static void test_discard(void **state UNUSED)
{
	static const char left[] = ".files.img.4711~";
	static const char other[] = ".files.img.backup";

	assert_int_equal(symlinkat("/nowhere", dir_fd, left), 0);
	assert_int_equal(symlinkat("/nowhere", dir_fd, other), 0);
	assert_int_equal(criu_images_discard_memory(dir_fd), 0);
	assert_false(fs_exists(dir_fd, left));
	assert_false(fs_exists(dir_fd, "pagemap-10.img"));
	assert_false(fs_exists(dir_fd, "pages-3.img"));
	assert_true(fs_exists(dir_fd, other));
	assert_true(fs_exists(dir_fd, "core-10.img"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_an_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_absurd_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_largest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pages_of_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stats, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sockets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_sockets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_discard, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
