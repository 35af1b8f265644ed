/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_check.h"

#include <sys/stat.h>

#include "core/alloc.h"
#include "core/str.h"

#define NO_OBJECT SIZE_MAX

struct list {
	struct preflight_finding **v;
	size_t *n;
};

static struct list list_of(struct preflight_report *report, const struct preflight_item *item,
			   const char *lifted_by)
{
	if (lifted_by)
		return (struct list){ &report->lifted, &report->n_lifted };
	switch (item->severity) {
	case PREFLIGHT_WARNING:
		return (struct list){ &report->warnings, &report->n_warnings };
	case PREFLIGHT_NOTE:
		return (struct list){ &report->notes, &report->n_notes };
	case PREFLIGHT_BLOCKER:
		break;
	}
	return (struct list){ &report->blockers, &report->n_blockers };
}

static const char *given_option(const struct preflight_snapshot *s,
				const struct preflight_item *item)
{
	return item->lifted_by ? item->lifted_by : s->options.by[item->option];
}

static bool count_equal(struct list list, const char *check, size_t object)
{
	if (object == NO_OBJECT)
		return false;
	for (size_t i = *list.n; i-- > 0;) {
		struct preflight_finding *f = &(*list.v)[i];

		/* Those of one check are neighbours. */
		if (strcmp(f->check, check) != 0)
			return false;
		if (f->object == object) {
			f->count++;
			return true;
		}
	}
	return false;
}

static void set_process(struct preflight_finding *f, const struct preflight_process *p)
{
	f->pid = p->pid;
	f->command = xstrdup(p->comm);
}

static void set_use(struct preflight_finding *f, const struct preflight_snapshot *s,
		    const struct preflight_use *use)
{
	set_process(f, preflight_process_of(s, use));
	if (use->descriptor >= 0)
		f->descriptor = (struct opt_i64){ true, use->descriptor };
	f->path = xstrdup(preflight_file_of(s, use)->path);
}

static void set_option(struct preflight_finding *f, const struct preflight_item *item)
{
	const struct preflight_option_info *info;

	f->criu_option = item->criu_option;
	if (item->option == PREFLIGHT_NO_OPTION)
		return;
	info = &preflight_option_infos[item->option];
	if (info->cli)
		f->option = xstrdup(info->cli);
	else if (!f->criu_option)
		f->criu_option = xstrdup(info->name);
}

void preflight_add(struct preflight_report *report, const struct preflight_snapshot *s,
		   const char *check, struct preflight_item item)
{
	const char *lifted_by = given_option(s, &item);
	struct list list = list_of(report, &item, lifted_by);
	size_t object = item.use && !item.is_separate ? item.use->file : NO_OBJECT;
	struct preflight_finding *f;

	if (count_equal(list, check, object)) {
		free(item.message);
		free(item.criu_option);
		return;
	}
	f = array_push(*list.v, *list.n);
	f->check = xstrdup(check);
	f->count = 1;
	f->object = object;
	f->message = item.message;
	f->remedy = xstrdup(item.remedy);
	f->lifted_by = xstrdup(lifted_by);
	set_option(f, &item);
	if (item.use)
		set_use(f, s, item.use);
	else if (item.process)
		set_process(f, item.process);
	if (item.path)
		replace_ptr(f->path, xstrdup(item.path));
}

static void run_checks(const struct preflight_check *checks, struct preflight_report *report,
		       const struct preflight_snapshot *s)
{
	for (; checks->name; checks++)
		checks->fn(s, report, checks->name);
}

/*
 * What CRIU writes beside pages, measured with CRIU 4.2: the images that describe the container as a
 * whole, then those of each process (core, mm, pagemap, fs, ids), thread and descriptor.
 */
#define CONTAINER_METADATA 24576
#define PROCESS_METADATA 4096
#define THREAD_METADATA 1536
#define DESCRIPTOR_METADATA 96

static void estimate_files(struct preflight_estimate *e, const struct preflight_snapshot *s)
{
	for (size_t i = 0; i < s->n_files; i++) {
		const struct preflight_file *f = &s->files[i];

		if (!S_ISREG(f->mode))
			continue;
		if (f->is_internal)
			e->shared_memory_bytes += f->stored_bytes;
		else if (preflight_is_deleted(f) && f->mount)
			e->deleted_files_bytes += f->stored_bytes;
	}
}

static void estimate_sizes(struct preflight_estimate *ret, const struct preflight_snapshot *s)
{
	struct preflight_estimate e = { 0 };

	for (size_t i = 0; i < s->n_processes; i++) {
		const struct preflight_process *p = &s->processes[i];

		if (!p->is_in_tree)
			continue;
		e.processes++;
		e.threads += p->threads;
		e.descriptors += p->descriptors;
		e.memory_bytes += p->memory_bytes;
	}
	estimate_files(&e, s);
	for (size_t i = 0; i < s->n_mount_states; i++)
		e.tmpfs_bytes += s->mount_states[i].used_bytes;
	e.metadata_bytes = CONTAINER_METADATA + e.processes * PROCESS_METADATA +
			   e.threads * THREAD_METADATA + e.descriptors * DESCRIPTOR_METADATA;
	e.total_bytes = e.memory_bytes + e.shared_memory_bytes + e.tmpfs_bytes +
			e.deleted_files_bytes + e.metadata_bytes;
	*ret = e;
}

void preflight_judge(struct preflight_report *ret, const struct preflight_snapshot *s)
{
	*ret = (struct preflight_report)PREFLIGHT_REPORT_INIT;
	ret->id = xstrdup(s->id);
	/* Before the checks: some of them are about the size. */
	estimate_sizes(&ret->estimate, s);
	run_checks(preflight_file_checks, ret, s);
	run_checks(preflight_kind_checks, ret, s);
	run_checks(preflight_socket_checks, ret, s);
	run_checks(preflight_process_checks, ret, s);
	run_checks(preflight_mount_checks, ret, s);
	run_checks(preflight_host_checks, ret, s);
	ret->verdict = xstrdup(ret->n_blockers ? "blocked" : "ok");
}

char *preflight_name_of(const struct preflight_file *file)
{
	static const char suffix[] = " (deleted)";
	size_t len = strlen(file->path);

	if (str_has_suffix(file->path, suffix))
		len -= strlen(suffix);
	return xstrndup(file->path, len);
}
