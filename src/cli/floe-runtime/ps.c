/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/proc.h"
#include "core/program.h"
#include "core/str.h"

#define PS_OUTPUT_MAX (16U << 20)

enum format { FORMAT_TABLE, FORMAT_JSON };

struct options {
	enum format format;
};

struct pids {
	pid_t *v;
	size_t n;
};

static int print_json(const struct pids *pids, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addc(&sb, '[');
	for (size_t i = 0; i < pids->n; i++)
		strbuf_addf(&sb, "%s%d", i ? "," : "", (int)pids->v[i]);
	strbuf_adds(&sb, "]\n");
	return cli_print(sb.buf, err);
}

/* Run ps with these arguments and collect what it prints. */
static int run_ps(char *const *args, size_t n, struct strbuf *output, struct err *err)
{
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_proc struct proc proc = PROC_INIT;
	auto_free char *program = program_find("ps");
	int ends[2];
	int status = 0;
	int r;

	if (!program)
		return err_set(err, ERR_UNSUPPORTED,
			       "run 'ps': executable file not found in $PATH; install it, or use "
			       "--format json");
	strvec_add(&argv, program);
	if (n)
		strvec_add_all(&argv, args, n);
	else
		strvec_add(&argv, "-ef");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	r = proc_spawn(&proc, &(struct proc_spawn_opts){ .argv = argv.v,
							 .stdio = { -1, ends[1], STDERR_FILENO } });
	(void)close(ends[1]);
	if (r < 0)
		err_sys(err, r, "run '%s'", program);
	if (r == 0) {
		r = io_read_all(ends[0], PS_OUTPUT_MAX, output);
		if (r < 0)
			err_sys(err, r, "read what '%s' prints", program);
	}
	(void)close(ends[0]);
	if (r < 0)
		return r;
	r = proc_wait(&proc, -1, &status);
	if (r < 0)
		return err_sys(err, r, "wait for '%s'", program);
	return status == 0 ? 0 :
			     err_set(err, ERR_REMOTE, "run '%s': %s", program,
				     proc_status_to_string(status));
}

/* Number i of the words of a line; *ret_len 0 when there are not so many. */
static const char *word(const char *line, size_t len, size_t i, size_t *ret_len)
{
	const char *end = line + len;

	for (;; i--) {
		const char *start;

		while (line < end && strchr(" \t", *line))
			line++;
		start = line;
		while (line < end && !strchr(" \t", *line))
			line++;
		*ret_len = (size_t)(line - start);
		if (i == 0 || *ret_len == 0)
			return start;
	}
}

static int find_pid_column(const char *header, size_t len, size_t *ret, struct err *err)
{
	size_t n;

	for (size_t i = 0;; i++) {
		const char *w = word(header, len, i, &n);

		if (n == 0)
			return err_set(err, ERR_REMOTE, "couldn't find PID field in ps output");
		if (n == 3 && memcmp(w, "PID", 3) == 0) {
			*ret = i;
			return 0;
		}
	}
}

static bool line_is_wanted(const char *line, size_t len, size_t column, const struct pids *pids)
{
	char text[16];
	uint32_t pid;
	size_t n;
	const char *w = word(line, len, column, &n);

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, w, n);
	text[n] = '\0';
	if (parse_u32(text, &pid) < 0)
		return false;
	for (size_t i = 0; i < pids->n; i++)
		if (pids->v[i] == (pid_t)pid)
			return true;
	return false;
}

/* The header and the lines of our processes. */
static int print_table(const struct pids *pids, char *const *args, size_t n, struct err *err)
{
	auto_strbuf struct strbuf output = STRBUF_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const char *line;
	size_t column;
	size_t len;
	int r = run_ps(args, n, &output, err);

	if (r < 0)
		return r;
	line = output.buf;
	len = strcspn(line, "\n");
	r = find_pid_column(line, len, &column, err);
	if (r < 0)
		return r;
	strbuf_addf(&sb, "%.*s\n", (int)len, line);
	while (line[len]) {
		line += len + 1;
		len = strcspn(line, "\n");
		if (line_is_wanted(line, len, column, pids))
			strbuf_addf(&sb, "%.*s\n", (int)len, line);
	}
	return cli_print(sb.buf, err);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	struct pids pids = { 0 };
	auto_free pid_t *owned = NULL;
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	if (r == 0)
		r = container_pids(rt, inv->args[0], &owned, &pids.n, err);
	if (r < 0)
		return r;
	pids.v = owned;
	if (cli->format == FORMAT_JSON)
		return print_json(&pids, err);
	return print_table(&pids, inv->args + 1, inv->n_args - 1, err);
}

static const struct cli_choice formats[] = {
	{ "table", FORMAT_TABLE },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

static const struct cli_option rows[] = {
	OPT_ENUM(struct options, format, "format", 'f', "FORMAT", formats, "form of the output"),
};

const struct cli_command ps_command = {
	.name = "ps",
	.arguments = "CONTAINER-ID [PS-OPTION...]",
	.summary = "list the processes of a container",
	.description =
		"The table is what ps(1) prints with these options (-ef by default), reduced "
		"to the container's processes. Options of ours stand before the id.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
