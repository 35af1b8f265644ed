/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/log_advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_told(const char *line, const char *want)
{
	auto_criu_log_finding struct criu_log_finding finding = CRIU_LOG_FINDING_INIT;
	struct err err = ERR_INIT;

	(void)criu_log_explain_line(line, &finding);
	assert_true(log_advice_tell(&finding, &err) < 0);
	assert_int_equal(err.kind, ERR_REMOTE);
	assert_string_equal(err.msg, want);
}

static void test_advice(void **state UNUSED)
{
	assert_told("Error (a.c:1): Some file locks are hold by dumping tasks! You can try",
		    "a process holds file locks; use --file-locks");
	assert_told(
		"inet: Connected TCP socket in image",
		"the checkpoint has established TCP connections; use --tcp-established, or close "
		"them with --tcp-close");
	assert_told("Locking network failed using nftables",
		    "CRIU cannot lock the network by nftables; use --network-lock iptables, or "
		    "--network-lock skip where there are no connections");
	assert_told(
		"Can't dump ghost file /a of 2457600 size, increase limit",
		"'/a' is deleted but open, and its 2457600 bytes are more than CRIU puts into an "
		"image; put 'ghost-limit 2457600' into a configuration file for CRIU "
		"(/etc/criu/floe.conf, or the one that the annotation org.criu.config names)");
	assert_told("netlink: The socket has data to read",
		    "a netlink socket holds unread messages; try again");
	assert_told("(00.1) Error (new.c:1): Something new", "Something new");
}

static void test_log_without_a_rule(void **state UNUSED)
{
	auto_criu_log_finding struct criu_log_finding finding = CRIU_LOG_FINDING_INIT;
	struct err err = ERR_INIT;

	(void)criu_log_explain_line("Error (a.c:1): Something new", &finding);
	(void)err_set(&err, ERR_REMOTE, "criu failed: type DUMP errno 0");
	(void)log_advice_tell(&finding, &err);
	assert_string_equal(err.msg, "Something new");
	(void)err_set(&err, ERR_REMOTE, "criu ended unexpectedly (signal: killed)");
	(void)log_advice_tell(&finding, &err);
	assert_string_equal(err.msg, "criu ended unexpectedly (signal: killed); its log says: "
				     "Something new");
}

static void test_nothing_to_tell(void **state UNUSED)
{
	struct criu_log_finding none = CRIU_LOG_FINDING_INIT;
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_REMOTE, "as before");
	assert_int_equal(log_advice_tell(&none, &err), err.code);
	assert_string_equal(err.msg, "as before");
	assert_true(log_advice_tell(&none, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_log_without_a_rule),
		cmocka_unit_test(test_nothing_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
