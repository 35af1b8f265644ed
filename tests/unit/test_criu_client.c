/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with CRIU, held with a fake: this very program, which acts as `criu swrk 3` when it
 * is started with that argument, after the scenario that FAKE_CRIU names.
 */
#include "criu/client.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fd.h"
#include "core/str.h"
#include "core/strbuf.h"

/* ---- the fake ---- */

#define SOCKET 3

static CriuReq *fake_receive(void)
{
	static uint8_t buf[8 << 20];
	ssize_t n = recv(SOCKET, buf, sizeof(buf), 0);

	return n > 0 ? criu_req__unpack(NULL, (size_t)n, buf) : NULL;
}

static void fake_send(const CriuResp *resp, int fd)
{
	size_t len = criu_resp__get_packed_size(resp);
	uint8_t *buf = malloc(len);
	struct iovec iov = { buf, len };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int size = (int)len * 2 + 4096;

	criu_resp__pack(resp, buf);
	(void)setsockopt(SOCKET, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		mh.msg_control = control;
		mh.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(SOCKET, &mh, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(99);
	free(buf);
}

static void fake_answer(CriuReqType type, bool success)
{
	CriuResp resp = CRIU_RESP__INIT;

	resp.type = type;
	resp.success = success;
	fake_send(&resp, -1);
}

/* Whether the client was content. */
static bool fake_notify(const char *script, int pid, int fd)
{
	CriuNotify notify = CRIU_NOTIFY__INIT;
	CriuResp resp = CRIU_RESP__INIT;
	CriuReq *ack;

	resp.type = CRIU_REQ_TYPE__NOTIFY;
	resp.success = true;
	resp.notify = &notify;
	notify.script = (char *)(uintptr_t)script;
	notify.has_pid = pid > 0;
	notify.pid = pid;
	fake_send(&resp, fd);
	ack = fake_receive();
	if (!ack || ack->type != CRIU_REQ_TYPE__NOTIFY || !ack->has_notify_success)
		_exit(98);
	if (ack->opts && ack->opts->n_external == 1 && !str_eq(ack->opts->external[0], "file[1:2]"))
		_exit(97);
	return ack->notify_success;
}

static void fake_version(int major, int minor, int sublevel, const char *gitid)
{
	CriuVersion version = CRIU_VERSION__INIT;
	CriuResp resp = CRIU_RESP__INIT;

	version.major_number = major;
	version.minor_number = minor;
	version.has_sublevel = sublevel >= 0;
	version.sublevel = sublevel;
	version.gitid = (char *)(uintptr_t)gitid;
	resp.type = CRIU_REQ_TYPE__VERSION;
	resp.success = true;
	resp.version = &version;
	fake_send(&resp, -1);
}

static void fake_features(const CriuReq *req)
{
	CriuFeatures features = CRIU_FEATURES__INIT;
	CriuResp resp = CRIU_RESP__INIT;

	if (req->opts || !req->features)
		_exit(96);
	CRIU_SET(&features, mem_track, false);
	CRIU_SET(&features, lazy_pages, req->features->has_lazy_pages);
	resp.type = CRIU_REQ_TYPE__FEATURE_CHECK;
	resp.success = true;
	resp.features = &features;
	fake_send(&resp, -1);
}

static void fake_restore(int pid)
{
	CriuRestoreResp restore = CRIU_RESTORE_RESP__INIT;
	CriuResp resp = CRIU_RESP__INIT;

	restore.pid = pid;
	resp.type = CRIU_REQ_TYPE__RESTORE;
	resp.success = true;
	resp.restore = &restore;
	fake_send(&resp, -1);
}

static void fake_failure(CriuReqType type, int cr_errno, const char *message)
{
	CriuResp resp = CRIU_RESP__INIT;

	resp.type = type;
	resp.success = false;
	CRIU_SET(&resp, cr_errno, cr_errno);
	resp.cr_errmsg = (char *)(uintptr_t)message;
	fake_send(&resp, -1);
}

static int fake_happy_dump(void)
{
	fake_notify("pre-dump", 0, -1);
	fake_notify("query-ext-files", 0, -1);
	fake_notify("a-script-of-the-future", 0, -1);
	fake_notify("post-dump", 0, -1);
	fake_answer(CRIU_REQ_TYPE__DUMP, true);
	return fake_receive() ? 95 : 0; /* the client must have shut down */
}

static int fake_happy_restore(void)
{
	char byte = 0;

	/* Descriptor 4 is the first of the extra ones, 1 is what the client gave as stdout. */
	if (write(4, "x", 1) != 1 || read(0, &byte, 1) != 1 || byte != 'i')
		return 94;
	fake_notify("setup-namespaces", 4242, -1);
	fake_notify("orphan-pts-master", 0, 4);
	fake_notify("post-restore", 4242, -1);
	fake_restore(4242);
	return 0;
}

/* Old: ends after each request, and at once when it is asked to stay. */
static int fake_hang_up(const CriuReq *req)
{
	if (req->keep_open)
		return 1;
	if (req->type == CRIU_REQ_TYPE__VERSION)
		fake_version(3, 14, 1, NULL);
	else if (req->type == CRIU_REQ_TYPE__FEATURE_CHECK)
		fake_features(req);
	else
		return fake_happy_dump();
	return 0;
}

static int fake_refused_early(void)
{
	if (fake_notify("pre-dump", 0, -1))
		return 93;
	fake_failure(CRIU_REQ_TYPE__DUMP, 0, "RPC client reported script error");
	return 1;
}

static int fake_refused_late(void)
{
	fake_notify("post-restore", 77, -1);
	if (fake_notify("post-resume", 0, -1))
		return 92;
	fake_restore(77);
	return 0;
}

/* Somebody else keeps the socket open when criu dies. */
static int fake_leave_child(void)
{
	if (fork() == 0) {
		char byte;

		_exit((int)recv(SOCKET, &byte, 1, 0)); /* until the client has given up */
	}
	return 5;
}

static int fake_huge_message(void)
{
	size_t len = 300000;
	char *message = malloc(len + 1);

	memset(message, 'm', len);
	message[len] = '\0';
	fake_failure(CRIU_REQ_TYPE__DUMP, 28, message);
	return 1;
}

static int fake_count_externals(const CriuReq *req)
{
	fake_answer(CRIU_REQ_TYPE__DUMP, req->opts->n_external == 50000);
	return 0;
}

static int fake_die(void)
{
	(void)raise(SIGKILL);
	return 0;
}

static int fake_garbage(void)
{
	return send(SOCKET, "\xff\xff\xff", 3, 0) == 3 ? 0 : 91;
}

static int fake_pre_dump(void)
{
	fake_answer(CRIU_REQ_TYPE__PRE_DUMP, true);
	return fake_receive() ? 90 : 1; /* CRIU fails when there is no dump after the pre-dump */
}

static int fake_work(const char *scenario, const CriuReq *req)
{
	if (str_eq(scenario, "happy"))
		return req->type == CRIU_REQ_TYPE__DUMP ? fake_happy_dump() : fake_happy_restore();
	if (str_eq(scenario, "eof"))
		return 3;
	if (str_eq(scenario, "killed"))
		return fake_die();
	if (str_eq(scenario, "leave-child"))
		return fake_leave_child();
	if (str_eq(scenario, "garbage"))
		return fake_garbage();
	if (str_eq(scenario, "huge-message"))
		return fake_huge_message();
	if (str_eq(scenario, "count"))
		return fake_count_externals(req);
	if (str_eq(scenario, "refused-early"))
		return fake_refused_early();
	if (str_eq(scenario, "refused-late"))
		return fake_refused_late();
	if (str_eq(scenario, "pre-dump"))
		return fake_pre_dump();
	if (str_eq(scenario, "wrong-type"))
		fake_answer(CRIU_REQ_TYPE__RESTORE, true);
	else if (str_eq(scenario, "invalid"))
		fake_failure(CRIU_REQ_TYPE__EMPTY, 0, "Invalid req");
	else if (str_eq(scenario, "failure"))
		fake_failure(req->type, 16, "Error (criu/tty.c:12): tty: it is busy\n");
	else if (str_eq(scenario, "bad-exit"))
		fake_answer(CRIU_REQ_TYPE__DUMP, true);
	else if (str_eq(scenario, "silent"))
		(void)sleep(20);
	return 1;
}

static int fake_main(void)
{
	const char *scenario = getenv("FAKE_CRIU");
	CriuReq *req;

	while ((req = fake_receive())) {
		if (str_eq(scenario, "hang-up"))
			return fake_hang_up(req);
		if (req->type == CRIU_REQ_TYPE__VERSION && str_eq(scenario, "git"))
			fake_version(3, 19, 0, "v3.19-12-g123");
		else if (req->type == CRIU_REQ_TYPE__VERSION)
			fake_version(4, 2, str_eq(scenario, "two-numbers") ? -1 : 1, NULL);
		else if (req->type == CRIU_REQ_TYPE__FEATURE_CHECK)
			fake_features(req);
		else
			return fake_work(scenario, req);
		if (!req->keep_open)
			return 0;
	}
	return 255;
}

/* ---- the tests ---- */

struct seen {
	struct strbuf scripts;
	int fd; /* taken from a notification */
	int answered;
	const char *refuse;
};

static int on_notify(void *context, struct criu_notification *n, struct err *err)
{
	struct seen *seen = context;

	strbuf_addf(&seen->scripts, "%s(%d) ", n->script, (int)n->pid);
	if (str_eq(n->script, "orphan-pts-master")) {
		assert_int_equal(n->n_fds, 1);
		seen->fd = take_fd(n->fds[0]);
	}
	if (str_eq(n->script, "query-ext-files"))
		strvec_add(n->external, "file[1:2]");
	if (str_eq(n->script, seen->refuse))
		return err_set(err, ERR_DENIED, "hook says no");
	return 0;
}

static void on_answered(void *context)
{
	((struct seen *)context)->answered++;
}

static const struct criu_notify_ops notify_ops = { .notify = on_notify, .answered = on_answered };

static struct criu_client_opts fake_opts(const char *scenario)
{
	struct criu_client_opts opts = CRIU_CLIENT_OPTS_INIT;

	assert_int_equal(setenv("FAKE_CRIU", scenario, 1), 0);
	opts.program = "/proc/self/exe";
	opts.log_path = "/images/dump.log";
	return opts;
}

/* Start the fake and let it work; the result of criu_client_run(). */
static int run(const char *scenario, CriuReqType type, struct seen *seen,
	       struct criu_result *result, struct err *err)
{
	struct criu_client_opts opts = fake_opts(scenario);
	struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *req = criu_message_new(type, true);
	int r;

	assert_int_equal(criu_client_open(&client, &opts, err), 0);
	r = criu_client_run(&client, req, seen ? &notify_ops : NULL, seen, result, err);
	criu_client_done(&client);
	return r;
}

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_questions_and_dump_in_one_process(void **state UNUSED)
{
	struct criu_client_opts opts = fake_opts("happy");
	struct criu_client client = CRIU_CLIENT_INIT;
	struct criu_features want = { .mem_track = true, .lazy_pages = true };
	struct criu_features have = { 0 };
	auto_criu_message CriuReq *req = criu_message_new(CRIU_REQ_TYPE__DUMP, true);
	struct seen seen = { .scripts = STRBUF_INIT, .fd = -1 };
	struct criu_result result;
	struct err err = ERR_INIT;
	pid_t before;
	pid_t after;
	int version;

	assert_int_equal(criu_client_open(&client, &opts, &err), 0);
	assert_int_equal(criu_client_pid(&client, &before, &err), 0);
	assert_int_equal(criu_client_version(&client, &version, &err), 0);
	assert_int_equal(version, 40201);
	assert_int_equal(criu_client_features(&client, &want, &have, &err), 0);
	assert_false(have.mem_track);
	assert_true(have.lazy_pages);
	assert_true(criu_client_need_features(&client, &want, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "criu is missing features: [MemTrack]"));
	want.mem_track = false;
	assert_int_equal(criu_client_need_features(&client, &want, &err), 0);
	assert_int_equal(criu_client_pid(&client, &after, &err), 0);
	assert_int_equal(before, after);
	assert_int_equal(criu_client_run(&client, req, &notify_ops, &seen, &result, &err), 0);
	assert_string_equal(
		seen.scripts.buf,
		"pre-dump(0) query-ext-files(0) a-script-of-the-future(0) post-dump(0) ");
	assert_int_equal(seen.answered, 1);
	assert_true(result.success);
	assert_int_equal(criu_client_close(&client, &err), 0);
	assert_int_equal(criu_client_close(&client, &err), 0);
	assert_no_child();
	strbuf_done(&seen.scripts);
}

static void test_versions(void **state UNUSED)
{
	static const struct {
		const char *scenario;
		int version;
	} cases[] = { { "two-numbers", 40200 }, { "git", 32000 }, { "hang-up", 31401 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct criu_client_opts opts = fake_opts(cases[i].scenario);
		auto_criu_client struct criu_client client = CRIU_CLIENT_INIT;
		struct err err = ERR_INIT;
		int version;

		assert_int_equal(criu_client_open(&client, &opts, &err), 0);
		assert_int_equal(criu_client_version(&client, &version, &err), 0);
		assert_int_equal(version, cases[i].version);
	}
	assert_no_child();
}

static void test_criu_that_does_not_stay(void **state UNUSED)
{
	struct criu_client_opts opts = fake_opts("hang-up");
	struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *req = criu_message_new(CRIU_REQ_TYPE__DUMP, true);
	struct criu_features want = { .lazy_pages = true };
	struct seen seen = { .scripts = STRBUF_INIT, .fd = -1 };
	struct criu_result result;
	struct err err = ERR_INIT;
	pid_t pid;
	int version;

	assert_int_equal(criu_client_open(&client, &opts, &err), 0);
	assert_int_equal(criu_client_version(&client, &version, &err), 0);
	assert_int_equal(criu_client_need_features(&client, &want, &err), 0);
	/* The process that will work is there before the work begins. */
	assert_int_equal(criu_client_pid(&client, &pid, &err), 0);
	assert_int_equal(client.proc.pid, pid);
	assert_int_equal(criu_client_run(&client, req, &notify_ops, &seen, &result, &err), 0);
	assert_int_equal(criu_client_close(&client, &err), 0);
	assert_no_child();
	strbuf_done(&seen.scripts);
}

static void test_restore_with_descriptors(void **state UNUSED)
{
	struct criu_client_opts opts = fake_opts("happy");
	struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *req = criu_message_new(CRIU_REQ_TYPE__RESTORE, true);
	struct seen seen = { .scripts = STRBUF_INIT, .fd = -1 };
	struct criu_result result;
	struct err err = ERR_INIT;
	int in[2];
	int extra[2];
	struct stat sent;
	struct stat got;
	char byte;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(extra, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "i", 1), 1);
	opts.stdio[0] = in[0];
	opts.extra_fds = &extra[1];
	opts.n_extra_fds = 1;
	assert_int_equal(criu_client_open(&client, &opts, &err), 0);
	assert_int_equal(criu_client_run(&client, req, &notify_ops, &seen, &result, &err), 0);
	assert_string_equal(seen.scripts.buf,
			    "setup-namespaces(4242) orphan-pts-master(0) post-restore(4242) ");
	assert_int_equal(result.pid, 4242);
	assert_int_equal(criu_client_close(&client, &err), 0);
	assert_int_equal(read(extra[0], &byte, 1), 1);
	/* The descriptor that came with a message is the same file, and not inherited by others. */
	assert_int_equal(fstat(extra[1], &sent), 0);
	assert_int_equal(fstat(seen.fd, &got), 0);
	assert_int_equal(sent.st_ino, got.st_ino);
	assert_int_equal(fcntl(seen.fd, F_GETFD), FD_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		(void)close(in[i]);
		(void)close(extra[i]);
	}
	(void)close(seen.fd);
	strbuf_done(&seen.scripts);
	assert_no_child();
}

static void test_ends_of_the_conversation(void **state UNUSED)
{
	static const struct {
		const char *scenario;
		const char *message;
		enum err_kind kind;
	} cases[] = {
		{ "eof", "criu ended unexpectedly (exit status 3); see log '/images/dump.log'",
		  ERR_REMOTE },
		{ "killed", "criu ended unexpectedly (signal: killed); see log '/images/dump.log'",
		  ERR_REMOTE },
		{ "leave-child",
		  "criu ended unexpectedly (exit status 5); see log '/images/dump.log'",
		  ERR_REMOTE },
		{ "garbage",
		  "talk to criu: expected DUMP or NOTIFY, got a message that is not of CRIU's "
		  "protocol; see log '/images/dump.log'",
		  ERR_REMOTE },
		{ "wrong-type",
		  "talk to criu: expected DUMP or NOTIFY, got RESTORE; see log '/images/dump.log'",
		  ERR_REMOTE },
		{ "failure", "criu failed: type DUMP errno 16: tty: it is busy", ERR_REMOTE },
		{ "invalid", "criu failed: type DUMP errno 0: Invalid req", ERR_REMOTE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct criu_result result;
		struct err err = ERR_INIT;

		assert_true(run(cases[i].scenario, CRIU_REQ_TYPE__DUMP, NULL, &result, &err) < 0);
		assert_string_equal(err.msg, cases[i].message);
		assert_int_equal(err.kind, cases[i].kind);
		assert_false(result.success);
	}
	assert_no_child();
}

static void test_huge_messages(void **state UNUSED)
{
	struct criu_client_opts opts = fake_opts("count");
	struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *req = criu_message_new(CRIU_REQ_TYPE__DUMP, true);
	struct criu_result result;
	struct err err = ERR_INIT;

	assert_true(run("huge-message", CRIU_REQ_TYPE__DUMP, NULL, &result, &err) < 0);
	assert_int_equal(result.cr_errno, 28);
	assert_int_equal(strlen(result.message), sizeof(result.message) - 1);
	/* 1.5 MB of request, seven times the default socket buffer. */
	opts = fake_opts("count");
	for (int i = 0; i < 50000; i++)
		criu_opts_add_external(req->opts, "file[%08x:%08x]....", i, i);
	assert_int_equal(criu_client_open(&client, &opts, &err), 0);
	assert_int_equal(criu_client_run(&client, req, NULL, NULL, &result, &err), 0);
	assert_int_equal(criu_client_close(&client, &err), 0);
}

static void test_refused_notifications(void **state UNUSED)
{
	struct seen seen = { .scripts = STRBUF_INIT, .fd = -1, .refuse = "pre-dump" };
	struct criu_result result;
	struct err err = ERR_INIT;

	assert_true(run("refused-early", CRIU_REQ_TYPE__DUMP, &seen, &result, &err) < 0);
	assert_string_equal(err.msg, "hook says no");
	assert_int_equal(err.kind, ERR_DENIED);
	assert_false(result.success);
	/* Too late for CRIU, but the caller must know, and know what lives. */
	seen.refuse = "post-resume";
	err_clear(&err);
	assert_true(run("refused-late", CRIU_REQ_TYPE__RESTORE, &seen, &result, &err) < 0);
	assert_string_equal(err.msg, "hook says no");
	assert_true(result.success);
	assert_int_equal(result.pid, 77);
	strbuf_done(&seen.scripts);
	assert_no_child();
}

static void test_exit_status(void **state UNUSED)
{
	struct criu_client_opts opts = fake_opts("bad-exit");
	struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *dump = criu_message_new(CRIU_REQ_TYPE__DUMP, true);
	auto_criu_message CriuReq *pre_dump = criu_message_new(CRIU_REQ_TYPE__PRE_DUMP, true);
	struct criu_result result;
	struct err err = ERR_INIT;

	assert_int_equal(criu_client_open(&client, &opts, &err), 0);
	assert_int_equal(criu_client_run(&client, dump, NULL, NULL, &result, &err), 0);
	assert_true(criu_client_close(&client, &err) < 0);
	assert_string_equal(err.msg, "criu failed: exit status 1 after it had reported success of "
				     "DUMP; see log '/images/dump.log'");
	/* CRIU expects more after a pre-dump, and fails when it does not come. */
	opts = fake_opts("pre-dump");
	assert_int_equal(criu_client_open(&client, &opts, &err), 0);
	assert_int_equal(criu_client_run(&client, pre_dump, NULL, NULL, &result, &err), 0);
	assert_int_equal(criu_client_close(&client, &err), 0);
	assert_no_child();
}

static void test_timeout(void **state UNUSED)
{
	struct criu_client_opts opts = fake_opts("silent");
	struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *req = criu_message_new(CRIU_REQ_TYPE__DUMP, true);
	struct criu_result result;
	struct err err = ERR_INIT;

	opts.timeout_ms = 100;
	assert_int_equal(criu_client_open(&client, &opts, &err), 0);
	assert_true(criu_client_run(&client, req, NULL, NULL, &result, &err) < 0);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	criu_client_done(&client);
	assert_no_child();
}

static void test_no_program(void **state UNUSED)
{
	struct criu_client_opts opts = CRIU_CLIENT_OPTS_INIT;
	struct criu_client client = CRIU_CLIENT_INIT;
	struct err err = ERR_INIT;

	opts.program = "/nonexistent/criu";
	assert_true(criu_client_open(&client, &opts, &err) < 0);
	assert_string_equal(err.msg, "start criu '/nonexistent/criu': no such file or directory");
	criu_client_done(&client);
	assert_no_child();
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fd_is_valid(fd);
	return n;
}

static void test_nothing_is_left_open(void **state UNUSED)
{
	int before = count_fds();
	struct criu_result result;
	struct err err = ERR_INIT;

	for (int i = 0; i < 3; i++) {
		(void)run("happy", CRIU_REQ_TYPE__DUMP, NULL, &result, &err);
		(void)run("eof", CRIU_REQ_TYPE__DUMP, NULL, &result, &err);
		(void)run("garbage", CRIU_REQ_TYPE__DUMP, NULL, &result, &err);
	}
	assert_int_equal(count_fds(), before);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions_and_dump_in_one_process),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_criu_that_does_not_stay),
		cmocka_unit_test(test_restore_with_descriptors),
		cmocka_unit_test(test_ends_of_the_conversation),
		cmocka_unit_test(test_huge_messages),
		cmocka_unit_test(test_refused_notifications),
		cmocka_unit_test(test_exit_status),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_nothing_is_left_open),
	};

	if (argc == 3 && str_eq(argv[1], "swrk"))
		_exit(fake_main());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
