/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/client.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/str.h"
#include "criu/log_tail.h"
#include "criu/wire.h"
#include "kernel/syscalls.h"

static int start(struct criu_client *client, struct err *err)
{
	char *const argv[] = { (char[]){ "criu" }, (char[]){ "swrk" }, (char[]){ "3" }, NULL };
	auto_close int ours = -EBADF;
	auto_close int theirs = -EBADF;
	int fds[1 + WIRE_EXTRA_FDS_MAX];
	struct proc_spawn_opts spawn = {
		.argv = argv,
		.path = client->opts.program,
		.pass_fds = fds,
		.n_pass_fds = 1 + client->opts.n_extra_fds,
		.setup = client->opts.setup,
		.setup_context = client->opts.setup_context,
		.cgroup_fd = client->opts.cgroup_fd,
	};
	int r;

	if (client->opts.n_extra_fds > WIRE_EXTRA_FDS_MAX)
		return err_set(err, ERR_INTERNAL, "start criu: too many descriptors to pass");
	r = wire_pair(&ours, &theirs);
	if (r < 0)
		return err_sys(err, r, "start criu: create socket pair");
	fds[0] = theirs;
	for (size_t i = 0; i < client->opts.n_extra_fds; i++)
		fds[1 + i] = client->opts.extra_fds[i];
	memcpy(spawn.stdio, client->opts.stdio, sizeof(spawn.stdio));
	r = proc_spawn(&client->proc, &spawn);
	if (r < 0)
		return err_sys(err, r, "start criu '%s'", client->opts.program);
	client->socket = take_fd(ours);
	client->pidfd = sys_pidfd_open(client->proc.pid);
	client->done = CRIU_REQ_TYPE__EMPTY;
	return 0;
}

/* Forget the process, which has ended or is about to. */
static void reap(struct criu_client *client, int *ret_status)
{
	close_fd(&client->socket);
	*ret_status = SIGKILL;
	if (proc_wait(&client->proc, client->opts.timeout_ms, ret_status) == -ETIMEDOUT)
		proc_kill(&client->proc);
	close_fd(&client->pidfd);
}

static int ensure_started(struct criu_client *client, struct err *err)
{
	return client->socket >= 0 ? 0 : start(client, err);
}

static void append_log_path(const struct criu_client *client, struct err *err)
{
	if (client->opts.log_path)
		err_append(err, "; see log '%s'", client->opts.log_path);
}

static int fail_ended(struct criu_client *client, struct err *err)
{
	int status;
	int r;

	reap(client, &status);
	r = err_set(err, ERR_REMOTE, "criu ended unexpectedly (%s)", proc_status_to_string(status));
	append_log_path(client, err);
	return r;
}

static int fail_protocol(const struct criu_client *client, struct err *err, const char *expected,
			 const char *got)
{
	int r = err_set(err, ERR_REMOTE, "talk to criu: expected %s, got %s", expected, got);

	append_log_path(client, err);
	return r;
}

static int send_request(struct criu_client *client, const CriuReq *req, struct err *err)
{
	size_t len = criu_req__get_packed_size(req);
	auto_free uint8_t *buf = xmalloc(len);
	int r;

	criu_req__pack(req, buf);
	r = wire_send(client->socket, buf, len);
	if (r == -EPIPE || r == -ECONNRESET)
		return fail_ended(client, err);
	if (r < 0)
		return err_sys(err, r, "send request %s to criu", criu_type_to_string(req->type));
	return 0;
}

static void answer_cleanup(CriuResp **resp)
{
	if (*resp)
		criu_resp__free_unpacked(*resp, NULL);
}
#define auto_answer auto_cleanup(answer_cleanup)

/* 1 and an answer, 0 when criu has ended (and is not reaped yet), negative with *err. `expected` is
 * for messages. */
