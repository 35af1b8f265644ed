/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines by table. One row per option gives parsing into a struct, `--help`, shell completion
 * and the OPTIONS of the manual page; one struct cli_command per command, one struct cli_program per
 * program. Nothing here knows which program it serves.
 *
 * What is understood: `--name value`, `--name=value`, the same with a single dash (as Go's flag
 * package has it), `-n value`, `-nvalue`, `-n=value`, clusters of short flags (`-it`), `--flag=false`,
 * and `--`, which ends the options. Options may follow the arguments, unless the command stops at its
 * first argument. Strings in the options are borrowed from argv.
 *
 *	struct sleep_options { uint64_t duration_ns; bool verbose; };
 *	static const struct cli_option sleep_rows[] = {
 *		OPT_DURATION(struct sleep_options, duration_ns, "for", 'f', "TIME", "how long"),
 *		OPT_FLAG(struct sleep_options, verbose, "verbose", 'v', "say so"),
 *	};
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json_table.h"
#include "core/macro.h"
#include "core/strbuf.h"
#include "core/strvec.h"

enum cli_kind {
	CLI_FLAG, /* bool; takes a value only as --flag=VALUE */
	CLI_OPTBOOL, /* struct opt_bool; the same, but absent is not false */
	CLI_STRING, /* const char *; NULL: not given */
	CLI_U32, /* uint32_t */
	CLI_I64, /* struct opt_i64 */
	CLI_U64, /* struct opt_u64 */
	CLI_SIZE, /* struct opt_i64: bytes, with units; -1: no limit */
	CLI_DURATION, /* uint64_t, nanoseconds; Go's form: 1m30s */
	CLI_STRVEC, /* struct strvec; the option may be repeated */
	CLI_ENUM, /* int or enum; one of the choices */
};

enum cli_option_flags {
	CLI_HIDDEN = 1 << 0, /* not in the help, the completion and the manual */
	CLI_DEPRECATED = 1 << 1, /* accepted; the help says that it is out of date */
	CLI_CONFIGURABLE = 1 << 2, /* may stand in the configuration file as well */
	CLI_LIST = 1 << 3, /* of CLI_STRVEC: a value may be several, "a,b" */
	CLI_ANYWHERE = 1 << 4, /* of the globals: may stand behind the command as well */
	CLI_ANY_CASE = 1 << 5, /* of CLI_ENUM: upper case is taken, too */
};

struct cli_choice {
	const char *name;
	int value;
};

struct cli_option {
	const char *name; /* without dashes; more than one character */
	char short_name; /* 0: none */
	enum cli_kind kind;
	unsigned int flags;
	size_t offset;
	const char *metavar; /* NULL for flags, otherwise what the help calls the value */
	const char *help; /* one sentence without a full stop */
	const struct cli_choice *choices; /* of CLI_ENUM; ends with name NULL */
};

#define CLI_ROW_(type, member, ctype, kind_, name_, short_, metavar_, help_, flags_)               \
	{                                                                                          \
		.name = (name_), .short_name = (short_), .kind = (kind_), .flags = (flags_),       \
		.offset = JSON_OFFSET_(type, member, ctype), .metavar = (metavar_),                \
		.help = (help_),                                                                   \
	}

/* t: struct, m: member (may be nested: `create.bundle`), l: long name, s: short name or 0. The _F
 * forms take enum cli_option_flags as well. */
#define OPT_FLAG_F(t, m, l, s, help, fl) CLI_ROW_(t, m, bool, CLI_FLAG, l, s, NULL, help, fl)
#define OPT_OPTBOOL_F(t, m, l, s, help, fl)                                                        \
	CLI_ROW_(t, m, struct opt_bool, CLI_OPTBOOL, l, s, NULL, help, fl)
#define OPT_STRING_F(t, m, l, s, mv, help, fl)                                                     \
	CLI_ROW_(t, m, const char *, CLI_STRING, l, s, mv, help, fl)
#define OPT_U32_F(t, m, l, s, mv, help, fl) CLI_ROW_(t, m, uint32_t, CLI_U32, l, s, mv, help, fl)
#define OPT_I64_F(t, m, l, s, mv, help, fl)                                                        \
	CLI_ROW_(t, m, struct opt_i64, CLI_I64, l, s, mv, help, fl)
#define OPT_U64_F(t, m, l, s, mv, help, fl)                                                        \
	CLI_ROW_(t, m, struct opt_u64, CLI_U64, l, s, mv, help, fl)
#define OPT_SIZE_F(t, m, l, s, mv, help, fl)                                                       \
	CLI_ROW_(t, m, struct opt_i64, CLI_SIZE, l, s, mv, help, fl)
