/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of floe-runtime: what no compiler checks. */
#include "cli/floe-runtime/program.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/str.h"

static const struct cli_program *const program = &floe_runtime_program;

static void check_option(const char *of, const struct cli_option *o)
{
	bool takes_value = cli_option_takes_value(o);

	if (takes_value != (o->metavar != NULL))
		fail_msg("%s --%s: a metavar is for options that take a value", of, o->name);
	if ((o->kind == CLI_ENUM) != (o->choices != NULL))
		fail_msg("%s --%s: choices are for CLI_ENUM", of, o->name);
	if (strlen(o->name) < 2 ||
	    o->name[strspn(o->name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		fail_msg("%s --%s: not a name for an option", of, o->name);
	if (str_is_empty(o->help) || str_has_suffix(o->help, "."))
		fail_msg("%s --%s: the help is a sentence without a full stop", of, o->name);
	if (str_eq(o->name, "help") || o->short_name == 'h')
		fail_msg("%s --%s: taken by the help", of, o->name);
}

static void check_options(const char *of, const struct cli_option *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_option(of, &rows[i]);
		for (size_t j = 0; j < i; j++) {
			if (str_eq(rows[i].name, rows[j].name))
				fail_msg("%s --%s: is there twice", of, rows[i].name);
			if (rows[i].short_name && rows[i].short_name == rows[j].short_name)
				fail_msg("%s -%c: is there twice", of, rows[i].short_name);
			if (rows[i].offset == rows[j].offset)
				fail_msg("%s --%s and --%s: the same member", of, rows[i].name,
					 rows[j].name);
		}
	}
}

static void test_options(void **state UNUSED)
{
	check_options(program->name, program->globals, program->n_globals);
	for (size_t i = 0; i < program->n_commands; i++)
		check_options(program->commands[i]->name, program->commands[i]->options,
			      program->commands[i]->n_options);
}

static void test_commands(void **state UNUSED)
{
	for (size_t i = 0; i < program->n_commands; i++) {
		const struct cli_command *c = program->commands[i];

		if (str_is_empty(c->summary) || str_has_suffix(c->summary, ".") ||
		    isupper((unsigned char)c->summary[0]))
			fail_msg("%s: the summary is a lower-case line without a full stop",
				 c->name);
		if (c->description && !str_has_suffix(c->description, "."))
			fail_msg("%s: the description is made of sentences", c->name);
		if ((c->max_args != 0) != (c->arguments != NULL))
			fail_msg("%s: arguments are to be named", c->name);
		if (c->max_args != CLI_ARGS_ANY && c->max_args < c->min_args)
			fail_msg("%s: fewer arguments at most than at least", c->name);
		if (!c->run)
			fail_msg("%s: does nothing", c->name);
		for (size_t j = 0; j < i; j++)
			if (str_eq(c->name, program->commands[j]->name))
				fail_msg("%s: is there twice", c->name);
	}
}

static void check_width(const char *of, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > 80)
			fail_msg("%s --help: longer than 80 columns: %.*s", of, (int)len, text);
		if (len && text[len - 1] == ' ')
			fail_msg("%s --help: space at the end: %.*s", of, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void test_help_width(void **state UNUSED)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	cli_help_program(program, &sb);
	check_width(program->name, sb.buf);
	for (size_t i = 0; i < program->n_commands; i++) {
		auto_free char *of = xasprintf("%s %s", program->name, program->commands[i]->name);

		strbuf_clear(&sb);
		cli_help_command(program->commands[i], of, &sb);
		check_width(of, sb.buf);
	}
}

/* Words that callers look for by themselves. */
static void test_probes(void **state UNUSED)
{
	auto_strvec struct strvec words = STRVEC_INIT;
	const struct cli_command *command;
	struct err err = ERR_INIT;
	auto_free char *of = NULL;
	size_t used;
	int code;

	strvec_add(&words, "restore");
	strvec_add(&words, "--lsm-mount-context");
	assert_int_equal(cli_command_find(program, words.v, &command, &used, &of, &err), 0);
	assert_int_equal(cli_command_run(program, command, of, words.v + used, NULL, &code, &err),
			 -EINVAL);
	assert_int_equal(code, 1);
	assert_non_null(strstr(err.msg, "flag needs an argument"));
	assert_non_null(strstr(err.msg, "requires an argument"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_help_width),
		cmocka_unit_test(test_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
