/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with systemd, with a stand-in for it: a child that is D-Bus and systemd in one, made with
 * libsystemd's server side. What it is asked goes back as text through a pipe; what it answers is chosen by the
 * unit's name.
 */
#include "systemd/sdbus.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "kernel/syscalls.h"
#include "systemd/scope.h"

#define SYSTEMD ":1.1"

/* --- the stand-in -------------------------------------------------------------------------- */

struct server {
	sd_bus *bus;
	int log_fd;
	int n_jobs;
	bool was_reset;
	struct strbuf text;
};

static void must(int r)
{
	if (r < 0) {
		(void)fprintf(stderr, "server: %s\n", errno_text(r));
		_exit(1);
	}
}

static void dump_basic(sd_bus_message *m, char type, struct strbuf *sb)
{
	struct stat st;
	union {
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
		const char *s;
	} v;

	must(sd_bus_message_read_basic(m, type, &v));
	switch (type) {
	case 'y':
		strbuf_addf(sb, "%u", v.y);
		break;
	case 'n':
		strbuf_addf(sb, "%d", v.n);
		break;
	case 'q':
		strbuf_addf(sb, "%u", v.q);
		break;
	case 'b':
	case 'i':
		strbuf_addf(sb, "%d", v.i);
		break;
	case 'h':
		strbuf_adds(sb, fstat(v.i, &st) == 0 ? "open" : "closed");
		break;
	case 'u':
		strbuf_addf(sb, "%u", v.u);
		break;
	case 'x':
		strbuf_addf(sb, "%lld", (long long)v.x);
		break;
	case 't':
		strbuf_addf(sb, "%llu", (unsigned long long)v.t);
		break;
	case 'd':
		strbuf_addf(sb, "%g", v.d);
		break;
	default:
		strbuf_addf(sb, "'%s'", v.s);
		break;
	}
}

static void dump(sd_bus_message *m, struct strbuf *sb)
{
	const char *contents;
	const char *separator = "";
	char type;

	while (sd_bus_message_peek_type(m, &type, &contents) > 0) {
		strbuf_adds(sb, separator);
		separator = " ";
		if (type != 'a' && type != 'r' && type != 'e' && type != 'v') {
			dump_basic(m, type, sb);
			continue;
		}
		must(sd_bus_message_enter_container(m, type, contents));
		strbuf_addc(sb, type == 'a' ? '[' : type == 'v' ? '<' : '(');
		if (type == 'v')
			strbuf_addf(sb, "%s ", contents);
		dump(m, sb);
		strbuf_addc(sb, type == 'a' ? ']' : type == 'v' ? '>' : ')');
		must(sd_bus_message_exit_container(m));
	}
}

static void emit_job_removed(struct server *s, int job, const char *unit, const char *result)
{
	auto_free char *path = xasprintf("/org/freedesktop/systemd1/job/%d", job);
	sd_bus_message *m = NULL;

	must(sd_bus_message_new_signal(s->bus, &m, "/org/freedesktop/systemd1",
				       "org.freedesktop.systemd1.Manager", "JobRemoved"));
	must(sd_bus_message_set_sender(m, SYSTEMD));
	must(sd_bus_message_append(m, "uoss", (uint32_t)job, path, unit, result));
	must(sd_bus_send(s->bus, m, NULL));
	sd_bus_message_unref(m);
}

static void reply_error(sd_bus_message *m, const char *name, const char *text)
{
	sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(name, text);

	must(sd_bus_reply_method_error(m, &error));
}

/* The answer to what makes a job. */
static void reply_job(struct server *s, sd_bus_message *m, const char *unit, const char *result)
{
	int job = ++s->n_jobs;
	auto_free char *path = xasprintf("/org/freedesktop/systemd1/job/%d", job);

	if (str_eq(unit, "early.scope"))
		emit_job_removed(s, job, unit, result);
	must(sd_bus_reply_method_return(m, "o", path));
	if (str_eq(unit, "busy.scope"))
		emit_job_removed(s, job + 1000, "another.scope", "failed");
	if (!str_eq(unit, "early.scope"))
		emit_job_removed(s, job, unit, result);
}

