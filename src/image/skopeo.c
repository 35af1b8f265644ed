/* SPDX-License-Identifier: Apache-2.0 */
#include "image/skopeo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/log.h"
#include "core/proc.h"
#include "core/program.h"
#include "core/str.h"

#define STDERR_MAX ((size_t)1 << 20)

int skopeo_find(char **ret, struct err *err)
{
	*ret = program_on_path("skopeo");
	return *ret ? 0 :
		      err_set(err, ERR_NOT_FOUND,
			      "find skopeo: it is not on PATH; install the package 'skopeo'");
}

/* The value of msg="..." of a line, unescaped; NULL when it has none. */
static char *message_of(const char *line)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const char *p = strstr(line, "msg=");

	if (!p)
		return NULL;
	p += strlen("msg=");
	if (*p != '"')
		return xstrdup(p);
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			strbuf_addc(&sb, *p == 'n' ? ' ' : *p == 't' ? ' ' : *p);
		} else {
			strbuf_addc(&sb, *p);
		}
	}
	return strbuf_take(&sb);
}

char *skopeo_reason(const char *stderr_text)
{
	auto_strvec struct strvec lines = STRVEC_INIT;
	char *reason = NULL;

	strvec_split(&lines, stderr_text, '\n', false);
	for (size_t i = lines.n; !reason && i-- > 0;)
		if (strstr(lines.v[i], "level=fatal") || strstr(lines.v[i], "level=error"))
			reason = message_of(lines.v[i]);
	if (!reason && lines.n)
		reason = xstrdup(lines.v[lines.n - 1]);
	return reason ? reason : xstrdup("it gave no reason");
}

/* {"auths": {REGISTRY: {"auth": ...}}} in a file without a name. */
static int make_authfile(const struct skopeo_options *o, struct err *err)
{
	auto_strbuf struct strbuf encoded = STRBUF_INIT;
	auto_free char *text = NULL;
	int fd;

	if (!strchr(o->creds, ':'))
		return err_set(err, ERR_USAGE, "option '--creds': give USER:PASSWORD");
	base64_encode(o->creds, strlen(o->creds), &encoded);
	text = xasprintf("{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}\n",
			 o->creds_registry ? o->creds_registry : "docker.io", encoded.buf);
	fd = io_memory_file("auth.json", text);
	return fd < 0 ? err_sys(err, fd, "make a file for credentials") : fd;
}

static void add_global_options(struct strvec *argv, const struct skopeo_options *o,
			       const struct skopeo_call *call)
{
	const char *policy = call->policy ? call->policy : o->signature_policy;

	const char *registries_conf = getenv("CONTAINERS_REGISTRIES_CONF");

	if (o->debug)
		strvec_add(argv, "--debug");
	/* podman has this variable, skopeo an option instead. */
	if (!str_is_empty(registries_conf))
		strvec_addf(argv, "--registries-conf=%s", registries_conf);
	if (policy)
		strvec_addf(argv, "--policy=%s", policy);
	if (o->arch)
		strvec_addf(argv, "--override-arch=%s", o->arch);
	if (o->os)
		strvec_addf(argv, "--override-os=%s", o->os);
	if (o->variant)
		strvec_addf(argv, "--override-variant=%s", o->variant);
}

static void add_side_options(struct strvec *argv, const struct skopeo_options *o,
			     const struct skopeo_call *call, bool has_auth_fd)
{
	static const char *const prefixes[] = { "", "src-", "dest-" };
	const char *prefix = prefixes[call->side];

	/* The first descriptor that is passed on is 3 there. */
	if (has_auth_fd)
		strvec_addf(argv, "--%sauthfile=/proc/self/fd/3", prefix);
	else if (o->authfile)
		strvec_addf(argv, "--%sauthfile=%s", prefix, o->authfile);
	if (o->cert_dir)
		strvec_addf(argv, "--%scert-dir=%s", prefix, o->cert_dir);
	if (o->tls_verify.set)
		strvec_addf(argv, "--%stls-verify=%s", prefix, o->tls_verify.v ? "true" : "false");
	if (o->retry && !o->retry_delay_ns)
		strvec_addf(argv, "--retry-times=%u", o->retry);
}

struct pipes {
	int out[2];
	int stderr_fd; /* memfd */
	int auth_fd;
	int input_fd;
};

static void pipes_done(struct pipes *p)
{
	close_fd(&p->out[0]);
	close_fd(&p->out[1]);
	close_fd(&p->stderr_fd);
	close_fd(&p->auth_fd);
	close_fd(&p->input_fd);
}
DEFINE_AUTO_VAL(pipes, struct pipes, pipes_done)

