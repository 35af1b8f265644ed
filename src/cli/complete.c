/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion scripts, from the tables. A value is completed by what its metavar says (FILE, DIR,
 * SOCKET) or by the choices; arguments by the command's own argument_source.
 *
 * The place of a word is a path: "" are the program's options and commands, "/create" those of a
 * command, "/container/create" those of its subcommand. The bash and fish scripts walk the words in
 * front of the cursor to that path; zsh's _arguments does so by itself.
 */
#include "cli/cli.h"

#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/strvec.h"

struct place {
	const char *path;
	const struct cli_option *options;
	size_t n_options;
	const struct cli_command *const *commands;
	size_t n_commands;
	const char *argument_source;
};

typedef void (*place_fn)(struct strbuf *sb, const struct cli_program *program, const char *ident,
			 const struct place *place);

static bool is_shown(const struct cli_option *option)
{
	return !(option->flags & CLI_HIDDEN);
}

static bool command_is_shown(const struct cli_command *command)
{
	return !(command->flags & CLI_HIDDEN_COMMAND);
}

static bool value_is_directory(const struct cli_option *option)
{
	return str_eq(option->metavar, "DIR");
}

static bool value_is_file(const struct cli_option *option)
{
	return str_eq(option->metavar, "FILE") || str_eq(option->metavar, "SOCKET");
}

static bool is_of(const struct cli_value_source *source, const char *path)
{
	auto_strvec struct strvec paths = STRVEC_INIT;

	if (!source->commands)
		return true;
	strvec_split(&paths, source->commands, ' ', false);
	return strvec_contains(&paths, path);
}

/* NULL: nobody knows. */
static const struct cli_value_source *find_source(const struct cli_program *program,
						  const struct place *place,
						  const struct cli_option *option)
{
	size_t n = program->n_value_sources ? *program->n_value_sources : 0;

	if (!cli_option_takes_value(option))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct cli_value_source *s = &program->value_sources[i];

		if (str_eq(s->option, option->name) && is_of(s, place->path))
			return s;
	}
	return NULL;
}

/* Whether some of the words are the beginnings of values. */
static bool has_beginnings(const struct cli_value_source *source)
{
	for (const char *p = source->words ? source->words : ""; *p; p++)
		if (strchr("=:,-", *p) && (p[1] == ' ' || !p[1]))
			return true;
	return false;
}

/* Call fn for the program and for every command. */
static void each_place(struct strbuf *sb, const struct cli_program *program, const char *ident,
		       const struct place *place, place_fn fn)
{
	fn(sb, program, ident, place);
	for (size_t i = 0; i < place->n_commands; i++) {
		const struct cli_command *c = place->commands[i];
		auto_free char *path = xasprintf("%s/%s", place->path, c->name);
		struct place below = { path,	       c->options,	 c->n_options,
				       c->subcommands, c->n_subcommands, c->argument_source };

		if (command_is_shown(c))
			each_place(sb, program, ident, &below, fn);
	}
}

static void each_place_of(struct strbuf *sb, const struct cli_program *program, const char *ident,
			  place_fn fn)
{
	struct place top = {
		"",  program->globals, program->n_globals, program->commands, program->n_commands,
		NULL
	};

	each_place(sb, program, ident, &top, fn);
}

/* Text within single quotes of a shell; specials are further characters to put a backslash before. */
static void add_quoted(struct strbuf *sb, const char *s, const char *specials)
{
	for (; *s; s++) {
		if (*s == '\'')
			strbuf_adds(sb, "'\\''");
		else
			strbuf_addf(sb, "%s%c", strchr(specials, *s) ? "\\" : "", *s);
	}
}

/* "A | B" for a case: what the option's two names look like at a place. */
static void add_case(struct strbuf *sb, const char *path, const struct cli_option *option,
		     const char *separator, const char *quote)
{
	strbuf_addf(sb, "%s%s:--%s%s", quote, path, option->name, quote);
	if (option->short_name)
		strbuf_addf(sb, "%s%s%s:-%c%s", separator, quote, path, option->short_name, quote);
}

/*
 * bash
 */

