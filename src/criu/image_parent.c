/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_parent.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strvec.h"
#include "criu/image_file.h"
#include "criu/images.pb-c.h"

/* flags of page maps */
#define PAGE_IN_PARENT (1U << 0)

/* A page map, read from its lowest address on; the runs of CRIU's are in that order. */
struct pagemap {
	struct image_file file;
	uint64_t start; /* of the current run; runs without a gap are one */
	uint64_t end;
	bool in_parent;
	bool has_next; /* it has been read already */
	uint64_t next_start;
	uint64_t next_end;
	bool next_in_parent;
};

static int pagemap_open(struct pagemap *m, int dir_fd, const char *name)
{
	int r;

	*m = (struct pagemap){ .file = IMAGE_FILE_INIT };
	r = image_file_open(&m->file, dir_fd, name, IMAGE_MAGIC_PAGEMAP);
	if (r == 0)
		r = image_file_skip(&m->file);
	return r < 0 ? r : 0;
}

/* 1 and m->next_...; 0 at the end. */
static int pagemap_read(struct pagemap *m)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	CriuPagemapEntry *e;
	uint64_t n;
	bool good;
	int r = image_file_next(&m->file);

	if (r <= 0)
		return r;
	e = criu_pagemap_entry__unpack(NULL, m->file.len, m->file.entry);
	if (!e)
		return -EBADMSG;
	n = e->has_nr_pages ? e->nr_pages : e->compat_nr_pages;
	m->next_start = e->vaddr;
	m->next_in_parent = e->has_flags ? (e->flags & PAGE_IN_PARENT) != 0 : e->in_parent != 0;
	good = !__builtin_mul_overflow(n, page_size, &m->next_end) &&
	       !__builtin_add_overflow(m->next_end, e->vaddr, &m->next_end);
	criu_pagemap_entry__free_unpacked(e, NULL);
	return good ? 1 : -EBADMSG;
}

/* 1 and the next run; 0 at the end. */
static int pagemap_next(struct pagemap *m)
{
	int r = m->has_next ? 1 : pagemap_read(m);

	if (r <= 0)
		return r;
	m->start = m->next_start;
	m->end = m->next_end;
	m->in_parent = m->next_in_parent;
	while ((r = pagemap_read(m)) > 0 && m->next_start == m->end &&
	       m->next_in_parent == m->in_parent)
		m->end = m->next_end;
	m->has_next = r > 0;
	return r < 0 ? r : 1;
}

/* Whether the parent has all of it, whichever image of the chain that is in. It is gone through once. */
static int covers(struct pagemap *parent, uint64_t start, uint64_t end)
{
	while (start < end) {
		int r = 1;

		while (r > 0 && parent->end <= start)
			r = pagemap_next(parent);
		if (r <= 0 || parent->start > start)
			return r < 0 ? r : 0;
		start = parent->end;
	}
	return 1;
}

static int check_pagemap(int dir_fd, int parent_fd, const char *name, struct err *err)
{
	struct pagemap map;
	struct pagemap parent = { .file = IMAGE_FILE_INIT };
	bool is_open = false;
	int r = pagemap_open(&map, dir_fd, name);

	while (r >= 0 && (r = pagemap_next(&map)) > 0) {
		if (!map.in_parent)
			continue;
		if (!is_open)
			r = pagemap_open(&parent, parent_fd, name);
		is_open = true;
		if (r >= 0)
			r = covers(&parent, map.start, map.end);
		if (r == 0 || r == -ENOENT)
			r = err_set(err, ERR_CORRUPT,
				    "'%s' leaves the memory from 0x%" PRIx64 " to 0x%" PRIx64
				    " to the pre-dump, which does not have it",
				    name, map.start, map.end);
		else if (r < 0)
			r = err_sys(err, r, "read '%s' of the pre-dump", name);
		if (r < 0)
			goto out;
	}
	if (r < 0)
		r = err_sys(err, r, "read image '%s'", name);
out:
	image_file_close(&map.file);
	image_file_close(&parent.file);
	return r;
}

int criu_images_check_parent(int dir_fd, int parent_fd, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(dir_fd, ".", &names);

	if (r < 0)
		return err_sys(err, r, "read image directory");
	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (str_has_prefix(names.v[i], "pagemap-"))
			r = check_pagemap(dir_fd, parent_fd, names.v[i], err);
	return r;
}
