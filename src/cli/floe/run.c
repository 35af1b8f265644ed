/* SPDX-License-Identifier: Apache-2.0 */
/* create, run and start: a container from nothing, and one that is there. */
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/floe/commands.h"
#include "cli/floe/create_options.h"
#include "cli/floe/foreground.h"
#include "cli/floe/image_common.h"
#include "cli/floe/report.h"
#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "engine/checkpoint_image.h"
#include "engine/cleanup.h"
#include "engine/create.h"
#include "engine/image_use.h"
#include "engine/records.h"
#include "engine/restore_import.h"
#include "engine/start.h"
#include "image/pull.h"
#include "image/transport.h"

#define CREATE_DESCRIPTION                                                                         \
	"The first argument is an image, or with --rootfs a directory that is the root file "      \
	"system; what follows it is the command. Options stand before."

/* Of the pull that there may be. */
#define PULL_ROWS(T)                                                                               \
	OPT_FLAG(T, create.quiet, "quiet", 'q', "print no progress of a pull"),                    \
		RETRY_ROWS(T, create., create.retry),                                              \
		OPT_FLAG_F(T, create.content_trust, "disable-content-trust", 0,                    \
			   "docker's; of no effect", CLI_HIDDEN),                                  \
		SKOPEO_ROWS(T, create.), PLATFORM_ROWS(T, create.)

/* There from creation on. What an earlier container has left is written over: units of systemd name the same file each time. */
static int write_cidfile(const struct container *c, struct err *err)
{
	int r = c->config.cidfile ? fs_write_output(c->config.cidfile, c->config.id,
						    strlen(c->config.id), 0644) :
				    0;

	return r < 0 ? err_sys(err, r, "write container id to '%s'", c->config.cidfile) : 0;
}

