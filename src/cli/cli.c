/* SPDX-License-Identifier: Apache-2.0 */
/* The parser, and the way from a command's name to its function. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"

void cli_args_done(struct cli_args *args)
{
	free(args->v);
	strvec_done(&args->given);
	*args = (struct cli_args){ 0 };
}

void cli_options_done(const struct cli_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].kind == CLI_STRVEC)
			strvec_done((void *)((char *)table->into + table->rows[i].offset));
}

const struct cli_option *cli_option_find(const struct cli_option *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static int bad_value(const char *what, const char *value, const char *expected, struct err *err)
{
	return err_set(err, ERR_USAGE, "invalid value '%s' for '%s': expected %s", value, what,
		       expected);
}

void cli_choices_join(const struct cli_choice *choices, const char *separator, const char *last,
		      struct strbuf *sb)
{
	for (const struct cli_choice *c = choices; c->name; c++) {
		if (c != choices)
			strbuf_adds(sb, c[1].name ? separator : last);
		strbuf_adds(sb, c->name);
	}
}

static int set_enum(const struct cli_option *option, int *into, const char *value, const char *what,
		    struct err *err)
{
	auto_strbuf struct strbuf names = STRBUF_INIT;

	for (const struct cli_choice *c = option->choices; c->name; c++) {
		if (option->flags & CLI_ANY_CASE ? strcasecmp(c->name, value) == 0 :
						   str_eq(c->name, value)) {
			*into = c->value;
			return 0;
		}
	}
	cli_choices_join(option->choices, ", ", " or ", &names);
	return bad_value(what, value, names.buf, err);
}

static int set_size(struct opt_i64 *into, const char *value)
{
	uint64_t bytes;
	int r;

	if (str_eq(value, "-1")) {
		*into = (struct opt_i64){ true, -1 };
		return 0;
	}
	r = parse_size(value, &bytes);
	if (r < 0)
		return r;
	if (bytes > INT64_MAX)
		return -ERANGE;
	*into = (struct opt_i64){ true, (int64_t)bytes };
	return 0;
}

/* Sets the value when it can be read; `expected` is what to say when not. */
static int set_number(const struct cli_option *option, void *into, const char *value,
		      const char **expected)
{
	struct opt_i64 *i64 = into;
	struct opt_u64 *u64 = into;

	switch (option->kind) {
	case CLI_U32:
		*expected = "a number from 0 to 4294967295";
		return parse_u32(value, into);
	case CLI_I64:
		*expected = "an integer";
		return (i64->set = parse_i64(value, &i64->v) == 0) ? 0 : -EINVAL;
	case CLI_U64:
		*expected = "a number that is not negative";
		return (u64->set = parse_u64(value, &u64->v) == 0) ? 0 : -EINVAL;
	case CLI_SIZE:
		*expected = "a size such as 512m, or -1 for no limit";
		return set_size(into, value);
	case CLI_DURATION:
		*expected = "a duration such as 500ms or 1m30s";
		return parse_duration(value, into);
	case CLI_FLAG:
	case CLI_OPTBOOL:
	case CLI_STRING:
	case CLI_STRVEC:
	case CLI_ENUM:
		break;
	}
	return -EINVAL;
}

int cli_option_set(const struct cli_option *option, void *into, const char *value, const char *what,
		   struct err *err)
{
	const char *expected = "true or false";
	void *member = (char *)into + option->offset;
	struct opt_bool *opt_bool = member;
	int r = 0;

	switch (option->kind) {
	case CLI_FLAG:
		r = value ? parse_bool(value, member) : (*(bool *)member = true, 0);
		break;
	case CLI_OPTBOOL:
		r = value ? parse_bool(value, &opt_bool->v) : (opt_bool->v = true, 0);
		opt_bool->set = r == 0;
		break;
	case CLI_STRING:
		*(const char **)member = value;
		break;
	case CLI_STRVEC:
		if (option->flags & CLI_LIST)
			strvec_split(member, value, ',', false);
		else
			strvec_add(member, value);
		break;
	case CLI_ENUM:
		return set_enum(option, member, value, what, err);
	case CLI_U32:
	case CLI_I64:
	case CLI_U64:
	case CLI_SIZE:
	case CLI_DURATION:
		r = set_number(option, member, value, &expected);
		break;
	}
	return r < 0 ? bad_value(what, value, expected, err) : 0;
}

/* One run of the parser. */
struct parser {
	const struct cli_table *tables;
	size_t n_tables;
	const char *of;
	char *const *next; /* the word to read next */
	struct cli_args *ret;
	struct err *err;
};

static const struct cli_option *find_long(const struct parser *p, const char *name, size_t len,
					  void **ret_into)
{
	for (size_t t = 0; t < p->n_tables; t++) {
		for (size_t i = 0; i < p->tables[t].n; i++) {
			const struct cli_option *row = &p->tables[t].rows[i];

			if (strncmp(row->name, name, len) == 0 && !row->name[len]) {
				*ret_into = p->tables[t].into;
				return row;
			}
		}
	}
	return NULL;
}

