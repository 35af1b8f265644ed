/* SPDX-License-Identifier: Apache-2.0 */
/* top and stats: what containers do at the moment. */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/targets.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "cli/table.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/records.h"
#include "engine/usage.h"
#include "engine/users.h"
#include "kernel/procfs.h"

/* --- top -------------------------------------------------------------------------------------------- */

struct process {
	pid_t pid;
	struct procfs_stat stat;
	uint64_t ticks; /* user and system */
	uint64_t rss_pages;
	uint64_t vsize;
	int nice;
};

struct descriptor {
	const char *name;
	const char *heading;
	void (*add)(const struct process *p, const struct procfs *proc, struct strbuf *sb);
};

/* The last number of a line of status: what it is in the container's namespace. */
static char *last_word(const struct procfs *proc, pid_t pid, const char *field)
{
	auto_free char *text = procfs_status_field(proc, pid, field);
	const char *word = text ? strrchr(text, '\t') : NULL;

	return xstrdup(word ? word + 1 : text ? text : "?");
}

static void add_hpid(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%d", p->pid);
}

static void add_pid(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_free char *word = last_word(proc, p->pid, "NSpid");

	strbuf_adds(sb, word);
}

static void add_ppid(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_free char *own = procfs_status_field(proc, p->pid, "NSpid");
	auto_free char *parent = procfs_status_field(proc, p->stat.ppid, "NSpid");
	size_t depth = 0;
	size_t parent_depth = 0;

	for (const char *c = own; c && *c; c++)
		depth += *c == '\t';
	for (const char *c = parent; c && *c; c++)
		parent_depth += *c == '\t';
	if (!parent || depth != parent_depth)
		strbuf_adds(sb, "0");
	else
		strbuf_adds(sb, strrchr(parent, '\t') ? strrchr(parent, '\t') + 1 : parent);
}

static uint32_t first_id(const struct procfs *proc, pid_t pid, const char *field)
{
	auto_free char *text = procfs_status_field(proc, pid, field);
	uint32_t id = 0;

	if (text)
		text[strcspn(text, "\t ")] = '\0';
	return text && parse_u32(text, &id) == 0 ? id : 0;
}

/* By the container's own /etc/passwd or /etc/group; a number where these do not know it. */
static void add_name(const struct process *p, const struct procfs *proc, bool is_group,
		     struct strbuf *sb)
{
	uint32_t id = first_id(proc, p->pid, is_group ? "Gid" : "Uid");
	auto_free char *path = xasprintf("/proc/%d/root", p->pid);
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_free char *name =
		rooted_open(&root, AT_FDCWD, path) == 0 ? users_name_of(&root, id, is_group) : NULL;

	if (name)
		strbuf_adds(sb, name);
	else
		strbuf_addf(sb, "%u", id);
}

static void add_user(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name(p, proc, false, sb);
}

static void add_group(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	add_name(p, proc, true, sb);
}

static double age_seconds(const struct process *p)
{
	auto_free char *line = io_read_line_at(AT_FDCWD, "/proc/uptime");
	double uptime = line ? strtod(line, NULL) : 0;

	return uptime - (double)p->stat.start_time / (double)sysconf(_SC_CLK_TCK);
}

static void add_time_text(double seconds, struct strbuf *sb)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	uint64_t s = seconds > 0 ? (uint64_t)seconds : 0;

	if (s >= 3600)
		strbuf_addf(&text, "%lluh", (unsigned long long)(s / 3600));
	if (s >= 60)
		strbuf_addf(&text, "%llum", (unsigned long long)(s / 60 % 60));
	strbuf_addf(&text, "%llus", (unsigned long long)(s % 60));
	strbuf_adds(sb, text.buf);
}

static void add_etime(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	add_time_text(age_seconds(p), sb);
}

static void add_time(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	add_time_text((double)p->ticks / (double)sysconf(_SC_CLK_TCK), sb);
}

static void add_pcpu(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	double age = age_seconds(p);

	strbuf_addf(sb, "%.3f",
		    age > 0 ? 100 * (double)p->ticks / (double)sysconf(_SC_CLK_TCK) / age : 0);
}

static void add_tty(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	struct procfs_path path = procfs_path(p->pid, "fd/0");
	char target[64];
	ssize_t n = readlinkat(proc->fd, path.text, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	strbuf_adds(sb, str_has_prefix(target, "/dev/pts/") ? target + 5 : "?");
}

static void add_args(const struct process *p, const struct procfs *proc, struct strbuf *sb)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;

	if (procfs_read(proc, p->pid, "cmdline", &line) < 0 || line.len == 0) {
		strbuf_addf(sb, "[%s]", p->stat.comm);
		return;
	}
	for (size_t i = 0; i + 1 < line.len; i++)
		strbuf_addc(sb, line.buf[i] ? line.buf[i] : ' ');
}

