/* SPDX-License-Identifier: Apache-2.0 */
/* floe volume. */
#include "cli/floe/volume.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/floe/confirm.h"
#include "cli/floe/report.h"
#include "cli/floe/targets.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "core/alloc.h"
#include "core/str.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/filter.h"
#include "engine/records.h"
#include "engine/volume.h"

struct json_object *view_volume(const struct volume *v)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "Name", v->name);
	view_add(o, "Driver", v->driver);
	view_add(o, "Mountpoint", v->mountpoint);
	view_add_time(o, "CreatedAt", v->created_ns);
	json_object_object_add(o, "Labels", view_map(&v->labels));
	view_add(o, "Scope", "local");
	json_object_object_add(o, "Options", view_map(&v->options));
	if (v->uid)
		view_add_i64(o, "UID", v->uid);
	if (v->gid)
		view_add_i64(o, "GID", v->gid);
	if (v->anonymous)
		view_add_bool(o, "Anonymous", true);
	view_add_i64(o, "MountCount", v->mount_count + (int64_t)v->n_holders);
	view_add_bool(o, "NeedsCopyUp", v->needs_copy_up);
	view_add_bool(o, "NeedsChown", v->needs_chown);
	return o;
}

/* Templates may ask for what documents leave out. */
static struct json_object *volume_row(const struct volume *v, const char *format)
{
	struct json_object *o = view_volume(v);
	struct json_object *empty;

	if (!format || str_eq(format, "json"))
		return o;
	empty = json_object_new_object();
	view_add_bool(empty, "Anonymous", v->anonymous);
	view_add_i64(empty, "UID", v->uid);
	view_add_i64(empty, "GID", v->gid);
	view_add_i64(empty, "Timeout", 0);
	view_add(empty, "StorageID", "");
	view_add_i64(empty, "LockNumber", 0);
	json_object_object_add(empty, "Status", json_object_new_object());
	gotemplate_add_empty(o, empty);
	return o;
}

/* --- create ----------------------------------------------------------------------------------------- */

struct create_cli {
	const char *driver;
	struct strvec labels;
	struct strvec options;
	struct opt_u64 uid;
	struct opt_u64 gid;
	bool ignore;
};

static int run_create(const struct cli_invocation *inv, struct err *err)
{
	const struct create_cli *o = inv->options;
	struct volume_options options = {
		.name = inv->n_args > 0 ? inv->args[0] : NULL,
		.ignore = o->ignore,
		.uid = { o->uid.set, (uint32_t)o->uid.v },
		.gid = { o->gid.set, (uint32_t)o->gid.v },
	};
	auto_free char *name = NULL;
	int r;

	if (o->driver && !str_eq(o->driver, "local"))
		return err_set(err, ERR_UNSUPPORTED, "volume driver '%s': not supported",
			       o->driver);
	for (size_t i = 0; i < o->labels.n; i++)
		json_string_map_set_pair(&options.labels, o->labels.v[i]);
	for (size_t i = 0; i < o->options.n; i++)
		json_string_map_set_pair(&options.options, o->options.v[i]);
	r = volume_create(floe_engine(inv), &options, &name, err);
	json_string_map_done(&options.labels);
	json_string_map_done(&options.options);
	if (r < 0)
		return r;
	return cli_print_line(name, err);
}

#define T struct create_cli
static const struct cli_option create_rows[] = {
	OPT_STRING(T, driver, "driver", 'd', "local", "who provides it"),
	OPT_STRVEC(T, labels, "label", 'l', "KEY=VALUE", "give it a label"),
	OPT_STRVEC(T, options, "opt", 'o', "KEY=VALUE", "option of the driver"),
	OPT_U64(T, uid, "uid", 0, "UID", "its owner"),
	OPT_U64(T, gid, "gid", 0, "GID", "its group"),
	OPT_FLAG(T, ignore, "ignore", 0, "no error when it is there"),
};
#undef T

