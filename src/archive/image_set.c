/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/image_set.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "criu/image_file.h"
#include "criu/images.pb-c.h"

#define PAGE 4096U
/* Of arguments, and of an environment, that are shown. */
#define STRINGS_MAX ((uint64_t)128 << 10)
#define PE_PRESENT 4U

#define TASK_ALIVE 1
#define TASK_STOPPED 3

/* --- the images --- */

bool image_set_want(const char *name)
{
	static const char *const prefixes[] = {
		"core-", "mm-", "pagemap-", "ids-", "fdinfo-", "fs-"
	};

	if (str_eq(name, "pstree.img") || str_eq(name, "files.img"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_has_prefix(name, prefixes[i]) && str_has_suffix(name, ".img"))
			return true;
	return false;
}

void image_set_add(struct image_set *images, const char *name, char *data, size_t len)
{
	struct image_data *image = array_push(images->v, images->n);

	*image = (struct image_data){ xstrdup(name), data, len };
	images->bytes += len;
	images->sorted = false;
}

static int compare_names(const void *a, const void *b)
{
	const struct image_data *p = a;
	const struct image_data *q = b;

	return strcmp(p->name, q->name);
}

const struct image_data *image_set_find(struct image_set *images, const char *fmt, ...)
{
	struct image_data key = { 0 };
	const struct image_data *found;
	va_list ap;

	if (images->n == 0)
		return NULL;
	if (!images->sorted)
		qsort(images->v, images->n, sizeof(*images->v), compare_names);
	images->sorted = true;
	va_start(ap, fmt);
	key.name = xvasprintf(fmt, ap);
	va_end(ap);
	found = bsearch(&key, images->v, images->n, sizeof(*images->v), compare_names);
	free(key.name);
	return found;
}

void image_set_done(struct image_set *images)
{
	for (size_t i = 0; i < images->n; i++) {
		free(images->v[i].name);
		free(images->v[i].data);
	}
	for (size_t i = 0; i < images->n_processes; i++)
		free(images->processes[i].comm);
	for (size_t i = 0; i < images->n_memories; i++) {
		free(images->memories[i].args);
		free(images->memories[i].env);
	}
	free(images->v);
	free(images->processes);
	free(images->memories);
	*images = (struct image_set){ 0 };
}

/* The first entry of an image: 1. */
static int first_entry(const struct image_data *image, struct image_file *file)
{
	int r = image ? image_file_open_memory(file, image->data, image->len, 0) : -ENOENT;

	return r < 0 ? r : image_file_next(file);
}

/* --- processes --- */

static void load_ids(struct process *p, const CriuTaskIds *ids)
{
	p->files_id = ids->files_id;
	p->fs_id = ids->fs_id;
}

static void load_core(struct image_set *images, struct process *p)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	auto_image_file struct image_file ids_file = IMAGE_FILE_INIT;
	CriuCoreView *core = NULL;
	CriuTaskIds *ids = NULL;

	if (first_entry(image_set_find(images, "core-%u.img", p->pid), &file) > 0)
		core = criu_core_view__unpack(NULL, file.len, file.entry);
	if (core && core->tc) {
		p->state = core->tc->task_state;
		p->comm = xstrdup(core->tc->comm ? core->tc->comm : "");
	}
	if (core && core->ids) {
		load_ids(p, core->ids);
	} else if (first_entry(image_set_find(images, "ids-%u.img", p->pid), &ids_file) > 0) {
		ids = criu_task_ids__unpack(NULL, ids_file.len, ids_file.entry);
		if (ids)
			load_ids(p, ids);
	}
	if (core)
		criu_core_view__free_unpacked(core, NULL);
	if (ids)
		criu_task_ids__free_unpacked(ids, NULL);
}

static int compare_parents(const void *a, const void *b)
{
	const struct process *p = a;
	const struct process *q = b;

	if (p->ppid != q->ppid)
		return p->ppid < q->ppid ? -1 : 1;
	return p->pid < q->pid ? -1 : p->pid > q->pid;
}

int image_set_load_processes(struct image_set *images, struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	const struct image_data *image = image_set_find(images, "pstree.img");
	int r = image ? image_file_open_memory(&file, image->data, image->len, 0) : -ENOENT;

	while (r >= 0 && (r = image_file_next(&file)) > 0) {
		CriuPstreeEntry *entry = criu_pstree_entry__unpack(NULL, file.len, file.entry);
		struct process *p;

		if (!entry || images->n_processes == IMAGE_SET_PROCESSES_MAX) {
			r = -EBADMSG;
			if (entry)
				criu_pstree_entry__free_unpacked(entry, NULL);
			break;
		}
		p = array_push(images->processes, images->n_processes);
		p->pid = entry->pid;
		p->ppid = entry->ppid;
		criu_pstree_entry__free_unpacked(entry, NULL);
		load_core(images, p);
	}
	if (r < 0)
		return err_set(err, ERR_CORRUPT,
			       r == -ENOENT ? "the archive has no process tree (pstree.img)" :
					      "the archive's process tree (pstree.img) is damaged");
	if (images->n_processes > 0)
		qsort(images->processes, images->n_processes, sizeof(*images->processes),
		      compare_parents);
	return 0;
}