/* "words@run:COMMAND": it is not executed before somebody wants to know. */
static void add_source(struct strbuf *sb, const struct cli_value_source *source)
{
	strbuf_adds(sb, source->words ? source->words : "");
	if (source->shell) {
		strbuf_adds(sb, "@run:");
		add_quoted(sb, source->shell, "");
	}
}

static void bash_value_cases(struct strbuf *sb, const struct cli_program *program,
			     const char *ident UNUSED, const struct place *place)
{
	for (size_t i = 0; i < place->n_options; i++) {
		const struct cli_option *o = &place->options[i];
		const struct cli_value_source *source = find_source(program, place, o);

		if (!is_shown(o) || !cli_option_takes_value(o))
			continue;
		strbuf_addc(sb, '\t');
		add_case(sb, place->path, o, " | ", "");
		strbuf_adds(sb, ") echo '");
		if (o->choices)
			cli_choices_join(o->choices, " ", " ", sb);
		else if (source)
			add_source(sb, source);
		else if (value_is_directory(o))
			strbuf_adds(sb, "@dir");
		else
			strbuf_adds(sb, value_is_file(o) ? "@file" : "@any");
		strbuf_adds(sb, "' ;;\n");
	}
}

static void bash_option_cases(struct strbuf *sb, const struct cli_program *program UNUSED,
			      const char *ident UNUSED, const struct place *place)
{
	strbuf_addf(sb, "\t%s) echo '--help", *place->path ? place->path : "''");
	for (size_t i = 0; i < place->n_options; i++)
		if (is_shown(&place->options[i]))
			strbuf_addf(sb, " --%s", place->options[i].name);
	strbuf_adds(sb, "' ;;\n");
}

static void bash_word_cases(struct strbuf *sb, const struct cli_program *program UNUSED,
			    const char *ident UNUSED, const struct place *place)
{
	if (place->n_commands) {
		strbuf_addf(sb, "\t%s) echo '", *place->path ? place->path : "''");
		for (size_t i = 0; i < place->n_commands; i++)
			if (command_is_shown(place->commands[i]))
				strbuf_addf(sb, "%s%s", i ? " " : "", place->commands[i]->name);
		strbuf_adds(sb, "' ;;\n");
	} else if (place->argument_source) {
		strbuf_addf(sb, "\t%s) %s 2>/dev/null ;;\n", place->path, place->argument_source);
	}
}

static void bash_descend_cases(struct strbuf *sb, const struct cli_program *program UNUSED,
			       const char *ident UNUSED, const struct place *place)
{
	for (size_t i = 0; i < place->n_commands; i++)
		if (command_is_shown(place->commands[i]))
			strbuf_addf(sb, "\t\t%s:%s) path=%s/%s ;;\n", place->path,
				    place->commands[i]->name, place->path,
				    place->commands[i]->name);
}

