/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/event.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "engine/journal.h"

/* clang-format off: one row a line. */
#define T struct event
JSON_DESC(event_desc, T, F_STRING(T, name, "Name", 0), F_STRING(T, id, "ID", 0),
	  F_STRING(T, image, "Image", 0), F_STRING(T, status, "Status", 0),
	  F_STRING(T, time, "Time", 0), F_STRING(T, type, "Type", 0),
	  F_STRING(T, network, "network", 0), F_STRING(T, error, "Error", 0),
	  F_OPT_I64(T, exit_code, "ContainerExitCode", 0),
	  F_STRING_MAP(T, attributes, "Attributes", 0));
#undef T
/* clang-format on */

void event_done(struct event *event)
{
	json_done(&event_desc, event);
}

char *event_log_path(const struct engine *e)
{
	return xasprintf("%s/events/events.log", e->tmpdir);
}

static int open_log(const struct engine *e)
{
	auto_free char *path = event_log_path(e);
	int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd == -ENOENT) {
		auto_free char *dir = xasprintf("%s/events", e->tmpdir);

		(void)fs_mkdir_all(AT_FDCWD, dir, 0755, 0700);
		fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	}
	return fd;
}

static int emit_to_journal(const struct engine *e, const struct event *event, const char *text)
{
	auto_free char *message = xasprintf("%s %s %s", event->type, event->status,
					    event->name ? event->name : event->id);
	const struct journal_field fields[] = {
		{ "MESSAGE", message },		 { "PRIORITY", "6" },
		{ "SYSLOG_IDENTIFIER", "floe" }, { EVENT_JOURNAL_ROOT, e->root },
		{ EVENT_JOURNAL_FIELD, text },
	};

	return journal_send(fields, ARRAY_SIZE(fields));
}

static int emit_to_file(const struct engine *e, const char *text)
{
	auto_free char *line = xasprintf("%s\n", text);
	auto_close int fd = open_log(e);

	return fd < 0 ? fd : io_write_all(fd, line, strlen(line));
}

/* One write, so that lines of several processes do not mix. */
static void emit(struct engine *e, struct event *event)
{
	auto_free char *text = NULL;
	char now[CLOCK_TEXT_MAX];
	int r;

	if (str_eq(e->options->events_backend, "none"))
		return;
	clock_format_utc(clock_now_realtime_ns(), 9, now);
	event->time = now;
	text = json_encode(&event_desc, event, JSON_COMPACT);
	r = str_eq(e->options->events_backend, "journald") ? emit_to_journal(e, event, text) :
							     emit_to_file(e, text);
	if (r < 0)
		log_warning("write event '%s': %s", event->status, errno_text(r));
}

static char *unconst(const char *s)
{
	union {
		const char *in;
		char *out;
	} u = { .in = s };

	return u.out;
}

void event_container(const struct container *c, const char *status)
{
	struct event event = {
		.id = c->config.id,
		.name = c->config.name,
		.image = unconst(c->config.image_name ? c->config.image_name : ""),
		.status = unconst(status),
		.type = unconst("container"),
		.attributes = c->config.labels,
	};

	if (str_eq(status, "died"))
		event.exit_code = (struct opt_i64){ true, c->status.exit_code };
	emit(c->engine, &event);
}

void event_exec(const struct container *c, const char *status, const char *session, int exit_code)
{
	struct json_string_pair pair = { unconst("execID"), unconst(session) };
	struct event event = {
		.id = c->config.id,
		.name = c->config.name,
		.image = unconst(c->config.image_name ? c->config.image_name : ""),
		.status = unconst(status),
		.type = unconst("container"),
		.attributes = { &pair, 1 },
	};

	if (exit_code >= 0)
		event.exit_code = (struct opt_i64){ true, exit_code };
	emit(c->engine, &event);
}

void event_network(struct engine *e, const char *status, const struct event_network *what)
{
	struct json_string_pair driver = { unconst("driver"), unconst(what->driver) };
	struct event event = {
		.id = unconst(what->id),
		.name = unconst(what->container),
		.network = unconst(what->network),
		.status = unconst(status),
		.type = unconst("network"),
		.attributes = { &driver, what->driver ? 1 : 0 },
	};

	emit(e, &event);
}

void event_pull_error(struct engine *e, const char *name, const char *error)
{
	struct event event = {
		.name = unconst(name),
		.error = unconst(error),
		.status = unconst("pull-error"),
		.type = unconst("image"),
	};

	emit(e, &event);
}

void event_object(struct engine *e, const char *type, const char *status, const char *id,
		  const char *name)
{
	struct event event = {
		.id = unconst(id),
		.name = unconst(name),
		.status = unconst(status),
		.type = unconst(type),
	};

	emit(e, &event);
}
