/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/checkpoint/preflight_collect.h"
#include "runtime/checkpoint/request.h"

static void done(struct preflight_options *options)
{
	struct preflight_snapshot s = PREFLIGHT_SNAPSHOT_INIT;

	s.options = *options;
	preflight_snapshot_done(&s);
}

static const char text[] = "# tcp-established\n"
			   "  file-locks\n"
			   "ghost-limit 5M # enough\n"
			   "irmap-scan-path \"/usr/bin\"\n"
			   "irmap-scan-path '/opt'\n"
			   "irmap-scan-path relative\n"
			   "enable-fs fuse,ext4\n"
			   "allow-uprobes\n"
			   "log-file x\n"
			   "skip-in-flight";

static void test_file(void **state UNUSED)
{
	struct preflight_options options = { .ghost_limit = PREFLIGHT_GHOST_LIMIT };

	preflight_options_add_file(&options, text, "/etc/x.conf", false);
	assert_null(options.by[PREFLIGHT_NO_OPTION]);
	assert_null(options.by[PREFLIGHT_TCP_ESTABLISHED]);
	assert_string_equal(options.by[PREFLIGHT_FILE_LOCKS], "file-locks in '/etc/x.conf'");
	assert_string_equal(options.by[PREFLIGHT_TCP_SKIP_IN_FLIGHT],
			    "skip-in-flight in '/etc/x.conf'");
	assert_string_equal(options.by[PREFLIGHT_ALLOW_UPROBES], "allow-uprobes in '/etc/x.conf'");
	assert_int_equal(options.ghost_limit, 5 << 20);
	assert_int_equal(options.scan_paths.n, 2);
	assert_string_equal(options.scan_paths.v[0], "/usr/bin");
	assert_string_equal(options.scan_paths.v[1], "/opt");
	assert_int_equal(options.file_systems.n, 2);
	done(&options);
}

/* What the request says anyway is not taken from files that come before it. */
static void test_overridden(void **state UNUSED)
{
	struct preflight_options options = { .ghost_limit = PREFLIGHT_GHOST_LIMIT };

	preflight_options_add_file(&options, text, "/etc/x.conf", true);
	assert_null(options.by[PREFLIGHT_FILE_LOCKS]);
	assert_null(options.by[PREFLIGHT_TCP_SKIP_IN_FLIGHT]);
	assert_non_null(options.by[PREFLIGHT_ALLOW_UPROBES]);
	assert_int_equal(options.ghost_limit, 5 << 20);
	done(&options);
}

static void test_make(void **state UNUSED)
{
	char path[] = "/tmp/floe-test-preflight-XXXXXX";
	int fd = mkstemp(path);
	struct checkpoint_options opts = { .tcp_established = true,
					   .pre_dump = true,
					   .parent_path = "../x" };
	struct runtime_spec spec = { 0 };
	struct preflight_options options;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "file-locks\ntcp-established\n", 27), 27);
	close(fd);
	json_string_map_set(&spec.annotations, CHECKPOINT_CONFIG_ANNOTATION, path);
	preflight_options_make(&options, &opts, &spec);
	assert_string_equal(options.by[PREFLIGHT_SHELL_JOB] ? "given" : "not given", "not given");
	assert_non_null(strstr(options.by[PREFLIGHT_FILE_LOCKS], path));
	assert_non_null(options.by[PREFLIGHT_TCP_ESTABLISHED]);
	assert_true(options.pre_dump && options.has_parent && !options.lazy_pages);
	done(&options);
	/* No file at all. */
	json_string_map_set(&spec.annotations, CHECKPOINT_CONFIG_ANNOTATION, "");
	preflight_options_make(&options, &opts, &spec);
	assert_null(options.by[PREFLIGHT_FILE_LOCKS]);
	assert_string_equal(options.by[PREFLIGHT_TCP_ESTABLISHED], "--tcp-established");
	done(&options);
	json_string_map_done(&spec.annotations);
	assert_int_equal(unlink(path), 0);
}

static void test_index(void **state UNUSED)
{
	struct preflight_index index = { 0 };
	char key[16];

	assert_null(preflight_index_find(&index, "a"));
	for (size_t i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "key%zu", i);
		assert_null(preflight_index_find(&index, key));
		preflight_index_add(&index, key, i);
	}
	for (size_t i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "key%zu", i);
		assert_int_equal(*preflight_index_find(&index, key), i);
	}
	preflight_index_add(&index, "key7", 70);
	assert_int_equal(*preflight_index_find(&index, "key7"), 70);
	assert_int_equal(index.n, 1000);
	assert_null(preflight_index_find(&index, "key1000"));
	preflight_index_done(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_overridden),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests_name("preflight_options", tests, NULL, NULL);
}
