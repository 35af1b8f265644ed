/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/config_file.h"
#include "cli/table.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/proc.h"
#include "core/str.h"

enum color { RED = 3, GREEN, BLUE };

struct sample {
	bool flag;
	bool other;
	struct opt_bool tty;
	const char *string;
	uint32_t u32;
	struct opt_i64 i64;
	struct opt_u64 u64;
	struct opt_i64 size;
	uint64_t duration_ns;
	struct strvec list;
	enum color color;
	const char *hidden;
};

static const struct cli_choice colors[] = {
	{ "red", RED },
	{ "green", GREEN },
	{ "blue", BLUE },
	{ NULL, 0 },
};

#define T struct sample
static const struct cli_option rows[] = {
	OPT_FLAG(T, flag, "flag", 'f', "do it"),
	OPT_FLAG(T, other, "other", 'o', "do something else"),
	OPT_OPTBOOL(T, tty, "tty", 't', "with a terminal"),
	OPT_STRING(T, string, "string", 's', "FILE", "name of a file"),
	OPT_U32(T, u32, "number", 'n', "N", "how many"),
	OPT_I64(T, i64, "offset", 0, "N", "by how much"),
	OPT_U64(T, u64, "period", 0, "US", "how long"),
	OPT_SIZE_F(T, size, "memory", 'm', "SIZE", "how large (default: not at all)",
		   CLI_CONFIGURABLE),
	OPT_DURATION(T, duration_ns, "interval", 0, "TIME",
		     "time between two of them, in a form that needs more than a single line to "
		     "be explained"),
	OPT_STRVEC_F(T, list, "env", 'e', "NAME=VALUE", "set a variable", CLI_CONFIGURABLE),
	OPT_ENUM_F(T, color, "color", 'c', "COLOR", colors, "color to paint it in (default: none)",
		   CLI_CONFIGURABLE),
	OPT_STRING_F(T, hidden, "hidden", 0, "X", "nobody sees this", CLI_HIDDEN),
};
#undef T

/* What one line of arguments gives; opts and args are to be freed by done(). */
struct parsed {
	struct strvec words; /* what opts and args point into */
	struct sample opts;
	struct cli_args args;
	struct err err;
	int r;
};

static void copy_words(struct strvec *ret, const char *const *words)
{
	*ret = (struct strvec)STRVEC_INIT;
	for (; *words; words++)
		strvec_add(ret, *words);
}

static char *const *words_of(const struct strvec *words)
{
	static char *const none[] = { NULL };

	return words->v ? words->v : none;
}

static void parse_into(struct parsed *p, bool stop, const char *const *argv)
{
	struct cli_table table = { rows, ARRAY_SIZE(rows), &p->opts };

	memset(p, 0, sizeof(*p));
	copy_words(&p->words, argv);
	p->r = cli_parse(&table, 1, stop, "prog", words_of(&p->words), &p->args, &p->err);
}

static void done(struct parsed *p)
{
	struct cli_table table = { rows, ARRAY_SIZE(rows), &p->opts };

	cli_options_done(&table);
	cli_args_done(&p->args);
	strvec_done(&p->words);
}

#define PARSE(p, stop, ...) parse_into((p), (stop), (const char *const[]){ __VA_ARGS__, NULL })

static void test_forms(void **state UNUSED)
{
	static const char *const forms[][4] = {
		{ "--string", "x" }, { "--string=x" }, { "-string", "x" }, { "-string=x" },
		{ "-s", "x" },	     { "-sx" },	       { "-s=x" },	   { "-fs", "x" },
		{ "-fsx" },	     { "-fs=x" },
	};
	struct parsed p;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		parse_into(&p, false, forms[i]);
		assert_int_equal(p.r, 0);
		assert_string_equal(p.opts.string, "x");
		assert_int_equal(p.opts.flag, forms[i][0][1] == 'f');
		assert_int_equal(p.args.n, 0);
		done(&p);
	}
}