static const struct cli_option *find_short(const struct parser *p, char c, void **ret_into)
{
	for (size_t t = 0; t < p->n_tables; t++) {
		for (size_t i = 0; i < p->tables[t].n; i++) {
			if (p->tables[t].rows[i].short_name == c) {
				*ret_into = p->tables[t].into;
				return &p->tables[t].rows[i];
			}
		}
	}
	return NULL;
}

/* ": " and what one does instead of what is not there, or nothing; owned by the caller. */
static char *advice(const struct cli_program *program, const char *name)
{
	for (size_t i = 0; program && i < program->n_absent; i++) {
		const struct cli_absent *absent = &program->absent[i];
		size_t n = strcspn(absent->name, "*");

		if (absent->name[n] ? strncmp(absent->name, name, n) == 0 :
				      str_eq(absent->name, name))
			return xasprintf(": %s", absent->instead);
	}
	return xstrdup("");
}

static int unknown(const struct parser *p, const char *dashes, const char *name, size_t len)
{
	auto_free char *flag = xasprintf("%s%.*s", dashes, (int)len, name);
	auto_free char *instead = advice(p->tables[0].program, flag);

	return err_set(p->err, ERR_USAGE, "unknown flag: %s%s; see '%s --help'", flag, instead,
		       p->of);
}

/* Give the option its value: the one that stands with it, or the next word where it needs one. */
static int take_value(struct parser *p, const struct cli_option *option, void *into,
		      const char *value, const char *dashes, const char *name, size_t len)
{
	auto_free char *what = xasprintf("%s%.*s", dashes, (int)len, name);
	auto_free char *letter = !dashes[1] && len == 1 ? xasprintf("'%c' in ", name[0]) :
							  xstrdup("");

	if (!value && cli_option_takes_value(option)) {
		/* podman looks for these very words when it asks what `restore` can do. */
		if (!*p->next)
			return err_set(
				p->err, ERR_USAGE,
				"flag needs an argument: %s%s (it requires an argument); see "
				"'%s --help'",
				letter, what, p->of);
		value = *p->next++;
	}
	strvec_add(&p->ret->given, option->name);
	return cli_option_set(option, into, value, what, p->err);
}

/* -abc, -n value, -nvalue, -n=value */
static int parse_short(struct parser *p, const char *word)
{
	for (const char *c = word; *c; c++) {
		const struct cli_option *option;
		const char *value = NULL;
		void *into;
		int r;

		option = find_short(p, *c, &into);
		if (!option && *c == 'h') {
			p->ret->help = true;
			return 0;
		}
		if (!option) {
			/* `-foo` is rather a mistyped long option than a cluster. */
			size_t len = c == word ? strcspn(word, "=") : 1;

			if (len > 1)
				return unknown(p, "-", c, len);
			return err_set(p->err, ERR_USAGE,
				       "unknown shorthand flag: '%c' in -%s; see '%s --help'", *c,
				       word, p->of);
		}
		if (c[1] == '=')
			value = c + 2;
		else if (c[1] && cli_option_takes_value(option))
			value = c + 1;
		r = take_value(p, option, into, value, "-", c, 1);
		if (r < 0 || value)
			return r;
		if (cli_option_takes_value(option))
			return 0;
	}
	return 0;
}

static int parse_option(struct parser *p, const char *word)
{
	const char *dashes = word[1] == '-' ? "--" : "-";
	const char *name = word + strlen(dashes);
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct cli_option *option = NULL;
	void *into;

	if (len > 1 || dashes[1])
		option = find_long(p, name, len, &into);
	if (option)
		return take_value(p, option, into, value, dashes, name, len);
	if (len == 4 && strncmp(name, "help", 4) == 0) {
		p->ret->help = true;
		return 0;
	}
	return dashes[1] ? unknown(p, dashes, name, len) : parse_short(p, name);
}

int cli_parse(const struct cli_table *tables, size_t n_tables, bool stop, const char *of,
	      char *const *argv, struct cli_args *ret, struct err *err)
{
	auto_cli_args struct cli_args args = { 0 };
	struct parser p = { tables, n_tables, of, argv, &args, err };
	bool options_ended = false;
	size_t n = 0;

	while (argv[n])
		n++;
	args.v = xcalloc(n + 1, sizeof(*args.v));
	while (*p.next && !args.help) {
		char *word = *p.next++;
		int r;

		if (options_ended || word[0] != '-' || !word[1]) {
			args.v[args.n++] = word;
			options_ended = options_ended || stop;
		} else if (str_eq(word, "--")) {
			options_ended = true;
		} else {
			r = parse_option(&p, word);
			if (r < 0)
				return r;
		}
	}
	*ret = args;
	args = (struct cli_args){ 0 };
	return 0;
}

