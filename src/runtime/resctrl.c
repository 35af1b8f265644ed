/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/resctrl.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/mountinfo.h"

#define SCHEMATA_MAX 65536

/* ---- the plan ---- */

static int find_mount(const char *prefix, char **ret, struct err *err)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	auto_free char *list = path_join(prefix, "/proc/self/mountinfo");
	int r = mountinfo_read(&mounts, AT_FDCWD, list);

	if (r < 0)
		return err_sys(err, r, "linux.intelRdt: read '%s'", list);
	for (size_t i = 0; i < mounts.n; i++) {
		if (!str_eq(mounts.v[i].fs_type, "resctrl"))
			continue;
		*ret = path_join(prefix, mounts.v[i].mount_point);
		return 0;
	}
	return err_set(
		err, ERR_UNSUPPORTED,
		"linux.intelRdt: this machine has no resctrl file system mounted; mount it "
		"(mount -t resctrl resctrl /sys/fs/resctrl), or drop linux.intelRdt where the "
		"processor lacks Intel RDT");
}

/* Lines of text; without those of memory bandwidth where another field has these. */
static void add_lines(struct strvec *lines, const char *text, bool without_bandwidth)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	if (!text)
		return;
	strvec_split(&parts, text, '\n', false);
	for (size_t i = 0; i < parts.n; i++) {
		const char *line = parts.v[i] + strspn(parts.v[i], " \t");

		if (*line && !(without_bandwidth && str_has_prefix(line, "MB:")))
			strvec_add(lines, line);
	}
}

static int plan_schemata(struct strvec *lines, const struct oci_intel_rdt *rdt, struct err *err)
{
	const char *bandwidth = str_is_empty(rdt->mem_bw_schema) ? NULL : rdt->mem_bw_schema;

	if (bandwidth && (!str_has_prefix(bandwidth, "MB:") || strchr(bandwidth, '\n')))
		return err_set(err, ERR_INVALID,
			       "linux.intelRdt.memBwSchema: '%s' is not one line that begins with "
			       "'MB:'",
			       bandwidth);
	add_lines(lines, rdt->l3_cache_schema, bandwidth != NULL);
	add_lines(lines, bandwidth, false);
	for (size_t i = 0; i < rdt->n_schemata; i++)
		add_lines(lines, rdt->schemata[i], false);
	for (size_t i = 0; i < lines->n; i++)
		if (!strchr(lines->v[i], ':'))
			return err_set(
				err, ERR_INVALID,
				"linux.intelRdt: '%s' is no schema, expected RESOURCE:ID=VALUE;"
				"ID=VALUE...",
				lines->v[i]);
	return 0;
}

int resctrl_plan_make(struct resctrl_plan *ret, const struct oci_intel_rdt *rdt, const char *id,
		      const char *prefix, struct err *err)
{
	auto_resctrl_plan struct resctrl_plan plan = RESCTRL_PLAN_INIT;
	auto_free char *root = NULL;
	int r;

	if (!rdt)
		return 0;
	r = find_mount(prefix ? prefix : "", &root, err);
	if (r == 0)
		r = plan_schemata(&plan.schemata, rdt, err);
	if (r < 0)
		return r;
	plan.prefix = prefix;
	plan.is_own = str_is_empty(rdt->clos_id);
	plan.group = path_join(root, plan.is_own ? id : rdt->clos_id);
	if (rdt->enable_monitoring)
		plan.monitor = xasprintf("%s/mon_groups/%s", plan.group, id);
	if (!plan.is_own && plan.schemata.n == 0 && !fs_exists(AT_FDCWD, plan.group))
		return err_set(
			err, ERR_NOT_FOUND,
			"linux.intelRdt.closID: there is no group '%s'; make it, or give what is "
			"to be written into it (schemata)",
			plan.group);
	*ret = plan;
	plan = (struct resctrl_plan)RESCTRL_PLAN_INIT;
	return 0;
}

void resctrl_plan_done(struct resctrl_plan *plan)
{
	free(plan->group);
	free(plan->monitor);
	strvec_done(&plan->schemata);
	*plan = (struct resctrl_plan)RESCTRL_PLAN_INIT;
}

