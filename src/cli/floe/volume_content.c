/* SPDX-License-Identifier: Apache-2.0 */
/* floe volume export, import, mount and unmount: what is in a volume. */
#include <fcntl.h>
#include <unistd.h>

#include "cli/floe/output_file.h"
#include "cli/floe/report.h"
#include "cli/floe/volume.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/proc.h"
#include "core/program.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "engine/volume.h"
#include "engine/volume_mount.h"

/* --- export, import --------------------------------------------------------------------------------- */

struct archive_cli {
	const char *output;
};

#define TAR_MESSAGES_MAX ((size_t)1 << 20)

static int run_tar(const char *const *argv, int in, int out, const char *what, struct err *err)
{
	auto_free char *tar = program_find("tar");
	auto_strvec struct strvec args = STRVEC_INIT;
	auto_proc struct proc proc = PROC_INIT;
	auto_strbuf struct strbuf said = STRBUF_INIT;
	auto_close int messages = io_memory_file("tar", NULL);
	int status = 0;
	int r;

	if (!tar)
		return err_set(err, ERR_NOT_FOUND, "%s: tar is needed; install the package 'tar'",
			       what);
	for (; *argv; argv++)
		strvec_add(&args, *argv);
	r = proc_spawn(&proc, &(struct proc_spawn_opts){ .argv = args.v,
							 .path = tar,
							 .stdio = { in, out, messages } });
	if (r == 0)
		r = proc_wait(&proc, -1, &status);
	if (r < 0)
		return err_sys(err, r, "run tar");
	if (messages >= 0 && lseek(messages, 0, SEEK_SET) == 0)
		(void)io_read_all(messages, TAR_MESSAGES_MAX, &said);
	if (status == 0) {
		(void)io_write_all(STDERR_FILENO, said.buf, said.len);
		return 0;
	}
	/* The first says why; when a disk is full, there is one for each file. */
	return err_set(err, ERR_REMOTE, "%s: tar failed (%s)%s%.*s", what,
		       proc_status_to_string(status), said.len ? ": " : "",
		       (int)strcspn(said.buf, "\n"), said.buf);
}

/* The first failure is the one that counts. */
static int finish_mount(const struct cli_invocation *inv, const struct volume *v, int r,
			struct err *err)
{
	int r2 = volume_unmount(floe_engine(inv), v->name, r < 0 ? NULL : err);

	return r < 0 ? r : r2;
}

static int run_export(const struct cli_invocation *inv, struct err *err)
{
	const struct archive_cli *o = inv->options;
	auto_volume struct volume v = { 0 };
	auto_output struct output output = OUTPUT_INIT;
	int r = volume_load(floe_engine(inv), inv->args[0], &v, err);

	if (r == 0)
		r = output_file_open(&output, "volume export", o->output, err);
	if (r < 0)
		return r;
	r = volume_mount(floe_engine(inv), v.name, NULL, err);
	if (r < 0)
		return r;
	r = run_tar((const char *const[]){ "tar", "--xattrs", "-C", v.mountpoint, "-c", ".", NULL },
		    -1, output.fd, "export volume", err);
	if (r == 0)
		r = output_commit(&output, false, err);
	return finish_mount(inv, &v, r, err);
}

static const struct cli_option export_rows[] = {
	OPT_STRING(struct archive_cli, output, "output", 'o', "FILE", "write the archive here"),
};

const struct cli_command volume_export_command = {
	.name = "export",
	.arguments = "VOLUME",
	.argument_source = FLOE_VOLUMES,
	.summary = "write the content of a volume as tar archive",
	CLI_OPTIONS(struct archive_cli, export_rows),
	.min_args = 1,
	.max_args = 1,
	.run = run_export,
	.error_code = FLOE_EXIT_ERROR,
};

static int run_import(const struct cli_invocation *inv, struct err *err)
{
	auto_volume struct volume v = { 0 };
	auto_close int file = -EBADF;
	bool is_stdin = str_eq(inv->args[1], "-");
	int r = volume_load(floe_engine(inv), inv->args[0], &v, err);

	if (r < 0)
		return r;
	if (!is_stdin) {
		file = fd_open_at(AT_FDCWD, inv->args[1], O_RDONLY, 0);
		if (file < 0)
			return err_sys(err, file, "open '%s'", inv->args[1]);
	}
	r = volume_mount(floe_engine(inv), v.name, NULL, err);
	if (r < 0)
		return r;
	r = run_tar((const char *const[]){ "tar", "--xattrs", "-C", v.mountpoint, "-x", NULL },
		    is_stdin ? STDIN_FILENO : file, -1, "import volume", err);
	return finish_mount(inv, &v, r, err);
}

const struct cli_command volume_import_command = {
	.name = "import",
	.arguments = "VOLUME FILE",
	.argument_source = FLOE_VOLUMES,
	.description = "FILE may be - for the standard input.",
	.summary = "unpack a tar archive into a volume",
	.min_args = 2,
	.max_args = 2,
	.run = run_import,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- mount, unmount --------------------------------------------------------------------------------- */

/* Mount or unmount each, and print what came of it. */
static int run_each(const struct cli_invocation *inv, bool mount)
{
	int code = 0;

	for (size_t i = 0; i < inv->n_args; i++) {
		const char *name = inv->args[i];
		auto_free char *path = NULL;
		struct err one = ERR_INIT;
		int r = mount ? volume_mount(floe_engine(inv), name, &path, &one) :
				volume_unmount(floe_engine(inv), name, &one);

		if (r == 0) {
			(void)cli_print_line(mount ? path : name, NULL);
		} else {
			report_error(&one);
			code = FLOE_EXIT_ERROR;
		}
	}
	return code;
}

static int run_mount(const struct cli_invocation *inv, struct err *err UNUSED)
{
	return run_each(inv, true);
}

const struct cli_command volume_mount_command = {
	.name = "mount",
	.arguments = "VOLUME...",
	.argument_source = FLOE_VOLUMES,
	.summary = "mount volumes and print where",
	.description =
		"Until `volume unmount`, what is behind a volume with a type or a device stays "
		"mounted also while no container uses it.",
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.run = run_mount,
	.error_code = FLOE_EXIT_ERROR,
};

static int run_unmount(const struct cli_invocation *inv, struct err *err UNUSED)
{
	return run_each(inv, false);
}

const struct cli_command volume_unmount_command = {
	.name = "unmount",
	.alias = "umount",
	.arguments = "VOLUME...",
	.argument_source = FLOE_VOLUMES,
	.summary = "take back what `volume mount` did",
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.run = run_unmount,
	.error_code = FLOE_EXIT_ERROR,
};
