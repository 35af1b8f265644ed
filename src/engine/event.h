/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens: one JSON object a line in TMPDIR/events/events.log, with the keys of podman's file; or an entry of systemd's
 * journal with the same object in the field FLOE_EVENT, for the backend journald.
 */
#pragma once

#include "engine/container.h"

struct event {
	char *id;
	char *name;
	char *image;
	char *status; /* create start died ... */
	char *type; /* container volume image ... */
	char *time; /* RFC 3339 with nanoseconds */
	char *network; /* the name of the network that it is about */
	char *error; /* why it has failed */
	struct opt_i64 exit_code;
	struct json_string_map attributes;
};

extern const struct json_desc event_desc;
void event_done(struct event *event);

/* Failures are no reason to fail: they are told once as a warning. */
void event_container(const struct container *c, const char *status);
void event_exec(const struct container *c, const char *status, const char *session, int exit_code);
void event_object(struct engine *e, const char *type, const char *status, const char *id,
		  const char *name);

struct event_network {
	const char *id; /* of the network, or of the container that is connected to it */
	const char *network; /* its name */
	const char *driver; /* NULL with a container */
	const char *container; /* its name; NULL: it is about the network alone */
};
void event_network(struct engine *e, const char *status, const struct event_network *what);
void event_pull_error(struct engine *e, const char *name, const char *error);
/* What an entry of the journal has that is an event of this engine, and where it has it. */
#define EVENT_JOURNAL_FIELD "FLOE_EVENT"
#define EVENT_JOURNAL_ROOT "FLOE_ROOT"
/* TMPDIR/events/events.log; caller owns. */
char *event_log_path(const struct engine *e);