static void bash_script(struct strbuf *sb, const struct cli_program *program, const char *ident)
{
	strbuf_addf(sb, "# bash completion for %s\n", program->name);
	strbuf_addf(sb,
		    "\n# What the value of an option is; fails when it takes none.\n"
		    "_%s_value()\n{\n\tcase $1 in\n",
		    ident);
	each_place_of(sb, program, ident, bash_value_cases);
	strbuf_addf(sb, "\t*) return 1 ;;\n\tesac\n}\n\n_%s_options()\n{\n\tcase $1 in\n", ident);
	each_place_of(sb, program, ident, bash_option_cases);
	strbuf_addf(sb, "\tesac\n}\n\n_%s_words()\n{\n\tcase $1 in\n", ident);
	each_place_of(sb, program, ident, bash_word_cases);
	strbuf_addf(sb, "\tesac\n}\n\n_%s()\n{\n", ident);
	strbuf_adds(sb, "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
			"\tlocal path='' skip='' kind i word\n"
			"\t# bash splits words at '='.\n"
			"\t[[ $cur == '=' ]] && cur=''\n"
			"\t[[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
			"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			"\t\tword=${COMP_WORDS[i]}\n"
			"\t\t[[ $word == '=' ]] && continue\n"
			"\t\tif [[ $skip ]]; then\n"
			"\t\t\tskip=''\n"
			"\t\t\tcontinue\n"
			"\t\tfi\n");
	strbuf_addf(sb,
		    "\t\tif [[ $word == -* ]]; then\n"
		    "\t\t\t_%s_value \"$path:$word\" >/dev/null && skip=1\n"
		    "\t\t\tcontinue\n"
		    "\t\tfi\n"
		    "\t\tcase $path:$word in\n",
		    ident);
	each_place_of(sb, program, ident, bash_descend_cases);
	strbuf_addf(
		sb,
		"\t\tesac\n"
		"\tdone\n"
		"\tif kind=$(_%s_value \"$path:$prev\"); then\n"
		"\t\tcase $kind in\n"
		"\t\t@file)\n"
		"\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		"\t\t\tcompopt -o filenames 2>/dev/null ;;\n"
		"\t\t@dir)\n"
		"\t\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
		"\t\t\tcompopt -o filenames 2>/dev/null ;;\n"
		"\t\t@any) COMPREPLY=() ;;\n"
		"\t\t*)\n"
		"\t\t\tword=${kind%%@run:*}\n"
		"\t\t\t[[ $kind != *@run:* ]] || word+=\" $(eval \"${kind#*@run:}\" "
		"2>/dev/null)\"\n"
		"\t\t\tmapfile -t COMPREPLY < <(compgen -W \"$word\" -- \"$cur\")\n"
		"\t\t\t[[ ${COMPREPLY[0]} != *[=:,-] ]] || compopt -o nospace 2>/dev/null ;;\n"
		"\t\tesac\n"
		"\telif [[ $cur == -* ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_%s_options \"$path\")\" -- "
		"\"$cur\")\n"
		"\telse\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_%s_words \"$path\")\" -- \"$cur\")\n"
		"\tfi\n"
		"}\n"
		"complete -F _%s %s\n",
		ident, ident, ident, ident, program->name);
}

/*
 * fish
 */

static void fish_walk_cases(struct strbuf *sb, const struct cli_program *program UNUSED,
			    const char *ident UNUSED, const struct place *place)
{
	for (size_t i = 0; i < place->n_options; i++) {
		if (!is_shown(&place->options[i]) || !cli_option_takes_value(&place->options[i]))
			continue;
		strbuf_adds(sb, "            case ");
		add_case(sb, place->path, &place->options[i], " ", "'");
		strbuf_adds(sb, "\n                set skip 1\n");
	}
	for (size_t i = 0; i < place->n_commands; i++) {
		if (!command_is_shown(place->commands[i]))
			continue;
		strbuf_addf(sb, "            case '%s:%s'\n                set path '%s/%s'\n",
			    place->path, place->commands[i]->name, place->path,
			    place->commands[i]->name);
	}
}

static void fish_line(struct strbuf *sb, const struct cli_program *program, const char *ident,
		      const struct place *place)
{
	strbuf_addf(sb, "complete -c %s -n '__%s_at \"%s\"'", program->name, ident, place->path);
}

static void fish_option(struct strbuf *sb, const struct cli_option *option,
			const struct cli_value_source *source)
{
	strbuf_addf(sb, " -l %s", option->name);
	if (option->short_name)
		strbuf_addf(sb, " -s %c", option->short_name);
	if (option->choices) {
		strbuf_adds(sb, " -x -a '");
		cli_choices_join(option->choices, " ", " ", sb);
		strbuf_addc(sb, '\'');
	} else if (source) {
		strbuf_addf(sb, " -x -a '%s", source->words ? source->words : "");
		if (source->shell) {
			strbuf_adds(sb, " (");
			add_quoted(sb, source->shell, "");
			strbuf_adds(sb, " 2>/dev/null)");
		}
		strbuf_addc(sb, '\'');
	} else if (value_is_directory(option)) {
		strbuf_adds(sb, " -x -a '(__fish_complete_directories)'");
	} else if (value_is_file(option)) {
		strbuf_adds(sb, " -r -F");
	} else if (cli_option_takes_value(option)) {
		strbuf_adds(sb, " -x");
	}
	strbuf_adds(sb, " -d '");
	add_quoted(sb, option->help, "");
	strbuf_adds(sb, "'\n");
}

