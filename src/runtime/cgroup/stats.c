/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/stats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strvec.h"
#include "runtime/cgroup/backend_internal.h"

/* --- reading files --------------------------------------------------------------------------- */

/* 1 with the text, 0 when there is no such file, or a negative errno. */
static int read_file(struct cgroup_node *node, const char *file, struct strbuf *text)
{
	int r = node ? cgroup_node_read(node, file, text) : -ENOENT;

	/* Pressure files of a kernel that was started without psi=1 are there, but cannot be read. */
	if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
		return 0;
	return r < 0 ? r : 1;
}

/* "max" is the largest number. A text that is no number is left alone: there is none such today. */
static void parse_number(const char *text, uint64_t *ret)
{
	if (str_eq(text, "max"))
		*ret = UINT64_MAX;
	else
		(void)parse_u64(text, ret);
}

/* One file that holds one number, for a member of struct cgroup_stats. */
struct number_file {
	const char *controller;
	const char *file;
	size_t offset;
};

#define NUMBER(controller, file, member)                                                           \
	{                                                                                          \
		(controller), (file), offsetof(struct cgroup_stats, member)                        \
	}

static const struct number_file numbers_v1[] = {
	NUMBER("cpuacct", "cpuacct.usage", cpu.usage.total),
	NUMBER("cpuset", "cpuset.cpu_exclusive", cpuset.cpu_exclusive),
	NUMBER("cpuset", "cpuset.mem_hardwall", cpuset.mem_hardwall),
	NUMBER("cpuset", "cpuset.mem_exclusive", cpuset.mem_exclusive),
	NUMBER("cpuset", "cpuset.memory_migrate", cpuset.memory_migrate),
	NUMBER("cpuset", "cpuset.memory_spread_page", cpuset.memory_spread_page),
	NUMBER("cpuset", "cpuset.memory_spread_slab", cpuset.memory_spread_slab),
	NUMBER("cpuset", "cpuset.memory_pressure", cpuset.memory_pressure),
	NUMBER("cpuset", "cpuset.sched_load_balance", cpuset.sched_load_balance),
	NUMBER("memory", "memory.usage_in_bytes", memory.usage.usage),
	NUMBER("memory", "memory.limit_in_bytes", memory.usage.limit),
	NUMBER("memory", "memory.max_usage_in_bytes", memory.usage.max),
	NUMBER("memory", "memory.failcnt", memory.usage.failcnt),
	NUMBER("memory", "memory.memsw.usage_in_bytes", memory.swap.usage),
	NUMBER("memory", "memory.memsw.limit_in_bytes", memory.swap.limit),
	NUMBER("memory", "memory.memsw.max_usage_in_bytes", memory.swap.max),
	NUMBER("memory", "memory.memsw.failcnt", memory.swap.failcnt),
	NUMBER("memory", "memory.kmem.usage_in_bytes", memory.kernel.usage),
	NUMBER("memory", "memory.kmem.limit_in_bytes", memory.kernel.limit),
	NUMBER("memory", "memory.kmem.max_usage_in_bytes", memory.kernel.max),
	NUMBER("memory", "memory.kmem.failcnt", memory.kernel.failcnt),
	NUMBER("memory", "memory.kmem.tcp.usage_in_bytes", memory.kernel_tcp.usage),
	NUMBER("memory", "memory.kmem.tcp.limit_in_bytes", memory.kernel_tcp.limit),
	NUMBER("memory", "memory.kmem.tcp.max_usage_in_bytes", memory.kernel_tcp.max),
	NUMBER("memory", "memory.kmem.tcp.failcnt", memory.kernel_tcp.failcnt),
	NUMBER("pids", "pids.current", pids.current),
	NUMBER("pids", "pids.max", pids.limit),
};

