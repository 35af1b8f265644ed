/* SPDX-License-Identifier: Apache-2.0 */
/* login, logout, search */
#include <string.h>
#include <unistd.h>

#include "cli/floe/image_common.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/proc.h"
#include "core/str.h"
#include "engine/secret.h"
#include "image/registries.h"

struct options {
	struct skopeo_options skopeo;
	const char *username;
	const char *password;
	const char *secret;
	const char *compat_authfile;
	bool password_stdin;
	bool get_login;
	bool verbose;
	bool all;
};

#define SAID_MAX 65536

/* The first search registry when none is named. */
static int add_registry(const struct cli_invocation *inv, struct strvec *argv, struct err *err)
{
	auto_registries struct registries registries = { 0 };
	int r;

	if (inv->n_args) {
		strvec_add(argv, inv->args[0]);
		return 0;
	}
	r = registries_load(&registries, NULL, err);
	if (r < 0)
		return r;
	if (registries.search.n == 0)
		return err_set(err, ERR_USAGE,
			       "no registries found in registries.conf, a registry must be "
			       "provided");
	strvec_add(argv, registries.search.v[0]);
	return 0;
}

/* skopeo talks with the user itself: it reads passwords without echo. */
static int run_skopeo(const struct strvec *args, int stdin_fd, struct err *err)
{
	auto_strvec struct strvec argv = STRVEC_INIT;
	struct proc_spawn_opts spawn = { .stdio = { stdin_fd, STDOUT_FILENO, -1 } };
	auto_strbuf struct strbuf said = STRBUF_INIT;
	auto_proc struct proc proc = PROC_INIT;
	auto_free char *path = NULL;
	auto_free char *reason = NULL;
	auto_close int output = -EBADF;
	int status = 0;
	int fds[2];
	int r = skopeo_find(&path, err);

	if (r < 0)
		return r;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	output = fds[0];
	spawn.stdio[2] = fds[1];
	strvec_add(&argv, path);
	strvec_add_all(&argv, args->v, args->n);
	spawn.argv = argv.v;
	r = proc_spawn(&proc, &spawn);
	close_fd(&fds[1]);
	if (r == 0)
		r = io_read_all(output, SAID_MAX, &said);
	if (r == 0)
		r = proc_wait(&proc, -1, &status);
	if (r < 0)
		return err_sys(err, r, "execute '%s'", path);
	if (status == 0)
		return said.len ? io_write_all(STDERR_FILENO, said.buf, said.len) : 0;
	reason = skopeo_reason(said.buf);
	return err_set(err, ERR_REMOTE, "%s", reason);
}

static void add_common(struct strvec *args, const struct options *o)
{
	const char *file = o->compat_authfile ? o->compat_authfile : o->skopeo.authfile;

	if (file)
		strvec_addf(args, "--authfile=%s", file);
	if (o->skopeo.cert_dir)
		strvec_addf(args, "--cert-dir=%s", o->skopeo.cert_dir);
	if (o->skopeo.tls_verify.set)
		strvec_addf(args, "--tls-verify=%s", o->skopeo.tls_verify.v ? "true" : "false");
}

/*
 * Docker's file and ours have the same form, but for one thing: Docker knows registries only, and no repositories of theirs.
 * Of the file that is there already, what is in it stays.
 */
static int check_compat(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;

	if (!o->compat_authfile)
		return 0;
	if (o->skopeo.authfile)
		return err_set(err, ERR_USAGE,
			       "options for paths to the credential file and to the "
			       "Docker-compatible credential file can not be set simultaneously");
	if (inv->n_args && strchr(inv->args[0], '/'))
		return err_set(err, ERR_USAGE,
			       "credentials for namespace '%s': a Docker-compatible file has those "
			       "of whole registries only",
			       inv->args[0]);
	return 0;
}

/* The password that a secret holds, whose name is the user's where none is given. */
static int secret_password(const struct cli_invocation *inv, struct strvec *args,
			   struct strbuf *ret, struct err *err)
{
	const struct options *o = inv->options;
	auto_secret struct secret secret = { 0 };
	int r;

	if (o->password || o->password_stdin)
		return err_set(err, ERR_USAGE,
			       "--secret can not be used with --password or --password-stdin");
	r = secret_load(floe_engine(inv), o->secret, &secret, err);
	if (r == 0)
		r = secret_read(floe_engine(inv), secret.id, ret, err);
	if (r == 0 && !o->username)
		strvec_addf(args, "--username=%s", o->secret);
	if (r == 0 && (ret->len == 0 || strlen(ret->buf) != ret->len))
		return err_set(err, ERR_INVALID, "secret '%s': it is no password", o->secret);
	return r;
}