static void fish_place(struct strbuf *sb, const struct cli_program *program, const char *ident,
		       const struct place *place)
{
	for (size_t i = 0; i < place->n_commands; i++) {
		if (!command_is_shown(place->commands[i]))
			continue;
		fish_line(sb, program, ident, place);
		strbuf_addf(sb, " -a %s -d '", place->commands[i]->name);
		add_quoted(sb, place->commands[i]->summary, "");
		strbuf_adds(sb, "'\n");
	}
	for (size_t i = 0; i < place->n_options; i++) {
		if (!is_shown(&place->options[i]))
			continue;
		fish_line(sb, program, ident, place);
		fish_option(sb, &place->options[i],
			    find_source(program, place, &place->options[i]));
	}
	fish_line(sb, program, ident, place);
	strbuf_adds(sb, " -l help -s h -d 'show this help'\n");
	if (place->argument_source) {
		fish_line(sb, program, ident, place);
		strbuf_addf(sb, " -a '(%s 2>/dev/null)'\n", place->argument_source);
	}
}

static void fish_script(struct strbuf *sb, const struct cli_program *program, const char *ident)
{
	strbuf_addf(sb, "# fish completion for %s\n\n", program->name);
	strbuf_addf(sb,
		    "function __%s_at\n"
		    "    set -l path ''\n"
		    "    set -l skip ''\n"
		    "    for word in (commandline -opc)[2..-1]\n"
		    "        if test -n \"$skip\"\n"
		    "            set skip ''\n"
		    "            continue\n"
		    "        end\n"
		    "        switch \"$path:$word\"\n",
		    ident);
	each_place_of(sb, program, ident, fish_walk_cases);
	strbuf_addf(sb,
		    "        end\n"
		    "    end\n"
		    "    test \"$path\" = \"$argv[1]\"\n"
		    "end\n\n"
		    "complete -c %s -f\n",
		    program->name);
	each_place_of(sb, program, ident, fish_place);
}

/*
 * zsh
 */

/* Characters that _arguments gives a meaning. */
#define ZSH_SPECIALS ":[]\\"

/* What compadd is given; without a space behind words that are only begun. */
static void zsh_source(struct strbuf *sb, const struct cli_value_source *source)
{
	strbuf_addf(sb, "{compadd %s-- ", has_beginnings(source) ? "-S \"\" " : "");
	if (source->words)
		add_quoted(sb, source->words, ZSH_SPECIALS);
	if (source->shell) {
		strbuf_adds(sb, " ${(f)\"$(");
		add_quoted(sb, source->shell, "");
		strbuf_adds(sb, " 2>/dev/null)\"}");
	}
	strbuf_addc(sb, '}');
}

static void zsh_option(struct strbuf *sb, const struct cli_option *option,
		       const struct cli_value_source *source)
{
	bool has_value = cli_option_takes_value(option);
	bool repeats = option->kind == CLI_STRVEC;

	strbuf_adds(sb, " \\\n\t\t");
	if (option->short_name && repeats)
		strbuf_addf(sb, "'*'{-%c+,--%s=}'", option->short_name, option->name);
	else if (option->short_name)
		strbuf_addf(sb, "'(-%c --%s)'{-%c%s,--%s%s}'", option->short_name, option->name,
			    option->short_name, has_value ? "+" : "", option->name,
			    has_value ? "=" : "");
	else
		strbuf_addf(sb, "'%s--%s%s", repeats ? "*" : "", option->name,
			    has_value ? "=" : "");
	strbuf_addc(sb, '[');
	add_quoted(sb, option->help, ZSH_SPECIALS);
	strbuf_addc(sb, ']');
	if (has_value) {
		strbuf_addc(sb, ':');
		add_quoted(sb, option->metavar, ZSH_SPECIALS);
		strbuf_addc(sb, ':');
	}
	if (option->choices) {
		strbuf_addc(sb, '(');
		cli_choices_join(option->choices, " ", " ", sb);
		strbuf_addc(sb, ')');
	} else if (source) {
		zsh_source(sb, source);
	} else if (value_is_directory(option)) {
		strbuf_adds(sb, "_files -/");
	} else if (value_is_file(option)) {
		strbuf_adds(sb, "_files");
	}
	strbuf_addc(sb, '\'');
}

