/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/log_journal.h"

struct options {
	struct targets targets;
	struct opt_i64 tail;
	const char *since;
	const char *until;
	bool follow, timestamps, names, color;
};

struct context {
	const struct options *o;
	struct log_read_options read;
	bool several;
	char prefix[300];
	size_t n; /* containers so far */
	bool in_line[2]; /* the last piece of this stream was the part of a line */
};

static int print_line(void *context, const struct log_line *line, struct err *err)
{
	struct context *x = context;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int fd = line->is_stderr ? STDERR_FILENO : STDOUT_FILENO;
	int r;

	if (!x->in_line[line->is_stderr]) {
		strbuf_adds(&sb, x->prefix);
		if (x->o->timestamps)
			strbuf_addf(&sb, "%s ", line->time);
	}
	strbuf_add(&sb, line->text, line->len);
	if (!line->partial)
		strbuf_addc(&sb, '\n');
	x->in_line[line->is_stderr] = line->partial;
	r = io_write_all(fd, sb.buf, sb.len);
	return r < 0 ? err_sys(err, r, "print the log") : 0;
}

/* Those of podman, in its order: light gray, red, yellow, blue, magenta, cyan, green. */
static const char *const colours[] = { "\033[37m", "\033[31m", "\033[33m", "\033[34m",
				       "\033[35m", "\033[36m", "\033[32m" };

static int logs_one(struct container *c, void *context, struct err *err)
{
	struct context *x = context;
	char id[13];
	const char *name = x->o->names ? c->config.name :
			   x->several  ? container_short_id(c->config.id, id) :
					 NULL;
	const char *colour = x->o->color ? colours[x->n++ % ARRAY_SIZE(colours)] : "";
	int r;

	if (name)
		(void)snprintf(x->prefix, sizeof(x->prefix), "%s%s%s ", colour, name,
			       x->o->color ? "\033[0m" : "");
	r = str_eq(c->config.log_driver, "journald") ?
		    log_journal_read(c, &x->read, print_line, x, err) :
		    log_file_read(c, &x->read, print_line, x, err);
	return r < 0 ? r : 1;
}

static int parse_time(const char *option, const char *text, int64_t *ret, struct err *err)
{
	if (!text || filter_parse_time(text, ret) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "--%s '%s': expected a time (2006-01-02T15:04:05Z), a duration (10m) or "
		       "seconds",
		       option, text);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct context x = {
		.o = o,
		.read = { .follow = o->follow, .tail = o->tail.set ? o->tail.v : -1 },
		.several = inv->n_args > 1,
	};
	int r = parse_time("since", o->since, &x.read.since_ns, err);

	if (r == 0)
		r = parse_time("until", o->until, &x.read.until_ns, err);
	return r < 0 ? r : targets_each(inv, &o->targets, logs_one, &x, err);
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_FLAG(T, follow, "follow", 'f', "go on until the container ends"),
	OPT_I64(T, tail, "tail", 0, "N", "the last N lines only; -1: all"),
	OPT_STRING(T, since, "since", 0, "TIME", "what was said after this"),
	OPT_STRING(T, until, "until", 0, "TIME", "what was said before this"),
	OPT_FLAG(T, timestamps, "timestamps", 't', "print when it was said"),
	OPT_FLAG(T, names, "names", 'n', "begin lines with the container's name"),
	OPT_FLAG(T, color, "color", 0, "the name or id in front in a colour for each container"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
};
#undef T

const struct cli_command floe_logs_command = {
	.name = "logs",
	.arguments = "[CONTAINER...]",
	.summary = "show what containers have written",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
