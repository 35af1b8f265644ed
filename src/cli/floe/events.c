/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/floe/commands.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/event.h"
#include "engine/filter.h"
#include "engine/journal.h"

#define FOLLOW_MS 100

struct options {
	struct strvec filters;
	const char *since;
	const char *until;
	const char *format;
	struct opt_bool stream;
	struct opt_bool no_trunc;
};

struct follower {
	const struct options *o;
	int64_t since_ns; /* 0: none */
	int64_t until_ns;
	bool done;
};

/* By id or name; a name may be without a tag. */
static bool image_matches(const struct event *e, const char *value)
{
	const char *rest = e->name ? str_skip_prefix(e->name, value) : NULL;

	return (e->id && *value && str_has_prefix(e->id, value)) ||
	       (rest && (*rest == '\0' || (*rest == ':' && !strchr(rest, '/'))));
}

static bool filter_one(const struct event *e, const char *key, const char *value)
{
	if (str_eq(key, "event") || str_eq(key, "status"))
		return str_eq(e->status, value);
	if (str_eq(key, "type"))
		return str_eq(e->type, value);
	if (str_eq(key, "container"))
		return str_eq(e->type, "container") &&
		       (str_eq(e->name, value) || (e->id && str_has_prefix(e->id, value)));
	if (str_eq(key, "image"))
		return str_eq(e->type, "image") && image_matches(e, value);
	if (str_eq(key, "volume"))
		return str_eq(e->type, "volume") && str_eq(e->name, value);
	if (str_eq(key, "label")) {
		const char *equals = strchr(value, '=');
		auto_free char *name =
			xstrndup(value, equals ? (size_t)(equals - value) : strlen(value));
		const char *have = json_string_map_get(&e->attributes, name);

		return have && (!equals || str_eq(have, equals + 1));
	}
	return false;
}

/* Values of the same key are alternatives. */
static bool matches(const struct follower *f, const struct event *e)
{
	const struct strvec *filters = &f->o->filters;

	for (size_t i = 0; i < filters->n; i++) {
		size_t n = strcspn(filters->v[i], "=");
		auto_free char *key = xstrndup(filters->v[i], n);
		bool any = false;

		for (size_t k = 0; k < filters->n && !any; k++)
			any = strncmp(filters->v[k], filters->v[i], n + 1) == 0 &&
			      filter_one(e, key, filters->v[k] + n + 1);
		if (!any)
			return false;
	}
	return true;
}

static int check_filters(const struct strvec *filters, struct err *err)
{
	static const char *const keys[] = { "event=", "status=", "type=", "container=",
					    "image=", "volume=", "label=" };

	for (size_t i = 0; i < filters->n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			known = known || str_has_prefix(filters->v[i], keys[k]);
		if (!known)
			return err_set(err, ERR_USAGE,
				       "failed to parse event filters: %.*s is an invalid filter; "
				       "there are event, status, type, container, image, volume "
				       "and label, each with =VALUE",
				       (int)strcspn(filters->v[i], "="), filters->v[i]);
	}
	return 0;
}

/* What is in brackets behind the id of a container, or of a network. */
static void add_details(const struct event *e, struct strbuf *out)
{
	const char *separator = ", ";

	if (str_eq(e->type, "container")) {
		strbuf_addf(out, " (image=%s, name=%s", e->image ? e->image : "",
			    e->name ? e->name : "");
	} else if (str_is_empty(e->name)) {
		strbuf_addf(out, " (name=%s", e->network);
	} else {
		strbuf_addf(out, " (container=%s, name=%s", e->id ? e->id : "", e->network);
	}
	for (size_t i = 0; i < e->attributes.n; i++) {
		const char *key = e->attributes.v[i].key;

		/* As podman words it. */
		if (e->network && str_eq(key, "driver"))
			key = "type";
		/* For programs: it is in the document. */
		if (!str_eq(key, "execID"))
			strbuf_addf(out, "%s%s=%s", separator, key, e->attributes.v[i].value);
	}
	strbuf_addc(out, ')');
}

