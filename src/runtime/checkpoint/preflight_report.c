/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight.h"

#include <inttypes.h>

#include "core/str.h"

/* So many lines of one check; the JSON form has all. */
#define LINES_MAX 10

#define T struct preflight_finding
JSON_DESC_STATIC(finding_desc, T, F_STRING(T, check, "check", JSON_ALWAYS), F_INT(T, pid, "pid", 0),
		 F_STRING(T, command, "command", 0), F_OPT_I64(T, descriptor, "descriptor", 0),
		 F_STRING(T, path, "path", 0), F_STRING(T, message, "message", JSON_ALWAYS),
		 F_STRING(T, option, "option", 0), F_STRING(T, criu_option, "criuOption", 0),
		 F_STRING(T, remedy, "remedy", 0), F_STRING(T, lifted_by, "liftedBy", 0),
		 F_U64(T, count, "count", JSON_ALWAYS));
#undef T

#define T struct preflight_estimate
JSON_DESC_STATIC(estimate_desc, T, F_U64(T, processes, "processes", JSON_ALWAYS),
		 F_U64(T, threads, "threads", JSON_ALWAYS),
		 F_U64(T, descriptors, "descriptors", JSON_ALWAYS),
		 F_U64(T, memory_bytes, "memoryBytes", JSON_ALWAYS),
		 F_U64(T, shared_memory_bytes, "sharedMemoryBytes", JSON_ALWAYS),
		 F_U64(T, tmpfs_bytes, "tmpfsBytes", JSON_ALWAYS),
		 F_U64(T, deleted_files_bytes, "deletedFilesBytes", JSON_ALWAYS),
		 F_U64(T, metadata_bytes, "metadataBytes", JSON_ALWAYS),
		 F_U64(T, total_bytes, "totalBytes", JSON_ALWAYS));
#undef T

#define T struct preflight_report
#define E struct preflight_finding
JSON_DESC(preflight_report_desc, T, F_STRING(T, id, "id", JSON_ALWAYS),
	  F_STRING(T, verdict, "verdict", JSON_ALWAYS),
	  F_OBJECTS(T, blockers, E, "blockers", JSON_ALWAYS, finding_desc),
	  F_OBJECTS(T, warnings, E, "warnings", JSON_ALWAYS, finding_desc),
	  F_OBJECTS(T, notes, E, "notes", JSON_ALWAYS, finding_desc),
	  F_OBJECTS(T, lifted, E, "lifted", JSON_ALWAYS, finding_desc),
	  F_OBJECT(T, estimate, struct preflight_estimate, "estimate", JSON_ALWAYS, estimate_desc));
#undef E
#undef T

bool preflight_is_ok(const struct preflight_report *report)
{
	return report->n_blockers == 0;
}

void preflight_report_done(struct preflight_report *report)
{
	json_done(&preflight_report_desc, report);
}

static void add_advice(const struct preflight_finding *f, struct strbuf *sb)
{
	const char *separator = "; ";

	if (f->lifted_by) {
		strbuf_addf(sb, "; ok because of %s", f->lifted_by);
		return;
	}
	if (f->option) {
		strbuf_addf(sb, "%suse %s", separator, f->option);
		separator = ", ";
	}
	if (f->criu_option) {
		strbuf_addf(sb,
			    "%sput '%s' into a configuration file for CRIU (/etc/criu/floe.conf, "
			    "or the "
			    "one that the annotation org.criu.config names)",
			    separator, f->criu_option);
		separator = ", ";
	}
	if (f->remedy)
		strbuf_addf(sb, "%s%s", separator, f->remedy);
}

void preflight_finding_to_text(const struct preflight_finding *f, struct strbuf *sb)
{
	if (f->pid)
		strbuf_addf(sb, "pid %d (%s)", f->pid, f->command ? f->command : "");
	if (f->descriptor.set)
		strbuf_addf(sb, ", descriptor %" PRId64, f->descriptor.v);
	if (f->count > 1)
		strbuf_addf(sb, "%s%" PRIu64 " more", f->pid ? " and " : "", f->count - 1);
	strbuf_addf(sb, "%s%s", sb->len ? ": " : "", f->message);
	add_advice(f, sb);
}

/* Names of files and processes may hold anything; a line must stay one. */
static void add_printable(struct strbuf *sb, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			strbuf_addf(sb, "\\%03o", c);
		else
			strbuf_addc(sb, *text);
	}
}

static size_t count_check(const struct preflight_finding *v, size_t n, const char *check)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += strcmp(v[i].check, check) == 0;
	return count;
}

static void add_list(struct strbuf *sb, const char *title, const struct preflight_finding *v,
		     size_t n)
{
	size_t of_check = 0;

	for (size_t i = 0; i < n; i++) {
		auto_strbuf struct strbuf line = STRBUF_INIT;

		of_check = i && strcmp(v[i].check, v[i - 1].check) == 0 ? of_check + 1 : 0;
		if (of_check == LINES_MAX)
			strbuf_addf(sb, "%s: and %zu more like this (see --format json)\n", title,
				    count_check(v, n, v[i].check) - LINES_MAX);
		if (of_check >= LINES_MAX)
			continue;
		preflight_finding_to_text(&v[i], &line);
		strbuf_addf(sb, "%s: ", title);
		add_printable(sb, line.buf);
		strbuf_addc(sb, '\n');
	}
}

static void add_size(struct strbuf *sb, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	size_t unit = 0;

	while (v >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		v /= 1024;
		unit++;
	}
	strbuf_addf(sb, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
}

static void add_plural(struct strbuf *sb, uint64_t n, const char *one, const char *many)
{
	strbuf_addf(sb, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

static void add_estimate(struct strbuf *sb, const struct preflight_estimate *e)
{
	add_plural(sb, e->processes, "process", "processes");
	strbuf_adds(sb, ", ");
	add_plural(sb, e->threads, "thread", "threads");
	strbuf_adds(sb, ", ");
	add_plural(sb, e->descriptors, "descriptor", "descriptors");
	strbuf_adds(sb, "; an image of about ");
	add_size(sb, e->total_bytes);
	strbuf_adds(sb, " (memory ");
	add_size(sb, e->memory_bytes);
	strbuf_adds(sb, ", shared memory ");
	add_size(sb, e->shared_memory_bytes);
	strbuf_adds(sb, ", tmpfs ");
	add_size(sb, e->tmpfs_bytes);
	strbuf_adds(sb, ", deleted files ");
	add_size(sb, e->deleted_files_bytes);
	strbuf_adds(sb, ")\n");
}

void preflight_report_to_text(const struct preflight_report *report, bool all, struct strbuf *sb)
{
	strbuf_addf(sb, "container '%s': ", report->id);
	add_estimate(sb, &report->estimate);
	add_list(sb, "blocker", report->blockers, report->n_blockers);
	add_list(sb, "warning", report->warnings, report->n_warnings);
	add_list(sb, "note", report->notes, report->n_notes);
	if (all)
		add_list(sb, "ok", report->lifted, report->n_lifted);
	if (preflight_is_ok(report)) {
		strbuf_adds(sb, "the checkpoint will work\n");
	} else {
		strbuf_adds(sb, "the checkpoint will not work: ");
		add_plural(sb, report->n_blockers, "blocker", "blockers");
		strbuf_addc(sb, '\n');
	}
}
