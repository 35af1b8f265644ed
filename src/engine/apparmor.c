/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/apparmor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/io.h"
#include "core/program.h"
#include "core/str.h"

#define ENABLED_FILE "/sys/module/apparmor/parameters/enabled"
#define PROFILES_FILE "/sys/kernel/security/apparmor/profiles"
#define PROFILES_MAX (4U << 20)
#define PARSER_TIMEOUT_MS 30000

static char *find_parser(void)
{
	static const char *const places[] = { "/usr/sbin", "/sbin", "/usr/local/sbin" };

	return program_in(places, ARRAY_SIZE(places), "apparmor_parser");
}

static bool has_parser(void)
{
	auto_free char *parser = find_parser();

	return parser;
}

static bool is_enabled(void)
{
	auto_free char *line = io_read_line_at(AT_FDCWD, ENABLED_FILE);

	return line && line[0] == 'Y';
}

/* Lines are "NAME (MODE)". */
bool apparmor_is_loaded(const char *name)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	size_t len = strlen(name);
	char *rest;
	char *line;

	if (io_read_file_at(AT_FDCWD, PROFILES_FILE, PROFILES_MAX, &sb) < 0)
		return false;
	rest = sb.buf;
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return true;
	return false;
}

bool apparmor_can_load(void)
{
	return is_enabled() && has_parser();
}

void apparmor_profile_text(const char *name, struct strbuf *ret)
{
	static const char *const denied[] = {
		/* what speaks of the whole machine */
		"@{PROC}/* w",
		"@{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** "
		"w",
		"@{PROC}/sys/[^k]** w",
		"@{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w",
		"@{PROC}/sysrq-trigger rwklx",
		"@{PROC}/kcore rwklx",
		"/sys/[^f]*/** wklx",
		"/sys/f[^s]*/** wklx",
		"/sys/fs/[^c]*/** wklx",
		"/sys/fs/c[^g]*/** wklx",
		"/sys/fs/cg[^r]*/** wklx",
		"/sys/firmware/** rwklx",
		"/sys/kernel/security/** rwklx",
		"/sys/devices/virtual/powercap/** rwklx",
	};

	strbuf_addf(ret, "profile %s flags=(attach_disconnected,mediate_deleted) {\n", name);
	strbuf_adds(ret, "  network,\n  capability,\n  file,\n  umount,\n");
	/* Ours and the runtime's are not confined; among themselves they may do as they like. */
	strbuf_adds(ret, "  signal (receive) peer=unconfined,\n");
	strbuf_addf(ret, "  signal (send,receive) peer=%s,\n", name);
	strbuf_addf(ret, "  ptrace (trace,read,tracedby,readby) peer=%s,\n", name);
	strbuf_adds(ret, "  deny mount,\n");
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		strbuf_addf(ret, "  deny %s,\n", denied[i]);
	strbuf_adds(ret, "}\n");
}

static int load(const char *name, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_capture struct capture run = CAPTURE_INIT;
	auto_free char *parser = find_parser();
	char option[] = "-Kr";
	char *argv[] = { parser, option, NULL };
	int r;

	strbuf_adds(&text, "@{PROC}=/proc/\n");
	apparmor_profile_text(name, &text);
	run.argv = argv;
	run.input = text.buf;
	run.timeout_ms = PARSER_TIMEOUT_MS;
	r = capture_run(&run, err);
	if (r < 0)
		return err_wrap(err, r, "load the AppArmor profile '%s'", name);
	if (r > 0)
		return err_set(err, ERR_REMOTE, "load the AppArmor profile '%s': %.*s", name,
			       (int)strcspn(run.messages.buf, "\n"), run.messages.buf);
	return 0;
}

static int load_default(struct err *err)
{
	if (apparmor_is_loaded(APPARMOR_PROFILE_DEFAULT))
		return 0;
	if (!has_parser())
		return err_set(err, ERR_NOT_FOUND,
			       "AppArmor profile '" APPARMOR_PROFILE_DEFAULT
			       "': no apparmor_parser to load it; install the package apparmor");
	return load(APPARMOR_PROFILE_DEFAULT, err);
}

const char *apparmor_profile_of(const struct container_config *config)
{
	if (config->apparmor)
		return config->apparmor;
	return config->privileged || !apparmor_can_load() ? NULL : APPARMOR_PROFILE_DEFAULT;
}

int apparmor_choose(const struct container_config *config, char **ret, struct err *err)
{
	const char *wanted = config->apparmor;
	const char *profile = apparmor_profile_of(config);
	int r = 0;

	*ret = NULL;
	if (!profile || str_eq(profile, "unconfined"))
		return 0;
	if (wanted && !is_enabled())
		return err_set(err, ERR_UNSUPPORTED,
			       "AppArmor profile '%s': AppArmor is not enabled on this machine",
			       wanted);
	if (!str_eq(profile, APPARMOR_PROFILE_DEFAULT)) {
		if (!apparmor_is_loaded(profile))
			return err_set(err, ERR_NOT_FOUND,
				       "AppArmor profile '%s': it is not loaded; load it with "
				       "apparmor_parser",
				       profile);
	} else {
		r = load_default(err);
	}
	if (r == 0)
		*ret = xstrdup(profile);
	return r;
}

int apparmor_prepare_restore(const char *profile, struct err *err)
{
	return str_eq(profile, APPARMOR_PROFILE_DEFAULT) && is_enabled() ? load_default(err) : 0;
}
