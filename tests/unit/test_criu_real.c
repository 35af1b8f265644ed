/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client, the image check, the statistics and the log with a real CRIU: a session of two processes,
 * which counts on a pipe, is dumped and restored. Needs root and a CRIU that works on this kernel.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/str.h"
#include "criu/client.h"
#include "criu/find.h"
#include "criu/image_check.h"
#include "criu/log_tail.h"
#include "criu/stats.h"

/* What CRIU leaves behind where /run is no tmpfs. */
#define KDAT_ATTEMPT "/run/criu.kdat.tmp"

static struct criu_location location;
static char base[] = "/tmp/floe-test-criu.XXXXXX";
static bool kdat_was_there;

static int set_up_group(void **state UNUSED)
{
	kdat_was_there = access(KDAT_ATTEMPT, F_OK) == 0;
	/* The dumped processes come to us when their parent is gone: a pid is free only when reaped. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -1;
	return mkdtemp(base) ? 0 : -1;
}

static int tear_down_group(void **state UNUSED)
{
	criu_location_done(&location);
	if (!kdat_was_there)
		(void)unlink(KDAT_ATTEMPT);
	return fs_remove_tree(AT_FDCWD, base);
}

static void need_criu(void)
{
	struct err err = ERR_INIT;

	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	if (!location.path && criu_find(&location, &(struct criu_find_opts){ 0 }, &err) < 0) {
		print_message("skipped: %s\n", err.msg);
		skip();
	}
}

struct tree {
	pid_t pid; /* leads a session */
	int out; /* it writes numbers here, one a line */
	char pipe_key[64]; /* of its end */
	char *images;
	int images_fd;
};

#define TREE_INIT                                                                                  \
	{                                                                                          \
		.out = -EBADF, .images_fd = -EBADF                                                 \
	}

static struct tree tree = TREE_INIT;

static char *own_path(void)
{
	char target[4096];
	ssize_t n = readlink("/proc/self/exe", target, sizeof(target));

	assert_true(n > 0 && n < (ssize_t)sizeof(target));
	return xstrndup(target, (size_t)n);
}

/* The last number in what can be read before the end of file, or now. */
static int last_number(void)
{
	char buf[65536];
	struct pollfd pfd = { .fd = tree.out, .events = POLLIN };
	uint32_t number;
	ssize_t n;
	char *end;

	assert_int_equal(poll(&pfd, 1, 5000), 1);
	n = read(tree.out, buf, sizeof(buf) - 1);
	assert_true(n > 0);
	buf[n] = '\0';
	end = strrchr(buf, '\n');
	assert_non_null(end);
	*end = '\0';
	end = strrchr(buf, '\n');
	assert_int_equal(parse_u32(end ? end + 1 : buf, &number), 0);
	return (int)number;
}

