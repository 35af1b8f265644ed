/* SPDX-License-Identifier: Apache-2.0 */
/* load, save, import */
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/floe/image_common.h"
#include "cli/floe/output_file.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/proc.h"
#include "core/program.h"
#include "core/str.h"
#include "image/build.h"
#include "image/layout.h"
#include "image/push.h"
#include "image/policy.h"
#include "image/reference.h"

/* --- what is read --- */

/* Its exit code when its output is closed (curl(1), EXIT CODES). */
#define CURL_WRITE_ERROR 23

/* What a URL names, by curl(1), which knows proxies and certificates. */
static int download(const char *url, struct proc *proc, struct err *err)
{
	auto_free char *curl = program_find("curl");
	const char *argv[] = { curl, "-fsSL", "--", url, NULL };
	struct proc_spawn_opts spawn = { .stdio = { -1, -1, STDERR_FILENO },
					 .die_with_parent = true };
	int fds[2];
	int r;

	if (!curl)
		return err_set(err, ERR_UNSUPPORTED,
			       "fetch '%s': curl is needed for that; install the package 'curl'",
			       url);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	spawn.argv = (char *const *)(const void *)argv;
	spawn.stdio[1] = fds[1];
	r = proc_spawn(proc, &spawn);
	close_fd(&fds[1]);
	if (r < 0) {
		close_fd(&fds[0]);
		return err_sys(err, r, "execute '%s'", argv[0]);
	}
	return fds[0];
}

static bool is_url(const char *text)
{
	return str_has_prefix(text, "http://") || str_has_prefix(text, "https://");
}

/* r: what has come of the bytes; a failure of the download is why they were no archive. */
static int finish_download(struct proc *proc, int *fd, const char *url, int r, struct err *err)
{
	int status = 0;
	int waited;

	if (!proc->pid)
		return r;
	/* Nobody reads on. */
	close_fd(fd);
	waited = proc_wait(proc, -1, &status);
	if (waited < 0)
		return r < 0 ? r : err_sys(err, waited, "wait for curl");
	if (status == 0 || (r < 0 && WIFEXITED(status) && WEXITSTATUS(status) == CURL_WRITE_ERROR))
		return r;
	err_clear(err);
	return err_set(err, ERR_REMOTE, "fetch '%s': curl failed: %s", url,
		       proc_status_to_string(status));
}

static int open_input(const char *path, struct err *err)
{
	int fd;

	if (path && !str_eq(path, "-")) {
		fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
		return fd < 0 ? err_sys(err, fd, "open '%s'", path) : fd;
	}
	if (isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE,
			       "cannot read from terminal, use command-line redirection or the "
			       "--input flag");
	fd = fd_dup(STDIN_FILENO);
	return fd < 0 ? err_sys(err, fd, "read stdin") : fd;
}

static int open_source(const char *source, struct proc *proc, struct err *err)
{
	return source && is_url(source) ? download(source, proc, err) : open_input(source, err);
}

/* --- load --- */

struct load_options {
	const char *input;
	bool quiet;
};

static int run_load(const struct cli_invocation *inv, struct err *err)
{
	const struct load_options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_layout_loaded struct layout_loaded loaded = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_proc struct proc proc = PROC_INIT;
	auto_close int fd = open_source(o->input, &proc, err);
	int r;

	if (fd < 0)
		return fd;
	r = image_store_open(inv, &store, err);
	if (r == 0)
		r = layout_load(&store, fd, o->input ? o->input : "stdin", o->input, &loaded, err);
	r = finish_download(&proc, &fd, o->input, r, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < loaded.names.n; i++)
		strbuf_addf(&out, "Loaded image: %s\n", loaded.names.v[i]);
	for (size_t i = 0; i < loaded.ids.n; i++)
		image_event(inv, "loadfromarchive", loaded.ids.v[i], o->input ? o->input : "");
	return cli_print(out.buf, err);
}

#define T struct load_options
static const struct cli_option load_rows[] = {
	OPT_STRING(T, input, "input", 'i', "FILE", "archive, directory or URL (default: stdin)"),
	OPT_FLAG(T, quiet, "quiet", 'q', "show no progress; there is none to show"),
};
#undef T