static void test_values(void **state UNUSED)
{
	struct parsed p;

	PARSE(&p, false, "-fot", "--number=4294967295", "--offset", "-5", "--period", "7",
	      "--memory", "512m", "--interval=1m30s", "-e", "A=1", "--env=B=2", "-eC=3", "-c",
	      "green");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.flag && p.opts.other && p.opts.tty.set && p.opts.tty.v);
	assert_int_equal(p.opts.u32, UINT32_MAX);
	assert_true(p.opts.i64.set);
	assert_int_equal(p.opts.i64.v, -5);
	assert_true(p.opts.u64.set);
	assert_int_equal(p.opts.u64.v, 7);
	assert_int_equal(p.opts.size.v, 512 << 20);
	assert_int_equal(p.opts.duration_ns, 90 * NSEC_PER_SEC);
	assert_int_equal(p.opts.list.n, 3);
	assert_string_equal(p.opts.list.v[0], "A=1");
	assert_string_equal(p.opts.list.v[1], "B=2");
	assert_string_equal(p.opts.list.v[2], "C=3");
	assert_int_equal(p.opts.color, GREEN);
	done(&p);

	PARSE(&p, false, "--memory", "-1", "--flag=false", "-o=true", "--tty=no");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.size.set);
	assert_int_equal(p.opts.size.v, -1);
	assert_true(!p.opts.flag && p.opts.other && p.opts.tty.set && !p.opts.tty.v);
	done(&p);

	PARSE(&p, false, "--string=a", "--string", "");
	assert_int_equal(p.r, 0);
	assert_string_equal(p.opts.string, "");
	assert_false(p.opts.tty.set);
	done(&p);
}

static void test_arguments(void **state UNUSED)
{
	struct parsed p;

	PARSE(&p, false, "one", "-f", "-", "--", "-o", "--", "--help");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.flag && !p.opts.other && !p.args.help);
	assert_int_equal(p.args.n, 5);
	assert_string_equal(p.args.v[0], "one");
	assert_string_equal(p.args.v[1], "-");
	assert_string_equal(p.args.v[2], "-o");
	assert_string_equal(p.args.v[3], "--");
	assert_string_equal(p.args.v[4], "--help");
	assert_null(p.args.v[5]);
	done(&p);

	PARSE(&p, true, "-f", "one", "-o", "--unknown", "--", "x");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.flag && !p.opts.other);
	assert_int_equal(p.args.n, 5);
	assert_string_equal(p.args.v[2], "--unknown");
	assert_string_equal(p.args.v[3], "--");
	done(&p);
}

static void test_help_is_asked(void **state UNUSED)
{
	static const char *const forms[] = { "--help", "-help", "-h", "-fh" };
	struct parsed p;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		/* Nothing behind it matters. */
		PARSE(&p, false, forms[i], "--unknown");
		assert_int_equal(p.r, 0);
		assert_true(p.args.help);
		done(&p);
	}
}

