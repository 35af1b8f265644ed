/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/commands.h"

#include <sys/utsname.h>

#include "core/str.h"
#include "floe-config.h"

struct options {
	const char *format;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct utsname name;

	(void)uname(&name);
	if (cli->format && !str_eq(cli->format, "json"))
		return err_set(err, ERR_UNSUPPORTED,
			       "version: format '%s' is not supported; use 'json'", cli->format);
	if (cli->format)
		strbuf_addf(&sb,
			    "{\"Client\":{\"Version\":\"%s\",\"GitCommit\":\"%s\",\"OsArch\":"
			    "\"linux/%s\",\"Os\":\"linux\"}}\n",
			    FLOE_VERSION, FLOE_COMMIT, name.machine);
	else
		strbuf_addf(&sb,
			    "Client:       floe\nVersion:      %s\nGit Commit:   %s\nOS/Arch:      "
			    "linux/%s\n",
			    FLOE_VERSION, FLOE_COMMIT[0] ? FLOE_COMMIT : "unknown", name.machine);
	return cli_print(sb.buf, err);
}

static const struct cli_option rows[] = {
	OPT_STRING(struct options, format, "format", 'f', "json", "print as JSON"),
};

const struct cli_command floe_version_command = {
	.name = "version",
	.summary = "show the version",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = 0,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
