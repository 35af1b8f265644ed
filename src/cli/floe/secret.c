/* SPDX-License-Identifier: Apache-2.0 */
/* floe secret. */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/commands.h"
#include "cli/floe/report.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/event.h"
#include "engine/filter.h"
#include "engine/secret_driver.h"

static struct json_object *view_options(const struct engine *e, const struct secret *s)
{
	struct json_object *o = view_map(&s->options);

	if (str_eq(s->driver, "file") && !json_string_map_get(&s->options, "path")) {
		auto_free char *path = secret_driver_path(e, s);

		view_add(o, "path", path);
	}
	return o;
}

static struct json_object *view_secret(const struct engine *e, const struct secret *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *spec = json_object_new_object();
	struct json_object *driver = json_object_new_object();

	view_add(o, "ID", s->id);
	view_add_time(o, "CreatedAt", s->created_ns);
	view_add_time(o, "UpdatedAt", s->updated_ns);
	view_add(spec, "Name", s->name);
	view_add(driver, "Name", s->driver);
	json_object_object_add(driver, "Options", view_options(e, s));
	json_object_object_add(spec, "Driver", driver);
	json_object_object_add(spec, "Labels", view_map(&s->labels));
	json_object_object_add(o, "Spec", spec);
	return o;
}

struct create_cli {
	struct strvec labels;
	struct strvec driver_opts;
	const char *driver;
	bool env;
	bool ignore;
	bool replace;
};

static int read_data(const struct create_cli *o, const char *source, struct strbuf *ret,
		     struct err *err)
{
	auto_close int file = -EBADF;
	int r;

	if (o->env) {
		const char *value = getenv(source);

		if (!value)
			return err_set(err, ERR_NOT_FOUND, "variable '%s' is not set", source);
		strbuf_adds(ret, value);
		return 0;
	}
	if (str_eq(source, "-")) {
		r = io_read_all(STDIN_FILENO, SECRET_SIZE_MAX, ret);
	} else {
		file = fd_open_at(AT_FDCWD, source, O_RDONLY, 0);
		r = file < 0 ? file : io_read_all(file, SECRET_SIZE_MAX, ret);
	}
	return r < 0 ? err_sys(err, r, "read secret from '%s'", source) : 0;
}

/* Of the line, or else of containers.conf. */
static int driver_options(const struct create_cli *o, const struct conf_secrets *conf,
			  struct json_string_map *ret, struct err *err)
{
	for (size_t i = 0; i < o->driver_opts.n; i++) {
		if (!strchr(o->driver_opts.v[i], '='))
			return err_set(err, ERR_USAGE, "driver option '%s': expected KEY=VALUE",
				       o->driver_opts.v[i]);
		json_string_map_set_pair(ret, o->driver_opts.v[i]);
	}
	if (o->driver_opts.n == 0 && (!o->driver || str_eq(o->driver, conf->driver)))
		json_string_map_set_all(ret, &conf->opts);
	return 0;
}

static int create(struct engine *e, const struct create_cli *o, char *const *args, char **ret_id,
		  struct err *err)
{
	const struct conf_secrets *conf = &e->conf->secrets;
	auto_strbuf struct strbuf data = STRBUF_INIT;
	struct json_string_map labels = { 0 };
	struct json_string_map options = { 0 };
	int r = read_data(o, args[1], &data, err);

	for (size_t i = 0; i < o->labels.n; i++)
		json_string_map_set_pair(&labels, o->labels.v[i]);
	if (r == 0)
		r = driver_options(o, conf, &options, err);
	if (r == 0)
		r = secret_create(e,
				  &(struct secret_params){ .name = args[0],
							   .driver = o->driver	  ? o->driver :
								     conf->driver ? conf->driver :
										    "file",
							   .options = &options,
							   .labels = &labels,
							   .replace = o->replace },
				  &data, ret_id, err);
	json_string_map_done(&labels);
	json_string_map_done(&options);
	if (r == 0)
		event_object(e, "secret", "create", *ret_id, args[0]);
	return r;
}

static int run_create(const struct cli_invocation *inv, struct err *err)
{
	const struct create_cli *o = inv->options;
	struct engine *e = floe_engine(inv);
	auto_secret struct secret old = { 0 };
	auto_free char *id = NULL;
	int r = 0;

	if (o->ignore && o->replace)
		return err_set(err, ERR_USAGE, "cannot use --ignore and --replace flags together");
	if (o->ignore && secret_load(e, inv->args[0], &old, NULL) == 0 &&
	    str_eq(old.name, inv->args[0]))
		id = take_ptr(old.id);
	else
		r = create(e, o, inv->args, &id, err);
	if (r < 0)
		return r;
	return cli_print_line(id, err);
}