static void test_errors(void **state UNUSED)
{
	static const struct {
		const char *argv[3];
		const char *msg;
	} cases[] = {
		{ { "--foo" }, "unknown flag: --foo; see 'prog --help'" },
		{ { "--foo=1" }, "unknown flag: --foo; see 'prog --help'" },
		{ { "-fox" }, "unknown shorthand flag: 'x' in -fox; see 'prog --help'" },
		{ { "-x" }, "unknown shorthand flag: 'x' in -x; see 'prog --help'" },
		{ { "-xyz=1" }, "unknown flag: -xyz; see 'prog --help'" },
		{ { "--fla" }, "unknown flag: --fla; see 'prog --help'" },
		{ { "--f" }, "unknown flag: --f; see 'prog --help'" },
		{ { "--string" },
		  "flag needs an argument: --string (it requires an argument); see 'prog --help'" },
		{ { "-s" },
		  "flag needs an argument: 's' in -s (it requires an argument); see 'prog "
		  "--help'" },
		{ { "--number", "x" },
		  "invalid value 'x' for '--number': expected a number from 0 to 4294967295" },
		{ { "--number=4294967296" },
		  "invalid value '4294967296' for '--number': expected a number from 0 to "
		  "4294967295" },
		{ { "-n-1" },
		  "invalid value '-1' for '-n': expected a number from 0 to 4294967295" },
		{ { "--number=" },
		  "invalid value '' for '--number': expected a number from 0 to 4294967295" },
		{ { "--offset", "1x" }, "invalid value '1x' for '--offset': expected an integer" },
		{ { "--period", "-1" },
		  "invalid value '-1' for '--period': expected a number that is not negative" },
		{ { "--memory", "-2" },
		  "invalid value '-2' for '--memory': expected a size such as 512m, or -1 for no "
		  "limit" },
		{ { "--interval=5" },
		  "invalid value '5' for '--interval': expected a duration such as 500ms or "
		  "1m30s" },
		{ { "--color", "pink" },
		  "invalid value 'pink' for '--color': expected red, green or blue" },
		{ { "--flag=maybe" },
		  "invalid value 'maybe' for '--flag': expected true or false" },
		{ { "--tty=" }, "invalid value '' for '--tty': expected true or false" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed p;

		parse_into(&p, false, cases[i].argv);
		assert_int_equal(p.r, -EINVAL);
		assert_int_equal(p.err.kind, ERR_USAGE);
		assert_string_equal(p.err.msg, cases[i].msg);
		done(&p);
	}
}

/* Commands: found by name and alias, subcommands, counts of arguments, exit codes. */

static int run_sample(const struct cli_invocation *inv, struct err *err)
{
	const struct sample *opts = inv->options;

	if (opts->color == RED)
		return err_set(err, ERR_STATE, "it is red");
	*(size_t *)inv->context = inv->n_args;
	return opts->color == BLUE ? 42 : 0;
}

static const struct sample green = { .color = GREEN };

static const struct cli_command paint_command = {
	.name = "paint",
	.alias = "p",
	.arguments = "WALL [WALL]",
	.summary = "paint a wall",
	.description = "It is painted in one color, from the left to the right and from the top to "
		       "the bottom. Then it dries.",
	CLI_OPTIONS(struct sample, rows),
	.defaults = &green,
	.min_args = 1,
	.max_args = 2,
	.argument_source = "walls --list",
	.run = run_sample,
	.error_code = 255,
};

static const struct cli_command any_command = {
	.name = "any",
	.summary = "take what comes",
	CLI_OPTIONS(struct sample, rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.run = run_sample,
};

static const struct cli_command exact_command = {
	.name = "exact",
	.summary = "take two",
	CLI_OPTIONS(struct sample, rows),
	.min_args = 2,
	.max_args = 2,
	.flags = CLI_HIDDEN_COMMAND,
	.run = run_sample,
};

static const struct cli_command *const wall_commands[] = { &any_command, &exact_command };

static const struct cli_command wall_command = {
	.name = "wall",
	.summary = "what there is for walls",
	.subcommands = wall_commands,
	.n_subcommands = ARRAY_SIZE(wall_commands),
};

static const struct cli_command *const commands[] = { &paint_command, &wall_command };

static const struct cli_program program = {
	.name = "prog",
	.summary = "paint things",
	.globals = rows,
	.n_globals = 2,
	.commands = commands,
	.n_commands = ARRAY_SIZE(commands),
};

/* The exit code, or the negative errno; *ret_error_code and the message are those of the failure. */
static int run_line(const char *const *argv, size_t *ret_n_args, int *ret_error_code,
		    struct err *err)
{
	const struct cli_command *command;
	auto_strvec struct strvec words;
	auto_free char *of = NULL;
	size_t used;
	int r;

	copy_words(&words, argv);
	err_clear(err);
	*ret_error_code = 1;
	r = cli_command_find(&program, words_of(&words), &command, &used, &of, err);
	if (r < 0)
		return r;
	return cli_command_run(&program, command, of, words_of(&words) + used, ret_n_args,
			       ret_error_code, err);
}

static void test_commands(void **state UNUSED)
{
	static const struct {
		const char *argv[6];
		int r;
		int code; /* the exit code of a failure */
		size_t n_args;
		const char *msg;
	} cases[] = {
		{ { "paint", "a" }, .n_args = 1 },
		{ { "p", "a", "-f", "b" }, .n_args = 2 },
		{ { "paint", "a", "--color=blue" }, .r = 42, .n_args = 1 },
		{ { "wall", "any", "x", "--foo" }, .n_args = 2 },
		{ { "paint", "a", "--color=red" }, -EBUSY, 255, 0, "it is red" },
		{ { "paint" },
		  -EINVAL,
		  1,
		  0,
		  "\"paint\" requires a minimum of 1 argument(s); see 'prog paint --help'" },
		{ { "paint", "a", "b", "c" },
		  -EINVAL,
		  1,
		  0,
		  "\"paint\" requires a maximum of 2 argument(s); see 'prog paint --help'" },
		{ { "wall", "exact", "a" },
		  -EINVAL,
		  1,
		  0,
		  "\"exact\" requires exactly 2 argument(s); see 'prog wall exact --help'" },
		{ { "wall" }, -EINVAL, 1, 0, "missing command 'prog wall COMMAND'" },
		{ { "wall", "foo" },
		  -EINVAL,
		  1,
		  0,
		  "unrecognized command `prog wall foo`; see 'prog wall --help'" },
		{ { "foo" }, -EINVAL, 1, 0, "unrecognized command `prog foo`; see 'prog --help'" },
		{ { NULL }, -EINVAL, 1, 0, "no command given; see 'prog --help'" },
		{ { "paint", "a", "--bar" },
		  -EINVAL,
		  1,
		  0,
		  "unknown flag: --bar; see 'prog paint --help'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		size_t n_args = 0;
		int code;
		int r = run_line(cases[i].argv, &n_args, &code, &err);

		if (cases[i].r < 0) {
			assert_true(r < 0);
			assert_int_equal(code, cases[i].code);
			assert_string_equal(err.msg, cases[i].msg);
			continue;
		}
		assert_int_equal(r, cases[i].r);
		assert_int_equal(n_args, cases[i].n_args);
	}
}

static const char help_of_paint[] =
	"Paint a wall.\n"
	"\n"
	"Description:\n"
	"  It is painted in one color, from the left to the right and from the top to the\n"
	"  bottom. Then it dries.\n"
	"\n"
	"Usage:\n"
	"  prog paint [options] WALL [WALL]\n"
	"\n"
	"Options:\n"
	"  -f, --flag                    do it\n"
	"  -o, --other                   do something else\n"
	"  -t, --tty                     with a terminal\n"
	"  -s, --string FILE             name of a file\n"
	"  -n, --number N                how many\n"
	"      --offset N                by how much\n"
	"      --period US               how long\n"
	"  -m, --memory SIZE             how large (default: not at all)\n"
	"      --interval TIME           time between two of them, in a form that needs\n"
	"                                more than a single line to be explained\n"
	"  -e, --env NAME=VALUE          set a variable (may be repeated)\n"
	"  -c, --color COLOR             color to paint it in: red, green or blue\n"
	"                                (default: none)\n"
	"  -h, --help                    show this help\n";

static const char help_of_program[] = "Paint things.\n"
				      "\n"
				      "Usage:\n"
				      "  prog [options] [command]\n"
				      "\n"
				      "Available Commands:\n"
				      "  paint         paint a wall\n"
				      "  wall          what there is for walls\n"
				      "\n"
				      "Options:\n"
				      "  -f, --flag                    do it\n"
				      "  -o, --other                   do something else\n"
				      "  -h, --help                    show this help\n"
				      "\n"
				      "'prog COMMAND --help' says more about a command.\n";

static const char help_of_wall[] = "What there is for walls.\n"
				   "\n"
				   "Usage:\n"
				   "  prog wall [command]\n"
				   "\n"
				   "Available Commands:\n"
				   "  any           take what comes\n";

static void test_help(void **state UNUSED)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	cli_help_program(&program, &sb);
	assert_string_equal(sb.buf, help_of_program);
	strbuf_clear(&sb);
	cli_help_command(&paint_command, "prog paint", &sb);
	assert_string_equal(sb.buf, help_of_paint);
	strbuf_clear(&sb);
	cli_help_command(&wall_command, "prog wall", &sb);
	assert_string_equal(sb.buf, help_of_wall);
}

/* Completion: what is in, what is out, and that each shell is known. */
static void test_completion(void **state UNUSED)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		assert_int_equal(cli_complete(&program, shells[i], &sb, &err), 0);
		assert_non_null(strstr(sb.buf, "interval"));
		assert_non_null(strstr(sb.buf, "red green blue"));
		assert_non_null(strstr(sb.buf, "walls --list"));
		assert_null(strstr(sb.buf, "hidden"));
		assert_null(strstr(sb.buf, "exact"));
	}
	{
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		assert_int_equal(cli_complete(&program, "tcsh", &sb, &err), -EINVAL);
		assert_string_equal(err.msg, "unknown shell 'tcsh': expected bash, zsh or fish");
	}
}

