/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/log_tail.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/str.h"

static char directory[] = "/tmp/floe-test-log.XXXXXX";
static int dir_fd = -EBADF;

static int set_up(void **state UNUSED)
{
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int tear_down(void **state UNUSED)
{
	(void)unlinkat(dir_fd, "log", 0);
	(void)close(dir_fd);
	return rmdir(directory);
}

static FILE *begin_log(void)
{
	int fd = openat(dir_fd, "log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fdopen(fd, "we");
}

static void put_log(const char *text)
{
	FILE *f = begin_log();

	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_strip(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "(00.012345) Error (criu/tty.c:1861): tty: no\n", "tty: no" },
		{ "(00.012345)  20663: Error (criu/pagemap.c:557): Can't read\r\n", "Can't read" },
		{ "pie: 20451: Error (criu/pie/parasite.c:588): send_fds failed (-22)",
		  "send_fds failed (-22)" },
		{ "(00.1) pie: 4: Error (criu/pie/restorer.c:1): x", "x" },
		{ "(00.1) Warn  (criu/kerndat.c:1): old", "old" },
		{ "Error (a.c:1): b", "b" },
		{ "Error of another kind", "Error of another kind" },
		{ "plain", "plain" },
		{ "(not a stamp) text", "(not a stamp) text" },
		{ "", "" },
		{ "(0", "(0" },
		{ "Error (unfinished", "Error (unfinished" },
		{ "12 monkeys", "12 monkeys" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *s = criu_log_strip(cases[i][0]);

		assert_string_equal(s, cases[i][1]);
		free(s);
	}
}

static void test_rules_compile(void **state UNUSED)
{
	for (size_t i = 0; i < criu_log_n_rules; i++) {
		const struct criu_log_rule *rule = &criu_log_rules[i];
		regex_t regex;

		if (regcomp(&regex, rule->pattern, REG_EXTENDED) != 0)
			fail_msg("rule %zu: '%s'", i, rule->pattern);
		for (int group = 1; group <= 9; group++) {
			char reference[3] = { '$', (char)('0' + group), '\0' };

			if (strstr(rule->cause, reference) && (size_t)group > regex.re_nsub)
				fail_msg("rule '%s' has no group %d", rule->pattern, group);
		}
		regfree(&regex);
		assert_false(str_has_suffix(rule->cause, "."));
	}
}

/* Lines as CRIU 4.2.1 writes them. */
static void test_rules(void **state UNUSED)
{
	static const struct {
		const char *line;
		const char *cause; /* a part of it */
		const char *option;
	} cases[] = {
		{ "(00.0) Error (criu/tty.c:1861): tty: Found dangling tty with sid 12 pgid 12 "
		  "(pts) on "
		  "peer fd 0.",
		  "(pts) whose session 12 is outside", "shell-job" },
		{ "Error (criu/pstree.c:1): The root process 9 is not a session leader. Consider "
		  "using "
		  "--shell-job option",
		  "the first process, 9,", "shell-job" },
		{ "inet: Connected TCP socket, consider using --tcp-established option.",
		  "a TCP connection is established", "tcp-established" },
		{ "inet: In-flight connection (l) for 1a", "being set up", "tcp-skip-in-flight" },
		{ "inet: Can't bind inet socket (id 3): Cannot assign requested address",
		  "does not exist here", NULL },
		{ "inet: Can't bind inet socket (id 3): Address already in use", "in use here",
		  NULL },
		{ "unix: External socket is used. Consider using --ext-unix-sk option.",
		  "a process outside", "ext-unix-sk" },
		{ "unix: Can't dump half of stream unix connection. name: ; peer name: /run/x.sock",
		  "(/run/x.sock)", NULL },
		{ "unix: Unable too cut old from /run/new", "'old' and is at '/run/new'", NULL },
		{ "Some file locks are hold by dumping tasks! You can try --file-locks to dump "
		  "them.",
		  "holds file locks", "file-locks" },
		{ "Can't dump ghost file /tmp/big of 2457600 size, increase limit",
		  "'/tmp/big' is deleted but open, and its 2457600 bytes", "ghost-limit 2457600" },
		{ "Can't create link remap for /tmp/lr1. Use link-remap option.", "'/tmp/lr1'",
		  "link-remap" },
		{ "Can't lookup mount=21 for fd=-3 path=/lib/libc.so.6", "mapped '/lib/libc.so.6'",
		  NULL },
		{ "Can't lookup mount=27 for fd=2 path=/tmp/log",
		  "has '/tmp/log' open (descriptor 2)", NULL },
		{ "send_fds failed (-22)", "io_uring", NULL },
		{ "Can't dump file 5 of that type [600] (unknown anon_inode:[io_uring])",
		  "io_uring", NULL },
		{ "Can't dump file 7 of that type [20600] (chr 1:1)",
		  "descriptor 7 is of a kind that CRIU cannot keep (chr 1:1)", NULL },
		{ "fsnotify: \tCan't dump that handle", "inotify", "irmap-scan-path DIRECTORY" },
		{ "File bin/sh has bad size 12 (expect 13)", "'bin/sh' is not the file", NULL },
		{ "Can't open file etc/x on restore: No such file or directory",
		  "'etc/x', which the container had open", NULL },
		{ "mnt: Mount 77 ./data (master_id: 3 shared_id: 0) has unreachable sharing. Try "
		  "--enable-external-masters.",
		  "the mount at './data'", "enable-external-masters" },
		{ "mnt: 91:./proc/x doesn't have a proper root mount", "'./proc/x'", NULL },
		{ "Can't open 94/ns/net on procfs: Permission denied", "process 94", NULL },
		{ "mnt: FS mnt ./f dev 0x2f root / unsupported id 44", "'./f'", NULL },
		{ "Can't dump nested net namespace for 14", "process 14 is in a net namespace",
		  NULL },
		{ "Can't fork for 11323: File exists", "(11323) is in use", NULL },
		{ "net: Unable to find an external netns: extRootNetNS", "(extRootNetNS)", NULL },
		{ "(00.02)      1: Error (criu/namespaces.c:1417): uns: send req error: Invalid "
		  "argument",
		  "without the id 65534", NULL },
		{ "Unseizable non-zombie 44 found, state D, err -1/1", "process 44 (state D)",
		  NULL },
		{ "Unable to freeze cgroup /sys/fs/cgroup/freezer/a (100 x 100ms attempts, "
		  "timeout: 10s)",
		  "'/sys/fs/cgroup/freezer/a' does not freeze", NULL },
		{ "Task 3 with SysVIPC shmem map @7f00 doesn't live in IPC ns", "System V", NULL },
		{ "failed to suspend seccomp, restore will probably fail...", "seccomp", NULL },
		{ "vdso: Unexpected rt vDSO area bounds", "vDSO of the running kernel", NULL },
		{ "cpu: CPU instruction capabilities do not match run time", "CPU has features",
		  "cpu-cap none" },
		{ "Tracking memory is not available. Consider omitting --track-mem option.",
		  "CONFIG_MEM_SOFT_DIRTY", NULL },
		{ "CRIU needs to have the CAP_SYS_ADMIN or the CAP_CHECKPOINT_RESTORE capability: ",
		  "lacks privileges", NULL },
		{ "apparmor LSM specified but apparmor not supported by kernel", "security module",
		  "lsm-profile TYPE:NAME" },
		{ "Magic doesn't match for mm-4.img", "'mm-4.img' is damaged", NULL },
		{ "Read 2 bytes while 4 expected on /i/pstree.img: Operation not permitted",
		  "'/i/pstree.img' is cut short", NULL },
		{ "page-xfer: No parent image found, though parent directory is set: ../p1",
		  "(../p1)", NULL },
		{ "Can't write img file: No space left on device", "no space left", NULL },
		{ "execvp(\"iptables-restore\", ...) failed: No such file or directory",
		  "'iptables-restore', which CRIU needs", NULL },
		{ "net: Locking network failed: iptables-restore returned 1. This may be connected",
		  "by iptables", "network-lock nftables" },
		{ "Locking network failed using nftables", "by nftables", "network-lock iptables" },
		{ "cg: Can't move 5 into /a (-1/-1): No such file", "cgroup", NULL },
		{ "uffd: connect to ./lazy-pages.socket failed: No such file or directory",
		  "lazy-pages daemon is not there", NULL },
		{ "uffd: Unable to open an userfaultfd descriptor: Operation not permitted",
		  "userfaultfd is not available", NULL },
		{ "14485 stopped by signal 11: Segmentation fault", "crashed", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_criu_log_finding struct criu_log_finding f = CRIU_LOG_FINDING_INIT;

		if (criu_log_explain_line(cases[i].line, &f) != 1)
			fail_msg("no rule for '%s'", cases[i].line);
		if (!strstr(f.cause, cases[i].cause))
			fail_msg("'%s' gives '%s'", cases[i].line, f.cause);
		if (!str_eq(f.option, cases[i].option))
			fail_msg("'%s' gives option '%s'", cases[i].line, f.option);
		assert_null(strchr(f.cause, '$'));
	}
}

static void test_cause_is_the_first_that_is_known(void **state UNUSED)
{
	auto_criu_log_finding struct criu_log_finding f = CRIU_LOG_FINDING_INIT;

	put_log("(00.000001) Version: 4.2.1\n"
		"(00.000002) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: "
		"no\n"
		"(00.000003) Error (criu/files.c:1): Something new\n"
		"(00.000004) Error (criu/sk-inet.c:1): inet: Connected TCP socket, consider using "
		"--tcp-established option.\n"
		"(00.000005) Error (criu/cr-dump.c:1): Dump files (pid: 4) failed with -1\n"
		"(00.000006) Error (criu/cr-dump.c:1975): Dumping FAILED.\n");
	assert_int_equal(criu_log_explain(dir_fd, "log", &f), 1);
	assert_string_equal(f.option, "tcp-established");
	assert_string_equal(f.line,
			    "inet: Connected TCP socket, consider using --tcp-established option.");
}

static void test_cause_without_a_rule(void **state UNUSED)
{
	struct criu_log_finding f = CRIU_LOG_FINDING_INIT;

	put_log("(00.000002) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: "
		"no\n"
		"(00.000003) Error (criu/files.c:1): Something new\n"
		"(00.000004) Error (criu/files.c:2): Something else\n"
		"(00.000006) Error (criu/cr-dump.c:1975): Dumping FAILED.\n");
	assert_int_equal(criu_log_explain(dir_fd, "log", &f), 1);
	assert_null(f.cause);
	assert_string_equal(f.line, "Something new");
	criu_log_finding_done(&f);
	put_log("(00.000006) Error (criu/cr-dump.c:1975): Dumping FAILED.\n");
	assert_int_equal(criu_log_explain(dir_fd, "log", &f), 1);
	assert_string_equal(f.line, "Dumping FAILED.");
	criu_log_finding_done(&f);
	put_log("(00.020685) Can't connect to server 127.0.0.1:9\n"
		"(00.020703) Error (criu/cr-dump.c:1975): Dumping FAILED.\n");
	assert_int_equal(criu_log_explain(dir_fd, "log", &f), 1);
	assert_string_equal(f.cause, "the page server cannot be reached (127.0.0.1:9)");
	criu_log_finding_done(&f);
	put_log("(00.000006) all is well\nError in a name\n");
	assert_int_equal(criu_log_explain(dir_fd, "log", &f), 0);
	put_log("");
	assert_int_equal(criu_log_explain(dir_fd, "log", &f), 0);
	assert_int_equal(criu_log_explain(dir_fd, "none", &f), -ENOENT);
	assert_int_equal(criu_log_explain(dir_fd, ".", &f), -EINVAL);
}

static void test_large_and_broken_logs(void **state UNUSED)
{
	auto_criu_log_finding struct criu_log_finding f = CRIU_LOG_FINDING_INIT;
	auto_strvec struct strvec lines = STRVEC_INIT;
	FILE *log = begin_log();

	/* One line of a megabyte, zeros, thousands of lines, no end of line. */
	for (int i = 0; i < 1 << 20; i++)
		(void)putc('x', log);
	(void)putc('\n', log);
	(void)fwrite("a\0b\n", 1, 4, log);
	for (int i = 0; i < 20000; i++)
		(void)fprintf(log, "(00.000001) Error (criu/x.c:1): number %d\n", i);
	(void)fputs("(00.000001) Error (criu/x.c:1): Magic doesn't match for last.img", log);
	assert_int_equal(fclose(log), 0);
	assert_int_equal(criu_log_explain(dir_fd, "log", &f), 1);
	assert_string_equal(f.line, "number 0");
	assert_int_equal(criu_log_quote(dir_fd, "log", &lines), 0);
	assert_int_equal(lines.n, CRIU_LOG_QUOTE_MAX);
	assert_true(str_has_prefix(lines.v[lines.n - 1], "20003:"));
}

static void assert_quote(const char *log, const char *want)
{
	auto_strvec struct strvec lines = STRVEC_INIT;
	auto_free char *text = NULL;

	put_log(log);
	assert_int_equal(criu_log_quote(dir_fd, "log", &lines), 0);
	text = strvec_join(&lines, "|");
	assert_string_equal(text, want);
}

static void test_quote(void **state UNUSED)
{
	assert_quote("a\nb\nc\n", "");
	assert_quote("a\nError 1\nc\n", "1:a|2:Error 1");
	assert_quote("1\n2\n3\n4\n5\n6\n7\nError 8\n9\nError 10\n",
		     "3:3|4:4|5:5|6:6|7:7|8:Error 8|9:9|10:Error 10");
	assert_quote("Error 1\n2\n3\n4\n5\n6\nError 7\n8\n9\n10\n11\n12\n13\nError 14\n",
		     "1:Error 1|2:2|3:3|4:4|5:5|6:6|7:Error 7|...|9:9|10:10|11:11|12:12|13:13|"
		     "14:Error 14");
	assert_quote("Error 1\nError 2\n", "1:Error 1|2:Error 2");
	assert_quote("a\nError (criu/util.c:1): rlimit: Can't setup RLIMIT_NOFILE for self: "
		     "Operation not permitted\n",
		     "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_rules_compile),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_cause_is_the_first_that_is_known),
		cmocka_unit_test(test_cause_without_a_rule),
		cmocka_unit_test(test_large_and_broken_logs),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