#define OPT_DURATION_F(t, m, l, s, mv, help, fl)                                                   \
	CLI_ROW_(t, m, uint64_t, CLI_DURATION, l, s, mv, help, fl)
#define OPT_STRVEC_F(t, m, l, s, mv, help, fl)                                                     \
	CLI_ROW_(t, m, struct strvec, CLI_STRVEC, l, s, mv, help, fl)
#define OPT_ENUM_F(t, m, l, s, mv, choices_, help_, fl)                                            \
	{                                                                                          \
		.name = (l), .short_name = (s), .kind = CLI_ENUM, .flags = (fl),                   \
		.offset = offsetof(t, m) +                                                         \
			  0 * sizeof(char[sizeof(((t *)0)->m) == sizeof(int) ? 1 : -1]),           \
		.metavar = (mv), .help = (help_), .choices = (choices_),                           \
	}

#define OPT_FLAG(t, m, l, s, help) OPT_FLAG_F(t, m, l, s, help, 0)
#define OPT_OPTBOOL(t, m, l, s, help) OPT_OPTBOOL_F(t, m, l, s, help, 0)
#define OPT_STRING(t, m, l, s, mv, help) OPT_STRING_F(t, m, l, s, mv, help, 0)
#define OPT_U32(t, m, l, s, mv, help) OPT_U32_F(t, m, l, s, mv, help, 0)
#define OPT_I64(t, m, l, s, mv, help) OPT_I64_F(t, m, l, s, mv, help, 0)
#define OPT_U64(t, m, l, s, mv, help) OPT_U64_F(t, m, l, s, mv, help, 0)
#define OPT_SIZE(t, m, l, s, mv, help) OPT_SIZE_F(t, m, l, s, mv, help, 0)
#define OPT_DURATION(t, m, l, s, mv, help) OPT_DURATION_F(t, m, l, s, mv, help, 0)
#define OPT_STRVEC(t, m, l, s, mv, help) OPT_STRVEC_F(t, m, l, s, mv, help, 0)
#define OPT_ENUM(t, m, l, s, mv, choices, help) OPT_ENUM_F(t, m, l, s, mv, choices, help, 0)

struct cli_invocation;

enum cli_command_flags {
	CLI_STOP_AT_ARGUMENT = 1 << 0, /* what follows the first argument is not parsed */
	CLI_HIDDEN_COMMAND = 1 << 1,
};

#define CLI_ARGS_ANY (-1)

struct cli_command {
	const char *name;
	const char *alias; /* a second name; NULL: none */
	const char *arguments; /* "CONTAINER-ID [SIGNAL]"; NULL: none */
	const char *summary; /* one line, no full stop */
	const char *description; /* further sentences for --help; NULL: none */
	const struct cli_option *options;
	size_t n_options;
	size_t options_size; /* of the struct that the rows describe */
	const void *defaults; /* of that struct; NULL: zeroes */
	int min_args;
	int max_args; /* CLI_ARGS_ANY: no limit */
	unsigned int flags;
	const char
		*argument_source; /* shell command that lists arguments, for completion; or NULL */
	/* NULL: none. With a run() of its own as well, an argument that names none is an argument. */
	const struct cli_command *const *subcommands;
	size_t n_subcommands;
	/* Before the line is read: change what the options are by default, by what is configured. NULL:
	 * nothing. Strings are borrowed from the context. */
	void (*prepare)(const void *context, void *options);
	/* Exit code (0 or more), or a negative errno with *err filled. */
	int (*run)(const struct cli_invocation *inv, struct err *err);
	int error_code; /* exit code when run() fails; 0 stands for 1 */
};

#define CLI_OPTIONS(type, rows)                                                                    \
	.options = (rows), .n_options = ARRAY_SIZE(rows), .options_size = sizeof(type)

/* For completion: what the values of an option of this name are, where neither its choices nor its metavar say it. */
struct cli_value_source {
	const char
		*commands; /* their paths with spaces between ("/ps /container/list"); NULL: any */
	const char *option; /* long name */
	const char *
		words; /* separated by spaces; one that ends in '=', ':', ',' or '-' is only begun; NULL: none */
	const char *shell; /* a shell command that lists more; NULL: none */
};

/* A command or an option of others that this program has not, and what one does instead. A name that ends in "*" is a beginning. */
struct cli_absent {
	const char *name; /* "pod", "--pod" */
	const char *instead;
};