static void answer_unit_call(struct server *s, sd_bus_message *m, const char *member,
			     const char *unit)
{
	if (str_eq(member, "ResetFailedUnit")) {
		s->was_reset = true;
		must(sd_bus_reply_method_return(m, ""));
	} else if (str_eq(unit, "exists.scope") ||
		   (str_eq(unit, "leftover.scope") && !s->was_reset)) {
		reply_error(m, "org.freedesktop.systemd1.UnitExists",
			    "Unit exists.scope was already loaded or has a fragment file.");
	} else if (str_eq(unit, "gone.scope")) {
		reply_error(m, "org.freedesktop.systemd1.NoSuchUnit",
			    "Unit gone.scope not loaded.");
	} else if (str_eq(unit, "denied.scope")) {
		reply_error(m, "org.freedesktop.DBus.Error.AccessDenied", "Permission denied");
	} else if (str_eq(unit, "hangup.scope")) {
		_exit(0);
	} else if (str_eq(member, "StartTransientUnit") || str_eq(member, "StopUnit")) {
		reply_job(s, m, unit, str_eq(unit, "failing.scope") ? "failed" : "done");
	} else {
		must(sd_bus_reply_method_return(m, ""));
	}
}

static void answer_property(sd_bus_message *m)
{
	const char *interface;
	const char *name;

	must(sd_bus_message_read(m, "ss", &interface, &name));
	must(sd_bus_reply_method_return(
		m, "v", "s", str_eq(name, "Version") ? "252.38-1~deb12u1" : "/user.slice/x"));
}

static int answer(sd_bus_message *m, void *userdata, sd_bus_error *error UNUSED)
{
	struct server *s = userdata;
	const char *member = sd_bus_message_get_member(m);
	const char *unit = NULL;

	if (!member || !sd_bus_message_is_method_call(m, NULL, NULL))
		return 0;
	if (str_eq(member, "Hello")) {
		must(sd_bus_reply_method_return(m, "s", ":1.99"));
	} else if (str_has_suffix(member, "Match")) {
		must(sd_bus_reply_method_return(m, ""));
	} else if (str_eq(member, "Get")) {
		answer_property(m);
	} else {
		strbuf_clear(&s->text);
		strbuf_addf(&s->text, "%s ", member);
		dump(m, &s->text);
		strbuf_addc(&s->text, '\n');
		must(write(s->log_fd, s->text.buf, s->text.len) < 0 ? -errno : 0);
		must(sd_bus_message_rewind(m, 1));
		must(sd_bus_message_read(m, "s", &unit));
		answer_unit_call(s, m, member, unit);
	}
	return 1;
}

NORETURN static void serve(int listen_fd, int log_fd)
{
	struct server s = { .log_fd = log_fd, .text = STRBUF_INIT };
	sd_id128_t id =
		SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);
	int fd;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	must(fd);
	must(sd_bus_new(&s.bus));
	must(sd_bus_set_fd(s.bus, fd, fd));
	must(sd_bus_set_server(s.bus, 1, id));
	must(sd_bus_negotiate_fds(s.bus, 1));
	must(sd_bus_start(s.bus));
	must(sd_bus_add_filter(s.bus, NULL, answer, &s));
	for (;;) {
		r = sd_bus_process(s.bus, NULL);
		if (r == -ECONNRESET || r == -ENOTCONN)
			_exit(0);
		must(r);
		if (r == 0)
			must(sd_bus_wait(s.bus, UINT64_MAX));
	}
}

/* --- fixture ------------------------------------------------------------------------------- */

struct fixture {
	char dir[32];
	char *socket;
	pid_t pid;
	int log_fd;
	struct sdbus *bus;
	struct err err;
};

static int start_server(struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int log[2];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0 || pipe2(log, O_CLOEXEC) < 0)
		return -errno;
	f->pid = fork();
	if (f->pid == 0)
		serve(fd, log[1]);
	(void)close(fd);
	(void)close(log[1]);
	f->log_fd = log[0];
	return f->pid < 0 ? -errno : 0;
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_free char *address = NULL;

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/floe-sdbus.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->socket = xasprintf("%s/bus", f->dir);
	address = xasprintf("unix:path=%s", f->socket);
	if (start_server(f) < 0 || setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1) < 0)
		return -1;
	*state = f;
	if (sdbus_open(&f->bus, false, &f->err) < 0) {
		print_error("%s\n", f->err.msg);
		return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sdbus_close(f->bus);
	(void)kill(f->pid, SIGKILL);
	(void)waitpid(f->pid, NULL, 0);
	(void)close(f->log_fd);
	(void)unlink(f->socket);
	(void)rmdir(f->dir);
	free(f->socket);
	free(f);
	return 0;
}

