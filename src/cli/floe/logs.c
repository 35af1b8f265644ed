/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/log_journal.h"

#define FOLLOW_MS 50

struct options {
	struct targets targets;
	struct opt_i64 tail;
	const char *since;
	const char *until;
	bool follow, timestamps, names, color;
};

/* One container's log. */
struct stream {
	const struct options *o;
	char name[300]; /* in front of its lines; "" with one container */
	const char *colour;
	bool in_line[2]; /* the last piece of this stream was the part of a line */
	struct log_file *file;
	struct log_journal *journal;
	bool ended;
};

/* Go's RFC 3339 has a letter for UTC. */
static void add_time(const char *time, struct strbuf *sb)
{
	size_t n = strlen(time);

	if (n > 6 && str_eq(time + n - 6, "+00:00"))
		strbuf_addf(sb, "%.*sZ ", (int)(n - 6), time);
	else
		strbuf_addf(sb, "%s ", time);
}

static int print_line(void *context, const struct log_line *line, struct err *err)
{
	struct stream *s = context;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int fd = line->is_stderr ? STDERR_FILENO : STDOUT_FILENO;
	int r;

	strbuf_adds(&sb, s->colour);
	if (!s->in_line[line->is_stderr]) {
		if (*s->name)
			strbuf_addf(&sb, "%s ", s->name);
		if (s->o->timestamps)
			add_time(line->time, &sb);
	}
	strbuf_add(&sb, line->text, line->len);
	if (*s->colour)
		strbuf_adds(&sb, "\033[0m");
	if (!line->partial)
		strbuf_addc(&sb, '\n');
	s->in_line[line->is_stderr] = line->partial;
	r = io_write_all(fd, sb.buf, sb.len);
	return r < 0 ? err_sys(err, r, "print the log") : 0;
}

/* Those of podman, in its order: light gray, red, yellow, blue, magenta, cyan, green. */
static const char *const colours[] = { "\033[37m", "\033[31m", "\033[33m", "\033[34m",
				       "\033[35m", "\033[36m", "\033[32m" };

/* What is there is told at once. */
static int open_stream(struct stream *s, struct container *c, const struct log_read_options *read,
		       struct err *err)
{
	const struct log_listener listener = { print_line, s };

	return str_eq(c->config.log_driver, "journald") ?
		       log_journal_open(c, read, &listener, &s->journal, err) :
		       log_file_open(c, read, &listener, &s->file, err);
}

static int read_more(struct stream *s, struct err *err)
{
	int r = s->ended ? 0 :
		s->file	 ? log_file_more(s->file, err) :
			   log_journal_more(s->journal, err);

	s->ended = r <= 0;
	return r;
}

/* All of them as they speak, until the last has ended. */
static int follow(struct stream *streams, size_t n, struct err *err)
{
	for (;;) {
		bool any = false;

		for (size_t i = 0; i < n; i++) {
			int r = read_more(&streams[i], err);

			if (r < 0)
				return r;
			any = any || r > 0;
		}
		if (!any)
			return 0;
		clock_sleep_ms(FOLLOW_MS);
	}
}

static int read_all(const struct options *o, const struct log_read_options *read,
		    struct target_list *list, struct err *err)
{
	struct stream *streams = xcalloc(list->n, sizeof(*streams));
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		struct container *c = &list->v[i].container;
		struct stream *s = &streams[i];
		char id[13];

		s->o = o;
		s->colour = o->color ? colours[i % ARRAY_SIZE(colours)] : "";
		if (list->n > 1)
			(void)snprintf(s->name, sizeof(s->name), "%s",
				       o->names ? c->config.name :
						  container_short_id(c->config.id, id));
		r = open_stream(s, c, read, err);
	}
	if (r == 0 && o->follow)
		r = follow(streams, list->n, err);
	for (size_t i = 0; i < list->n; i++) {
		log_file_close(streams[i].file);
		log_journal_close(streams[i].journal);
	}
	free(streams);
	return r;
}

static int parse_time(const char *option, const char *text,
		      int (*parse)(const char *text, int64_t *ret_ns), int64_t *ret,
		      struct err *err)
{
	if (str_is_empty(text) || parse(text, ret) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "--%s '%s': expected a time (2006-01-02T15:04:05Z), a duration (10m) or "
		       "seconds",
		       option, text);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_target_list struct target_list list = { 0 };
	struct log_read_options read = {
		.follow = o->follow,
		.tail = o->tail.set ? o->tail.v : -1,
	};
	int r = parse_time("since", o->since, filter_parse_time, &read.since_ns, err);

	if (r == 0)
		r = parse_time("until", o->until, filter_parse_end_time, &read.until_ns, err);
	if (r == 0)
		r = targets_open(inv, &o->targets, &list, err);
	return r < 0 || list.n == 0 ? r : read_all(o, &read, &list, err);
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_FLAG(T, follow, "follow", 'f', "go on until the container ends"),
	OPT_I64(T, tail, "tail", 0, "N", "the last N lines only; -1: all"),
	OPT_STRING(T, since, "since", 0, "TIME", "what was said after this"),
	OPT_STRING(T, until, "until", 0, "TIME", "what is said before this"),
	OPT_FLAG(T, timestamps, "timestamps", 't', "print when it was said"),
	OPT_FLAG(T, names, "names", 'n',
		 "of several containers, begin lines with the name, not the id"),
	OPT_FLAG(T, color, "color", 0, "lines in a colour for each container"),
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