static void add_comm(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_adds(sb, p->stat.comm);
}

static void add_state(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addc(sb, p->stat.state);
}

static void add_nice(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%d", p->nice);
}

static void add_vsz(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%llu", (unsigned long long)(p->vsize / 1024));
}

static void add_rss(const struct process *p, const struct procfs *proc UNUSED, struct strbuf *sb)
{
	strbuf_addf(sb, "%llu",
		    (unsigned long long)(p->rss_pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024));
}

static const struct descriptor descriptors[] = {
	{ "user", "USER", add_user },	   { "pid", "PID", add_pid },
	{ "ppid", "PPID", add_ppid },	   { "pcpu", "%CPU", add_pcpu },
	{ "etime", "ELAPSED", add_etime }, { "tty", "TTY", add_tty },
	{ "time", "TIME", add_time },	   { "args", "COMMAND", add_args },
	{ "comm", "COMMAND", add_comm },   { "hpid", "HPID", add_hpid },
	{ "group", "GROUP", add_group },   { "state", "STATE", add_state },
	{ "nice", "NI", add_nice },	   { "vsz", "VSZ", add_vsz },
	{ "rss", "RSS", add_rss },
};
static const char *const default_descriptors[] = { "user",  "pid", "ppid", "pcpu",
						   "etime", "tty", "time", "args" };

static const struct descriptor *find_descriptor(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++)
		if (str_eq(descriptors[i].name, name))
			return &descriptors[i];
	return NULL;
}

/* utime, stime, nice, vsize and rss: fields 14, 15, 19, 23, 24 of proc_pid_stat(5). */
static int read_process(const struct procfs *proc, pid_t pid, struct process *ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	unsigned long long utime = 0;
	unsigned long long stime = 0;
	unsigned long long vsize = 0;
	unsigned long long rss = 0;
	long nice_value = 0;
	const char *rest;

	*ret = (struct process){ .pid = pid };
	if (procfs_read(proc, pid, "stat", &sb) < 0 || procfs_stat_parse(&ret->stat, sb.buf) < 0)
		return -ESRCH;
	rest = strrchr(sb.buf, ')');
	if (rest)
		(void)sscanf(
			rest + 1,
			" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %ld "
			"%*d %*d %*u %llu %llu",
			&utime, &stime, &nice_value, &vsize, &rss);
	ret->ticks = utime + stime;
	ret->nice = (int)nice_value;
	ret->vsize = vsize;
	ret->rss_pages = rss;
	return 0;
}

struct top_cli {
	bool latest;
};

/* DESCRIPTOR,DESCRIPTOR ... or the default ones; at most one of each. */
static int choose_descriptors(const struct cli_invocation *inv, size_t first,
			      const struct descriptor **ret, size_t *ret_n, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	for (size_t i = first; i < inv->n_args; i++)
		strvec_split(&names, inv->args[i], ',', false);
	if (names.n == 0)
		for (size_t i = 0; i < ARRAY_SIZE(default_descriptors); i++)
			strvec_add(&names, default_descriptors[i]);
	*ret_n = 0;
	for (size_t i = 0; i < names.n; i++) {
		const struct descriptor *d = find_descriptor(names.v[i]);

		if (!d || *ret_n == ARRAY_SIZE(descriptors))
			return err_set(
				err, ERR_UNSUPPORTED,
				"descriptor '%s': not supported; there are user, group, pid, "
				"ppid, hpid, pcpu, etime, time, tty, state, nice, vsz, rss, comm "
				"and args",
				names.v[i]);
		ret[(*ret_n)++] = d;
	}
	return 0;
}