const struct cli_command floe_load_command = {
	.name = "load",
	.summary = "take images out of an archive",
	.description =
		"Archives of podman save and docker save, OCI layouts (in a tar or as a "
		"directory) and directories of skopeo; compressed by gzip, zstd, bzip2 or xz, "
		"or not.",
	CLI_OPTIONS(struct load_options, load_rows),
	.run = run_load,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- save --- */

struct save_options {
	const char *format;
	const char *output;
	bool multi;
	bool compress;
	bool uncompressed;
	bool quiet;
};

static bool is_docker_archive(const struct save_options *o)
{
	return !o->format || str_eq(o->format, "docker-archive");
}

/* One entry for each image, with the names it was asked for by. */
static int collect(const struct cli_invocation *inv, struct store *store, struct images *images,
		   struct layout_save_image **ret, struct err *err)
{
	const struct save_options *o = inv->options;
	size_t n = o->multi ? inv->n_args : 1;

	images->v = xcalloc(n, sizeof(*images->v));
	*ret = xcalloc(n, sizeof(**ret));
	for (size_t i = 0; i < inv->n_args; i++) {
		auto_image struct image image = { 0 };
		auto_free char *name = NULL;
		size_t k = 0;
		int r;

		/* Without --multi-image-archive further words are further names of the first. */
		if (i > 0 && !o->multi) {
			r = reference_normalize_local(inv->args[i], &name, err);
			if (r < 0)
				return r;
			strvec_add_take(&(*ret)[0].names, take_ptr(name));
			continue;
		}
		r = image_find(store, inv->args[i], &image, &name, err);
		if (r < 0)
			return r;
		while (k < images->n && !str_eq(images->v[k].id, image.id))
			k++;
		if (k == images->n) {
			images->v[images->n++] = image;
			image = (struct image){ 0 };
			(*ret)[k].image = &images->v[k];
		}
		if (name)
			strvec_add_take(&(*ret)[k].names, take_ptr(name));
	}
	return 0;
}

static int write_archive(const struct save_options *o, struct store *store,
			 const struct layout_save_image *list, size_t n, int fd, struct err *err)
{
	return is_docker_archive(o) ? layout_save_docker(store, list, n, fd, err) :
				      layout_save_oci(store, &list[0], fd, -1, err);
}

static int save_archive(const struct save_options *o, struct store *store,
			const struct layout_save_image *list, size_t n, struct err *err)
{
	auto_output struct output output = OUTPUT_INIT;
	int r = output_file_open(&output, "save", o->output, err);

	if (r == 0)
		r = write_archive(o, store, list, n, output.fd, err);
	return r < 0 ? r : output_commit(&output, false, err);
}

static int save_oci_dir(const struct save_options *o, struct store *store,
			const struct layout_save_image *one, struct err *err)
{
	auto_close int dir = -EBADF;

	if (mkdir(o->output, 0755) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "make directory '%s'", o->output);
	dir = fd_open_at(AT_FDCWD, o->output, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return err_sys(err, dir, "open directory '%s'", o->output);
	return layout_save_oci(store, one, -1, dir, err);
}

/* The manifest as it is: skopeo's copy into a directory. */
static int save_docker_dir(const struct save_options *o, struct store *store,
			   const struct layout_save_image *one, struct err *err)
{
	struct push_options push = { .quiet = o->quiet,
				     .compress = o->compress,
				     .decompress = o->uncompressed && !o->compress };
	auto_free char *destination = xasprintf("dir:%s", o->output);

	return image_push(store, one->image, destination, &push, err);
}

static int save(const struct save_options *o, struct store *store,
		const struct layout_save_image *list, size_t n, struct err *err)
{
	bool archive = is_docker_archive(o) || str_eq(o->format, "oci-archive");
	bool dir = str_eq(o->format, "oci-dir") || str_eq(o->format, "docker-dir");

	if (!archive && !dir)
		return err_set(err, ERR_USAGE,
			       "option '--format': '%s' is not one of docker-archive, oci-archive, "
			       "oci-dir, docker-dir",
			       o->format);
	if (archive)
		return save_archive(o, store, list, n, err);
	if (!o->output)
		return err_set(err, ERR_USAGE, "save: format '%s' needs --output DIRECTORY",
			       o->format);
	return str_eq(o->format, "oci-dir") ? save_oci_dir(o, store, &list[0], err) :
					      save_docker_dir(o, store, &list[0], err);
}

static int run_save(const struct cli_invocation *inv, struct err *err)
{
	const struct save_options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_images struct images images = { 0 };
	struct layout_save_image *list = NULL;
	int r;

	if (o->multi && !is_docker_archive(o))
		return err_set(err, ERR_USAGE,
			       "save: several images fit into the format docker-archive only");
	if (o->compress && !str_eq(o->format, "docker-dir"))
		return err_set(err, ERR_USAGE,
			       "--compress can only be set when --format is 'docker-dir'");
	if (o->output && strchr(o->output, ':'))
		return err_set(err, ERR_USAGE, "invalid filename (should not contain ':') \"%s\"",
			       o->output);
	r = image_store_open(inv, &store, err);
	if (r == 0)
		r = collect(inv, &store, &images, &list, err);
	if (r == 0)
		r = save(o, &store, list, images.n, err);
	if (r == 0)
		image_event(inv, "save", images.v[0].id, o->output ? o->output : "");
	for (size_t i = 0; list && i < (o->multi ? inv->n_args : 1); i++)
		strvec_done(&list[i].names);
	free(list);
	return r;
}

#define T struct save_options
static const struct cli_option save_rows[] = {
	OPT_STRING(T, format, "format", 0, "FORMAT",
		   "docker-archive, oci-archive, oci-dir or docker-dir (default: docker-archive)"),
	OPT_STRING(T, output, "output", 'o', "FILE", "where to (default: stdout)"),
	OPT_FLAG(T, multi, "multi-image-archive", 'm',
		 "the arguments are images, not further names"),
	OPT_FLAG(T, compress, "compress", 0, "compress layers by gzip, with docker-dir"),
	OPT_FLAG(T, uncompressed, "uncompressed", 0, "decompress layers, with docker-dir"),
	OPT_FLAG(T, quiet, "quiet", 'q', "print nothing"),
};
#undef T

const struct cli_command floe_save_command = {
	.name = "save",
	.arguments = "IMAGE...",
	.summary = "write images to an archive",
	CLI_OPTIONS(struct save_options, save_rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_IMAGES,
	.run = run_save,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- import --- */

struct import_options {
	struct strvec changes;
	const char *message;
	const char *os;
	const char *arch;
	const char *variant;
	bool quiet;
};

static int run_import(const struct cli_invocation *inv, struct err *err)
{
	const struct import_options *o = inv->options;
	const char *source = inv->args[0];
	auto_store struct store store = STORE_INIT;
	auto_free char *name = NULL;
	auto_free char *id = NULL;
	auto_free char *line = NULL;
	auto_proc struct proc proc = PROC_INIT;
	auto_close int fd = -EBADF;
	struct image_import_options options = {
		.changes = (const char *const *)o->changes.v,
		.n_changes = o->changes.n,
		.message = o->message,
		.os = o->os,
		.arch = o->arch,
		.variant = o->variant,
		.source = source,
	};
	int r = inv->n_args > 1 ? reference_normalize_local(inv->args[1], &name, err) : 0;

	if (r < 0)
		return r;
	fd = open_source(source, &proc, err);
	if (fd < 0)
		return fd;
	options.name = NULL;
	r = policy_check(NULL, "tarball", NULL, NULL, err);
	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r == 0)
		r = image_import(&store, fd, &options, &id, err);
	r = finish_download(&proc, &fd, source, r, err);
	if (r == 0 && name)
		r = image_tag(&store, id, name, err);
	if (r < 0)
		return r;
	image_event(inv, "import", id, name ? name : "");
	line = xasprintf("sha256:%s\n", id);
	return cli_print(line, err);
}

#define T struct import_options
static const struct cli_option import_rows[] = {
	OPT_STRVEC(
		T, changes, "change", 'c', "INSTRUCTION",
		"change the image's configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, "
		"STOPSIGNAL, USER, VOLUME, WORKDIR"),
	OPT_STRING(T, message, "message", 'm', "TEXT", "comment"),
	OPT_STRING(T, os, "os", 0, "OS", "system the image is for"),
	OPT_STRING(T, arch, "arch", 0, "ARCH", "processor the image is for"),
	OPT_STRING(T, variant, "variant", 0, "VARIANT", "variant of the processor"),
	OPT_FLAG(T, quiet, "quiet", 'q', "show no progress; there is none to show"),
};
#undef T

const struct cli_command floe_import_command = {
	.name = "import",
	.arguments = "FILE|URL|- [NAME]",
	.summary = "make an image of an archive of a root file system",
	CLI_OPTIONS(struct import_options, import_rows),
	.min_args = 1,
	.max_args = 2,
	.run = run_import,
	.error_code = FLOE_EXIT_ERROR,
};