static const struct cli_command create_command = {
	.name = "create",
	.arguments = "[NAME]",
	.summary = "make a volume",
	CLI_OPTIONS(struct create_cli, create_rows),
	.min_args = 0,
	.max_args = 1,
	.run = run_create,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- ls --------------------------------------------------------------------------------------------- */

struct list_cli {
	struct strvec filters;
	const char *format;
	bool quiet;
	bool no_heading;
};

/* KEY, or KEY=VALUE. */
static bool has_entry(const struct json_string_map *map, const char *text)
{
	const char *equals = strchr(text, '=');
	auto_free char *key = xstrndup(text, strcspn(text, "="));
	const char *have = json_string_map_get(map, key);

	return have && (!equals || str_eq(have, equals + 1));
}

static int is_newer(struct engine *e, const struct volume *v, const char *name, struct err *err)
{
	auto_volume struct volume other = { 0 };
	int r = volume_load(e, name, &other, err);

	return r < 0 ? r : v->created_ns > other.created_ns;
}

struct filtered_volume {
	struct engine *e;
	const struct volume *v;
};

static int one_matches(const char *text, void *context, struct err *err)
{
	struct engine *e = ((const struct filtered_volume *)context)->e;
	const struct volume *v = ((const struct filtered_volume *)context)->v;
	const char *value = strchr(text, '=');
	auto_strvec struct strvec users = STRVEC_INIT;
	size_t n = value ? (size_t)(value - text) : 0;
	int64_t until;

	if (!value)
		return err_set(err, ERR_USAGE, "filter '%s': expected KEY=VALUE", text);
	value++;
	if (n == 4 && str_has_prefix(text, "name"))
		return filter_regex(value, v->name, err);
	if (n == 6 && str_has_prefix(text, "driver"))
		return str_eq(v->driver, value);
	if (n == 5 && str_has_prefix(text, "label"))
		return has_entry(&v->labels, value);
	if (n == 6 && str_has_prefix(text, "label!"))
		return !has_entry(&v->labels, value);
	if (n == 8 && str_has_prefix(text, "dangling")) {
		int r = record_volume_users(e, v->name, &users, err);

		return r < 0 ? r : (users.n == 0) == str_eq(value, "true");
	}
	if (n == 9 && str_has_prefix(text, "anonymous"))
		return v->anonymous == str_eq(value, "true");
	/* There are no others. */
	if (n == 5 && str_has_prefix(text, "scope"))
		return str_eq(value, "local");
	if (n == 3 && str_has_prefix(text, "opt"))
		return has_entry(&v->options, value);
	if (n == 5 && (str_has_prefix(text, "since") || str_has_prefix(text, "after")))
		return is_newer(e, v, value, err);
	if (n == 5 && str_has_prefix(text, "until") && filter_parse_time(value, &until) == 0)
		return v->created_ns < until;
	return err_set(err, ERR_USAGE, "'%s' is an invalid volume filter", text);
}

/* Before there is a volume to look at. */
static int check_filters(const struct strvec *filters, struct err *err)
{
	static const char *const keys[] = { "name",	"driver",    "label", "label!",
					    "dangling", "anonymous", "opt",   "since",
					    "after",	"until",     "scope", NULL };
	static const char *const truths[] = { "true", "false", NULL };

	for (size_t i = 0; i < filters->n; i++) {
		const char *value = strchr(filters->v[i], '=');
		auto_free char *key = xstrndup(filters->v[i], strcspn(filters->v[i], "="));

		if (!value || !str_is_one_of(key, keys))
			return err_set(err, ERR_USAGE, "\"%s\" is an invalid volume filter", key);
		if ((str_eq(key, "dangling") || str_eq(key, "anonymous")) &&
		    !str_is_one_of(value + 1, truths))
			return err_set(
				err, ERR_USAGE,
				"\"%s\" is not a valid value for the \"%s\" filter - must be "
				"true or false",
				value + 1, key);
	}
	return 0;
}

static int all_match(struct engine *e, const struct volume *v, const struct strvec *filters,
		     struct err *err)
{
	struct filtered_volume of = { e, v };

	return filter_all(filters, one_matches, &of, err);
}

static int run_list(const struct cli_invocation *inv, struct err *err)
{
	const struct list_cli *o = inv->options;
	struct engine *e = floe_engine(inv);
	auto_volumes struct volumes volumes = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct json_object *headings = json_object_new_object();
	struct gotemplate_list list = {
		.format = o->format ? o->format : "table {{.Driver}}\t{{.Name}}",
		.rows = json_object_new_array(),
		.headings = headings,
		.no_heading = o->no_heading,
	};
	int r = check_filters(&o->filters, err);

	if (r == 0)
		r = volume_list(e, &volumes, err);

	view_add(headings, "Name", "VOLUME NAME");
	for (size_t i = 0; r >= 0 && i < volumes.n; i++) {
		r = all_match(e, &volumes.v[i], &o->filters, err);
		if (r <= 0)
			continue;
		json_object_array_add(list.rows, volume_row(&volumes.v[i], o->format));
		if (o->quiet)
			strbuf_addf(&out, "%s\n", volumes.v[i].name);
	}
	if (r >= 0 && !o->quiet)
		r = gotemplate_format_list(&list, &out, err);
	json_object_put(list.rows);
	json_object_put(headings);
	return r < 0 ? r : cli_print(out.buf, err);
}

#define T struct list_cli
static const struct cli_option list_rows[] = {
	OPT_STRVEC(T, filters, "filter", 'f', "KEY=VALUE", "those that this is true of"),
	OPT_STRING(T, format, "format", 0, "json|TEMPLATE", "form of the output"),
	OPT_FLAG(T, quiet, "quiet", 'q', "names only"),
	OPT_FLAG(T, no_heading, "noheading", 'n', "no headings"),
};
#undef T

static const struct cli_command list_command = {
	.name = "ls",
	.alias = "list",
	.summary = "list volumes",
	CLI_OPTIONS(struct list_cli, list_rows),
	.min_args = 0,
	.max_args = 0,
	.run = run_list,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- inspect, exists -------------------------------------------------------------------------------- */

struct inspect_cli {
	const char *format;
	bool all;
};

static int run_inspect(const struct cli_invocation *inv, struct err *err)
{
	const struct inspect_cli *o = inv->options;
	struct json_object *list = json_object_new_array();
	auto_volumes struct volumes volumes = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int code = 0;
	int r = 0;

	if ((inv->n_args == 0) != o->all)
		r = err_set(err, ERR_USAGE, "provide one or more volume names or use --all");
	if (r == 0 && o->all)
		r = volume_list(floe_engine(inv), &volumes, err);
	for (size_t i = 0; i < volumes.n; i++)
		json_object_array_add(list, volume_row(&volumes.v[i], o->format));
	for (size_t i = 0; r == 0 && i < inv->n_args; i++) {
		auto_volume struct volume v = { 0 };
		struct err one = ERR_INIT;

		if (volume_load(floe_engine(inv), inv->args[i], &v, &one) < 0) {
			report_error(&one);
			code = FLOE_EXIT_ERROR;
		} else {
			json_object_array_add(list, volume_row(&v, o->format));
		}
	}
	if (r == 0)
		r = gotemplate_format_inspected(o->format, list, &out, err);
	json_object_put(list);
	if (r == 0)
		r = cli_print(out.buf, err);
	return r < 0 ? r : code;
}

static const struct cli_option inspect_rows[] = {
	OPT_STRING(struct inspect_cli, format, "format", 'f', "json|TEMPLATE",
		   "form of the output"),
	OPT_FLAG(struct inspect_cli, all, "all", 'a', "every volume"),
};

static const struct cli_command inspect_command = {
	.name = "inspect",
	.arguments = "[VOLUME...]",
	.argument_source = FLOE_VOLUMES,
	.summary = "show all there is to know about volumes",
	CLI_OPTIONS(struct inspect_cli, inspect_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.run = run_inspect,
	.error_code = FLOE_EXIT_ERROR,
};

static int run_exists(const struct cli_invocation *inv, struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r = volume_load(floe_engine(inv), inv->args[0], &v, err);

	if (r == -ENOENT || (r == 0 && !str_eq(v.name, inv->args[0]))) {
		err_clear(err);
		return 1;
	}
	return r;
}

static const struct cli_command exists_command = {
	.name = "exists",
	.arguments = "VOLUME",
	.argument_source = FLOE_VOLUMES,
	.summary = "tell by the exit code whether a volume is there (0) or not (1)",
	.min_args = 1,
	.max_args = 1,
	.run = run_exists,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- rm, prune -------------------------------------------------------------------------------------- */

struct remove_cli {
	bool all;
	bool force;
	struct opt_i64 time;
};

static int remove_users(struct engine *e, const char *name, const struct opt_i64 *time,
			struct err *err)
{
	auto_strvec struct strvec users = STRVEC_INIT;
	int r = record_volume_users(e, name, &users, err);

	for (size_t i = 0; r == 0 && i < users.n; i++) {
		auto_container struct container c = CONTAINER_INIT;

		r = container_open_locked(&c, e, users.v[i], err);
		if (r == 0)
			r = container_remove(
				&c,
				&(struct remove_options){
					.force = true,
					.depend = true,
					.timeout_s = time->set ? (int)time->v :
								 (int)c.config.stop_timeout },
				err);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

static int remove_one(struct engine *e, const char *name, const struct remove_cli *o,
		      struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r = volume_load(e, name, &v, err);

	if (r == 0 && o->force)
		r = remove_users(e, v.name, &o->time, err);
	if (r == 0)
		r = volume_remove(e, v.name, err);
	if (r < 0)
		return r;
	return cli_print_line(v.name, err);
}

static int run_remove(const struct cli_invocation *inv, struct err *err)
{
	const struct remove_cli *o = inv->options;
	struct engine *e = floe_engine(inv);
	auto_volumes struct volumes volumes = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	int code = 0;
	int r = 0;

	/* Who names one beside --all would lose the others to a slip. */
	if ((inv->n_args == 0) != o->all)
		return err_set(
			err, ERR_USAGE,
			"choose either one or more volumes or all; see 'floe volume rm --help'");
	if (o->time.set && !o->force)
		return err_set(err, ERR_USAGE,
			       "--force option must be specified to use the --time option");
	if (o->all)
		r = volume_list(e, &volumes, err);
	for (size_t i = 0; i < volumes.n; i++)
		strvec_add(&names, volumes.v[i].name);
	strvec_add_all(&names, inv->args, inv->n_args);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct err one = ERR_INIT;
		int r2 = remove_one(e, names.v[i], o, &one);

		if (r2 < 0 && !(r2 == -ENOENT && o->force)) {
			report_error(&one);
			code = targets_remove_code(&one);
		}
	}
	return r < 0 ? r : code;
}

#define T struct remove_cli
static const struct cli_option remove_rows[] = {
	OPT_FLAG(T, all, "all", 'a', "every volume"),
	OPT_FLAG(T, force, "force", 'f', "remove the containers that use it, too"),
	OPT_I64(T, time, "time", 't', "SECONDS",
		"with --force: how long to wait before their processes are killed"),
};
#undef T

static const struct cli_command remove_command = {
	.name = "rm",
	.arguments = "[VOLUME...]",
	.argument_source = FLOE_VOLUMES,
	.summary = "remove volumes",
	CLI_OPTIONS(struct remove_cli, remove_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.run = run_remove,
	.error_code = FLOE_EXIT_ERROR,
};

struct prune_cli {
	struct strvec filters;
	bool force;
};

/* The names of those that nobody uses and that the filters are true of. */
static int prunable(struct engine *e, const struct strvec *filters, struct strvec *ret,
		    struct err *err)
{
	auto_volumes struct volumes volumes = { 0 };
	int r = volume_list(e, &volumes, err);

	for (size_t i = 0; r >= 0 && i < volumes.n; i++) {
		const struct volume *v = &volumes.v[i];
		auto_strvec struct strvec users = STRVEC_INIT;

		r = record_volume_users(e, v->name, &users, err);
		if (r >= 0 && users.n == 0)
			r = all_match(e, v, filters, err);
		else if (r >= 0)
			r = 0;
		if (r > 0)
			strvec_add(ret, v->name);
	}
	return MIN(r, 0);
}

/* One that has got a user meanwhile stays. */
static void remove_all(struct engine *e, const struct strvec *names, struct strbuf *out)
{
	for (size_t i = 0; i < names->n; i++) {
		struct err one = ERR_INIT;

		if (volume_remove(e, names->v[i], &one) < 0) {
			report_error(&one);
			continue;
		}
		event_object(e, "volume", "prune", NULL, names->v[i]);
		strbuf_addf(out, "%s\n", names->v[i]);
	}
}

int volume_prune(struct engine *e, const struct strvec *filters, struct strbuf *out,
		 struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = prunable(e, filters, &names, err);

	if (r == 0)
		remove_all(e, &names, out);
	return r;
}

/* 1: yes, 0: no, or there is nothing to remove. */
static int confirm_prune(const struct strvec *names, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "WARNING! This will remove all volumes not used by at least one "
			   "container. The following volumes will be removed:");
	for (size_t i = 0; i < names->n; i++)
		strbuf_addf(&text, "\n%s", names->v[i]);
	if (names->n > 0)
		return confirm(text.buf, err);
	strbuf_adds(&text, "\nNo dangling volumes found\n");
	return cli_print(text.buf, err);
}

static int run_prune(const struct cli_invocation *inv, struct err *err)
{
	const struct prune_cli *o = inv->options;
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int r = check_filters(&o->filters, err);

	if (r == 0)
		r = prunable(floe_engine(inv), &o->filters, &names, err);
	if (r == 0)
		r = o->force ? 1 : confirm_prune(&names, err);
	if (r <= 0)
		return r;
	remove_all(floe_engine(inv), &names, &out);
	return cli_print(out.buf, err);
}

static const struct cli_option prune_rows[] = {
	OPT_STRVEC(struct prune_cli, filters, "filter", 0, "KEY=VALUE",
		   "those that this is true of"),
	OPT_FLAG(struct prune_cli, force, "force", 'f', "do not ask"),
};

static const struct cli_command prune_command = {
	.name = "prune",
	.summary = "remove volumes that no container uses",
	CLI_OPTIONS(struct prune_cli, prune_rows),
	.min_args = 0,
	.max_args = 0,
	.run = run_prune,
	.error_code = FLOE_EXIT_ERROR,
};

static const struct cli_command *const subcommands[] = {
	&create_command,	 &list_command,		 &inspect_command,
	&exists_command,	 &remove_command,	 &prune_command,
	&volume_export_command,	 &volume_import_command, &volume_mount_command,
	&volume_unmount_command,
};

const struct cli_command floe_volume_command = {
	.name = "volume",
	.summary = "manage volumes",
	.subcommands = subcommands,
	.n_subcommands = ARRAY_SIZE(subcommands),
};
