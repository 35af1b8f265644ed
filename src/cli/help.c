/* SPDX-License-Identifier: Apache-2.0 */
/* --help, from the tables; no line is longer than 80 columns. */
#include "cli/cli.h"

#include <string.h>

#include "core/str.h"

enum { HELP_WIDTH = 80, OPTION_COLUMN = 32, COMMAND_COLUMN = 16 };

/* Append words of text, wrapped; the cursor stands at column, further lines begin at indent. */
static void add_wrapped(struct strbuf *sb, const char *text, size_t column, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (!first && column + 1 + len > HELP_WIDTH) {
			strbuf_addf(sb, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		strbuf_addf(sb, "%s%.*s", first ? "" : " ", (int)len, text);
		column += len + !first;
		first = false;
		text += len;
		text += strspn(text, " ");
		if (*text == '\n') {
			text++;
			strbuf_addf(sb, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
	}
	strbuf_addc(sb, '\n');
}

/* "  -b, --bundle DIR        directory of the bundle" */
static void add_row(struct strbuf *sb, const char *left, const char *help, size_t indent)
{
	size_t column = strlen(left);

	strbuf_adds(sb, left);
	if (column + 2 > indent) {
		strbuf_addc(sb, '\n');
		column = 0;
	}
	strbuf_addf(sb, "%*s", (int)(indent - column), "");
	add_wrapped(sb, help, indent, indent);
}

/* The choices stand behind the help's text, but before its "(default: ...)". */
static void add_choices(struct strbuf *sb, const struct cli_option *option)
{
	const char *default_text = strstr(option->help, " (default");
	size_t len = default_text ? (size_t)(default_text - option->help) : strlen(option->help);

	strbuf_add(sb, option->help, len);
	if (option->choices) {
		strbuf_adds(sb, ": ");
		cli_choices_join(option->choices, ", ", " or ", sb);
	}
	strbuf_adds(sb, option->help + len);
}

static void add_option(struct strbuf *sb, const struct cli_option *option)
{
	auto_strbuf struct strbuf left = STRBUF_INIT;
	auto_strbuf struct strbuf help = STRBUF_INIT;

	if (option->short_name)
		strbuf_addf(&left, "  -%c, --%s", option->short_name, option->name);
	else
		strbuf_addf(&left, "      --%s", option->name);
	if (option->metavar)
		strbuf_addf(&left, " %s", option->metavar);
	add_choices(&help, option);
	if (option->kind == CLI_STRVEC)
		strbuf_adds(&help, " (may be repeated)");
	if (option->flags & CLI_DEPRECATED)
		strbuf_adds(&help, " (deprecated)");
	add_row(sb, left.buf, help.buf, OPTION_COLUMN);
}

static bool has_options(const struct cli_option *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(rows[i].flags & CLI_HIDDEN))
			return true;
	return false;
}

static void add_options(struct strbuf *sb, const struct cli_option *rows, size_t n)
{
	if (!has_options(rows, n))
		return;
	strbuf_adds(sb, "\nOptions:\n");
	for (size_t i = 0; i < n; i++)
		if (!(rows[i].flags & CLI_HIDDEN))
			add_option(sb, &rows[i]);
	add_row(sb, "  -h, --help", "show this help", OPTION_COLUMN);
}

/* A line for each, however long: scripts take its first word. */
static void add_commands(struct strbuf *sb, const struct cli_command *const *commands, size_t n)
{
	strbuf_adds(sb, "\nAvailable Commands:\n");
	for (size_t i = 0; i < n; i++)
		if (!(commands[i]->flags & CLI_HIDDEN_COMMAND))
			strbuf_addf(sb, "  %-*s %s\n", COMMAND_COLUMN - 3, commands[i]->name,
				    commands[i]->summary);
}

/* First letter in upper case, full stop at the end. */
static void add_sentence(struct strbuf *sb, const char *text)
{
	size_t start = sb->len;

	add_wrapped(sb, text, 0, 0);
	if (sb->buf[start] >= 'a' && sb->buf[start] <= 'z')
		sb->buf[start] = (char)(sb->buf[start] - 'a' + 'A');
	strbuf_truncate(sb, sb->len - 1);
	strbuf_adds(sb, ".\n");
}

void cli_help_program(const struct cli_program *program, struct strbuf *sb)
{
	add_sentence(sb, program->summary);
	strbuf_addf(sb, "\nUsage:\n  %s [options] [command]\n", program->name);
	add_commands(sb, program->commands, program->n_commands);
	add_options(sb, program->globals, program->n_globals);
	strbuf_addf(sb, "\n'%s COMMAND --help' says more about a command.\n", program->name);
}

/* In the order and under the titles of podman and docker, whose help programs read. */
void cli_help_command(const struct cli_command *command, const char *of, struct strbuf *sb)
{
	add_sentence(sb, command->summary);
	if (command->description) {
		strbuf_adds(sb, "\nDescription:\n  ");
		add_wrapped(sb, command->description, 2, 2);
	}
	strbuf_addf(sb, "\nUsage:\n  %s", of);
	if (has_options(command->options, command->n_options))
		strbuf_adds(sb, " [options]");
	if (command->n_subcommands && !command->run)
		strbuf_adds(sb, " [command]");
	if (command->arguments)
		strbuf_addf(sb, " %s", command->arguments);
	strbuf_addc(sb, '\n');
	if (command->n_subcommands)
		add_commands(sb, command->subcommands, command->n_subcommands);
	add_options(sb, command->options, command->n_options);
}