#define T struct create_cli
static const struct cli_option create_rows[] = {
	OPT_STRVEC(T, labels, "label", 'l', "KEY=VALUE", "give it a label"),
	OPT_STRING(T, driver, "driver", 'd', "file|shell", "who keeps it (default: file)"),
	OPT_STRVEC_F(T, driver_opts, "driver-opts", 0, "KEY=VALUE,...", "options of the driver",
		     CLI_LIST),
	OPT_FLAG(T, env, "env", 0, "the second argument is a variable's name"),
	OPT_FLAG(T, ignore, "ignore", 0, "leave one of that name as it is"),
	OPT_FLAG(T, replace, "replace", 0, "take the place of one of that name"),
};
#undef T

static const struct cli_command create_command = {
	.name = "create",
	.arguments = "NAME FILE",
	.description = "FILE may be - for the standard input.",
	.summary = "make a secret of a file or the input",
	CLI_OPTIONS(struct create_cli, create_rows),
	.min_args = 2,
	.max_args = 2,
	.run = run_create,
	.error_code = FLOE_EXIT_ERROR,
};

struct list_cli {
	struct strvec filters;
	const char *format;
	bool quiet;
	bool no_heading;
};

static struct json_object *list_row(const struct secret *s)
{
	struct json_object *o = json_object_new_object();
	auto_free char *created = human_ago((uint64_t)s->created_ns);
	auto_free char *updated = human_ago((uint64_t)s->updated_ns);

	view_add(o, "ID", s->id);
	view_add(o, "Name", s->name);
	view_add(o, "Driver", s->driver);
	view_add(o, "CreatedAt", created);
	view_add(o, "UpdatedAt", updated);
	return o;
}

/* Values of one key are alternatives, both keys must hold. */
static int list_matches(const struct strvec *filters, const struct secret *s, struct err *err)
{
	bool has_name = false, name = false, has_id = false, id = false;

	for (size_t i = 0; i < filters->n; i++) {
		const char *pattern = str_skip_prefix(filters->v[i], "name=");
		const char *start = str_skip_prefix(filters->v[i], "id=");
		int r = pattern ? filter_regex(pattern, s->name, err) : 0;

		if (r < 0)
			return r;
		if (!pattern && !start)
			return err_set(err, ERR_USAGE,
				       "filter '%s': expected name= or id=", filters->v[i]);
		has_name = has_name || pattern;
		has_id = has_id || start;
		name = name || r > 0;
		id = id || (start && str_has_prefix(s->id, start));
	}
	return (!has_name || name) && (!has_id || id);
}

static int run_list(const struct cli_invocation *inv, struct err *err)
{
	const struct list_cli *o = inv->options;
	auto_secrets struct secrets secrets = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct gotemplate_list list = {
		.format = o->format ? o->format :
				      "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t"
				      "{{.UpdatedAt}}",
		.rows = json_object_new_array(),
		.headings = json_object_new_object(),
		.no_heading = o->no_heading,
	};
	int r = secret_list(floe_engine(inv), &secrets, err);

	view_add(list.headings, "CreatedAt", "CREATED");
	view_add(list.headings, "UpdatedAt", "UPDATED");
	for (size_t i = 0; r >= 0 && i < secrets.n; i++) {
		r = list_matches(&o->filters, &secrets.v[i], err);
		if (r <= 0)
			continue;
		json_object_array_add(list.rows, list_row(&secrets.v[i]));
		if (o->quiet)
			strbuf_addf(&out, "%s\n", secrets.v[i].id);
	}
	if (r >= 0 && !o->quiet)
		r = gotemplate_format_list(&list, &out, err);
	json_object_put(list.rows);
	json_object_put(list.headings);
	return r < 0 ? r : cli_print(out.buf, err);
}

#define T struct list_cli
static const struct cli_option list_rows[] = {
	OPT_STRING(T, format, "format", 0, "json|TEMPLATE", "form of the output"),
	OPT_STRVEC(T, filters, "filter", 'f', "KEY=VALUE", "those that this is true of"),
	OPT_FLAG(T, quiet, "quiet", 'q', "ids only"),
	OPT_FLAG(T, no_heading, "noheading", 'n', "no headings"),
};
#undef T

static const struct cli_command list_command = {
	.name = "ls",
	.alias = "list",
	.summary = "list secrets",
	CLI_OPTIONS(struct list_cli, list_rows),
	.min_args = 0,
	.max_args = 0,
	.run = run_list,
	.error_code = FLOE_EXIT_ERROR,
};

struct inspect_cli {
	const char *format;
	bool pretty;
	bool show;
};

static void print_pretty(const struct secret *s, struct strbuf *out)
{
	auto_free char *created = human_time((uint64_t)s->created_ns, 9);
	auto_free char *updated = human_time((uint64_t)s->updated_ns, 9);

	strbuf_addf(out, "ID:              %s\n", s->id);
	strbuf_addf(out, "Name:              %s\n", s->name);
	if (s->labels.n > 0)
		strbuf_adds(out, "Labels:\n");
	for (size_t i = 0; i < s->labels.n; i++)
		strbuf_addf(out, " - %s%s%s\n", s->labels.v[i].key,
			    *s->labels.v[i].value ? "=" : "", s->labels.v[i].value);
	strbuf_addf(out, "Driver:            %s\n", s->driver);
	strbuf_addf(out, "Created at:        %s\n", created);
	strbuf_addf(out, "Updated at:        %s\n", updated);
}