/* What the script at path prints for these words, which bash splits. */
static void ask_bash(const char *path, const char *words, struct strbuf *ret)
{
	auto_free char *line = xasprintf("source %s %s", path, words);
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_proc struct proc proc = PROC_INIT;
	int status = -1;
	int ends[2];

	strvec_add(&argv, "/usr/bin/env");
	strvec_add(&argv, "bash");
	strvec_add(&argv, "-c");
	strvec_add(&argv, line);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(
		proc_spawn(&proc, &(struct proc_spawn_opts){ .argv = argv.v,
							     .stdio = { -1, ends[1], 2 } }),
		0);
	(void)close(ends[1]);
	assert_int_equal(io_read_all(ends[0], 4096, ret), 0);
	(void)close(ends[0]);
	assert_int_equal(proc_wait(&proc, -1, &status), 0);
	assert_int_equal(status, 0);
}

/* The script in a real bash: what it offers for a command line. */
static void test_completion_in_bash(void **state UNUSED)
{
	static const struct {
		const char *words;
		const char *offers;
	} cases[] = {
		{ "prog ''", "paint wall " },
		{ "prog p", "paint " },
		{ "prog --f", "--flag " },
		{ "prog paint --co", "--color " },
		{ "prog paint --color ''", "red green blue " },
		{ "prog paint --color = b", "blue " },
		{ "prog paint --color =", "red green blue " },
		{ "prog -f paint -c g", "green " },
		{ "prog paint -c red ''", "east west " },
		{ "prog wall ''", "any " },
		{ "prog wall any --t", "--tty " },
		{ "prog paint --number ''", "" },
	};
	auto_strbuf struct strbuf script = STRBUF_INIT;
	char path[] = "/tmp/floe-test-cli-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(cli_complete(&program, "bash", &script, NULL), 0);
	strbuf_adds(&script, "walls() { echo east west; }\n"
			     "COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1))\n_prog\n"
			     "for word in \"${COMPREPLY[@]}\"; do printf '%s ' \"$word\"; done\n");
	assert_int_equal(io_write_all(fd, script.buf, script.len), 0);
	(void)close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_strbuf struct strbuf offers = STRBUF_INIT;

		ask_bash(path, cases[i].words, &offers);
		assert_string_equal(offers.buf, cases[i].offers);
	}
	(void)unlink(path);
}