static const struct number_file numbers_v2[] = {
	NUMBER("memory", "memory.current", memory.usage.usage),
	NUMBER("memory", "memory.max", memory.usage.limit),
	NUMBER("memory", "memory.peak", memory.usage.max), /* Linux 5.19 */
	NUMBER("memory", "memory.swap.current", memory.swap.usage),
	NUMBER("memory", "memory.swap.max", memory.swap.limit),
	NUMBER("pids", "pids.current", pids.current),
	NUMBER("pids", "pids.max", pids.limit),
};

static int read_number(struct cgroup_node *node, const char *file, uint64_t *ret)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = read_file(node, file, &text);

	if (r > 0)
		parse_number(text.buf, ret);
	return r;
}

static struct cgroup_node *node_of(const struct cgroup *cg, const char *controller)
{
	return cg->is_v2 ? cgroup_unified(cg) : cgroup_node_find(cg, controller);
}

static int read_numbers(const struct cgroup *cg, const struct number_file *files, size_t n,
			struct cgroup_stats *stats)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t *member = (uint64_t *)(void *)((char *)stats + files[i].offset);
		int r = read_number(node_of(cg, files[i].controller), files[i].file, member);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Lines "name number": calls fn for each; 1, or 0 when there is no such file. */
typedef void (*pair_fn)(void *into, const char *name, uint64_t value);

static int read_pairs(struct cgroup_node *node, const char *file, pair_fn fn, void *into)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = read_file(node, file, &text);
	char *rest = text.buf;
	char *line;

	while (r > 0 && (line = strsep(&rest, "\n"))) {
		char *name = strsep(&line, " ");
		uint64_t value;

		if (line && parse_u64(line, &value) == 0)
			fn(into, name, value);
	}
	return r;
}

/* --- cpu --------------------------------------------------------------------------------------- */

static void take_cpu_stat_v1(void *into, const char *name, uint64_t value)
{
	struct cgroup_cpu_throttling *t = into;

	if (str_eq(name, "nr_periods"))
		t->periods = value;
	else if (str_eq(name, "nr_throttled"))
		t->throttled_periods = value;
	else if (str_eq(name, "throttled_time"))
		t->throttled_time = value;
}

static void take_cpuacct_stat(void *into, const char *name, uint64_t value)
{
	struct cgroup_cpu_usage *usage = into;
	uint64_t tick_ns = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);

	if (str_eq(name, "user"))
		usage->user = value * tick_ns;
	else if (str_eq(name, "system"))
		usage->kernel = value * tick_ns;
}

static void take_cpu_stat_v2(void *into, const char *name, uint64_t value)
{
	struct cgroup_cpu_stats *cpu = into;

	if (str_eq(name, "usage_usec"))
		cpu->usage.total = value * 1000;
	else if (str_eq(name, "user_usec"))
		cpu->usage.user = value * 1000;
	else if (str_eq(name, "system_usec"))
		cpu->usage.kernel = value * 1000;
	else if (str_eq(name, "nr_periods"))
		cpu->throttling.periods = value;
	else if (str_eq(name, "nr_throttled"))
		cpu->throttling.throttled_periods = value;
	else if (str_eq(name, "throttled_usec"))
		cpu->throttling.throttled_time = value * 1000;
}

static void add_number(struct json_object **list, const char *text)
{
	uint64_t value;

	if (parse_u64(text, &value) < 0)
		return;
	if (!*list)
		*list = json_object_new_array();
	json_object_array_add(*list, json_object_new_uint64(value));
}

/* "cpu user system", then a line for each CPU. */
static int read_usage_all(struct cgroup_node *node, struct cgroup_cpu_usage *usage)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = read_file(node, "cpuacct.usage_all", &text);
	char *rest = text.buf;
	char *line;

	while (r > 0 && (line = strsep(&rest, "\n"))) {
		(void)strsep(&line, " ");
		if (!line || !strchr(line, ' '))
			continue;
		add_number(&usage->percpu_user, strsep(&line, " "));
		add_number(&usage->percpu_kernel, line);
	}
	return r;
}

