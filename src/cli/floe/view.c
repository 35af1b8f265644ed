/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/view.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

#include "cli/floe/view_network.h"
#include "cli/gotemplate.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/str.h"

#define COMMAND_WIDTH 17

void view_add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value ? value : ""));
}

void view_add_i64(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

void view_add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

/* RFC 3339; zero is Go's zero time. */
void view_add_time(struct json_object *o, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_MAX] = "0001-01-01T00:00:00Z";

	if (ns > 0)
		clock_format_utc((uint64_t)ns, -1, text);
	view_add(o, key, text);
}

struct json_object *view_strings(char *const *v, size_t n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(v[i]));
	return list;
}

struct json_object *view_map(const struct json_string_map *map)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < map->n; i++)
		view_add(o, map->v[i].key, map->v[i].value);
	return o;
}

/* --- words ------------------------------------------------------------------------------------------ */

/* "Up 5 minutes", "Exited (0) 2 hours ago", "Created". */
static void add_status(const struct container *c, struct strbuf *sb)
{
	const char *word = container_phase_to_string(c->status.phase);
	auto_free char *since = NULL;

	if (c->status.phase == PHASE_RUNNING) {
		since = human_since((uint64_t)c->status.started_ns);
		strbuf_addf(sb, "Up %s", since);
	} else if (container_has_ended(c)) {
		since = human_since((uint64_t)c->status.finished_ns);
		strbuf_addf(sb, "Exited (%d) %s ago", c->status.exit_code, since);
	} else {
		strbuf_addf(sb, "%c%s", word[0] - 'a' + 'A', word + 1);
	}
}

static char *command_text(const struct container_config *g)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < g->n_entrypoint; i++)
		strbuf_addf(&sb, "%s%s", sb.len ? " " : "", g->entrypoint[i]);
	for (size_t i = 0; i < g->n_command; i++)
		strbuf_addf(&sb, "%s%s", sb.len ? " " : "", g->command[i]);
	return strbuf_take(&sb);
}

/* --- ps --------------------------------------------------------------------------------------------- */

static const char *image_text(const struct container_config *g)
{
	return g->image_name ? g->image_name : "";
}

struct json_object *view_ps_brief(const struct container *c, bool no_trunc)
{
	const struct container_config *g = &c->config;
	struct json_object *o = json_object_new_object();
	auto_strbuf struct strbuf status = STRBUF_INIT;
	auto_free char *created = human_ago((uint64_t)g->created_ns);
	auto_strbuf struct strbuf ports = STRBUF_INIT;
	auto_free char *command = command_text(g);
	char id[13];

	add_status(c, &status);
	view_ports(c, &ports);
	if (!no_trunc && strlen(command) > COMMAND_WIDTH) {
		char *cut = xasprintf("%.*s...", COMMAND_WIDTH, command);

		replace_ptr(command, cut);
	}
	view_add(o, "ID", no_trunc ? g->id : container_short_id(g->id, id));
	view_add(o, "Image", image_text(g));
	view_add(o, "Command", command);
	view_add(o, "CreatedHuman", created);
	view_add(o, "Status", status.buf);
	view_add(o, "Ports", ports.buf);
	view_add(o, "Names", g->name);
	return o;
}

/* Of a time that there was not yet: Go's zero time. */
static int64_t unix_seconds(int64_t ns)
{
	return ns > 0 ? ns / (int64_t)NSEC_PER_SEC : -62135596800;
}

struct json_object *view_ps_json(const struct container *c)
{
	const struct container_config *g = &c->config;
	const struct container_status *s = &c->status;
	struct json_object *o = json_object_new_object();
	struct json_object *command = json_object_new_array();
	struct json_object *mounts = json_object_new_array();
	struct json_object *names = json_object_new_array();
	auto_strbuf struct strbuf status = STRBUF_INIT;
	auto_free char *created = human_ago((uint64_t)g->created_ns);