static void test_dump(void **state UNUSED)
{
	auto_free char *text = cli_dump(&program);

	assert_non_null(strstr(text, "\"name\": \"interval\""));
	assert_non_null(strstr(text, "\"value\": \"TIME\""));
	assert_non_null(strstr(text, "\"alias\": \"p\""));
	assert_non_null(strstr(text, "\"name\": \"exact\""));
}

static void test_text_table(void **state UNUSED)
{
	auto_cli_text_table struct cli_text_table table = { .n_columns = 3 };
	static const char *const cells[] = { "ID", "PID", "OWNER", "grün", "1", "root" };
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		cli_text_table_add(&table, cells[i]);
	cli_text_table_format(&table, 4, 3, &sb);
	assert_string_equal(sb.buf, "ID     PID   OWNER\ngrün   1     root\n");
}

static int load_text(const char *text, struct sample *into, char **ret_text, struct err *err)
{
	struct cli_table table = { rows, ARRAY_SIZE(rows), into };
	char path[] = "/tmp/floe-test-cli-XXXXXX";
	int fd = mkstemp(path);
	int r;

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	(void)close(fd);
	r = cli_config_load(path, &table, ret_text, err);
	(void)unlink(path);
	/* The name is a random one: what follows it is what counts. */
	if (r < 0 && str_has_prefix(err->msg, path))
		memmove(err->msg, err->msg + strlen(path), strlen(err->msg) - strlen(path) + 1);
	return r;
}

static void test_config_file(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *msg;
	} bad[] = {
		{ "memory 5\n", ":1: expected `key = value`" },
		{ "\n# x\nfoo = 1\n", ":3: unknown key 'foo'" },
		{ "number = 1\n", ":1: unknown key 'number'" },
		{ "color =\n", ":1: 'color' has no value" },
		{ "memory = 1\ncolor = pink",
		  ":2: invalid value 'pink' for 'color': expected red, green or blue" },
	};
	struct err err = ERR_INIT;
	struct sample s = { 0 };
	struct cli_table table = { rows, ARRAY_SIZE(rows), &s };
	auto_free char *text = NULL;

	assert_int_equal(load_text("# a comment\n\n  memory = 2k \r\ncolor=blue\nenv = A = B", &s,
				   &text, &err),
			 0);
	assert_int_equal(s.size.v, 2048);
	assert_int_equal(s.color, BLUE);
	assert_string_equal(s.list.v[0], "A = B");
	cli_options_done(&table);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *none = NULL;

		err_clear(&err);
		assert_int_equal(load_text(bad[i].text, &s, &none, &err),
				 i == 4 ? -EINVAL : err_kind_errno(ERR_INVALID));
		assert_string_equal(err.msg, bad[i].msg);
		assert_null(none);
	}
	err_clear(&err);
	assert_int_equal(cli_config_load("/nonexistent/x", &table, &text, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_help_is_asked),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_completion_in_bash),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_text_table),
		cmocka_unit_test(test_config_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