static int run_top(const struct cli_invocation *inv, struct err *err)
{
	const struct top_cli *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	const struct descriptor *columns[ARRAY_SIZE(descriptors)];
	size_t n_columns = 0;
	auto_cli_text_table struct cli_text_table table = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_free pid_t *pids = NULL;
	size_t n_pids = 0;
	int r;

	if (inv->n_args == 0 && !o->latest)
		return err_set(err, ERR_USAGE, "top needs a container");
	r = targets_one(inv, o->latest, false, &c, err);
	if (r == 0 && !container_is_alive(&c))
		r = err_set(err, ERR_STATE,
			    "top can only be used on running containers: '%s' is %s", c.config.name,
			    container_phase_to_string(c.status.phase));
	if (r == 0)
		r = choose_descriptors(inv, o->latest ? 0 : 1, columns, &n_columns, err);
	if (r == 0)
		r = usage_pids(&c, &pids, &n_pids, err);
	if (r == 0 && procfs_open(&proc, NULL) < 0)
		r = err_set(err, ERR_SYSTEM, "open '/proc'");
	if (r < 0)
		return r;
	table.n_columns = n_columns;
	for (size_t i = 0; i < n_columns; i++)
		cli_text_table_add(&table, columns[i]->heading);
	for (size_t k = 0; k < n_pids; k++) {
		struct process p;

		if (read_process(&proc, pids[k], &p) < 0)
			continue;
		for (size_t i = 0; i < n_columns; i++) {
			auto_strbuf struct strbuf cell = STRBUF_INIT;

			columns[i]->add(&p, &proc, &cell);
			cli_text_table_add(&table, cell.buf);
		}
	}
	cli_text_table_format(&table, 12, 2, &out);
	return cli_print(out.buf, err);
}

static const struct cli_option top_rows[] = {
	OPT_FLAG(struct top_cli, latest, "latest", 'l', "the newest container"),
};

const struct cli_command floe_top_command = {
	.name = "top",
	.arguments = "CONTAINER [DESCRIPTOR...]",
	.summary = "show the processes of a container",
	CLI_OPTIONS(struct top_cli, top_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.argument_source = FLOE_CONTAINERS,
	.run = run_top,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- stats ------------------------------------------------------------------------------------------ */

struct stats_cli {
	const char *format;
	struct opt_u64 interval;
	bool all, latest, no_stream, no_reset, no_trunc;
};

struct sample {
	char *id;
	struct usage usage;
	uint64_t at_ns;
};

struct stats {
	struct sample *v;
	size_t n;
};

static double cpu_percent(const struct usage *now, const struct sample *before, uint64_t at_ns)
{
	uint64_t wall = before ? at_ns - before->at_ns : at_ns - now->started_ns;
	uint64_t cpu = now->cpu_ns - (before ? before->usage.cpu_ns : 0);

	return wall > 0 ? 100.0 * (double)cpu / (double)wall : 0;
}

static void add_pair(struct json_object *o, const char *key, uint64_t a, uint64_t b)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	view_size((double)a, &sb);
	strbuf_adds(&sb, " / ");
	view_size((double)b, &sb);
	view_add(o, key, sb.buf);
}

static void add_percent(struct json_object *o, const char *key, double value)
{
	auto_free char *text = xasprintf("%.2f%%", value);

	view_add(o, key, text);
}

static struct json_object *stats_row(const struct container *c, const struct usage *u,
				     const struct sample *before, uint64_t at_ns, bool as_json,
				     bool no_trunc)
{
	struct json_object *o = json_object_new_object();
	auto_free char *cpu = xasprintf("%.6fs", (double)u->cpu_ns / 1e9);
	double memory = u->memory_limit ? 100.0 * (double)u->memory / (double)u->memory_limit : 0;
	auto_free char *pids = xasprintf("%llu", (unsigned long long)u->pids);
	char id[13];

	view_add(o, as_json ? "id" : "ID",
		 no_trunc ? c->config.id : container_short_id(c->config.id, id));
	view_add(o, as_json ? "name" : "Name", c->config.name);
	view_add(o, as_json ? "cpu_time" : "CPUTime", cpu);
	add_percent(o, as_json ? "cpu_percent" : "CPUPerc", cpu_percent(u, before, at_ns));
	add_percent(o, as_json ? "avg_cpu" : "AVGCPU", cpu_percent(u, NULL, at_ns));
	add_pair(o, as_json ? "mem_usage" : "MemUsage", u->memory, u->memory_limit);
	add_percent(o, as_json ? "mem_percent" : "MemPerc", memory);
	add_pair(o, as_json ? "net_io" : "NetIO", u->net_in, u->net_out);
	add_pair(o, as_json ? "block_io" : "BlockIO", u->block_in, u->block_out);
	view_add(o, as_json ? "pids" : "PIDS", pids);
	return o;
}

static const struct sample *find_sample(const struct stats *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->v[i].id, id))
			return &s->v[i];
	return NULL;
}

static void stats_done(struct stats *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].id);
	free(s->v);
	*s = (struct stats){ 0 };
}