static int make_pipes(struct pipes *p, const struct skopeo_options *o,
		      const struct skopeo_call *call, struct err *err)
{
	if (call->out && pipe2(p->out, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	p->stderr_fd = io_memory_file("stderr", NULL);
	if (p->stderr_fd < 0)
		return err_sys(err, p->stderr_fd, "make a file for messages");
	if (o->creds) {
		p->auth_fd = make_authfile(o, err);
		if (p->auth_fd < 0)
			return p->auth_fd;
	}
	if (call->input) {
		p->input_fd = io_memory_file("input", call->input);
		if (p->input_fd < 0)
			return err_sys(err, p->input_fd, "make a file for input");
	}
	return 0;
}

static int explain(const struct pipes *p, const struct skopeo_call *call, int status,
		   struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *reason = NULL;

	if (lseek(p->stderr_fd, 0, SEEK_SET) == 0)
		(void)io_read_all(p->stderr_fd, STDERR_MAX, &text);
	if (!WIFEXITED(status))
		return err_set(err, ERR_REMOTE, "skopeo %s: %s", call->subcommand,
			       proc_status_to_string(status));
	reason = skopeo_reason(text.buf);
	return err_set(err, ERR_REMOTE, "%s", reason);
}

static int read_out(struct pipes *p, const struct skopeo_call *call, struct err *err)
{
	int r;

	close_fd(&p->out[1]);
	if (!call->out)
		return 0;
	r = io_read_all(p->out[0], call->out_limit, call->out);
	return r < 0 ? err_sys(err, r, "read what skopeo %s prints", call->subcommand) : 0;
}

static int run_once(const struct skopeo_options *options, const struct skopeo_call *call,
		    struct err *err)
{
	auto_cleanup(
		pipes_cleanup_val) struct pipes p = { { -EBADF, -EBADF }, -EBADF, -EBADF, -EBADF };
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_proc struct proc proc = PROC_INIT;
	struct proc_spawn_opts spawn = { .die_with_parent = true };
	auto_free char *path = NULL;
	int status;
	int r = skopeo_find(&path, err);

	if (r == 0)
		r = make_pipes(&p, options, call, err);
	if (r < 0)
		return r;
	strvec_add(&argv, path);
	add_global_options(&argv, options, call);
	strvec_add(&argv, call->subcommand);
	add_side_options(&argv, options, call, p.auth_fd >= 0);
	strvec_add_all(&argv, call->args->v, call->args->n);
	spawn.argv = argv.v;
	spawn.stdio[0] = p.input_fd;
	spawn.stdio[1] = call->out ? p.out[1] : options->show_progress ? STDERR_FILENO : -1;
	spawn.stdio[2] = p.stderr_fd;
	spawn.pass_fds = &p.auth_fd;
	spawn.n_pass_fds = p.auth_fd >= 0;
	r = proc_spawn(&proc, &spawn);
	if (r < 0)
		return err_sys(err, r, "execute '%s'", path);
	r = read_out(&p, call, err);
	if (r < 0)
		return r;
	r = proc_wait(&proc, -1, &status);
	if (r < 0)
		return err_sys(err, r, "wait for skopeo");
	return status == 0 ? 0 : explain(&p, call, status, err);
}

/* What a registry has decided is the same the next time. */
static bool is_final(const struct err *err)
{
	static const char *const words[] = { "unauthorized", "authentication", "denied",
					     "unknown",	     "not found",      "invalid",
					     "unsupported",  "no such",	       "certificate" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(err->msg, words[i]))
			return true;
	return err->kind != ERR_REMOTE;
}

/* skopeo itself has no fixed time between two tries before 1.23. */
int skopeo_run(const struct skopeo_options *options, const struct skopeo_call *call,
	       struct err *err)
{
	size_t before = call->out ? call->out->len : 0;

	for (uint32_t i = 1;; i++) {
		int r = run_once(options, call, err);

		if (r == 0 || !options->retry_delay_ns || i > options->retry || is_final(err))
			return r;
		log_warning("failed, trying again in %.3g s (%u of %u): %s",
			    (double)options->retry_delay_ns / (double)NSEC_PER_SEC, i,
			    options->retry, err->msg);
		err_clear(err);
		if (call->out)
			strbuf_truncate(call->out, before);
		clock_sleep_ms(options->retry_delay_ns / NSEC_PER_MSEC);
	}
}