static int run_login(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_strvec struct strvec args = STRVEC_INIT;
	auto_strbuf struct strbuf kept = STRBUF_INIT;
	auto_close int password_fd = -EBADF;
	const char *password = o->password;
	int r = 0;

	if (check_compat(inv, err) < 0)
		return -EINVAL;
	if (o->password && o->password_stdin)
		return err_set(err, ERR_USAGE,
			       "login: give --password or --password-stdin, not both");
	if (o->password && !o->username)
		return err_set(err, ERR_USAGE, "login: --password needs --username");
	strvec_add(&args, "login");
	add_common(&args, o);
	if (o->username)
		strvec_addf(&args, "--username=%s", o->username);
	if (o->secret) {
		r = secret_password(inv, &args, &kept, err);
		password = kept.buf;
	}
	if (r < 0)
		return r;
	if (password || o->password_stdin)
		strvec_add(&args, "--password-stdin");
	if (o->get_login)
		strvec_add(&args, "--get-login");
	if (o->verbose)
		strvec_add(&args, "--verbose");
	r = add_registry(inv, &args, err);
	if (r < 0)
		return r;
	if (password) {
		/* No argument, which the whole machine could read; no pipe, which holds but 64 KiB. */
		password_fd = io_memory_file("password", password);
		if (password_fd < 0)
			return err_sys(err, password_fd, "make a file for the password");
	}
	return run_skopeo(&args, password ? password_fd : STDIN_FILENO, err);
}

#define T struct options
#define AUTH_ROWS                                                                                  \
	OPT_STRING(T, skopeo.authfile, "authfile", 0, "FILE", "where credentials are kept"),       \
		OPT_STRING(T, compat_authfile, "compat-auth-file", 0, "FILE",                      \
			   "the same, of a file of Docker's")

static const struct cli_option login_rows[] = {
	AUTH_ROWS,
	OPT_STRING(T, skopeo.cert_dir, "cert-dir", 0, "DIR",
		   "certificates and keys for the registry"),
	OPT_OPTBOOL(T, skopeo.tls_verify, "tls-verify", 0,
		    "require HTTPS and verify certificates (default: true)"),
	OPT_STRING(T, username, "username", 'u', "USER", "who to log in as"),
	OPT_STRING(T, password, "password", 'p', "PASSWORD",
		   "visible to others on the machine; prefer --password-stdin"),
	OPT_FLAG(T, password_stdin, "password-stdin", 0, "read the password from stdin"),
	OPT_STRING(T, secret, "secret", 0, "NAME",
		   "take the password from a secret, whose name is the user's without --username"),
	OPT_FLAG(T, get_login, "get-login", 0, "print who is logged in"),
	OPT_FLAG(T, verbose, "verbose", 'v', "say where credentials are kept"),
};

const struct cli_command floe_login_command = {
	.name = "login",
	.arguments = "[REGISTRY]",
	.summary = "keep credentials for a registry",
	CLI_OPTIONS(T, login_rows),
	.max_args = 1,
	.run = run_login,
	.error_code = FLOE_EXIT_ERROR,
};

static int run_logout(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_strvec struct strvec args = STRVEC_INIT;
	int r;

	r = check_compat(inv, err);
	if (r == 0)
		r = image_authfile_check(o->compat_authfile, err);
	if (r == 0)
		r = image_authfile_check(o->skopeo.authfile, err);
	if (r < 0)
		return r;
	if (o->all && inv->n_args)
		return err_set(err, ERR_USAGE, "logout: give --all or a registry, not both");
	strvec_add(&args, "logout");
	add_common(&args, o);
	if (o->all)
		strvec_add(&args, "--all");
	r = o->all ? 0 : add_registry(inv, &args, err);
	return r < 0 ? r : run_skopeo(&args, -1, err);
}

static const struct cli_option logout_rows[] = {
	AUTH_ROWS,
	OPT_FLAG(T, all, "all", 'a', "forget the credentials for all registries"),
};

const struct cli_command floe_logout_command = {
	.name = "logout",
	.arguments = "[REGISTRY]",
	.summary = "forget the credentials for a registry",
	CLI_OPTIONS(T, logout_rows),
	.max_args = 1,
	.run = run_logout,
	.error_code = FLOE_EXIT_ERROR,
};
#undef T