static int read_percpu(struct cgroup_node *node, struct cgroup_cpu_usage *usage)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = read_file(node, "cpuacct.usage_percpu", &text);
	char *rest = text.buf;
	char *word;

	while (r > 0 && (word = strsep(&rest, " ")))
		add_number(&usage->percpu, word);
	return r;
}

static int read_cpu(const struct cgroup *cg, struct cgroup_cpu_stats *cpu)
{
	struct cgroup_node *cpuacct = node_of(cg, "cpuacct");
	int r;

	if (cg->is_v2)
		return read_pairs(cgroup_unified(cg), "cpu.stat", take_cpu_stat_v2, cpu);
	r = read_pairs(node_of(cg, "cpu"), "cpu.stat", take_cpu_stat_v1, &cpu->throttling);
	if (r >= 0)
		r = read_pairs(cpuacct, "cpuacct.stat", take_cpuacct_stat, &cpu->usage);
	if (r >= 0)
		r = read_percpu(cpuacct, &cpu->usage);
	return r < 0 ? r : read_usage_all(cpuacct, &cpu->usage);
}

/* --- cpuset ------------------------------------------------------------------------------------ */

/* "0-3,8" as numbers; a list of the kernel's, so its bounds are sane. */
static void expand_list(char *text, uint32_t **ret, size_t *ret_n)
{
	char *part;

	while ((part = strsep(&text, ","))) {
		char *dash = strchr(part, '-');
		uint32_t first;
		uint32_t last;

		if (dash)
			*dash = '\0';
		if (parse_u32(part, &first) < 0)
			continue;
		last = first;
		if (dash && parse_u32(dash + 1, &last) < 0)
			continue;
		for (uint32_t i = first; i <= last && i - first < 65536; i++)
			*array_push(*ret, *ret_n) = i;
	}
}

static int read_list(struct cgroup_node *node, const char *file, uint32_t **ret, size_t *ret_n)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = read_file(node, file, &text);

	if (r > 0)
		expand_list(text.buf, ret, ret_n);
	return r;
}

static int read_cpuset(const struct cgroup *cg, struct cgroup_cpuset_stats *cpuset)
{
	struct cgroup_node *node = cg->is_v2 ? NULL : cgroup_node_find(cg, "cpuset");
	auto_strbuf struct strbuf level = STRBUF_INIT;
	int r = read_list(node, "cpuset.cpus", &cpuset->cpus, &cpuset->n_cpus);

	if (r >= 0)
		r = read_list(node, "cpuset.mems", &cpuset->mems, &cpuset->n_mems);
	if (r >= 0)
		r = read_file(node, "cpuset.sched_relax_domain_level", &level);
	if (r > 0)
		(void)parse_i64(level.buf, &cpuset->sched_relax_domain_level);
	return r;
}

/* --- memory ------------------------------------------------------------------------------------ */

static void take_memory_stat(void *into, const char *name, uint64_t value)
{
	struct cgroup_memory_stats *memory = into;

	if (!memory->raw)
		memory->raw = json_object_new_object();
	json_object_object_add(memory->raw, name, json_object_new_uint64(value));
	if (str_eq(name, "cache") || str_eq(name, "file"))
		memory->cache = value;
}

static int read_memory(const struct cgroup *cg, struct cgroup_memory_stats *memory)
{
	int r = read_pairs(node_of(cg, "memory"), "memory.stat", take_memory_stat, memory);

	/* As v1 has it: swap means the sum. */
	if (cg->is_v2 && r > 0 && memory->swap.limit) {
		memory->swap.usage += memory->usage.usage;
		if (memory->swap.limit != UINT64_MAX && memory->usage.limit != UINT64_MAX)
			memory->swap.limit += memory->usage.limit;
		else
			memory->swap.limit = UINT64_MAX;
	}
	return r;
}

/* --- block I/O ----------------------------------------------------------------------------------- */

