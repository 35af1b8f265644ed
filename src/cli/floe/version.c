/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/version.h"

#include <errno.h>
#include <json-c/json.h>

#include "cli/floe/commands.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "core/alloc.h"
#include "core/str.h"
#include "floe-config.h"
#include "image/pull.h"

/*
 * Whose commands and options floe has. Programs that drive podman choose their options by its version, so they are told this one when
 * they call floe by podman's name (a link).
 */
#define PODMAN_VERSION "5.8.6"

static bool is_podman(void)
{
	return str_eq(program_invocation_short_name, "podman");
}

const char *version_line(void)
{
	return is_podman() ? "podman version " PODMAN_VERSION : "floe version " FLOE_VERSION;
}

struct options {
	const char *format;
};

struct json_object *version_object(void)
{
	struct json_object *o = json_object_new_object();
	const char *variant;
	auto_free char *os_arch = xasprintf("linux/%s", platform_architecture(&variant));

	view_add(o, "Version", is_podman() ? PODMAN_VERSION : FLOE_VERSION);
	view_add(o, "GitCommit", FLOE_COMMIT);
	view_add(o, "Os", "linux");
	view_add(o, "OsArch", os_arch);
	return o;
}

static void add_text(struct json_object *client, struct strbuf *sb)
{
	const char *commit = json_object_get_string(json_object_object_get(client, "GitCommit"));

	if (is_podman())
		strbuf_addf(sb, "Client:       floe %s, as podman\nVersion:      %s\n",
			    FLOE_VERSION, PODMAN_VERSION);
	else
		strbuf_addf(sb, "Client:       floe\nVersion:      %s\n", FLOE_VERSION);
	if (!str_is_empty(commit))
		strbuf_addf(sb, "Git Commit:   %s\n", commit);
	strbuf_addf(sb, "OS/Arch:      %s\n",
		    json_object_get_string(json_object_object_get(client, "OsArch")));
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	struct json_object *all = json_object_new_object();
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = 0;

	json_object_object_add(all, "Client", version_object());
	/* There is no server. Scripts ask for its version all the same, and podman's templates have the client's, also as {{.Version}}. */
	if (cli->format && !str_eq(cli->format, "json")) {
		struct json_object *further = version_object();

		json_object_object_add(further, "Server", version_object());
		gotemplate_add_empty(all, further);
	}
	if (cli->format)
		r = gotemplate_format_value(cli->format, all, &sb, err);
	else
		add_text(json_object_object_get(all, "Client"), &sb);
	json_object_put(all);
	return r < 0 ? r : cli_print(sb.buf, err);
}

static const struct cli_option rows[] = {
	OPT_STRING(struct options, format, "format", 'f', "json|TEMPLATE", "form of the output"),
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
