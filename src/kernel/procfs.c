/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "kernel/mountinfo.h"

/* Files of one process; the longest are maps-like ones, which are not read through here. */
#define PROCFS_FILE_MAX ((size_t)1 << 20)

int procfs_open(struct procfs *ret, const char *prefix)
{
	auto_free char *path = prefix ? xasprintf("%s/proc", prefix) : NULL;
	auto_close int fd = -EBADF;
	struct statfs fs;

	fd = fd_open_at(AT_FDCWD, prefix ? path : "/proc", O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	if (!prefix) {
		if (fstatfs(fd, &fs) < 0)
			return -errno;
		if (fs.f_type != PROC_SUPER_MAGIC)
			return -EXDEV;
	}
	ret->fd = take_fd(fd);
	return 0;
}

void procfs_close(struct procfs *proc)
{
	close_fd(&proc->fd);
}

struct procfs_path procfs_path(pid_t pid, const char *name)
{
	struct procfs_path path;

	if (pid == 0)
		(void)snprintf(path.text, sizeof(path.text), "self/%s", name);
	else
		(void)snprintf(path.text, sizeof(path.text), "%d/%s", (int)pid, name);
	return path;
}

int procfs_read(const struct procfs *proc, pid_t pid, const char *name, struct strbuf *sb)
{
	return io_read_file_at(proc->fd, procfs_path(pid, name).text, PROCFS_FILE_MAX, sb);
}

static int parse_pid(const char *s, pid_t *ret)
{
	int64_t v;
	int r = parse_i64(s, &v);

	if (r < 0)
		return r;
	if (v < INT32_MIN || v > INT32_MAX)
		return -ERANGE;
	*ret = (pid_t)v;
	return 0;
}

/* Fields 3 (state) to 22 (start time), which no name can disturb. */
static int parse_stat_tail(struct procfs_stat *ret, char *tail)
{
	const char *field[20];

	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&tail, " \n");
		if (!field[i])
			return -EBADMSG;
	}
	ret->state = field[0][0];
	if (!ret->state || field[0][1] || parse_pid(field[1], &ret->ppid) < 0 ||
	    parse_pid(field[2], &ret->pgrp) < 0 || parse_pid(field[3], &ret->session) < 0 ||
	    parse_u64(field[19], &ret->start_time) < 0)
		return -EBADMSG;
	return 0;
}

int procfs_stat_parse(struct procfs_stat *ret, const char *text)
{
	/* The name is whatever the process chose: only the first "(" and the last ")" delimit it. */
	const char *open = strchr(text, '(');
	const char *close_paren = strrchr(text, ')');
	auto_free char *pid_text = NULL;
	auto_free char *tail = NULL;
	struct procfs_stat stat = { 0 };
	int r;

	if (!open || !close_paren || close_paren < open || open == text || open[-1] != ' ' ||
	    close_paren[1] != ' ')
		return -EBADMSG;
	pid_text = xstrndup(text, (size_t)(open - text) - 1);
	if (parse_pid(pid_text, &stat.pid) < 0)
		return -EBADMSG;
	(void)snprintf(stat.comm, sizeof(stat.comm), "%.*s", (int)(close_paren - open) - 1,
		       open + 1);
	tail = xstrdup(close_paren + 2);
	r = parse_stat_tail(&stat, tail);
	if (r < 0)
		return r;
	*ret = stat;
	return 0;
}

int procfs_read_stat(const struct procfs *proc, pid_t pid, struct procfs_stat *ret)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = procfs_read(proc, pid, "stat", &text);

	return r < 0 ? r : procfs_stat_parse(ret, text.buf);
}

bool procfs_process_is_alive(const struct procfs *proc, pid_t pid, uint64_t start_time)
{
	struct procfs_stat stat;

	if (pid <= 0 || procfs_read_stat(proc, pid, &stat) < 0)
		return false;
	if (stat.state == 'Z' || stat.state == 'X' || stat.state == 'x')
		return false;
	return start_time == 0 || stat.start_time == start_time;
}

char *procfs_status_field(const struct procfs *proc, pid_t pid, const char *name)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t len = strlen(name);
	int r = procfs_read(proc, pid, "status", &text);

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	for (const char *line = text.buf; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		return xstrndup(line, strcspn(line, "\n"));
	}
	errno = ENODATA;
	return NULL;
}

/* "4:memory:/user.slice"; the path may hold colons, a named hierarchy's name may not. */
static bool parse_cgroup_line(char *line, struct procfs_cgroup *ret)
{
	const char *number = strsep(&line, ":");
	const char *controllers = strsep(&line, ":");

	if (!controllers || !line || *line != '/')
		return false;
	*ret = (struct procfs_cgroup){ .controllers = controllers, .path = line };
	return parse_u32(number, &ret->hierarchy) == 0;
}

static int cgroups_parse_owned(struct procfs_cgroups *ret, char *text)
{
	struct procfs_cgroups cgroups = { .text = text };
	char *rest = text;

	while (rest && *rest) {
		char *line = strsep(&rest, "\n");

		if (!parse_cgroup_line(line, array_push(cgroups.v, cgroups.n))) {
			procfs_cgroups_done(&cgroups);
			return -EBADMSG;
		}
	}
	*ret = cgroups;
	return 0;
}

int procfs_cgroups_parse(struct procfs_cgroups *ret, const char *text, size_t len)
{
	return cgroups_parse_owned(ret, xstrndup(text, len));
}

int procfs_read_cgroups(const struct procfs *proc, pid_t pid, struct procfs_cgroups *ret)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = procfs_read(proc, pid, "cgroup", &text);

	return r < 0 ? r : cgroups_parse_owned(ret, strbuf_take(&text));
}

void procfs_cgroups_done(struct procfs_cgroups *cgroups)
{
	free(cgroups->v);
	free(cgroups->text);
	*cgroups = (struct procfs_cgroups)PROCFS_CGROUPS_INIT;
}

const struct procfs_cgroup *procfs_cgroups_find(const struct procfs_cgroups *cgroups,
						const char *controller)
{
	for (size_t i = 0; i < cgroups->n; i++) {
		const struct procfs_cgroup *cgroup = &cgroups->v[i];

		if (*controller ? mountinfo_list_has(cgroup->controllers, controller) :
				  cgroup->hierarchy == 0)
			return cgroup;
	}
	return NULL;
}