static int receive(struct criu_client *client, const char *expected, struct wire_datagram *datagram,
		   CriuResp **ret, struct err *err)
{
	int r = wire_receive(client->socket, client->pidfd, client->opts.timeout_ms, datagram);

	if (r == 0)
		return 0;
	if (r == -ETIMEDOUT) {
		r = err_set(err, ERR_TIMEOUT, "talk to criu: no answer within %d ms",
			    client->opts.timeout_ms);
		append_log_path(client, err);
		return r;
	}
	if (r == -EPROTO)
		return fail_protocol(client, err, expected, "an oversized message");
	if (r < 0)
		return err_sys(err, r, "receive answer of criu");
	*ret = criu_resp__unpack(NULL, datagram->len, datagram->data);
	if (!*ret)
		return fail_protocol(client, err, expected,
				     "a message that is not of CRIU's protocol");
	return 1;
}

/* One question and its answer; a CRIU that hangs up although it should not is asked again in a
 * process that it may end. */
static int ask(struct criu_client *client, CriuReq *question, CriuResp **ret, struct err *err)
{
	const char *type = criu_type_to_string(question->type);
	auto_answer CriuResp *answer = NULL;
	auto_wire_datagram struct wire_datagram datagram = { 0 };
	int status;
	int r = ensure_started(client, err);

	if (r < 0)
		return r;
	CRIU_SET(question, keep_open, client->keeps_open);
	r = send_request(client, question, err);
	if (r < 0)
		return r;
	r = receive(client, type, &datagram, &answer, err);
	if (r == 0 && client->keeps_open) {
		log_debug("criu ends after a question; using one process for each request");
		client->keeps_open = false;
		reap(client, &status);
		return ask(client, question, ret, err);
	}
	if (r <= 0)
		return r < 0 ? r : fail_ended(client, err);
	if (!client->keeps_open)
		reap(client, &status);
	if (answer->type != question->type)
		return fail_protocol(client, err, type, criu_type_to_string(answer->type));
	if (!answer->success)
		return err_set(err, ERR_REMOTE, "criu failed: type %s errno %d", type,
			       answer->cr_errno);
	*ret = take_ptr(answer);
	return 0;
}

int criu_client_open(struct criu_client *ret, const struct criu_client_opts *opts, struct err *err)
{
	*ret = (struct criu_client)CRIU_CLIENT_INIT;
	ret->opts = *opts;
	ret->keeps_open = true;
	return start(ret, err);
}

int criu_client_pid(struct criu_client *client, pid_t *ret, struct err *err)
{
	int r = ensure_started(client, err);

	if (r < 0)
		return r;
	*ret = client->proc.pid;
	return 0;
}

int criu_client_version(struct criu_client *client, int *ret, struct err *err)
{
	auto_criu_message CriuReq *question = criu_message_new(CRIU_REQ_TYPE__VERSION, false);
	auto_answer CriuResp *answer = NULL;
	const CriuVersion *v;
	int r = ask(client, question, &answer, err);

	if (r < 0)
		return err_wrap(err, r, "ask criu for its version");
	v = answer->version;
	if (!v || v->major_number < 0 || v->major_number > 9999 || v->minor_number < 0 ||
	    v->minor_number > 99)
		return fail_protocol(client, err, "a version", "an answer without one");
	*ret = v->major_number * 10000 + v->minor_number * 100;
	if (!str_is_empty(v->gitid))
		*ret += 100;
	else if (v->has_sublevel)
		*ret += v->sublevel;
	log_debug("Using CRIU %d", *ret);
	return 0;
}

int criu_client_features(struct criu_client *client, const struct criu_features *want,
			 struct criu_features *ret, struct err *err)
{
	auto_criu_message CriuReq *question = criu_message_new(CRIU_REQ_TYPE__FEATURE_CHECK, false);
	auto_answer CriuResp *answer = NULL;
	const CriuFeatures *have;
	int r;