static struct cgroup_block_io_entry *add_entry(struct cgroup_block_io_entry **list, size_t *n,
					       const char *device, const char *op, uint64_t value)
{
	auto_free char *major = xstrdup(device);
	char *minor = strchr(major, ':');
	struct cgroup_block_io_entry *entry;

	if (!minor)
		return NULL;
	*minor++ = '\0';
	entry = array_push(*list, *n);
	(void)parse_u64(major, &entry->major);
	(void)parse_u64(minor, &entry->minor);
	entry->op = xstrdup(op);
	entry->value = value;
	return entry;
}

/* v1: lines "8:0 Read 4096", and "Total 4096" at the end. */
static int read_block_io_v1(struct cgroup_node *node, const char *file,
			    struct cgroup_block_io_entry **list, size_t *n)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = read_file(node, file, &text);
	char *rest = text.buf;
	char *line;

	while (r > 0 && (line = strsep(&rest, "\n"))) {
		char *device = strsep(&line, " ");
		char *op = strsep(&line, " ");
		uint64_t value;

		if (op && line && parse_u64(line, &value) == 0)
			(void)add_entry(list, n, device, op, value);
	}
	return r;
}

/* v2: lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6". */
static int read_block_io_v2(struct cgroup_node *node, struct cgroup_block_io_stats *stats)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = read_file(node, "io.stat", &text);
	char *rest = text.buf;
	char *line;

	while (r > 0 && (line = strsep(&rest, "\n"))) {
		char *device = strsep(&line, " ");
		char *word;

		while ((word = strsep(&line, " "))) {
			const char *number = strchr(word, '=');
			const char *op = word[0] == 'r' ? "Read" : "Write";
			uint64_t value;

			if (!number || parse_u64(number + 1, &value) < 0 || !strchr("rw", word[0]))
				continue;
			if (str_has_prefix(word + 1, "bytes="))
				(void)add_entry(&stats->service_bytes, &stats->n_service_bytes,
						device, op, value);
			else if (str_has_prefix(word + 1, "ios="))
				(void)add_entry(&stats->serviced, &stats->n_serviced, device, op,
						value);
		}
	}
	return r;
}