struct cli_program {
	const char *name;
	const char *summary;
	const struct cli_option *globals;
	size_t n_globals;
	const struct cli_command *const *commands;
	size_t n_commands;
	const struct cli_value_source *value_sources; /* the first that fits counts */
	const size_t *n_value_sources; /* NULL: none */
	const struct cli_absent *absent;
	size_t n_absent;
};

/* What a command gets. */
struct cli_invocation {
	const struct cli_program *program;
	const struct cli_command *command;
	void *context; /* the program's own */
	const void *options; /* the command's struct */
	char *const *args; /* NULL-terminated; borrowed from argv */
	size_t n_args;
	const struct strvec *given; /* the long names of the options that were there */
};

/* Rows and the struct they are read into. */
struct cli_table {
	const struct cli_option *rows;
	size_t n;
	void *into;
	const struct cli_program *program; /* whose absent options are explained; may be NULL */
};

/* The result of cli_parse(). args is owned (the strings are not). */
struct cli_args {
	char **v;
	size_t n;
	bool help; /* -h or --help was there; then nothing behind it has been read */
	struct strvec given; /* the long names of the options that were there */
};

void cli_args_done(struct cli_args *args);
DEFINE_AUTO_VAL(cli_args, struct cli_args, cli_args_done)
#define auto_cli_args auto_cleanup(cli_args_cleanup_val)

/*
 * Read argv (NULL-terminated, without the program's or command's name) by the tables; a name is
 * looked for in each of them in turn. stop: leave everything from the first argument on unparsed.
 * of: "floe-runtime create", which errors name. -EINVAL (ERR_USAGE) with one sentence.
 * What was read so far is to be released with cli_options_done() also on failure.
 */
int cli_parse(const struct cli_table *tables, size_t n_tables, bool stop, const char *of,
	      char *const *argv, struct cli_args *ret, struct err *err);
/*
 * cli/order.c: the words of a whole command line (without the program's name), with those global options before the command
 * that stand behind it and are CLI_ANYWHERE. An option of the command's own with that name is the command's. Appended to
 * *ret, which owns its strings; nothing else changes its place. ERR_USAGE where the value of one of these is missing.
 */
int cli_order(const struct cli_program *program, char *const *argv, struct strvec *ret,
	      struct err *err);
/* Give one option its value, as the parser does; `what` names it in errors. */
int cli_option_set(const struct cli_option *option, void *into, const char *value, const char *what,
		   struct err *err);
/* The row with this long name; NULL when there is none. */
const struct cli_option *cli_option_find(const struct cli_option *rows, size_t n, const char *name);
/* Append "a, b or c". */
void cli_choices_join(const struct cli_choice *choices, const char *separator, const char *last,
		      struct strbuf *sb);
/* Free what the options own (lists). */
void cli_options_done(const struct cli_table *table);
static inline bool cli_option_takes_value(const struct cli_option *option)
{
	return option->kind != CLI_FLAG && option->kind != CLI_OPTBOOL;
}

/* The command that argv begins with. Subcommands are descended into; *ret_used counts the words.
 * *ret_of: "floe-runtime create", owned by the caller. ERR_USAGE when there is no such command. */
int cli_command_find(const struct cli_program *program, char *const *argv,
		     const struct cli_command **ret, size_t *ret_used, char **ret_of,
		     struct err *err);
/*
 * Parse a command's own line and run it: argv begins behind its name. Prints the help when asked.
 * Return: the exit code, or a negative errno with *err filled; then *ret_error_code is the exit code.
 */
int cli_command_run(const struct cli_program *program, const struct cli_command *command,
		    const char *of, char *const *argv, void *context, int *ret_error_code,
		    struct err *err);

/* cli/help.c: texts of at most 80 columns. */
void cli_help_program(const struct cli_program *program, struct strbuf *sb);
void cli_help_command(const struct cli_command *command, const char *of, struct strbuf *sb);

/* cli/complete.c: a script for shell (bash, zsh, fish); ERR_USAGE for another one. */
int cli_complete(const struct cli_program *program, const char *shell, struct strbuf *sb,
		 struct err *err);

/* cli/dump.c: all tables as JSON, for the manual pages and the tests; caller owns the text. */
char *cli_dump(const struct cli_program *program);

/* Write the text to stdout. ERR_SYSTEM when that fails. */
int cli_print(const char *text, struct err *err);
/* The same, and a newline behind it. */
int cli_print_line(const char *text, struct err *err);

/* Ready-made commands: run functions for rows of a program's own table. */
int cli_run_help(const struct cli_invocation *inv, struct err *err); /* [COMMAND...] */
int cli_run_completion(const struct cli_invocation *inv, struct err *err); /* SHELL */
