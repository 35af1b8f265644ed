/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/auto.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/path.h"
#include "spec/defaults.h"

struct options {
	const char *bundle;
	const char *file;
	bool rootless;
};

/* Whether the v2 tree is all there is. */
static bool host_has_cgroup_v2_only(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

static int write_new(const char *path, const char *text, struct err *err)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0666);
	int r;

	if (fd == -EEXIST)
		return err_set(err, ERR_EXISTS, "File %s exists. Remove it first", path);
	if (fd < 0)
		return err_sys(err, fd, "create '%s'", path);
	r = io_write_all(fd, text, strlen(text));
	if (r < 0) {
		(void)unlink(path);
		return err_sys(err, r, "write '%s'", path);
	}
	return 0;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	const char *file = cli->file ? cli->file : "config.json";
	auto_free char *path = file[0] == '/' ? path_clean(file) :
						path_join(cli->bundle ? cli->bundle : "", file);
	const struct spec_default_opts opts = {
		.has_cgroup_namespace = host_has_cgroup_v2_only(),
		.is_rootless = cli->rootless,
		.host_uid = geteuid(),
		.host_gid = getegid(),
	};
	struct runtime_spec spec;
	auto_free char *text = NULL;

	runtime_spec_default(&spec, &opts);
	text = runtime_spec_to_json(&spec, JSON_TABS);
	runtime_spec_done(&spec);
	return write_new(path, text, err);
}

static const struct cli_option rows[] = {
	OPT_STRING(struct options, bundle, "bundle", 'b', "DIR",
		   "directory to write into (default: the current directory)"),
	OPT_STRING(struct options, file, "config", 'f', "FILE",
		   "name of the file (default: config.json)"),
	OPT_FLAG(struct options, rootless, "rootless", 0,
		 "a configuration for a user without privileges"),
};

const struct cli_command spec_command = {
	.name = "spec",
	.summary = "write a configuration to start from",
	.description = "The container of that configuration runs a shell in a read-only root file "
		       "system below 'rootfs'. A file that exists is not replaced.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