static const struct cli_command *find_command(const struct cli_command *const *commands, size_t n,
					      const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(commands[i]->name, name) ||
		    (commands[i]->alias && str_eq(commands[i]->alias, name)))
			return commands[i];
	return NULL;
}

int cli_command_find(const struct cli_program *program, char *const *argv,
		     const struct cli_command **ret, size_t *ret_used, char **ret_of,
		     struct err *err)
{
	auto_free char *of = xstrdup(program->name);
	const struct cli_command *const *commands = program->commands;
	const struct cli_command *command = NULL;
	size_t n = program->n_commands;
	size_t used = 0;

	while (commands && argv[used] && (!command || argv[used][0] != '-')) {
		const struct cli_command *found = find_command(commands, n, argv[used]);

		if (!found && command && command->run)
			break;
		if (!found && (str_eq(argv[used + 1], "-h") || str_eq(argv[used + 1], "--help")))
			return err_set(err, ERR_USAGE,
				       "No help topic for '%s': unknown command; see '%s --help'",
				       argv[used], of);
		if (!found) {
			auto_free char *instead = command ? xstrdup("") :
							    advice(program, argv[used]);

			return err_set(err, ERR_USAGE,
				       "unrecognized command `%s %s`%s; see '%s --help'", of,
				       argv[used], instead, of);
		}
		command = found;
		replace_ptr(of, xasprintf("%s %s", of, command->name));
		commands = command->subcommands;
		n = command->n_subcommands;
		used++;
	}
	if (!command)
		return err_set(err, ERR_USAGE, "no command given; see '%s --help'", of);
	*ret = command;
	*ret_used = used;
	*ret_of = take_ptr(of);
	return 0;
}

static int check_count(const struct cli_command *command, const char *of, size_t n, struct err *err)
{
	int min = command->min_args;
	int max = command->max_args;
	const char *form;
	int want;

	if (n > 0 && max == 0)
		return err_set(err, ERR_USAGE, "\"%s\" takes no arguments; see '%s --help'",
			       command->name, of);
	if (n >= (size_t)min && (max == CLI_ARGS_ANY || n <= (size_t)max))
		return 0;
	if (min == max)
		form = "exactly";
	else
		form = n < (size_t)min ? "a minimum of" : "a maximum of";
	want = n < (size_t)min ? min : max;
	return err_set(err, ERR_USAGE, "\"%s\" requires %s %d argument(s); see '%s --help'",
		       command->name, form, want, of);
}

static int print_command_help(const struct cli_command *command, const char *of, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	cli_help_command(command, of, &sb);
	return cli_print(sb.buf, err);
}

int cli_command_run(const struct cli_program *program, const struct cli_command *command,
		    const char *of, char *const *argv, void *context, int *ret_error_code,
		    struct err *err)
{
	auto_cli_args struct cli_args args = { 0 };
	auto_free void *options = xcalloc(1, command->options_size + 1);
	struct cli_table table = { command->options, command->n_options, options, program };
	struct cli_invocation inv = { program, command, context, options, NULL, 0, &args.given };
	int r;

	*ret_error_code = 1;
	if (command->defaults)
		memcpy(options, command->defaults, command->options_size);
	if (command->prepare)
		command->prepare(context, options);
	r = cli_parse(&table, 1, command->flags & CLI_STOP_AT_ARGUMENT, of, argv, &args, err);
	if (r == 0 && args.help) {
		r = print_command_help(command, of, err);
	} else if (r == 0 && !command->run) {
		r = print_command_help(command, of, err);
		if (r == 0)
			r = err_set(err, ERR_USAGE, "missing command '%s COMMAND'", of);
	} else if (r == 0) {
		r = check_count(command, of, args.n, err);
		if (r == 0) {
			inv.args = args.v;
			inv.n_args = args.n;
			r = command->run(&inv, err);
			if (command->error_code)
				*ret_error_code = command->error_code;
		}
	}
	cli_options_done(&table);
	return r;
}

int cli_print(const char *text, struct err *err)
{
	int r = io_write_all(STDOUT_FILENO, text, strlen(text));

	return r < 0 ? err_sys(err, r, "write to standard output") : 0;
}

int cli_print_line(const char *text, struct err *err)
{
	auto_free char *line = xasprintf("%s\n", text);

	return cli_print(line, err);
}

int cli_run_help(const struct cli_invocation *inv, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const struct cli_command *command;
	auto_free char *of = NULL;
	size_t used;
	int r;

	if (inv->n_args == 0) {
		cli_help_program(inv->program, &sb);
		return cli_print(sb.buf, err);
	}
	r = cli_command_find(inv->program, inv->args, &command, &used, &of, err);
	return r < 0 ? r : print_command_help(command, of, err);
}