/* What it was asked next. */
static void expect_call(struct fixture *f, const char *expected)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;
	char c;

	while (read(f->log_fd, &c, 1) == 1 && c != '\n')
		strbuf_addc(&line, c);
	assert_string_equal(line.buf, expected);
}

static void check_ok(struct fixture *f, int r)
{
	if (r < 0)
		fail_msg("%s", f->err.msg);
}

static int start(struct fixture *f, const char *unit)
{
	auto_systemd_plan struct systemd_plan plan = SYSTEMD_PLAN_INIT;
	int r = sdbus_start_unit(f->bus, unit, &plan, &f->err);

	return r < 0 ? r : sdbus_wait_job(f->bus, unit, &f->err);
}

/* --- tests --------------------------------------------------------------------------------- */

static void test_acquaintance(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sdbus_version(f->bus), 252);
	assert_string_equal(sdbus_control_group(f->bus), "/user.slice/x");
	assert_true(sdbus_shares_pids(f->bus));
}

static void add_text(struct systemd_plan *plan, const char *name, const char *text)
{
	struct systemd_value value;

	assert_int_equal(systemd_value_parse(&value, text, NULL), 0);
	systemd_plan_add(plan, name, value);
}

static void test_values(void **state)
{
	struct fixture *f = *state;
	auto_systemd_plan struct systemd_plan plan = SYSTEMD_PLAN_INIT;
	auto_close int pidfd = sys_pidfd_open(getpid());

	systemd_plan_add(&plan, "PIDFDs", systemd_value_fds(pidfd));
	systemd_plan_add(&plan, "PIDs", systemd_value_u32s(4711));
	add_text(&plan, "A", "true");
	add_text(&plan, "B", "byte 255");
	add_text(&plan, "C", "int16 -3");
	add_text(&plan, "D", "uint16 65535");
	add_text(&plan, "E", "-5");
	add_text(&plan, "F", "uint32 4294967295");
	add_text(&plan, "G", "int64 -9223372036854775808");
	add_text(&plan, "H", "uint64 18446744073709551615");
	add_text(&plan, "I", "2.5");
	add_text(&plan, "J", "'text'");
	add_text(&plan, "K", "@as []");
	add_text(&plan, "L", "[('/dev/null', 'rw'), ('a', 'b')]");
	add_text(&plan, "M", "@a{sv} {'k': <[1, 2]>}");
	add_text(&plan, "N", "objectpath '/a/b'");
	check_ok(f, sdbus_start_unit(f->bus, "ok.scope", &plan, &f->err));
	check_ok(f, sdbus_wait_job(f->bus, "ok.scope", &f->err));
	expect_call(f, "StartTransientUnit 'ok.scope' 'replace' ["
		       "('PIDFDs' <ah [open]>) ('PIDs' <au [4711]>) ('A' <b 1>) ('B' <y 255>) "
		       "('C' <n -3>) ('D' <q 65535>) ('E' <i -5>) ('F' <u 4294967295>) "
		       "('G' <x -9223372036854775808>) ('H' <t 18446744073709551615>) "
		       "('I' <d 2.5>) ('J' <s 'text'>) ('K' <as []>) "
		       "('L' <a(ss) [('/dev/null' 'rw') ('a' 'b')]>) "
		       "('M' <a{sv} [('k' <ai [1 2]>)]>) ('N' <o '/a/b'>)] []");
}

static void test_jobs(void **state)
{
	struct fixture *f = *state;

	check_ok(f, start(f, "ok.scope"));
	/* The signal comes before the answer; between those of other jobs. */
	check_ok(f, start(f, "early.scope"));
	check_ok(f, start(f, "busy.scope"));
	assert_true(start(f, "failing.scope") < 0);
	assert_int_equal(f->err.kind, ERR_REMOTE);
	assert_non_null(strstr(f->err.msg, "'failed'"));
	assert_non_null(strstr(f->err.msg, "failing.scope"));
	check_ok(f, start(f, "ok.scope"));
	check_ok(f, sdbus_stop_unit(f->bus, "ok.scope", &f->err));
}