static int replace_existing(struct engine *e, const char *name, struct err *err)
{
	/* What is replaced may end as if it were stopped: a server of a unit has data to write. */
	const struct remove_options options = { .force = true, .depend = true, .timeout_s = -1 };
	auto_container struct container c = CONTAINER_INIT;
	auto_free char *id = NULL;
	int r;

	if (!name)
		return err_set(err, ERR_USAGE, "cannot replace container without --name being set");
	r = container_open_locked(&c, e, name, err);
	if (r == -ENOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	return str_eq(c.config.name, name) ? container_remove(&c, &options, err) : 0;
}

/*
 * Fetch the image when it is not here, or as --pull says. *ret_name is what it is called now when it was given as
 * TRANSPORT:..., or NULL.
 */
static int provide_image(const struct cli_invocation *inv, const struct create_options *o,
			 char **ret_name, struct err *err)
{
	struct pull_options options = { .skopeo = o->skopeo,
					.policy = PULL_MISSING,
					.quiet = o->quiet };
	auto_free char *platform = NULL;
	auto_free char *id = NULL;
	auto_free char *name = NULL;
	const char *rest;
	struct store *store;
	int r = image_authfile_check(o->skopeo.authfile, err);

	if (r < 0 || o->rootfs)
		return r;
	r = image_retries(inv, &o->retry, &options.skopeo, err);
	if (r == 0)
		r = image_platform_parse(o->platform, &options.skopeo, &platform, err);
	if (r == 0 && o->pull)
		r = pull_policy_from_string(o->pull, &options.policy, err);
	if (r == 0)
		r = engine_store(floe_engine(inv), &store, err);
	if (r == 0)
		r = image_pull(store, inv->args[0], &options, &id, &name, err);
	if (r == 0 && transport_of(inv->args[0], &rest))
		*ret_name = name ? take_ptr(name) : take_ptr(id);
	return r;
}

static int make(const struct cli_invocation *inv, const struct create_options *o,
		struct container *ret, struct err *err)
{
	const struct floe_context *context = inv->context;
	struct engine *e = floe_engine(inv);
	struct container_config config = { 0 };
	const struct create_params params = {
		.has_entrypoint = o->entrypoint != NULL,
		.unset_all_env = o->unset_all,
		.unset_env = &o->unsetenv,
		.merge_env = &o->env_merge,
		.image_volume = o->image_volume,
		.seccomp_of_image = str_eq(o->seccomp_policy, "image"),
	};
	struct create_options all = *o;
	auto_free char *image = NULL;
	int r = 0;

	if (o->remove_image && o->remove.set && !o->remove.v)
		return err_set(err, ERR_USAGE, "the --rmi option does not work without --rm");
	if (o->kernel_memory.set)
		log_warning(
			"The --kernel-memory flag is no longer supported. This flag is a noop.");
	/* As docker prints them, and podman takes them. */
	if (all.name && all.name[0] == '/')
		all.name++;
	r = provide_image(inv, o, &image, err);
	if (r < 0)
		return r;
	create_defaults_lists(e, &all);
	r = create_options_apply(&all, inv->args, inv->n_args, context->argv, &config, err);
	if (image)
		replace_ptr(config.image_name, take_ptr(image));
	if (r == 0)
		r = create_defaults_merge(e, &config, err);
	if (r == 0 && o->replace)
		r = replace_existing(e, all.name, err);
	if (r < 0) {
		container_config_done(&config);
		return r;
	}
	r = container_create(ret, e, &config, &params, err);
	return r < 0 ? r : write_cidfile(ret, err);
}

/* -a STREAM; nothing given: both outputs, and the input with -i. */
static int choose_streams(const struct create_options *o, struct foreground_options *f,
			  struct err *err)
{
	f->with_stdin = o->interactive && o->attach.n == 0;
	f->with_stdout = f->with_stderr = o->attach.n == 0;
	for (size_t i = 0; i < o->attach.n; i++) {
		const char *name = o->attach.v[i];

		if (strcasecmp(name, "stdin") == 0)
			f->with_stdin = true;
		else if (strcasecmp(name, "stdout") == 0)
			f->with_stdout = true;
		else if (strcasecmp(name, "stderr") == 0)
			f->with_stderr = true;
		else
			return err_set(err, ERR_USAGE,
				       "invalid stream \"%s\" for --attach - must be one of stdin, "
				       "stdout, or stderr",
				       name);
	}
	return 0;
}

/* --- create ----------------------------------------------------------------------------------------- */

struct create_command_options {
	struct create_options create;
};

static int print_id(const struct container *c, struct err *err)
{
	return cli_print_line(c->config.id, err);
}

static int run_create(const struct cli_invocation *inv, struct err *err)
{
	const struct create_command_options *cli = inv->options;
	struct foreground_options streams = { 0 };
	auto_container struct container c = CONTAINER_INIT;
	int r = choose_streams(&cli->create, &streams, err);

	if (r == 0)
		r = make(inv, &cli->create, &c, err);
	return r < 0 ? r : print_id(&c, err);
}

static const struct cli_option create_rows[] = {
	CREATE_ROWS(struct create_command_options, create),
	OPT_STRVEC_F(struct create_command_options, create.attach, "attach", 'a', "STREAM",
		     "stdin, stdout or stderr; of no effect, `start --attach` has all of them",
		     CLI_LIST),
	OPT_OPTBOOL(struct create_command_options, create.remove, "rm", 0,
		    "remove it when it has ended"),
	PULL_ROWS(struct create_command_options),
};

static const struct create_command_options create_defaults = { .create.stop_timeout = 10 };

const struct cli_command floe_create_command = {
	.name = "create",
	.arguments = "IMAGE|ROOTFS [COMMAND [ARGUMENT...]]",
	.argument_source = FLOE_IMAGES,
	.summary = "make a container and do not start it",
	.description = CREATE_DESCRIPTION,
	CLI_OPTIONS(struct create_command_options, create_rows),
	.defaults = &create_defaults,
	.prepare = create_defaults_prepare,
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.run = run_create,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- run -------------------------------------------------------------------------------------------- */

struct run_command_options {
	struct create_options create;
};

static void remove_failed(struct container *c)
{
	const struct remove_options options = { .force = true, .volumes = true };
	struct err err = ERR_INIT;

	if (c->config.auto_remove && container_remove(c, &options, &err) < 0)
		log_warning("%s", err.msg);
}

/* ---- a checkpoint in an image: it is not started, it goes on ---- */

static void report_findings(void *context UNUSED, const char *lines)
{
	(void)io_write_all(STDERR_FILENO, lines, strlen(lines));
}

/* Of what runs already little can be chosen; podman passes over the rest in silence. */
static int check_checkpoint_line(const struct cli_invocation *inv, struct err *err)
{
	static const char *const allowed[] = { "name",	 "hostname",	"publish",   "attach",
					       "detach", "detach-keys", "sig-proxy", "interactive",
					       "pull",	 NULL };

	if (inv->n_args > 1)
		return err_set(
			err, ERR_USAGE,
			"run of checkpoint image '%s': its processes are there already, it takes "
			"no command",
			inv->args[0]);
	for (size_t i = 0; i < inv->given->n; i++)
		if (!str_is_one_of(inv->given->v[i], allowed))
			log_warning("run of checkpoint image '%s': its processes are there "
				    "already, --%s has no effect on them; 'floe restore' has the "
				    "options for what can be changed",
				    inv->args[0], inv->given->v[i]);
	return 0;
}

static int run_checkpoint(const struct cli_invocation *inv, const struct create_options *o,
			  const struct foreground_options *f, const char *source, struct err *err)
{
	auto_container_config struct container_config given = { 0 };
	auto_container struct container c = CONTAINER_INIT;
	const struct create_options ports = { .publish = o->publish };
	const struct restore_options options = { 0 };
	const struct restore_import how = {
		.source = source,
		.identity = { .name = o->name,
			      .hostname = o->hostname,
			      .given = &given,
			      .has_ports = o->publish.n > 0 },
		.report = report_findings,
	};
	struct restore_result result;
	int r = check_checkpoint_line(inv, err);

	if (r == 0 && ports.publish.n > 0)
		r = network_options_apply(&ports, &given, err);
	for (size_t i = 0; i < given.n_networks; i++)
		network_attachment_done(&given.networks[i]);
	given.n_networks = 0;
	if (r == 0)
		r = container_import(&c, floe_engine(inv), &how, &options, &result, err);
	if (r < 0)
		return r;
	if (!o->detach) {
		container_unlock(&c);
		return foreground_attach(&c, f, err);
	}
	return print_id(&c, err);
}

/*
 * What goes wrong once the container is there. That its command cannot be invoked is exit code 126, be it the runtime,
 * the network or a user that the image does not have, as with podman.
 */
static int start_failed(int r, struct container *c, struct err *err)
{
	remove_failed(c);
	r = foreground_exit_code(r, err);
	if (r >= 0 || (err->kind != ERR_REMOTE && err->kind != ERR_COMMAND))
		return r;
	report_error(err);
	err_clear(err);
	return FLOE_EXIT_CANNOT_INVOKE;
}

static int run_run(const struct cli_invocation *inv, struct err *err)
{
	const struct run_command_options *cli = inv->options;
	const struct create_options *o = &cli->create;
	auto_container struct container c = CONTAINER_INIT;
	auto_free char *checkpoint = NULL;
	struct foreground_options f = {
		.detach_keys = o->detach_keys,
		.sig_proxy = !o->sig_proxy.set || o->sig_proxy.v,
	};
	int r = choose_streams(o, &f, err);

	if (o->interactive && o->tty && !o->detach && !isatty(STDIN_FILENO))
		log_warning("The input device is not a TTY. The --tty and --interactive flags "
			    "might not "
			    "work properly");
	if (r == 0 && !o->rootfs &&
	    checkpoint_image_find(floe_engine(inv), inv->args[0], &checkpoint, NULL) == 0)
		return run_checkpoint(inv, o, &f, checkpoint, err);
	if (r == 0)
		r = make(inv, o, &c, err);
	if (r == 0)
		r = container_lock(&c, err);
	if (r == 0) {
		r = container_start_dependencies(&c, err);
		if (r < 0)
			remove_failed(&c);
	}
	if (r < 0)
		return r;
	if (o->detach) {
		r = container_init(&c, err);
		if (r == 0)
			r = container_start(&c, err);
		return r < 0 ? start_failed(r, &c, err) : print_id(&c, err);
	}
	if (!f.with_stdout && !f.with_stderr)
		r = print_id(&c, err);
	if (r == 0)
		r = foreground_run(&c, &f, err);
	return r < 0 ? start_failed(r, &c, err) : r;
}

#define T struct run_command_options
static const struct cli_option run_rows[] = {
	CREATE_ROWS(T, create),
	OPT_OPTBOOL(T, create.remove, "rm", 0, "remove it when it has ended"),
	OPT_FLAG(T, create.remove_image, "rmi", 0,
		 "the same, and its image too unless somebody else uses that"),
	OPT_FLAG(T, create.detach, "detach", 'd', "print its id and do not wait for it"),
	OPT_STRVEC_F(T, create.attach, "attach", 'a', "STREAM", "attach to stdin, stdout, stderr",
		     CLI_LIST),
	OPT_STRING(T, create.detach_keys, "detach-keys", 0, "KEYS",
		   "keys that detach (default: ctrl-p,ctrl-q)"),
	OPT_OPTBOOL(T, create.sig_proxy, "sig-proxy", 0,
		    "pass signals on to the process (default: true)"),
	PULL_ROWS(T),
};
#undef T

static const struct run_command_options run_defaults = { .create.stop_timeout = 10 };

const struct cli_command floe_run_command = {
	.name = "run",
	.arguments = "IMAGE|ROOTFS [COMMAND [ARGUMENT...]]",
	.argument_source = FLOE_IMAGES,
	.summary = "make a container, start it and wait for its end",
	.description = CREATE_DESCRIPTION
	" The exit code is the command's; 125 when floe fails, 126 when the command "
	"cannot be executed, 127 when it is not there.",
	CLI_OPTIONS(struct run_command_options, run_rows),
	.defaults = &run_defaults,
	.prepare = create_defaults_prepare,
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_STOP_AT_ARGUMENT,
	.run = run_run,
	.error_code = FLOE_EXIT_ERROR,
};