/* --- memory --- */

struct range {
	uint64_t start;
	uint64_t end;
	char *to;
};

/* What of a range is in the run of pages at vaddr, which is at `offset` of the file. */
static void add_wanted(struct wanted **v, size_t *n, const struct range *range, uint64_t vaddr,
		       uint64_t n_pages, uint64_t offset)
{
	uint64_t from = MAX(range->start, vaddr);
	uint64_t to = MIN(range->end, vaddr + n_pages * PAGE);
	struct wanted *wanted;

	if (from >= to)
		return;
	wanted = array_push(*v, *n);
	wanted->offset = offset + (from - vaddr);
	wanted->len = (uint32_t)(to - from);
	wanted->to = range->to + (from - range->start);
}

static char *allocate(struct range *range, size_t *ret_len)
{
	if (range->end < range->start || range->end - range->start > STRINGS_MAX)
		range->end = range->start;
	*ret_len = (size_t)(range->end - range->start);
	range->to = xcalloc(1, *ret_len + 1);
	return range->to;
}

/* Where arguments and environment of a process are, with memory to read them to. */
static bool load_ranges(struct image_set *images, uint32_t pid, struct range ranges[2])
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	struct memory *memory;
	CriuMmView *mm;

	if (first_entry(image_set_find(images, "mm-%u.img", pid), &file) <= 0)
		return false;
	mm = criu_mm_view__unpack(NULL, file.len, file.entry);
	if (!mm)
		return false;
	ranges[0] = (struct range){ mm->arg_start, mm->arg_end, NULL };
	ranges[1] = (struct range){ mm->env_start, mm->env_end, NULL };
	criu_mm_view__free_unpacked(mm, NULL);
	memory = array_push(images->memories, images->n_memories);
	memory->pid = pid;
	memory->args = allocate(&ranges[0], &memory->args_len);
	memory->env = allocate(&ranges[1], &memory->env_len);
	return true;
}

/* file is at the entries of a page map. */
static void walk_pagemap(struct image_file *file, const struct range ranges[2], struct wanted **v,
			 size_t *n)
{
	uint64_t offset = 0;

	while (image_file_next(file) > 0) {
		CriuPagemapEntry *e = criu_pagemap_entry__unpack(NULL, file->len, file->entry);
		uint64_t n_pages;

		if (!e)
			return;
		n_pages = e->has_nr_pages ? e->nr_pages : e->compat_nr_pages;
		n_pages = MIN(n_pages, UINT64_C(1) << 36);
		if (e->vaddr < UINT64_C(1) << 62 &&
		    (e->has_flags ? e->flags & PE_PRESENT : !e->in_parent)) {
			add_wanted(v, n, &ranges[0], e->vaddr, n_pages, offset);
			add_wanted(v, n, &ranges[1], e->vaddr, n_pages, offset);
			offset += n_pages * PAGE;
		}
		criu_pagemap_entry__free_unpacked(e, NULL);
	}
}

/* "pagemap-12.img" */
static bool pid_of_pagemap(const char *name, uint32_t *ret)
{
	const char *rest = str_skip_prefix(name, "pagemap-");
	auto_free char *digits = NULL;

	if (!rest || !str_has_suffix(rest, ".img"))
		return false;
	digits = xstrndup(rest, strlen(rest) - strlen(".img"));
	return parse_u32(digits, ret) == 0;
}

static void add_process_wanted(struct image_set *images, size_t i, uint32_t pages_id,
			       struct wanted **v, size_t *n)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	CriuPagemapHead *head = NULL;
	struct range ranges[2];
	uint32_t pid;
	bool ours;

	if (!pid_of_pagemap(images->v[i].name, &pid) || first_entry(&images->v[i], &file) <= 0 ||
	    images->n_memories == IMAGE_SET_PROCESSES_MAX)
		return;
	head = criu_pagemap_head__unpack(NULL, file.len, file.entry);
	ours = head && head->pages_id == pages_id;
	if (head)
		criu_pagemap_head__free_unpacked(head, NULL);
	if (ours && load_ranges(images, pid, ranges))
		walk_pagemap(&file, ranges, v, n);
}