static void add_text(const struct event *e, int64_t at_ns, bool no_trunc, struct strbuf *out)
{
	auto_free char *at = human_time((uint64_t)at_ns, -1);

	strbuf_addf(out, "%s %s %s", at, e->type, e->status);
	/* A volume has none but its name. */
	if (e->id || !str_eq(e->type, "volume"))
		strbuf_addf(out, " %.*s", no_trunc ? 64 : 12, e->id ? e->id : "");
	if (str_eq(e->type, "container") || e->network)
		add_details(e, out);
	else if (e->name)
		strbuf_addf(out, " %s", e->name);
	if (e->error)
		strbuf_addf(out, " %s", e->error);
	strbuf_addc(out, '\n');
}

static void add_field(struct json_object *o, const char *key, const char *text)
{
	if (!str_is_empty(text))
		view_add(o, key, text);
}

/* What templates may ask for and documents leave out. */
static struct json_object *empty_fields(void)
{
	static const char *const texts[] = { "ID",    "Image", "Name",	 "HealthStatus", "Network",
					     "PodID", "Error", "Status", "Type" };
	struct json_object *empty = json_object_new_object();
	struct json_object *details = json_object_new_object();

	json_object_object_add(empty, "ContainerExitCode", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		view_add(empty, texts[i], "");
	view_add(details, "PodID", "");
	view_add(details, "ContainerInspectData", "");
	view_add(empty, "ContainerInspectData", "");
	json_object_object_add(empty, "Details", details);
	return empty;
}

/* As podman 5 prints it, which is not as its file has it. */
static struct json_object *event_value(const struct event *e, int64_t at_ns)
{
	struct json_object *o = json_object_new_object();

	if (e->exit_code.set)
		json_object_object_add(o, "ContainerExitCode",
				       json_object_new_int64(e->exit_code.v));
	add_field(o, "ID", e->id);
	add_field(o, "Image", e->image);
	add_field(o, "Name", e->name);
	add_field(o, "network", e->network);
	view_add(o, "Status", e->status);
	json_object_object_add(o, "time", json_object_new_int64(at_ns / (int64_t)NSEC_PER_SEC));
	json_object_object_add(o, "timeNano", json_object_new_int64(at_ns));
	view_add(o, "Type", e->type);
	add_field(o, "Error", e->error);
	json_object_object_add(o, "Attributes", view_map(&e->attributes));
	return o;
}

static int print_event(const struct follower *f, const struct event *e, int64_t at_ns,
		       struct err *err)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	bool is_json = str_eq(f->o->format, "json");
	struct json_object *value;
	int r = 0;

	if (!f->o->format) {
		add_text(e, at_ns, !f->o->no_trunc.set || f->o->no_trunc.v, &out);
		return cli_print(out.buf, err);
	}
	value = event_value(e, at_ns);
	if (is_json) {
		auto_free char *text = json_value_to_text(value, JSON_COMPACT);

		strbuf_addf(&out, "%s\n", text);
	} else {
		gotemplate_add_empty(value, empty_fields());
		r = gotemplate_format_value(f->o->format, value, &out, err);
	}
	json_object_put(value);
	return r < 0 ? r : cli_print(out.buf, err);
}

static int take_line(struct follower *f, const char *line, size_t len, struct err *err)
{
	struct event e;
	int64_t at = 0;
	int r = 0;

	/* A line that a full disk has cut. */
	if (json_decode(&event_desc, &e, line, len, "event", NULL) < 0)
		return 0;
	(void)filter_parse_time(e.time ? e.time : "", &at);
	if (f->until_ns && at > f->until_ns)
		f->done = true;
	else if (at >= f->since_ns && matches(f, &e))
		r = print_event(f, &e, at, err);
	event_done(&e);
	return r;
}