	add_status(c, &status);
	for (size_t i = 0; i < g->n_entrypoint; i++)
		json_object_array_add(command, json_object_new_string(g->entrypoint[i]));
	for (size_t i = 0; i < g->n_command; i++)
		json_object_array_add(command, json_object_new_string(g->command[i]));
	for (size_t i = 0; i < g->n_mounts; i++)
		json_object_array_add(mounts, json_object_new_string(g->mounts[i].destination));
	json_object_array_add(names, json_object_new_string(g->name));
	view_add_bool(o, "AutoRemove", g->auto_remove);
	json_object_object_add(o, "Command", command);
	view_add(o, "CreatedAt", created);
	view_add(o, "CIDFile", g->cidfile);
	view_add_bool(o, "Exited", container_has_ended(c));
	view_add_i64(o, "ExitedAt", unix_seconds(s->finished_ns));
	view_add_i64(o, "ExitCode", s->exit_code);
	json_object_object_add(o, "ExposedPorts", g->n_expose ? view_exposed_numbers(g) : NULL);
	view_add(o, "Id", g->id);
	view_add(o, "Image", image_text(g));
	view_add(o, "ImageID", g->image_id);
	view_add_bool(o, "IsInfra", false);
	json_object_object_add(o, "Labels", g->labels.n ? view_map(&g->labels) : NULL);
	json_object_object_add(o, "Mounts", mounts);
	json_object_object_add(o, "Names", names);
	json_object_object_add(o, "Namespaces", json_object_new_object());
	json_object_object_add(o, "Networks", view_network_names(g));
	view_add_i64(o, "Pid", s->pid);
	view_add(o, "Pod", "");
	view_add(o, "PodName", "");
	json_object_object_add(o, "Ports", view_ports_json(c));
	view_add_i64(o, "Restarts", s->restart_count);
	json_object_object_add(o, "Size", NULL);
	view_add_i64(o, "StartedAt", unix_seconds(s->started_ns));
	view_add(o, "State", container_phase_to_string(s->phase));
	view_add(o, "Status", status.buf);
	view_add_i64(o, "Created", g->created_ns / (int64_t)NSEC_PER_SEC);
	return o;
}

static const struct {
	const char *file;
	const char *key;
	const char *json_key;
} namespaces[] = { { "cgroup", "CGROUPNS", "Cgroup" },
		   { "ipc", "IPC", "Ipc" },
		   { "mnt", "MNT", "Mnt" },
		   { "net", "NET", "Net" },
		   { "pid", "PIDNS", "Pidns" },
		   { "user", "USERNS", "User" },
		   { "uts", "UTS", "Uts" } };

struct json_object *view_ps(const struct container *c, bool no_trunc)
{
	const struct container_config *g = &c->config;
	struct json_object *o = view_ps_brief(c, no_trunc);
	auto_free char *ago = human_ago((uint64_t)g->created_ns);
	auto_free char *image_id =
		xasprintf("%.*s", no_trunc ? 64 : 12, g->image_id ? g->image_id : "");
	auto_strbuf struct strbuf networks = STRBUF_INIT;
	struct json_object *document = view_ps_json(c);
	struct json_object *empty = json_object_new_object();

	for (size_t i = 0; i < g->n_networks; i++)
		strbuf_addf(&networks, "%s%s", i ? "," : "", g->networks[i].network);
	/* The struct itself, which `--format json` shows otherwise. */
	view_add_time(document, "Created", g->created_ns);
	view_add(document, "CreatedAt", "");
	view_add(document, "Status", "");
	view_add(o, "ImageID", image_id);
	view_add_time(o, "CreatedAt", g->created_ns);
	view_add(o, "CreatedHuman", ago);
	view_add(o, "RunningFor", ago);
	view_add(o, "Networks", networks.buf);
	view_add(o, "Pod", "");
	view_add(o, "Size", "");
	gotemplate_embed(o, "ListContainer", document);
	/* For `.Label "key"`. */
	json_object_object_add(empty, "Label", view_map(&g->labels));
	view_add(empty, "Cgroup", "");
	view_add(empty, "User", "");
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		view_add(empty, namespaces[i].key, "");
	gotemplate_add_empty(o, empty);
	return o;
}

void view_add_namespaces(struct json_object *row, const struct container *c, bool as_json)
{
	struct json_object *all = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		auto_free char *path =
			xasprintf("/proc/%d/ns/%s", c->status.pid, namespaces[i].file);
		char text[64];
		ssize_t n = c->status.pid > 0 ? readlink(path, text, sizeof(text) - 1) : 0;
		const char *number;

		/* "net:[4026531840]" */
		text[MAX(n, 0)] = '\0';
		number = strchr(text, '[');
		text[strcspn(text, "]")] = '\0';
		view_add(all, namespaces[i].json_key, number ? number + 1 : "");
		if (!as_json)
			view_add(row, namespaces[i].key, number ? number + 1 : "");
	}
	json_object_object_add(row, "Namespaces", all);
}