/* "/container/create" as part of a function's name. */
static char *zsh_name(const char *ident, const char *path)
{
	char *name = xasprintf("_%s%s", ident, path);

	for (char *c = name; *c; c++)
		if (*c == '/' || *c == '-')
			*c = '_';
	return name;
}

static void zsh_commands(struct strbuf *sb, const char *ident, const struct place *place)
{
	strbuf_adds(sb, "\tcase $state in\n\tcommand)\n\t\tlocal -a commands=(\n");
	for (size_t i = 0; i < place->n_commands; i++) {
		if (!command_is_shown(place->commands[i]))
			continue;
		strbuf_addf(sb, "\t\t\t'%s:", place->commands[i]->name);
		add_quoted(sb, place->commands[i]->summary, ":\\");
		strbuf_adds(sb, "'\n");
	}
	strbuf_adds(sb, "\t\t)\n\t\t_describe command commands ;;\n"
			"\targuments)\n\t\tcase $words[1] in\n");
	for (size_t i = 0; i < place->n_commands; i++) {
		auto_free char *path = xasprintf("%s/%s", place->path, place->commands[i]->name);
		auto_free char *name = zsh_name(ident, path);

		if (command_is_shown(place->commands[i]))
			strbuf_addf(sb, "\t\t%s) %s ;;\n", place->commands[i]->name, name);
	}
	strbuf_adds(sb, "\t\tesac ;;\n\tesac\n");
}

static void zsh_place(struct strbuf *sb, const struct cli_program *program, const char *ident,
		      const struct place *place)
{
	auto_free char *name = zsh_name(ident, place->path);

	strbuf_addf(sb,
		    "\n%s()\n{\n"
		    "\tlocal curcontext=$curcontext state line\n"
		    "\ttypeset -A opt_args\n"
		    "\t_arguments -C",
		    name);
	for (size_t i = 0; i < place->n_options; i++)
		if (is_shown(&place->options[i]))
			zsh_option(sb, &place->options[i],
				   find_source(program, place, &place->options[i]));
	strbuf_adds(sb, " \\\n\t\t'(-h --help)'{-h,--help}'[show this help]'");
	if (place->n_commands)
		strbuf_adds(sb, " \\\n\t\t'1: :->command' \\\n\t\t'*:: :->arguments'\n");
	else if (place->argument_source)
		strbuf_addf(sb, " \\\n\t\t'*:argument:{compadd -- ${(f)\"$(%s 2>/dev/null)\"}}'\n",
			    place->argument_source);
	else
		strbuf_addc(sb, '\n');
	if (place->n_commands)
		zsh_commands(sb, ident, place);
	strbuf_adds(sb, "}\n");
}

static void zsh_script(struct strbuf *sb, const struct cli_program *program, const char *ident)
{
	strbuf_addf(sb, "#compdef %s\n", program->name);
	each_place_of(sb, program, ident, zsh_place);
	/* Also when the file is sourced instead of found in $fpath. */
	strbuf_addf(sb,
		    "\nif [[ $funcstack[1] == _%s ]]; then\n\t_%s \"$@\"\nelse\n"
		    "\tcompdef _%s %s\nfi\n",
		    ident, ident, ident, program->name);
}

int cli_complete(const struct cli_program *program, const char *shell, struct strbuf *sb,
		 struct err *err)
{
	auto_free char *ident = xstrdup(program->name);

	for (char *c = ident; *c; c++)
		if (*c == '-')
			*c = '_';
	if (str_eq(shell, "bash"))
		bash_script(sb, program, ident);
	else if (str_eq(shell, "fish"))
		fish_script(sb, program, ident);
	else if (str_eq(shell, "zsh"))
		zsh_script(sb, program, ident);
	else
		return err_set(err, ERR_USAGE, "unknown shell '%s': expected bash, zsh or fish",
			       shell);
	return 0;
}

int cli_run_completion(const struct cli_invocation *inv, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = cli_complete(inv->program, inv->args[0], &sb, err);

	return r < 0 ? r : cli_print(sb.buf, err);
}
