/* SPDX-License-Identifier: Apache-2.0 */
/* stats: what containers use at the moment. */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/targets.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "cli/human.h"
#include "cli/table.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/records.h"
#include "engine/usage.h"

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
	auto_free char *first = human_size(a, 4, "");
	auto_free char *second = human_size(b, 4, "");
	auto_free char *text = xasprintf("%s / %s", first, second);

	view_add(o, key, text);
}

static void add_percent(struct json_object *o, const char *key, double value)
{
	auto_free char *text = xasprintf("%.2f%%", value);

	view_add(o, key, text);
}

/* podman's struct of figures, which the methods of its table stand around. */
static struct json_object *stats_document(const struct container *c, const struct usage *u,
					  const struct sample *before, uint64_t at_ns)
{
	struct json_object *o = json_object_new_object();
	double memory = u->memory_limit ? 100.0 * (double)u->memory / (double)u->memory_limit : 0;

	json_object_object_add(o, "AvgCPU", json_object_new_double(cpu_percent(u, NULL, at_ns)));
	view_add(o, "ContainerID", c->config.id);
	view_add(o, "Name", c->config.name);
	json_object_object_add(o, "PerCPU", NULL);
	json_object_object_add(o, "CPU", json_object_new_double(cpu_percent(u, before, at_ns)));
	view_add_i64(o, "CPUNano", (int64_t)u->cpu_ns);
	view_add_i64(o, "CPUSystemNano", (int64_t)u->cpu_system_ns);
	view_add_i64(o, "SystemNano", (int64_t)at_ns);
	view_add_i64(o, "MemUsage", (int64_t)u->memory);
	view_add_i64(o, "MemLimit", (int64_t)u->memory_limit);
	json_object_object_add(o, "MemPerc", json_object_new_double(memory));
	view_add_i64(o, "BlockInput", (int64_t)u->block_in);
	view_add_i64(o, "BlockOutput", (int64_t)u->block_out);
	view_add_i64(o, "PIDs", (int64_t)u->pids);
	view_add_i64(o, "UpTime", (int64_t)u->cpu_ns);
	view_add_i64(o, "Duration", (int64_t)u->cpu_ns);
	return o;
}

/* "492KiB / 23.54GiB" */
static void add_binary_pair(struct json_object *o, const char *key, uint64_t a, uint64_t b)
{
	auto_free char *first = human_size_binary(a);
	auto_free char *second = human_size_binary(b);
	auto_free char *text = xasprintf("%s / %s", first, second);

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
	if (as_json)
		return o;
	add_binary_pair(o, "MemUsageBytes", u->memory, u->memory_limit);
	/* podman calls the time on the processors so. */
	view_add(o, "Up", cpu);
	view_add(o, "UpTime", cpu);
	gotemplate_embed(o, "ContainerStats", stats_document(c, u, before, at_ns));
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

/* 1: *ret is what it uses, 0: it is none to be shown. */
static int read_one(const struct container *c, const struct stats_cli *o, bool is_named,
		    struct usage *ret, struct err *err)
{
	/* Where it has no cgroup of its own, figures would be somebody else's. */
	bool no_cgroup = str_eq(c->config.cgroups, "disabled");
	bool is_alive = container_is_alive(c);
	int r;

	if (no_cgroup && is_named)
		return err_set(err, ERR_UNSUPPORTED,
			       "cannot show figures of container %s as it did not create a cgroup: "
			       "this container is not creating cgroups",
			       c->config.id);
	if (no_cgroup || (!is_alive && !o->all && !is_named))
		return 0;
	r = is_alive ? usage_read(c, ret, err) : 0;
	return r < 0 ? r : 1;
}

static struct json_object *stats_headings(void)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "CPUPerc", "CPU %");
	view_add(o, "MemUsage", "MEM USAGE / LIMIT");
	view_add(o, "MemPerc", "MEM %");
	view_add(o, "NetIO", "NET IO");
	view_add(o, "BlockIO", "BLOCK IO");
	view_add(o, "CPUTime", "CPU TIME");
	view_add(o, "AVGCPU", "AVG CPU %");
	return o;
}

static int one_round(const struct cli_invocation *inv, const struct stats_cli *o,
		     const struct strvec *ids, struct stats *stats, struct strbuf *out,
		     struct err *err)
{
	struct engine *e = floe_engine(inv);
	bool as_json = str_eq(o->format, "json");
	struct stats next = { 0 };
	struct json_object *headings = stats_headings();
	struct gotemplate_list list = {
		.format = o->format ? o->format :
				      "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t"
				      "{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDS}}\t"
				      "{{.CPUTime}}\t{{.AVGCPU}}",
		.rows = json_object_new_array(),
		.headings = headings,
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ids->n; i++) {
		auto_container struct container c = CONTAINER_INIT;
		struct usage u = { 0 };
		uint64_t at_ns = clock_now_realtime_ns();

		if (container_open_id(&c, e, ids->v[i], NULL) < 0)
			continue;
		r = read_one(&c, o, inv->n_args > 0, &u, err);
		if (r <= 0)
			continue;
		json_object_array_add(list.rows, stats_row(&c, &u, find_sample(stats, c.config.id),
							   at_ns, as_json, o->no_trunc));
		*array_push(next.v, next.n) = (struct sample){ xstrdup(c.config.id), u, at_ns };
	}
	if (r >= 0)
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
	int r;

	if ((inv->n_args > 0 ? 1 : 0) + o->all + o->latest > 1)
		return err_set(err, ERR_USAGE,
			       "--all, --latest and containers cannot be used together");
	r = choose(inv, o, &ids, err);

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
