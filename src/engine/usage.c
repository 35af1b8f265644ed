/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "kernel/cgroupfs.h"
#include "kernel/procfs.h"

#define FILE_MAX_BYTES (16U << 20)

/* The directory of the container's cgroup for a controller; NULL when there is none. Caller owns. */
static char *cgroup_dir(const struct container *c, const char *controller)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups groups = PROCFS_CGROUPS_INIT;
	struct cgroupfs_hierarchy *h;
	const struct procfs_cgroup *g;

	if (cgroupfs_open(&fs, NULL) < 0 || procfs_open(&proc, NULL) < 0 ||
	    procfs_read_cgroups(&proc, c->status.pid, &groups) < 0)
		return NULL;
	h = cgroupfs_find(&fs, fs.mode == CGROUPFS_V2 ? "" : controller);
	g = procfs_cgroups_find(&groups, fs.mode == CGROUPFS_V2 ? "" : controller);
	return h && g ? xasprintf("%s%s", h->mount_point, g->path) : NULL;
}

static bool read_text(const char *dir, const char *file, struct strbuf *sb)
{
	auto_free char *path = xasprintf("%s/%s", dir, file);

	strbuf_clear(sb);
	return io_read_file_at(AT_FDCWD, path, FILE_MAX_BYTES, sb) == 0;
}

static uint64_t read_number(const char *dir, const char *file)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	uint64_t v = 0;

	if (!dir || !read_text(dir, file, &sb))
		return 0;
	sb.buf[strcspn(sb.buf, "\n")] = '\0';
	if (str_eq(sb.buf, "max"))
		return UINT64_MAX;
	return parse_u64(sb.buf, &v) == 0 ? v : 0;
}

/* "key NUMBER" of a flat keyed file. */
static uint64_t read_key(const char *dir, const char *file, const char *key)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	char *rest;
	char *line;

	if (!dir || !read_text(dir, file, &sb))
		return 0;
	rest = sb.buf;
	while ((line = strsep(&rest, "\n"))) {
		const char *value = str_skip_prefix(line, key);
		uint64_t v;

		if (value && *value == ' ' && parse_u64(value + 1, &v) == 0)
			return v;
	}
	return 0;
}

/* All numbers behind this word: "8:0 Read 4096", "8:0 rbytes=4096". */
static uint64_t sum_word(const char *dir, const char *file, const char *word)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	uint64_t sum = 0;

	if (!dir || !read_text(dir, file, &sb))
		return 0;
	for (const char *at = strstr(sb.buf, word); at; at = strstr(at + 1, word))
		sum += strtoull(at + strlen(word), NULL, 10);
	return sum;
}

/* Its interfaces but the loopback one, as its own namespace counts them. */
static void read_network(const struct container *c, struct usage *ret)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	char *rest;
	char *line;

	if (str_eq(c->config.network, "host") || procfs_open(&proc, NULL) < 0 ||
	    procfs_read(&proc, c->status.pid, "net/dev", &sb) < 0)
		return;
	rest = sb.buf;
	while ((line = strsep(&rest, "\n"))) {
		char *colon = strchr(line, ':');
		unsigned long long in;
		unsigned long long out;

		line += strspn(line, " ");
		if (!colon || str_has_prefix(line, "lo:") ||
		    sscanf(colon + 1, " %llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &out) != 2)
			continue;
		ret->net_in += in;
		ret->net_out += out;
	}
}

static void read_v2(const char *dir, struct usage *ret)
{
	uint64_t cache = read_key(dir, "memory.stat", "inactive_file");

	ret->cpu_ns = read_key(dir, "cpu.stat", "usage_usec") * 1000;
	ret->cpu_system_ns = read_key(dir, "cpu.stat", "system_usec") * 1000;
	ret->memory = read_number(dir, "memory.current");
	ret->memory -= MIN(cache, ret->memory);
	ret->memory_limit = read_number(dir, "memory.max");
	ret->pids = read_number(dir, "pids.current");
	ret->block_in = sum_word(dir, "io.stat", "rbytes=");
	ret->block_out = sum_word(dir, "io.stat", "wbytes=");
}

static void read_v1(const struct container *c, struct usage *ret)
{
	auto_free char *cpu = cgroup_dir(c, "cpuacct");
	auto_free char *memory = cgroup_dir(c, "memory");
	auto_free char *pids = cgroup_dir(c, "pids");
	auto_free char *block = cgroup_dir(c, "blkio");
	uint64_t cache = read_key(memory, "memory.stat", "total_inactive_file");

	ret->cpu_ns = read_number(cpu, "cpuacct.usage");
	ret->cpu_system_ns = read_number(cpu, "cpuacct.usage_sys");
	ret->memory = read_number(memory, "memory.usage_in_bytes");
	ret->memory -= MIN(cache, ret->memory);
	ret->memory_limit = read_number(memory, "memory.limit_in_bytes");
	ret->pids = read_number(pids, "pids.current");
	ret->block_in = sum_word(block, "blkio.throttle.io_service_bytes", " Read ");
	ret->block_out = sum_word(block, "blkio.throttle.io_service_bytes", " Write ");
}

int usage_read(const struct container *c, struct usage *ret, struct err *err)
{
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	auto_free char *unified = NULL;
	struct sysinfo info;
	int r = cgroupfs_open(&fs, NULL);

	if (r < 0)
		return err_sys(err, r, "look for cgroups");
	*ret = (struct usage){ .started_ns = (uint64_t)c->status.started_ns };
	if (fs.mode == CGROUPFS_V2) {
		unified = cgroup_dir(c, "");
		if (unified)
			read_v2(unified, ret);
	} else {
		read_v1(c, ret);
	}
	read_network(c, ret);
	if (sysinfo(&info) == 0)
		ret->memory_limit = MIN(ret->memory_limit ? ret->memory_limit : UINT64_MAX,
					(uint64_t)info.totalram * info.mem_unit);
	return 0;
}

int usage_pids(const struct container *c, pid_t **ret, size_t *ret_n, struct err *err)
{
	auto_free char *dir = cgroup_dir(c, "pids");
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	char *rest;
	char *line;

	*ret = NULL;
	*ret_n = 0;
	if (!dir || !read_text(dir, "cgroup.procs", &sb))
		return err_set(err, ERR_SYSTEM, "read the processes of container '%s'",
			       c->config.name);
	rest = sb.buf;
	while ((line = strsep(&rest, "\n"))) {
		uint32_t pid;

		if (parse_u32(line, &pid) == 0)
			*array_push(*ret, *ret_n) = (pid_t)pid;
	}
	return 0;
}
