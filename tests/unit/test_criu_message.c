/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "criu/stats.pb-c.h"

static void test_lists_and_strings(void **state UNUSED)
{
	auto_criu_message CriuReq *req = criu_message_new(CRIU_REQ_TYPE__DUMP, true);
	auto_free char *text = NULL;

	criu_opts_set_string(&req->opts->root, "/a");
	criu_opts_set_string(&req->opts->root, "/b");
	criu_opts_set_string(&req->opts->parent_img, "x");
	criu_opts_set_string(&req->opts->parent_img, NULL);
	criu_opts_set_page_server(req->opts, "::1", 27);
	criu_opts_set_page_server(req->opts, "127.0.0.1", 28);
	criu_opts_add_external(req->opts, "%s[%d]", "net", 5);
	criu_opts_add_ext_mount(req->opts, "/k", "/v");
	criu_opts_add_ext_mount(req->opts, "/k", "/v");
	criu_opts_add_ext_mount(req->opts, "/k", "/w");
	criu_opts_add_cgroup_root(req->opts, NULL, "/all");
	CRIU_SET(req->opts, tcp_close, false);
	CRIU_SET(req->opts, pre_dump_mode, CRIU_PRE_DUMP_MODE__VM_READ);
	text = criu_message_to_text(&req->opts->base);
	assert_string_equal(text, "images_dir_fd: -1\n"
				  "ps.address: 127.0.0.1\n"
				  "ps.port: 28\n"
				  "root: /b\n"
				  "ext_mnt.key: /k\n"
				  "ext_mnt.val: /v\n"
				  "ext_mnt.key: /k\n"
				  "ext_mnt.val: /w\n"
				  "cg_root.path: /all\n"
				  "external: net[5]\n"
				  "tcp_close: false\n"
				  "pre_dump_mode: VM_READ\n");
}

static void test_wide_numbers(void **state UNUSED)
{
	CriuDumpStats dump = CRIU_DUMP_STATS__INIT;
	CriuStatsEntry entry = CRIU_STATS_ENTRY__INIT;
	auto_free char *text = NULL;

	entry.dump = &dump;
	CRIU_SET(&dump, frozen_time, UINT32_MAX);
	CRIU_SET(&dump, pages_written, UINT64_MAX);
	text = criu_message_to_text(&entry.base);
	assert_string_equal(text, "dump.frozen_time: 4294967295\n"
				  "dump.pages_written: 18446744073709551615\n");
}

static void test_types(void **state UNUSED)
{
	assert_string_equal(criu_type_to_string(CRIU_REQ_TYPE__PRE_DUMP), "PRE_DUMP");
	assert_string_equal(criu_type_to_string((CriuReqType)99), "UNKNOWN");
	criu_message_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_and_strings),
		cmocka_unit_test(test_wide_numbers),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