/* ---- what is there already ---- */

/* The entry "ID=VALUE" of a schema with the same ID as `entry`; its value. NULL: none. */
static const char *find_value(const struct strvec *entries, const char *entry, size_t id_len)
{
	for (size_t i = 0; i < entries->n; i++) {
		const char *text = entries->v[i] + strspn(entries->v[i], " ");

		if (strncmp(text, entry, id_len) == 0 && text[id_len] == '=')
			return text + id_len + 1;
	}
	return NULL;
}

/* Masks are hexadecimal and bandwidths decimal numbers; both may have leading zeros or blanks. */
static bool same_value(const char *a, const char *b)
{
	a += strspn(a, " 0");
	b += strspn(b, " 0");
	return strcasecmp(a, b) == 0;
}

/* Whether every value of the wanted line "RES:ID=VALUE;..." is that of the group's line. */
static bool line_matches(const char *wanted, const char *present)
{
	auto_strvec struct strvec want = STRVEC_INIT;
	auto_strvec struct strvec have = STRVEC_INIT;

	strvec_split(&want, strchr(wanted, ':') + 1, ';', false);
	strvec_split(&have, strchr(present, ':') + 1, ';', false);
	for (size_t i = 0; i < want.n; i++) {
		const char *entry = want.v[i] + strspn(want.v[i], " ");
		const char *equals = strchr(entry, '=');
		const char *value;

		value = equals ? find_value(&have, entry, (size_t)(equals - entry)) : NULL;
		if (!value || !same_value(value, equals + 1))
			return false;
	}
	return true;
}

static int check_line(const char *group, const char *line, const struct strvec *present,
		      struct err *err)
{
	size_t len = strcspn(line, ":") + 1;

	for (size_t i = 0; i < present->n; i++) {
		const char *text = present->v[i] + strspn(present->v[i], " ");

		if (strncmp(text, line, len) != 0)
			continue;
		if (line_matches(line, text))
			return 0;
		return err_set(err, ERR_INVALID,
			       "linux.intelRdt: group '%s' has '%s', not '%s'; change the group or "
			       "name another one (closID)",
			       group, text, line);
	}
	return err_set(err, ERR_INVALID, "linux.intelRdt: group '%s' has no schema of '%.*s'",
		       group, (int)len - 1, line);
}

static int read_schemata(const struct resctrl_plan *plan, struct strbuf *ret, struct err *err)
{
	auto_free char *path = path_join(plan->group, "schemata");
	int r = io_read_file_at(AT_FDCWD, path, SCHEMATA_MAX, ret);

	return r < 0 ? err_sys(err, r, "linux.intelRdt: read '%s'", path) : 0;
}

/* A group that others made is not changed. */
static int check_schemata(const struct resctrl_plan *plan, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_strvec struct strvec present = STRVEC_INIT;
	int r = read_schemata(plan, &text, err);

	if (r < 0)
		return r;
	strvec_split(&present, text.buf, '\n', false);
	for (size_t i = 0; r == 0 && i < plan->schemata.n; i++)
		r = check_line(plan->group, plan->schemata.v[i], &present, err);
	return r;
}

/* ---- entering ---- */

/* What the kernel has to say about the last thing that it refused. */
static void append_reason(const char *group, struct err *err)
{
	auto_free char *dir = xstrdup(group);

	while (strcmp(dir, "/") != 0) {
		auto_free char *path = path_join(dir, "info/last_cmd_status");
		auto_free char *line = io_read_line_at(AT_FDCWD, path);

		if (line) {
			if (!str_eq(line, "ok"))
				err_append(err, " (%s)", line);
			return;
		}
		replace_ptr(dir, path_dirname(dir));
	}
}

static int write_file(const struct resctrl_plan *plan, const char *dir, const char *name,
		      const char *text, struct err *err)
{
	auto_free char *path = path_join(dir, name);
	auto_close int fd = fd_open_at(AT_FDCWD, path,
				       O_WRONLY | (plan->prefix ? O_CREAT | O_APPEND : 0), 0644);
	int r = fd < 0 ? fd : io_write_all(fd, text, strlen(text));

	if (r == 0)
		return 0;
	r = err_sys(err, r, "linux.intelRdt: write '%.*s' to '%s'", (int)strcspn(text, "\n"), text,
		    path);
	append_reason(plan->group, err);
	return r;
}