	question->features = xmalloc(sizeof(*question->features));
	criu_features__init(question->features);
	if (want->mem_track)
		CRIU_SET(question->features, mem_track, true);
	if (want->lazy_pages)
		CRIU_SET(question->features, lazy_pages, true);
	if (want->pidfd_store)
		CRIU_SET(question->features, pidfd_store, true);
	r = ask(client, question, &answer, err);
	if (r < 0)
		return err_wrap(err, r, "CRIU feature check failed");
	have = answer->features;
	if (!have)
		return fail_protocol(client, err, "features", "an answer without them");
	/* A CRIU that does not speak of a feature is given the benefit of the doubt, as runc does. */
	*ret = (struct criu_features){
		.mem_track = want->mem_track && (!have->has_mem_track || have->mem_track),
		.lazy_pages = want->lazy_pages && (!have->has_lazy_pages || have->lazy_pages),
		.pidfd_store = want->pidfd_store && (!have->has_pidfd_store || have->pidfd_store),
	};
	return 0;
}

int criu_client_need_features(struct criu_client *client, const struct criu_features *want,
			      struct err *err)
{
	struct criu_features have = { 0 };
	int r;

	if (!want->mem_track && !want->lazy_pages && !want->pidfd_store)
		return 0;
	r = criu_client_features(client, want, &have, err);
	if (r < 0)
		return r;
	if (want->mem_track && !have.mem_track)
		return err_set(
			err, ERR_UNSUPPORTED,
			"criu is missing features: [MemTrack]: this kernel cannot track "
			"changed pages (CONFIG_MEM_SOFT_DIRTY); checkpoint without --pre-dump "
			"and --parent-path");
	if (want->lazy_pages && !have.lazy_pages)
		return err_set(
			err, ERR_UNSUPPORTED,
			"criu is missing features: [LazyPages]: this kernel does not let criu "
			"use userfaultfd; checkpoint without --lazy-pages");
	if (want->pidfd_store && !have.pidfd_store)
		return err_set(err, ERR_UNSUPPORTED, "criu is missing features: [PidfdStore]");
	return 0;
}

static void log_options(const CriuReq *req)
{
	auto_free char *text = NULL;
	char *line;
	char *rest;

	log_debug("Using CRIU in %s mode", criu_type_to_string(req->type));
	if (!req->opts || !log_is_enabled(LOG_LEVEL_DEBUG))
		return;
	text = criu_message_to_text(&req->opts->base);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *value = strstr(line, ": ");

		if (value) {
			*value = '\0';
			log_debug("CRIU option %s with value %s", line, value + 2);
		}
	}
}

static int acknowledge(struct criu_client *client, bool success, struct strvec *external,
		       struct err *err)
{
	auto_criu_message CriuReq *ack = criu_message_new(CRIU_REQ_TYPE__NOTIFY, external->n > 0);

	CRIU_SET(ack, notify_success, success);
	for (size_t i = 0; i < external->n; i++)
		criu_opts_add_external(ack->opts, "%s", external->v[i]);
	return send_request(client, ack, err);
}

/* A conversation's state while criu works. */
struct work {
	struct criu_client *client;
	const CriuReq *req;
	const struct criu_notify_ops *ops;
	void *context;
	struct criu_result *result;
	struct err failure; /* of the first notification that failed */
};

static int serve_notification(struct work *work, const CriuNotify *notify,
			      struct wire_datagram *datagram, struct err *err)
{
	auto_strvec struct strvec external = STRVEC_INIT;
	struct err failure = ERR_INIT;
	struct criu_notification notification = {
		.script = notify && notify->script ? notify->script : "",
		.pid = notify && notify->has_pid ? notify->pid : 0,
		.fds = datagram->fds,
		.n_fds = datagram->n_fds,
		.external = &external,
	};
	int r = 0;

	log_debug("notify: %s", notification.script);
	if (notification.pid > 0)
		work->result->pid = notification.pid;
	if (work->ops && work->ops->notify)
		r = work->ops->notify(work->context, &notification, &failure);
	if (r < 0 && !err_is_set(&work->failure)) {
		if (!err_is_set(&failure))
			(void)err_sys(&failure, r, "handle criu's notification '%s'",
				      notification.script);
		work->failure = failure;
	}
	return acknowledge(work->client, r >= 0, &external, err);
}