static void start_tree(const char *argument)
{
	static int number;
	auto_free char *self = own_path();
	auto_free char *dir = path_dirname(self);
	auto_free char *program = path_join(dir, "criu_counter");
	char *const argv[] = { program, (char *)(uintptr_t)argument, NULL };
	struct proc_spawn_opts opts = { .argv = argv, .cwd = "/", .new_session = true };
	struct proc proc = PROC_INIT;
	struct stat st;
	int ends[2];

	tree.images = xasprintf("%s/%d", base, number++);
	assert_int_equal(mkdir(tree.images, 0700), 0);
	tree.images_fd = open(tree.images, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fstat(ends[1], &st), 0);
	(void)snprintf(tree.pipe_key, sizeof(tree.pipe_key), "pipe:[%lu]",
		       (unsigned long)st.st_ino);
	opts.stdio[0] = opts.stdio[2] = -1;
	opts.stdio[1] = ends[1];
	assert_int_equal(proc_spawn(&proc, &opts), 0);
	tree.pid = proc.pid;
	tree.out = ends[0];
	(void)close(ends[1]);
	(void)last_number();
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static int tear_down(void **state UNUSED)
{
	if (tree.pid > 0)
		(void)kill(-tree.pid, SIGKILL);
	reap_all();
	close_fd(&tree.out);
	close_fd(&tree.images_fd);
	free(tree.images);
	tree = (struct tree)TREE_INIT;
	return 0;
}

static void assert_counts(void)
{
	int before = last_number();

	(void)usleep(20000);
	assert_true(last_number() > before);
}

static CriuReq *make_request(CriuReqType type)
{
	CriuReq *req = criu_message_new(type, true);

	req->opts->images_dir_fd = tree.images_fd;
	CRIU_SET(req->opts, log_level, 4);
	CRIU_SET(req->opts, notify_scripts, true);
	CRIU_SET(req->opts, manage_cgroups_mode, CRIU_CG_MODE__IGNORE);
	if (type == CRIU_REQ_TYPE__DUMP) {
		CRIU_SET(req->opts, pid, tree.pid);
		criu_opts_set_string(&req->opts->log_file, "dump.log");
	} else {
		CRIU_SET(req->opts, rst_sibling, true);
		criu_opts_set_string(&req->opts->log_file, "restore.log");
		criu_opts_add_inherit_fd(req->opts, tree.pipe_key, 1);
	}
	return req;
}

struct watch {
	struct strbuf scripts;
	const char *die_at;
};

static int on_notify(void *context, struct criu_notification *n, struct err *err UNUSED)
{
	struct watch *watch = context;

	strbuf_addf(&watch->scripts, "%s ", n->script);
	if (str_eq(n->script, watch->die_at))
		(void)kill(getpid(), SIGKILL);
	return 0;
}

static const struct criu_notify_ops ops = { .notify = on_notify };

static int dump(struct watch *watch, struct criu_result *result, struct err *err)
{
	struct criu_client_opts opts = CRIU_CLIENT_OPTS_INIT;
	auto_criu_client struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *req = make_request(CRIU_REQ_TYPE__DUMP);
	struct criu_features want = { .pidfd_store = true };
	struct criu_features have;
	pid_t first;
	pid_t last;
	int version;
	int r;

	opts.program = location.path;
	if (criu_client_open(&client, &opts, err) < 0 ||
	    criu_client_pid(&client, &first, err) < 0 ||
	    criu_client_version(&client, &version, err) < 0 ||
	    criu_client_features(&client, &want, &have, err) < 0 ||
	    criu_client_pid(&client, &last, err) < 0)
		fail_msg("%s", err->msg);
	assert_true(version >= 31500);
	/* The questions have not cost a process. */
	assert_int_equal(first, last);
	r = criu_client_run(&client, req, &ops, watch, result, err);
	return r < 0 ? r : criu_client_close(&client, err);
}

static int restore(int out, struct watch *watch, struct criu_result *result, struct err *err)
{
	struct criu_client_opts opts = CRIU_CLIENT_OPTS_INIT;
	auto_criu_client struct criu_client client = CRIU_CLIENT_INIT;
	auto_criu_message CriuReq *req = make_request(CRIU_REQ_TYPE__RESTORE);
	int r;

	opts.program = location.path;
	opts.stdio[1] = out;
	r = criu_client_open(&client, &opts, err);
	if (r == 0)
		r = criu_client_run(&client, req, &ops, watch, result, err);
	return r < 0 ? r : criu_client_close(&client, err);
}

static void fail_with_log(const struct err *err, const char *log)
{
	struct criu_log_finding f = CRIU_LOG_FINDING_INIT;

	(void)criu_log_explain(tree.images_fd, log, &f);
	fail_msg("%s: %s", err->msg, f.cause ? f.cause : f.line ? f.line : "no reason in the log");
}

static void check_images(void)
{
	struct criu_images_info info;
	struct criu_stats stats;
	struct err err = ERR_INIT;

	if (criu_images_check(tree.images_fd, &info, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(info.n_tasks, 2);
	assert_int_equal(info.n_threads, 2);
	assert_true(info.memory_bytes > 0);
	if (criu_stats_load(&stats, tree.images_fd, CRIU_STATS_DUMP, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(stats.dump.frozen_time > 0);
	assert_int_equal(stats.dump.pages_written * (uint64_t)sysconf(_SC_PAGESIZE),
			 info.memory_bytes);
}

static void test_dump_and_restore(void **state UNUSED)
{
	struct watch watch = { .scripts = STRBUF_INIT };
	struct criu_result result;
	struct criu_stats stats;
	struct err err = ERR_INIT;
	int ends[2];
	int last;

	need_criu();
	start_tree(NULL);
	if (dump(&watch, &result, &err) < 0)
		fail_with_log(&err, "dump.log");
	assert_non_null(strstr(watch.scripts.buf, "pre-dump "));
	assert_non_null(strstr(watch.scripts.buf, "post-dump "));
	reap_all();
	last = last_number();
	check_images();

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	strbuf_clear(&watch.scripts);
	if (restore(ends[1], &watch, &result, &err) < 0)
		fail_with_log(&err, "restore.log");
	assert_string_equal(watch.scripts.buf, "pre-restore post-restore pre-resume post-resume ");
	/* Our child, with its former pid, and it goes on where it was. */
	assert_int_equal(result.pid, tree.pid);
	assert_int_equal(waitpid(tree.pid, NULL, WNOHANG), 0);
	(void)close(tree.out);
	tree.out = ends[0];
	assert_true(last_number() > last);
	assert_counts();
	assert_int_equal(criu_stats_load(&stats, tree.images_fd, CRIU_STATS_RESTORE, &err), 0);
	assert_true(stats.restore.restore_time > 0);
	(void)close(ends[1]);
	strbuf_done(&watch.scripts);
}

static void test_failure_is_explained(void **state UNUSED)
{
	struct watch watch = { .scripts = STRBUF_INIT };
	auto_criu_log_finding struct criu_log_finding finding = CRIU_LOG_FINDING_INIT;
	struct criu_result result;
	struct err err = ERR_INIT;

	need_criu();
	start_tree("lock");
	assert_true(dump(&watch, &result, &err) < 0);
	assert_int_equal(err.kind, ERR_REMOTE);
	assert_false(result.success);
	assert_int_equal(criu_log_explain(tree.images_fd, "dump.log", &finding), 1);
	assert_string_equal(finding.option, "file-locks");
	/* The processes were let go. */
	assert_counts();
	strbuf_done(&watch.scripts);
}

/* CRIU is not tied to our life: when we are killed in the middle it puts everything back. */
static void test_death_of_the_client(void **state UNUSED)
{
	static const char *const at[] = { "pre-dump", "post-dump" };

	need_criu();
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		int status;
		pid_t pid;

		start_tree(NULL);
		pid = fork();
		if (pid == 0) {
			struct watch watch = { .scripts = STRBUF_INIT, .die_at = at[i] };
			struct criu_result result;
			struct err err = ERR_INIT;

			_exit(dump(&watch, &result, &err) < 0 ? 1 : 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		/* CRIU has become our child; the tree runs again when it has ended. */
		for (pid = 0; pid != -1 && pid != tree.pid;) {
			pid = waitpid(-1, &status, 0);
			if (pid > 0 && pid != tree.pid)
				break;
		}
		assert_counts();
		(void)tear_down(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_dump_and_restore, tear_down),
		cmocka_unit_test_teardown(test_failure_is_explained, tear_down),
		cmocka_unit_test_teardown(test_death_of_the_client, tear_down),
	};

	(void)alarm(60); /* rather than hang for ever on a CRIU that does */
	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