static int make_directory(const struct resctrl_plan *plan, const char *path, struct err *err)
{
	int r;

	if (mkdir(path, 0755) == 0)
		return 0;
	r = err_sys(err, -errno, "linux.intelRdt: make group '%s'", path);
	if (r == -EEXIST)
		err_append(err,
			   "; somebody else's, or left by a container that was: see its tasks, "
			   "then remove it with rmdir");
	else
		append_reason(plan->group, err);
	return r;
}

static int add_process(const struct resctrl_plan *plan, const char *dir, pid_t pid, struct err *err)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d\n", pid);
	return write_file(plan, dir, "tasks", text, err);
}

static int write_schemata(const struct resctrl_plan *plan, const struct strvec *lines,
			  struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < lines->n; i++) {
		auto_free char *line = xasprintf("%s\n", lines->v[i]);

		r = write_file(plan, plan->group, "schemata", line, err);
	}
	return r;
}

static int fill_group(const struct resctrl_plan *plan, pid_t pid, bool is_new, struct err *err)
{
	int r = 0;

	if (!is_new)
		r = check_schemata(plan, err);
	else
		r = write_schemata(plan, &plan->schemata, err);
	return r < 0 ? r : add_process(plan, plan->group, pid, err);
}

static int enter_monitor(const struct resctrl_plan *plan, pid_t pid, struct err *err)
{
	int r = make_directory(plan, plan->monitor, err);

	if (r < 0)
		return r;
	r = add_process(plan, plan->monitor, pid, err);
	if (r < 0)
		(void)rmdir(plan->monitor);
	return r;
}

int resctrl_enter(const struct resctrl_plan *plan, pid_t pid, char **ret_made, struct err *err)
{
	bool is_new;
	int r = 0;

	*ret_made = NULL;
	if (!plan->group)
		return 0;
	is_new = plan->is_own || !fs_exists(AT_FDCWD, plan->group);
	if (is_new)
		r = make_directory(plan, plan->group, err);
	if (r < 0)
		return r;
	r = fill_group(plan, pid, is_new, err);
	if (r == 0 && plan->monitor)
		r = enter_monitor(plan, pid, err);
	if (r < 0) {
		if (is_new)
			(void)rmdir(plan->group);
		return r;
	}
	if (resctrl_plan_made(plan))
		*ret_made = xstrdup(resctrl_plan_made(plan));
	return 0;
}

const char *resctrl_plan_made(const struct resctrl_plan *plan)
{
	/* With a group its monitoring groups go. */
	return plan->is_own ? plan->group : plan->monitor;
}

int resctrl_join(const struct resctrl_plan *plan, pid_t pid, struct err *err)
{
	int r = 0;

	if (plan->group && fs_exists(AT_FDCWD, plan->group))
		r = add_process(plan, plan->group, pid, err);
	if (r == 0 && plan->monitor && fs_exists(AT_FDCWD, plan->monitor))
		r = add_process(plan, plan->monitor, pid, err);
	return r;
}

int resctrl_restore(const struct resctrl_plan *plan, const char *old, struct err *err)
{
	auto_strvec struct strvec lines = STRVEC_INIT;

	add_lines(&lines, old, false);
	return write_schemata(plan, &lines, err);
}

int resctrl_rewrite(const struct resctrl_plan *plan, char **ret_old, struct err *err)
{
	auto_strbuf struct strbuf old = STRBUF_INIT;
	int r = read_schemata(plan, &old, err);

	if (r < 0)
		return r;
	r = write_schemata(plan, &plan->schemata, err);
	if (r < 0) {
		(void)resctrl_restore(plan, old.buf, NULL);
		return r;
	}
	if (ret_old)
		*ret_old = strbuf_take(&old);
	return 0;
}

int resctrl_remove(const char *path, struct err *err)
{
	if (!path || rmdir(path) == 0 || errno == ENOENT)
		return 0;
	return err_sys(err, -errno, "linux.intelRdt: remove group '%s'", path);
}
