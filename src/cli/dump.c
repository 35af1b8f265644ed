/* SPDX-License-Identifier: Apache-2.0 */
/* The tables as JSON, for what is made from them outside of the program: manual pages, tests. */
#include "cli/cli.h"

#include <json-c/json.h>

static const char *kind_name(enum cli_kind kind)
{
	switch (kind) {
	case CLI_FLAG:
		return "flag";
	case CLI_OPTBOOL:
		return "optional-flag";
	case CLI_STRING:
		return "string";
	case CLI_U32:
	case CLI_U64:
		return "unsigned";
	case CLI_I64:
		return "integer";
	case CLI_SIZE:
		return "size";
	case CLI_DURATION:
		return "duration";
	case CLI_STRVEC:
		return "strings";
	case CLI_ENUM:
	default:
		return "choice";
	}
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *dump_option(const struct cli_option *option)
{
	struct json_object *object = json_object_new_object();
	char short_name[2] = { option->short_name, '\0' };

	add_string(object, "name", option->name);
	add_string(object, "short", option->short_name ? short_name : NULL);
	add_string(object, "kind", kind_name(option->kind));
	add_string(object, "value", option->metavar);
	add_string(object, "help", option->help);
	add_bool(object, "hidden", option->flags & CLI_HIDDEN);
	add_bool(object, "deprecated", option->flags & CLI_DEPRECATED);
	add_bool(object, "configurable", option->flags & CLI_CONFIGURABLE);
	if (option->choices) {
		struct json_object *choices = json_object_new_array();

		for (const struct cli_choice *c = option->choices; c->name; c++)
			json_object_array_add(choices, json_object_new_string(c->name));
		json_object_object_add(object, "choices", choices);
	}
	return object;
}

static struct json_object *dump_options(const struct cli_option *rows, size_t n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, dump_option(&rows[i]));
	return list;
}

static struct json_object *dump_commands(const struct cli_command *const *commands, size_t n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		const struct cli_command *command = commands[i];
		struct json_object *object = json_object_new_object();

		add_string(object, "name", command->name);
		add_string(object, "alias", command->alias);
		add_string(object, "arguments", command->arguments);
		add_string(object, "summary", command->summary);
		add_string(object, "description", command->description);
		add_bool(object, "hidden", command->flags & CLI_HIDDEN_COMMAND);
		add_bool(object, "stopsAtArgument", command->flags & CLI_STOP_AT_ARGUMENT);
		json_object_object_add(object, "minArguments",
				       json_object_new_int(command->min_args));
		json_object_object_add(object, "maxArguments",
				       json_object_new_int(command->max_args));
		json_object_object_add(object, "options",
				       dump_options(command->options, command->n_options));
		json_object_object_add(object, "commands",
				       dump_commands(command->subcommands, command->n_subcommands));
		json_object_array_add(list, object);
	}
	return list;
}

char *cli_dump(const struct cli_program *program)
{
	struct json_object *object = json_object_new_object();
	char *text;

	add_string(object, "name", program->name);
	add_string(object, "summary", program->summary);
	json_object_object_add(object, "options",
			       dump_options(program->globals, program->n_globals));
	json_object_object_add(object, "commands",
			       dump_commands(program->commands, program->n_commands));
	text = json_value_to_text(object, JSON_INDENT2);
	json_object_put(object);
	return text;
}