static int drain(struct follower *f, int fd, struct strbuf *pending, struct err *err)
{
	char chunk[65536];
	ssize_t n;
	int r = 0;

	while (r == 0 && !f->done && (n = RETRY_EINTR(read(fd, chunk, sizeof(chunk)))) > 0) {
		size_t from = 0;

		for (size_t i = 0; r == 0 && i < (size_t)n; i++) {
			if (chunk[i] != '\n')
				continue;
			strbuf_add(pending, chunk + from, i - from);
			r = take_line(f, pending->buf, pending->len, err);
			strbuf_clear(pending);
			from = i + 1;
		}
		strbuf_add(pending, chunk + from, (size_t)n - from);
	}
	return r;
}

static bool is_over(const struct follower *f, bool stream)
{
	return !stream || f->done ||
	       (f->until_ns && (int64_t)clock_now_realtime_ns() > f->until_ns);
}

static int read_file(struct follower *f, const char *path, bool stream, struct err *err)
{
	auto_strbuf struct strbuf pending = STRBUF_INIT;
	auto_close int fd = -EBADF;
	int r = 0;

	for (;;) {
		if (fd < 0)
			fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
		if (fd >= 0)
			r = drain(f, fd, &pending, err);
		if (r < 0 || is_over(f, stream))
			return r;
		clock_sleep_ms(FOLLOW_MS);
	}
}

static int read_journal(struct follower *f, const char *root, bool stream, struct err *err)
{
	auto_journal_reader struct journal_reader reader = JOURNAL_READER_INIT;
	const struct journal_field match = { EVENT_JOURNAL_ROOT, root };
	const struct journal_query query = {
		.matches = &match,
		.n_matches = 1,
		.since_ns = f->since_ns,
		.follow = stream,
	};
	struct json_object *entry;
	int r;

	if (!stream)
		journal_sync();
	r = journal_open(&reader, &query, err);
	while (r >= 0 && !f->done) {
		r = journal_next(&reader, FOLLOW_MS, &entry, err);
		if (r > 0) {
			const char *text = journal_get(entry, EVENT_JOURNAL_FIELD);

			r = text ? take_line(f, text, strlen(text), err) : 0;
			json_object_put(entry);
		} else if (r == 0) {
			break;
		} else if (r == -ETIMEDOUT) {
			r = 0;
			if (stream && is_over(f, stream))
				break;
		}
	}
	return r;
}

static int parse_time(const char *option, const char *text,
		      int (*parse)(const char *text, int64_t *ret_ns), int64_t *ret,
		      struct err *err)
{
	if (str_is_empty(text) || parse(text, ret) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "--%s '%s': expected a time, a duration or seconds", option,
		       text);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct follower f = { .o = o };
	auto_free char *path = event_log_path(floe_engine(inv));
	bool stream = !o->stream.set || o->stream.v;
	int r = 0;

	if (str_eq(floe_engine(inv)->options->events_backend, "none"))
		return err_set(err, ERR_USAGE, "cannot read events with the \"none\" backend");
	r = parse_time("since", o->since, filter_parse_time, &f.since_ns, err);
	if (r == 0)
		r = parse_time("until", o->until, filter_parse_end_time, &f.until_ns, err);
	if (r == 0)
		r = check_filters(&o->filters, err);
	/* What has been is only told when it is asked for. */
	if (stream && str_is_empty(o->since) && str_is_empty(o->until))
		f.since_ns = (int64_t)clock_now_realtime_ns();
	if (r < 0)
		return r;
	return str_eq(floe_engine(inv)->options->events_backend, "journald") ?
		       read_journal(&f, floe_engine(inv)->root, stream, err) :
		       read_file(&f, path, stream, err);
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRVEC(T, filters, "filter", 'f', "KEY=VALUE", "those that this is true of"),
	OPT_STRING(T, format, "format", 0, "json|TEMPLATE", "form of the output"),
	OPT_OPTBOOL(T, no_trunc, "no-trunc", 0, "do not shorten ids (default: true)"),
	OPT_STRING(T, since, "since", 0, "TIME", "what has happened since"),
	OPT_OPTBOOL(T, stream, "stream", 0, "go on as things happen (default: true)"),
	OPT_STRING(T, until, "until", 0, "TIME", "end at this time"),
};
#undef T

const struct cli_command floe_events_command = {
	.name = "events",
	.summary = "show what happens",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = 0,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