/* The scheduler's own figures where it has any, else those of the throttling layer, as runc does. */
static int read_block_io(const struct cgroup *cg, struct cgroup_block_io_stats *stats)
{
	static const char *const layers[] = { "blkio.bfq", "blkio.throttle" };
	struct cgroup_node *node = node_of(cg, "blkio");

	if (cg->is_v2)
		return read_block_io_v2(node, stats);
	for (size_t i = 0; i < ARRAY_SIZE(layers) && stats->n_serviced == 0; i++) {
		auto_free char *bytes = xasprintf("%s.io_service_bytes_recursive", layers[i]);
		auto_free char *count = xasprintf("%s.io_serviced_recursive", layers[i]);
		int r = read_block_io_v1(node, bytes, &stats->service_bytes,
					 &stats->n_service_bytes);

		if (r >= 0)
			r = read_block_io_v1(node, count, &stats->serviced, &stats->n_serviced);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- huge pages ---------------------------------------------------------------------------------- */

static void take_hugetlb_event(void *into, const char *name, uint64_t value)
{
	if (str_eq(name, "max"))
		*(uint64_t *)into = value;
}

static int read_hugetlb_size(struct cgroup_node *node, const char *size,
			     struct cgroup_hugetlb_stats *entry)
{
	auto_free char *current =
		xasprintf("hugetlb.%s.%s", size, node->unified ? "current" : "usage_in_bytes");
	auto_free char *max = xasprintf("hugetlb.%s.max_usage_in_bytes", size);
	auto_free char *failcnt = xasprintf("hugetlb.%s.failcnt", size);
	auto_free char *events = xasprintf("hugetlb.%s.events", size);
	int r = read_number(node, current, &entry->usage);

	if (r >= 0 && node->unified)
		return read_pairs(node, events, take_hugetlb_event, &entry->failcnt);
	if (r >= 0)
		r = read_number(node, max, &entry->max);
	return r < 0 ? r : read_number(node, failcnt, &entry->failcnt);
}

/* The sizes are those that the directory has files for. */
static int read_hugetlb(const struct cgroup *cg, struct cgroup_stats *stats)
{
	struct cgroup_node *node = node_of(cg, "hugetlb");
	auto_strvec struct strvec names = STRVEC_INIT;
	const char *suffix;
	int r = 0;

	/* On a hybrid host it may be the one controller of the v2 tree. */
	if (!node)
		node = cgroup_unified(cg);
	if (node)
		(void)fs_list(AT_FDCWD, node->path, &names);
	suffix = node && node->unified ? ".current" : ".usage_in_bytes";
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		const char *name = str_skip_prefix(names.v[i], "hugetlb.");
		struct cgroup_hugetlb_stats *one;

		if (!name || !str_has_suffix(name, suffix) || strstr(name, ".rsvd"))
			continue;
		one = array_push(stats->hugetlb, stats->n_hugetlb);
		one->size = xstrndup(name, strlen(name) - strlen(suffix));
		r = read_hugetlb_size(node, one->size, one);
	}
	return r;
}

/* --- pressure ------------------------------------------------------------------------------------ */

static void parse_psi_line(char *line, struct cgroup_psi *psi)
{
	char *kind = strsep(&line, " ");
	struct cgroup_psi_line *to = str_eq(kind, "full") ? &psi->full : &psi->some;
	char *word;

	while ((word = strsep(&line, " "))) {
		const char *value = strchr(word, '=');

		if (!value++)
			continue;
		if (str_has_prefix(word, "avg10="))
			to->avg10 = (struct opt_double){ true, strtod(value, NULL) };
		else if (str_has_prefix(word, "avg60="))
			to->avg60 = (struct opt_double){ true, strtod(value, NULL) };
		else if (str_has_prefix(word, "avg300="))
			to->avg300 = (struct opt_double){ true, strtod(value, NULL) };
		else if (str_has_prefix(word, "total="))
			(void)parse_u64(value, &to->total);
	}
}

static int read_psi(const struct cgroup *cg, const char *file, struct cgroup_psi **ret)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = cg->is_v2 ? read_file(cgroup_unified(cg), file, &text) : 0;
	char *rest = text.buf;
	char *line;

	if (r <= 0)
		return r;
	*ret = xcalloc(1, sizeof(**ret));
	while ((line = strsep(&rest, "\n")))
		parse_psi_line(line, *ret);
	return 0;
}

/* --- all ------------------------------------------------------------------------------------------ */

static int read_all(const struct cgroup *cg, struct cgroup_stats *stats)
{
	int r = cg->is_v2 ? read_numbers(cg, numbers_v2, ARRAY_SIZE(numbers_v2), stats) :
			    read_numbers(cg, numbers_v1, ARRAY_SIZE(numbers_v1), stats);

	if (stats->pids.limit == UINT64_MAX)
		stats->pids.limit = 0;
	if (r >= 0)
		r = read_cpu(cg, &stats->cpu);
	if (r >= 0)
		r = read_cpuset(cg, &stats->cpuset);
	if (r >= 0)
		r = read_memory(cg, &stats->memory);
	if (r >= 0)
		r = read_block_io(cg, &stats->block_io);
	if (r >= 0)
		r = read_hugetlb(cg, stats);
	if (r >= 0)
		r = read_psi(cg, "cpu.pressure", &stats->cpu.psi);
	if (r >= 0)
		r = read_psi(cg, "memory.pressure", &stats->memory.psi);
	return r < 0 ? r : read_psi(cg, "io.pressure", &stats->block_io.psi);
}

int cgroup_stats_read(struct cgroup *cg, struct cgroup_stats *ret, struct err *err)
{
	int r;

	*ret = (struct cgroup_stats){ 0 };
	if (cg->n_nodes == 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "read statistics: the container has no cgroup");
	r = read_all(cg, ret);
	if (r < 0) {
		json_done(&cgroup_stats_desc, ret);
		return err_sys(err, r, "read statistics of cgroup '%s'", cg->node[0].path);
	}
	return 0;
}