static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *p = a;
	const struct wanted *q = b;

	return p->offset < q->offset ? -1 : p->offset > q->offset;
}

size_t image_set_wanted(struct image_set *images, uint32_t pages_id, struct wanted **ret)
{
	size_t n = 0;

	*ret = NULL;
	/* Sorted by name from here on. */
	(void)image_set_find(images, "pagemap-1.img");
	for (size_t i = 0; i < images->n; i++)
		add_process_wanted(images, i, pages_id, ret, &n);
	if (n > 0)
		qsort(*ret, n, sizeof(**ret), compare_wanted);
	return n;
}

/* --- the tree --- */

static const char *state_name(uint32_t state)
{
	static const char *const names[] = { "Undefined", "Alive", "Dead", "Stopped", "Zombie" };

	return state < ARRAY_SIZE(names) ? names[state] : "Unknown";
}

/* Arguments with blanks between them. */
static char *join_strings(const char *data, size_t len)
{
	char *text;

	while (len > 0 && data[len - 1] == '\0')
		len--;
	text = xmalloc(len + 1);
	for (size_t i = 0; i < len; i++)
		text[i] = data[i] ? data[i] : ' ';
	text[len] = '\0';
	return text;
}

static const struct memory *find_memory(const struct image_set *images, uint32_t pid)
{
	for (size_t i = 0; i < images->n_memories; i++)
		if (images->memories[i].pid == pid)
			return &images->memories[i];
	return NULL;
}

static void take_environment(struct report_process *to, const struct memory *m)
{
	for (const char *s = m->env; s < m->env + m->env_len; s += strlen(s) + 1) {
		const char *equals = strchr(s, '=');
		auto_free char *key = equals ? xstrndup(s, (size_t)(equals - s)) : NULL;

		if (key && *key)
			json_string_map_set(&to->environment, key, equals + 1);
	}
}

static const struct process *first_child(const struct image_set *images, uint32_t ppid)
{
	size_t low = 0;
	size_t high = images->n_processes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (images->processes[middle].ppid < ppid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < images->n_processes && images->processes[low].ppid == ppid ?
		       &images->processes[low] :
		       NULL;
}

static int fill_process(const struct image_set *images, const struct process *p,
			struct report_process *to, unsigned int flags, unsigned int depth,
			size_t *n_used, struct err *err)
{
	const struct process *end = images->processes + images->n_processes;
	const struct memory *memory = find_memory(images, p->pid);
	int r = 0;

	if (depth > IMAGE_SET_DEPTH_MAX || ++*n_used > images->n_processes)
		return err_set(err, ERR_CORRUPT,
			       "the archive's process tree goes in circles, or is "
			       "nested too deeply");
	to->pid = p->pid;
	to->command = xstrdup(p->comm ? p->comm : "");
	to->task_state = xstrdup(state_name(p->state));
	if (p->state != TASK_ALIVE && p->state != TASK_STOPPED)
		return 0;
	if ((flags & ARCHIVE_INSPECT_PS_TREE_CMD) && memory)
		to->cmdline = join_strings(memory->args, memory->args_len);
	if ((flags & ARCHIVE_INSPECT_PS_TREE_ENV) && memory)
		take_environment(to, memory);
	/* 0 is nobody's pid: those without a parent are roots. */
	for (const struct process *c = p->pid ? first_child(images, p->pid) : NULL;
	     r == 0 && c && c < end && c->ppid == p->pid; c++)
		r = fill_process(images, c, array_push(to->children, to->n_children), flags,
				 depth + 1, n_used, err);
	return r;
}

struct report_process *image_set_process_tree(const struct image_set *images, unsigned int flags,
					      struct err *err)
{
	const struct process *root = images->processes;
	struct report_process *tree;
	size_t n_used = 0;

	if (images->n_processes == 0) {
		(void)err_set(err, ERR_CORRUPT, "the archive has no processes");
		return NULL;
	}
	tree = xcalloc(1, sizeof(*tree));
	/* Sorted by parent: the one without a parent is the first. What is executed in a container has
	 * none either; it is shown below its init. */
	if (fill_process(images, root, tree, flags, 0, &n_used, err) == 0) {
		int r = 0;

		for (size_t i = 1;
		     r == 0 && i < images->n_processes && images->processes[i].ppid == root->ppid &&
		     root->ppid != root->pid;
		     i++)
			r = fill_process(images, &images->processes[i],
					 array_push(tree->children, tree->n_children), flags, 1,
					 &n_used, err);
		if (r == 0)
			return tree;
	}
	report_process_free(tree);
	return NULL;
}
