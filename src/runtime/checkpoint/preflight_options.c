/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_options.h"

#include <fcntl.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "criu/config_file.h"
#include "runtime/checkpoint/facts.h"
#include "runtime/checkpoint/request.h"

#define CONFIG_MAX ((size_t)1 << 20)

static void set(struct preflight_options *options, enum preflight_option option, char *by)
{
	replace_ptr(options->by[option], by);
}

/* With a request's options behind it, only those that a request does not set are of any effect. */
static bool is_in_request(enum preflight_option option)
{
	return preflight_option_infos[option].cli != NULL;
}

static void add_line(struct preflight_options *options, const char *name, const char *value,
		     const char *path, bool overridden)
{
	uint64_t number;

	for (size_t i = PREFLIGHT_NO_OPTION + 1; i < PREFLIGHT_OPTION_COUNT_; i++)
		if (strcmp(name, preflight_option_infos[i].name) == 0 &&
		    !(overridden && is_in_request((enum preflight_option)i)))
			set(options, (enum preflight_option)i, xasprintf("%s in '%s'", name, path));
	if (strcmp(name, "ghost-limit") == 0 && parse_size(value, &number) == 0)
		options->ghost_limit = number;
	else if (strcmp(name, "irmap-scan-path") == 0 && value[0] == '/')
		strvec_add(&options->scan_paths, value);
	else if (strcmp(name, "enable-fs") == 0)
		strvec_split(&options->file_systems, value, ',', false);
	else if (strcmp(name, "mntns-compat-mode") == 0)
		options->mntns_compat_mode = true;
}

void preflight_options_add_file(struct preflight_options *options, const char *text,
				const char *path, bool overridden)
{
	struct criu_config_line line = CRIU_CONFIG_LINE_INIT;

	while (criu_config_next(&text, &line))
		add_line(options, line.name, line.value, path, overridden);
}

static void add_path(struct preflight_options *options, const char *path, bool overridden)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!str_is_empty(path) && io_read_file_at(AT_FDCWD, path, CONFIG_MAX, &text) == 0)
		preflight_options_add_file(options, text.buf, path, overridden);
}

static void add_request(struct preflight_options *options, const struct checkpoint_options *opts)
{
	const bool given[PREFLIGHT_OPTION_COUNT_] = {
		[PREFLIGHT_TCP_ESTABLISHED] = opts->tcp_established,
		[PREFLIGHT_TCP_SKIP_IN_FLIGHT] = opts->tcp_skip_in_flight,
		[PREFLIGHT_LINK_REMAP] = opts->link_remap,
		[PREFLIGHT_EXT_UNIX_SK] = opts->ext_unix_sk,
		[PREFLIGHT_SHELL_JOB] = opts->shell_job,
		[PREFLIGHT_FILE_LOCKS] = opts->file_locks,
	};

	for (size_t i = PREFLIGHT_NO_OPTION + 1; i < PREFLIGHT_OPTION_COUNT_; i++)
		if (given[i])
			set(options, (enum preflight_option)i,
			    xstrdup(preflight_option_infos[i].cli));
	options->pre_dump = opts->pre_dump;
	options->has_parent = !str_is_empty(opts->parent_path);
	options->lazy_pages = opts->lazy_pages;
	options->network_lock = opts->network_lock;
}

void preflight_options_make(struct preflight_options *ret, const struct checkpoint_options *opts,
			    const struct runtime_spec *spec)
{
	const char *home = getenv("HOME");
	auto_free char *own = home ? xasprintf("%s/.criu/default.conf", home) : NULL;
	const char *annotation = runtime_spec_annotation(spec, CHECKPOINT_CONFIG_ANNOTATION);

	*ret = (struct preflight_options){ .ghost_limit = PREFLIGHT_GHOST_LIMIT };
	add_path(ret, "/etc/criu/default.conf", true);
	add_path(ret, own, true);
	add_path(ret, getenv("CRIU_CONFIG_FILE"), true);
	add_request(ret, opts);
	add_path(ret, annotation ? annotation : checkpoint_config_file(), false);
}