static void test_scope(void **state)
{
	struct fixture *f = *state;
	auto_free char *expected = xasprintf(
		"StartTransientUnit 'ok.scope' 'replace' [('Description' <s 'what it is'>) "
		"('Slice' <s 'a-b.slice'>) ('Delegate' <b 1>) ('DefaultDependencies' <b 0>) "
		"('CollectMode' <s 'inactive-or-failed'>) ('PIDs' <au [%d]>)] []",
		(int)getpid());

	check_ok(f, systemd_scope_start(f->bus, "ok.scope", "a-b.slice", "what it is", getpid(),
					&f->err));
	expect_call(f, expected);
	assert_true(systemd_scope_start(f->bus, "exists.scope", "a.slice", "", getpid(), &f->err) <
		    0);
	assert_int_equal(f->err.kind, ERR_EXISTS);
}

static void test_unit_exists(void **state)
{
	struct fixture *f = *state;

	assert_true(start(f, "exists.scope") < 0);
	assert_int_equal(f->err.kind, ERR_EXISTS);
	assert_non_null(strstr(f->err.msg, "already loaded"));
	expect_call(f, "StartTransientUnit 'exists.scope' 'replace' [] []");
	expect_call(f, "ResetFailedUnit 'exists.scope'");
	expect_call(f, "StartTransientUnit 'exists.scope' 'replace' [] []");
}

static void test_leftover(void **state)
{
	struct fixture *f = *state;

	check_ok(f, start(f, "leftover.scope"));
	expect_call(f, "StartTransientUnit 'leftover.scope' 'replace' [] []");
	expect_call(f, "ResetFailedUnit 'leftover.scope'");
	expect_call(f, "StartTransientUnit 'leftover.scope' 'replace' [] []");
}

static void test_other_calls(void **state)
{
	struct fixture *f = *state;
	auto_systemd_plan struct systemd_plan plan = SYSTEMD_PLAN_INIT;

	systemd_plan_add(&plan, "MemoryMax", systemd_value_u64(64));
	check_ok(f, sdbus_set_properties(f->bus, "ok.scope", &plan, &f->err));
	expect_call(f, "SetUnitProperties 'ok.scope' 1 [('MemoryMax' <t 64>)]");
	check_ok(f, sdbus_attach_process(f->bus, "ok.scope", "/sub", 4711, &f->err));
	expect_call(f, "AttachProcessesToUnit 'ok.scope' '/sub' [4711]");
	check_ok(f, sdbus_stop_unit(f->bus, "ok.scope", &f->err));
	expect_call(f, "StopUnit 'ok.scope' 'replace'");
	sdbus_reset_failed(f->bus, "ok.scope");
	expect_call(f, "ResetFailedUnit 'ok.scope'");
}

static void test_errors(void **state)
{
	struct fixture *f = *state;

	assert_true(sdbus_stop_unit(f->bus, "gone.scope", &f->err) < 0);
	assert_int_equal(f->err.kind, ERR_NOT_FOUND);
	assert_string_equal(f->err.msg,
			    "ask systemd to stop unit 'gone.scope': Unit gone.scope not loaded");
	assert_true(start(f, "denied.scope") < 0);
	assert_int_equal(f->err.kind, ERR_DENIED);
	assert_true(start(f, "hangup.scope") < 0);
	assert_int_equal(f->err.kind, ERR_REMOTE);
	assert_non_null(strstr(f->err.msg, "hangup.scope"));
}

static void test_not_there(void **state UNUSED)
{
	struct sdbus *bus = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus", 1), 0);
	assert_true(sdbus_open(&bus, true, &err) < 0);
	assert_null(bus);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "--systemd-cgroup"));
	assert_non_null(strstr(err.msg, "unix:path=/nowhere/bus"));
	assert_non_null(strstr(err.msg, "cgroupfs"));
	assert_int_equal(unsetenv("DBUS_SESSION_BUS_ADDRESS"), 0);
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	assert_true(sdbus_open(&bus, true, &err) < 0);
	assert_non_null(strstr(err.msg, "XDG_RUNTIME_DIR"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_acquaintance, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_jobs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scope, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unit_exists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leftover, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