static int choose(const struct cli_invocation *inv, const struct stats_cli *o, struct strvec *ids,
		  struct err *err)
{
	struct engine *e = floe_engine(inv);
	int r = 0;

	for (size_t i = 0; r == 0 && i < inv->n_args; i++) {
		char *id = NULL;

		r = record_find(e, inv->args[i], &id, err);
		if (r == 0)
			strvec_add_take(ids, id);
	}
	if (r == 0 && inv->n_args == 0)
		r = record_ids(e, ids, err);
	while (r == 0 && o->latest && ids->n > 1)
		strvec_remove(ids, 0);
	return r;
}

static int one_round(const struct cli_invocation *inv, const struct stats_cli *o,
		     const struct strvec *ids, struct stats *stats, struct strbuf *out,
		     struct err *err)
{
	struct engine *e = floe_engine(inv);
	bool as_json = str_eq(o->format, "json");
	struct stats next = { 0 };
	struct json_object *headings = json_object_new_object();
	struct gotemplate_list list = {
		.format = o->format ? o->format :
				      "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t"
				      "{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDS}}\t"
				      "{{.CPUTime}}\t{{.AVGCPU}}",
		.rows = json_object_new_array(),
		.headings = headings,
	};
	int r = 0;

	view_add(headings, "CPUPerc", "CPU %");
	view_add(headings, "MemUsage", "MEM USAGE / LIMIT");
	view_add(headings, "MemPerc", "MEM %");
	view_add(headings, "NetIO", "NET IO");
	view_add(headings, "BlockIO", "BLOCK IO");
	view_add(headings, "CPUTime", "CPU TIME");
	view_add(headings, "AVGCPU", "AVG CPU %");
	for (size_t i = 0; r == 0 && i < ids->n; i++) {
		auto_container struct container c = CONTAINER_INIT;
		struct usage u = { 0 };
		uint64_t at_ns = clock_now_realtime_ns();

		if (container_open_id(&c, e, ids->v[i], NULL) < 0)
			continue;
		if (container_is_alive(&c))
			r = usage_read(&c, &u, err);
		else if (!o->all && inv->n_args == 0)
			continue;
		if (r < 0)
			break;
		json_object_array_add(list.rows, stats_row(&c, &u, find_sample(stats, c.config.id),
							   at_ns, as_json, o->no_trunc));
		*array_push(next.v, next.n) = (struct sample){ xstrdup(c.config.id), u, at_ns };
	}
	if (r == 0)
		r = gotemplate_format_list(&list, out, err);
	json_object_put(list.rows);
	json_object_put(headings);
	stats_done(stats);
	*stats = next;
	return r;
}

static int run_stats(const struct cli_invocation *inv, struct err *err)
{
	const struct stats_cli *o = inv->options;
	auto_strvec struct strvec ids = STRVEC_INIT;
	struct stats stats = { 0 };
	int r = choose(inv, o, &ids, err);

	for (bool first = true; r == 0; first = false) {
		auto_strbuf struct strbuf out = STRBUF_INIT;

		if (!first && !o->no_reset && isatty(STDOUT_FILENO))
			strbuf_adds(&out, "\033[2J\033[H");
		r = one_round(inv, o, &ids, &stats, &out, err);
		if (r == 0)
			r = cli_print(out.buf, err);
		if (r < 0 || o->no_stream)
			break;
		clock_sleep_ms((o->interval.set ? o->interval.v : 5) * 1000);
	}
	stats_done(&stats);
	return r;
}

#define T struct stats_cli
static const struct cli_option stats_rows[] = {
	OPT_FLAG(T, all, "all", 'a', "those that do not run as well"),
	OPT_STRING(T, format, "format", 0, "json|TEMPLATE", "form of the output"),
	OPT_U64(T, interval, "interval", 'i', "SECONDS", "how often (default: 5)"),
	OPT_FLAG(T, latest, "latest", 'l', "the newest container"),
	OPT_FLAG(T, no_stream, "no-stream", 0, "once"),
	OPT_FLAG(T, no_reset, "no-reset", 0, "do not clear the screen"),
	OPT_FLAG(T, no_trunc, "no-trunc", 0, "do not shorten ids"),
};
#undef T

const struct cli_command floe_stats_command = {
	.name = "stats",
	.arguments = "[CONTAINER...]",
	.summary = "show what containers use of the machine",
	CLI_OPTIONS(struct stats_cli, stats_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_stats,
	.error_code = FLOE_EXIT_ERROR,
};
