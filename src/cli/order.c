/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Global options behind the command, as `podman run --runtime crun` has them: moved before it, so that there is one place to
 * read them. What an option of the command's own is stays, and so does all that is not parsed.
 */
#include <string.h>

#include "cli/cli.h"
#include "core/str.h"

struct order {
	const struct cli_program *program;
	const struct cli_command *command; /* NULL: before it */
	char *const *next;
	struct strvec *globals;
	struct strvec rest;
	struct err *err;
};

static const struct cli_command *descend(const struct order *o, const char *name)
{
	const struct cli_command *const *commands = o->command ? o->command->subcommands :
								 o->program->commands;
	size_t n = o->command ? o->command->n_subcommands : o->program->n_commands;

	for (size_t i = 0; i < n; i++)
		if (str_eq(commands[i]->name, name) || str_eq(commands[i]->alias, name))
			return commands[i];
	return NULL;
}

static const struct cli_option *row_named(const struct cli_option *rows, size_t n, const char *name,
					  size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(rows[i].name, name, len) == 0 && !rows[i].name[len])
			return &rows[i];
	return NULL;
}

/* The option at the end of a cluster such as -it, where its value is the next word. */
static const struct cli_option *waits_for_value(const struct cli_option *rows, size_t n,
						const char *cluster)
{
	for (const char *c = cluster; *c; c++) {
		for (size_t i = 0; i < n; i++)
			if (rows[i].short_name == *c && cli_option_takes_value(&rows[i]))
				return c[1] ? NULL : &rows[i];
	}
	return NULL;
}

static int take_option(struct order *o, const char *word)
{
	const struct cli_option *rows = o->command ? o->command->options : o->program->globals;
	size_t n = o->command ? o->command->n_options : o->program->n_globals;
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	struct strvec *to = o->command ? &o->rest : o->globals;
	const struct cli_option *row = len > 1 || word[1] == '-' ? row_named(rows, n, name, len) :
								   NULL;
	bool has_value = name[len];

	if (!row && o->command && word[1] == '-') {
		row = row_named(o->program->globals, o->program->n_globals, name, len);
		if (row && !(row->flags & CLI_ANYWHERE))
			row = NULL;
		if (row)
			to = o->globals;
	}
	if (!row && word[1] != '-') {
		row = waits_for_value(rows, n, name);
		has_value = false;
	}
	strvec_add(to, word);
	if (!row || has_value || !cli_option_takes_value(row))
		return 0;
	if (*o->next)
		strvec_add(to, *o->next++);
	/* It would take the command for its value, being before it. */
	else if (o->command && to == o->globals)
		return err_set(o->err, ERR_USAGE, "flag needs an argument: %s; see '%s --help'",
			       word, o->program->name);
	return 0;
}

/* Whether the words behind it are parsed. */
static bool take_argument(struct order *o, const char *word, bool *is_path)
{
	const struct cli_command *found = *is_path ? descend(o, word) : NULL;

	strvec_add(&o->rest, word);
	if (found)
		o->command = found;
	else
		*is_path = false;
	return found || (o->command && !(o->command->flags & CLI_STOP_AT_ARGUMENT));
}

int cli_order(const struct cli_program *program, char *const *argv, struct strvec *ret,
	      struct err *err)
{
	struct order o = { .program = program, .next = argv, .globals = ret, .err = err };
	bool is_path = true;
	bool parsed = true;
	int r = 0;

	while (r == 0 && *o.next && parsed) {
		const char *word = *o.next++;

		if (word[0] != '-' || !word[1]) {
			parsed = take_argument(&o, word, &is_path);
		} else if (str_eq(word, "--")) {
			strvec_add(&o.rest, word);
			parsed = false;
		} else {
			r = take_option(&o, word);
		}
	}
	strvec_add_all(ret, o.rest.v, o.rest.n);
	while (*o.next)
		strvec_add(ret, *o.next++);
	strvec_done(&o.rest);
	return r;
}
