/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/procfs_task.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/parse.h"

/* Of one file; maps of a large process is the longest (some 100 bytes a mapping). */
#define TASK_FILE_MAX ((size_t)64 << 20)

int procfs_task_open(struct procfs_task *ret, const struct procfs *proc, pid_t pid)
{
	char name[16];
	int fd;

	(void)snprintf(name, sizeof(name), "%d", pid);
	fd = fd_open_at(proc->fd, name, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	*ret = (struct procfs_task){ .fd = fd, .pid = pid };
	return 0;
}

void procfs_task_close(struct procfs_task *task)
{
	close_fd(&task->fd);
}

int procfs_task_read(const struct procfs_task *task, const char *name, struct strbuf *sb)
{
	return io_read_file_at(task->fd, name, TASK_FILE_MAX, sb);
}

int procfs_task_read_stat(const struct procfs_task *task, struct procfs_stat *ret)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = procfs_task_read(task, "stat", &text);

	return r < 0 ? r : procfs_stat_parse(ret, text.buf);
}

char *procfs_task_readlink(const struct procfs_task *task, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(task->fd, name, target, sizeof(target));

	if (n < 0)
		return NULL;
	return xstrndup(target, (size_t)n);
}

int procfs_task_namespace(const struct procfs_task *task, const char *name, uint64_t *ret)
{
	auto_free char *path = xasprintf("ns/%s", name);
	auto_free char *target = procfs_task_readlink(task, path);
	const char *open = target ? strchr(target, '[') : NULL;
	char *close_bracket = open ? strchr(open, ']') : NULL;

	if (!target)
		return -errno;
	if (!close_bracket)
		return -EBADMSG;
	*close_bracket = '\0';
	return parse_u64(open + 1, ret);
}

int procfs_task_list(const struct procfs_task *task, const char *name, struct procfs_numbers *ret)
{
	auto_close int fd = fd_open_at(task->fd, name, O_RDONLY | O_DIRECTORY, 0);
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)take_fd(fd);
	for (;;) {
		uint32_t number;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (parse_u32(entry->d_name, &number) == 0 && number <= INT32_MAX)
			*array_push(ret->v, ret->n) = (int)number;
	}
}

static int add_children(const struct procfs_task *task, int thread, struct procfs_numbers *ret)
{
	auto_free char *name = xasprintf("task/%d/children", thread);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = procfs_task_read(task, name, &text);
	char *rest = text.buf;
	char *word;

	if (r < 0)
		return r;
	while ((word = strsep(&rest, " \n"))) {
		uint32_t pid;

		if (*word && parse_u32(word, &pid) == 0 && pid <= INT32_MAX)
			*array_push(ret->v, ret->n) = (int)pid;
	}
	return 0;
}

int procfs_task_children(const struct procfs_task *task, struct procfs_numbers *ret)
{
	auto_procfs_numbers struct procfs_numbers threads = PROCFS_NUMBERS_INIT;
	int r = procfs_task_list(task, "task", &threads);

	if (r < 0)
		return r;
	for (size_t i = 0; i < threads.n; i++) {
		r = add_children(task, threads.v[i], ret);
		if (r < 0 && !procfs_task_is_gone(r))
			return r;
	}
	return 0;
}

void procfs_numbers_done(struct procfs_numbers *numbers)
{
	free(numbers->v);
	*numbers = (struct procfs_numbers)PROCFS_NUMBERS_INIT;
}