/* Templates may ask for what is shown with --showsecret alone. */
static struct json_object *empty_data(void)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "SecretData", "");
	return o;
}

static int run_inspect(const struct cli_invocation *inv, struct err *err)
{
	const struct inspect_cli *o = inv->options;
	struct json_object *list = json_object_new_array();
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int code = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < inv->n_args; i++) {
		auto_secret struct secret s = { 0 };
		auto_strbuf struct strbuf data = STRBUF_INIT;
		struct json_object *object;
		struct err one = ERR_INIT;

		if (secret_load(floe_engine(inv), inv->args[i], &s, &one) < 0) {
			report_error(&one);
			code = FLOE_EXIT_ERROR;
			continue;
		}
		if (o->pretty) {
			print_pretty(&s, &out);
			continue;
		}
		object = view_secret(floe_engine(inv), &s);
		if (o->show)
			r = secret_read(floe_engine(inv), s.id, &data, err);
		if (o->show)
			view_add(object, "SecretData", data.buf);
		else if (o->format && !str_eq(o->format, "json"))
			gotemplate_add_empty(object, empty_data());
		json_object_array_add(list, object);
	}
	if (r == 0 && !o->pretty)
		r = gotemplate_format_inspected(o->format, list, &out, err);
	json_object_put(list);
	if (r == 0)
		r = cli_print(out.buf, err);
	return r < 0 ? r : code;
}

static const struct cli_option inspect_rows[] = {
	OPT_STRING(struct inspect_cli, format, "format", 'f', "json|TEMPLATE",
		   "form of the output"),
	OPT_FLAG(struct inspect_cli, pretty, "pretty", 0, "a few lines for people"),
	OPT_FLAG(struct inspect_cli, show, "showsecret", 0, "print what is secret as well"),
};

static const struct cli_command inspect_command = {
	.name = "inspect",
	.arguments = "SECRET...",
	.argument_source = FLOE_SECRETS,
	.summary = "show all there is to know about secrets but themselves",
	CLI_OPTIONS(struct inspect_cli, inspect_rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.run = run_inspect,
	.error_code = FLOE_EXIT_ERROR,
};

struct remove_cli {
	bool all;
	bool ignore;
};

static int run_remove(const struct cli_invocation *inv, struct err *err)
{
	const struct remove_cli *o = inv->options;
	struct engine *e = floe_engine(inv);
	auto_secrets struct secrets secrets = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	int code = 0;
	int r = o->all ? secret_list(e, &secrets, err) : 0;

	for (size_t i = 0; i < secrets.n; i++)
		strvec_add(&names, secrets.v[i].id);
	strvec_add_all(&names, inv->args, inv->n_args);
	if (r == 0 && names.n == 0 && !o->all)
		return err_set(err, ERR_USAGE, "secret rm needs a secret or --all");
	if (o->all && inv->n_args > 0)
		return err_set(err, ERR_USAGE, "no arguments are needed with --all");
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_secret struct secret s = { 0 };
		struct err one = ERR_INIT;
		int r2 = secret_load(e, names.v[i], &s, &one);

		if (r2 == 0)
			r2 = secret_remove(e, s.id, &one);
		if (r2 == 0) {
			event_object(e, "secret", "remove", s.id, s.name);
			(void)cli_print_line(s.id, NULL);
		} else if (!(r2 == -ENOENT && o->ignore)) {
			report_error(&one);
			code = FLOE_EXIT_ERROR;
		}
	}
	return r < 0 ? r : code;
}

static const struct cli_option remove_rows[] = {
	OPT_FLAG(struct remove_cli, all, "all", 'a', "every secret"),
	OPT_FLAG(struct remove_cli, ignore, "ignore", 'i', "no error for those not there"),
};

static const struct cli_command remove_command = {
	.name = "rm",
	.arguments = "[SECRET...]",
	.argument_source = FLOE_SECRETS,
	.summary = "remove secrets",
	CLI_OPTIONS(struct remove_cli, remove_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.run = run_remove,
	.error_code = FLOE_EXIT_ERROR,
};

static int run_exists(const struct cli_invocation *inv, struct err *err)
{
	auto_secret struct secret s = { 0 };
	int r = secret_load(floe_engine(inv), inv->args[0], &s, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 1;
	}
	return r;
}

static const struct cli_command exists_command = {
	.name = "exists",
	.arguments = "SECRET",
	.argument_source = FLOE_SECRETS,
	.summary = "tell by the exit code whether a secret is there (0) or not (1)",
	.min_args = 1,
	.max_args = 1,
	.run = run_exists,
	.error_code = FLOE_EXIT_ERROR,
};

static const struct cli_command *const subcommands[] = {
	&create_command, &list_command, &inspect_command, &remove_command, &exists_command,
};

const struct cli_command floe_secret_command = {
	.name = "secret",
	.summary = "manage secrets",
	.subcommands = subcommands,
	.n_subcommands = ARRAY_SIZE(subcommands),
};
