/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/proc.h"
#include "core/program.h"
#include "core/str.h"
#include "core/strvec.h"
#include "kernel/caps.h"

#define SUBID_FILE_MAX (16U << 20)
#define HELPER_OUTPUT_MAX 4096

/* ---- /etc/subuid ---- */

/* "name:first:count" of that user; cuts the line. */
static bool read_line(char *line, const char *name, const char *number, uint32_t *ret_first,
		      uint32_t *ret_count)
{
	const char *user = strsep(&line, ":");
	const char *first = strsep(&line, ":");

	return first && line && (str_eq(user, name) || str_eq(user, number)) &&
	       parse_u32(first, ret_first) == 0 && parse_u32(line, ret_count) == 0 &&
	       *ret_count > 0;
}

int subid_load(struct idmap *ret, const char *path, const char *name, uid_t uid)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char *rest;
	char *line;
	char number[16];
	uint32_t inside = 0;
	int r;

	r = io_read_file_at(AT_FDCWD, path, SUBID_FILE_MAX, &text);
	if (r < 0)
		return r;
	(void)snprintf(number, sizeof(number), "%u", uid);
	rest = text.buf;
	while ((line = strsep(&rest, "\n"))) {
		uint32_t first = 0;
		uint32_t count = 0;

		if (!read_line(line, name, number, &first, &count))
			continue;
		idmap_add(ret, inside, first, count);
		inside += count;
	}
	return 0;
}

/* ---- writing maps ---- */

enum subid_way subid_choose(const struct idmap *map, uint32_t own_id, bool has_capability)
{
	if (has_capability)
		return SUBID_DIRECT;
	if (map->n == 1 && map->v[0].size == 1 && map->v[0].outside == own_id)
		return SUBID_OWN_ID;
	return SUBID_HELPER;
}

static int write_proc_file(pid_t pid, const char *name, const char *text, struct err *err)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	r = io_write_file_at(AT_FDCWD, path, text);
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

static int write_map(pid_t pid, const char *name, const struct idmap *map, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	idmap_format(map, &text);
	r = write_proc_file(pid, name, text.buf, err);
	if (r == -EPERM)
		err_append(err, "; an id of the mapping is not mapped in our own user namespace");
	return r;
}

/* Run the program with its messages caught. */
static int run_helper(char *const *argv, struct strbuf *ret_output, int *ret_status)
{
	auto_proc struct proc proc = PROC_INIT;
	auto_close int read_fd = -EBADF;
	auto_close int write_fd = -EBADF;
	struct proc_spawn_opts opts = { .argv = argv, .stdio = { -1, -1, -1 } };
	int ends[2];
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_fd = ends[0];
	write_fd = ends[1];
	opts.stdio[2] = write_fd;
	r = proc_spawn(&proc, &opts);
	if (r < 0)
		return r;
	close_fd(&write_fd);
	r = io_read_all(read_fd, HELPER_OUTPUT_MAX, ret_output);
	if (r < 0 && r != -EFBIG)
		return r;
	close_fd(&read_fd);
	return proc_wait(&proc, -1, ret_status);
}

static int map_by_helper(const char *name, pid_t pid, const struct idmap *map, struct err *err)
{
	auto_strvec struct strvec args = STRVEC_INIT;
	auto_strbuf struct strbuf output = STRBUF_INIT;
	char *helper = program_find(name);
	int status = 0;
	int r;

	if (!helper)
		return err_set(err, ERR_NOT_FOUND,
			       "map ids into the user namespace: '%s' is not on PATH; install it "
			       "(package uidmap), or map only your own id",
			       name);
	strvec_add_take(&args, helper);
	strvec_addf(&args, "%d", pid);
	for (size_t i = 0; i < map->n; i++) {
		strvec_addf(&args, "%u", map->v[i].inside);
		strvec_addf(&args, "%u", map->v[i].outside);
		strvec_addf(&args, "%u", map->v[i].size);
	}
	r = run_helper(args.v, &output, &status);
	if (r < 0)
		return err_sys(err, r, "run '%s'", helper);
	if (status == 0)
		return 0;
	while (output.len > 0 && output.buf[output.len - 1] == '\n')
		strbuf_truncate(&output, output.len - 1);
	return err_set(err, ERR_REMOTE, "map ids into the user namespace: %s: %s%s%s", name,
		       proc_status_to_string(status), output.len ? ": " : "", output.buf);
}

int subid_write_maps(pid_t pid, const struct idmap *uids, const struct idmap *gids, struct err *err)
{
	struct caps_sets caps;
	enum subid_way way;
	int r;

	r = caps_get(&caps);
	if (r < 0)
		return err_sys(err, r, "read capabilities");
	way = subid_choose(uids, geteuid(), caps.effective & CAPS_BIT(CAP_SETUID));
	if (way == SUBID_HELPER)
		r = map_by_helper("newuidmap", pid, uids, err);
	else
		r = write_map(pid, "uid_map", uids, err);
	if (r < 0)
		return r;
	way = subid_choose(gids, getegid(), caps.effective & CAPS_BIT(CAP_SETGID));
	if (way == SUBID_HELPER)
		return map_by_helper("newgidmap", pid, gids, err);
	if (way == SUBID_OWN_ID)
		r = write_proc_file(pid, "setgroups", "deny", err);
	return r < 0 ? r : write_map(pid, "gid_map", gids, err);
}