static void take_result(struct criu_result *result, const CriuResp *answer)
{
	auto_free char *message = criu_log_strip(answer->cr_errmsg ? answer->cr_errmsg : "");

	result->success = answer->success;
	result->cr_errno = answer->has_cr_errno ? answer->cr_errno : 0;
	if (answer->restore && answer->restore->pid > 0)
		result->pid = answer->restore->pid;
	if (answer->ps && answer->ps->has_port)
		result->page_server_port = answer->ps->port;
	if (!answer->success && !criu_log_is_noise(message))
		(void)snprintf(result->message, sizeof(result->message), "%s", message);
}

/* CRIU's last word. EMPTY is how it refuses a request that it does not understand. */
static int finish(struct work *work, const CriuResp *answer, struct err *err)
{
	const char *type = criu_type_to_string(work->req->type);

	if (answer->type != work->req->type &&
	    !(answer->type == CRIU_REQ_TYPE__EMPTY && !answer->success)) {
		auto_free char *expected = xasprintf("%s or NOTIFY", type);

		return fail_protocol(work->client, err, expected,
				     criu_type_to_string(answer->type));
	}
	take_result(work->result, answer);
	if (answer->success) {
		work->client->done = work->req->type;
		return 0;
	}
	return err_set(err, ERR_REMOTE, "criu failed: type %s errno %d%s%s", type,
		       work->result->cr_errno, *work->result->message ? ": " : "",
		       work->result->message);
}

/* 1: go on; 0: done; negative: failed. */
static int converse(struct work *work, bool first, struct err *err)
{
	auto_wire_datagram struct wire_datagram datagram = { 0 };
	auto_answer CriuResp *answer = NULL;
	auto_free char *expected = xasprintf("%s or NOTIFY", criu_type_to_string(work->req->type));
	int r = receive(work->client, expected, &datagram, &answer, err);

	if (first && work->ops && work->ops->answered)
		work->ops->answered(work->context);
	if (r <= 0)
		return r < 0 ? r : fail_ended(work->client, err);
	if (answer->type != CRIU_REQ_TYPE__NOTIFY)
		return finish(work, answer, err);
	r = serve_notification(work, answer->notify, &datagram, err);
	return r < 0 ? r : 1;
}

int criu_client_run(struct criu_client *client, const CriuReq *req,
		    const struct criu_notify_ops *ops, void *context, struct criu_result *ret,
		    struct err *err)
{
	struct work work = {
		.client = client,
		.req = req,
		.ops = ops,
		.context = context,
		.result = ret,
	};
	bool first = true;
	int r;

	*ret = (struct criu_result){ 0 };
	r = ensure_started(client, err);
	if (r < 0)
		return r;
	log_options(req);
	r = send_request(client, req, err);
	if (r < 0)
		return r;
	if (ops && ops->sent)
		ops->sent(context);
	do {
		r = converse(&work, first, err);
		first = false;
	} while (r > 0);
	/* Whatever CRIU makes of it, the reason is what the notification ran into. */
	if (err_is_set(&work.failure)) {
		if (err)
			*err = work.failure;
		return work.failure.code;
	}
	return r;
}

int criu_client_close(struct criu_client *client, struct err *err)
{
	int status;
	int r;

	if (client->socket < 0)
		return 0;
	wire_shutdown(client->socket);
	reap(client, &status);
	/* Without completed work the exit status says nothing that is not known. */
	if (status == 0 || client->done == CRIU_REQ_TYPE__EMPTY ||
	    client->done == CRIU_REQ_TYPE__PRE_DUMP)
		return 0;
	r = err_set(err, ERR_REMOTE, "criu failed: %s after it had reported success of %s",
		    proc_status_to_string(status), criu_type_to_string(client->done));
	append_log_path(client, err);
	return r;
}

void criu_client_done(struct criu_client *client)
{
	(void)criu_client_close(client, NULL);
}
