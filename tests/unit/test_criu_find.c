/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/find.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/path.h"
#include "floe-config.h"

static char prefix[] = "/tmp/floe-test-find.XXXXXX";

static int set_up(void **state UNUSED)
{
	return mkdtemp(prefix) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
	return fs_remove_tree(AT_FDCWD, prefix);
}

/* A file below the prefix with this mode; parents are made. */
static char *put(const char *path, mode_t mode)
{
	char *full = path_join(prefix, path);
	auto_free char *parent = path_dirname(full);
	int fd;

	assert_int_equal(fs_mkdir_all(AT_FDCWD, parent, 0755, 0755), 0);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	(void)close(fd);
	return full;
}

static void assert_found(const struct criu_find_opts *opts, const char *path,
			 enum criu_source source)
{
	auto_criu_location struct criu_location location = CRIU_LOCATION_INIT;
	struct err err = ERR_INIT;

	if (criu_find(&location, opts, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(location.path, path);
	assert_int_equal(location.source, source);
}

static void assert_not_found(const struct criu_find_opts *opts, enum err_kind kind,
			     const char *text)
{
	struct criu_location location = CRIU_LOCATION_INIT;
	struct err err = ERR_INIT;

	assert_true(criu_find(&location, opts, &err) < 0);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.msg, text))
		fail_msg("'%s' is not in '%s'", text, err.msg);
	assert_null(location.path);
}

/* Each place in turn, from the last to the first. */
static void test_order(void **state UNUSED)
{
	auto_free char *dir = path_join(prefix, "path");
	struct criu_find_opts opts = { .search_path = dir, .prefix = prefix };
	auto_free char *sbin = NULL;
	auto_free char *on_path = NULL;
	auto_free char *usr_lib = NULL;
	auto_free char *ours = NULL;
	auto_free char *named = NULL;
	auto_free char *other = NULL;

	assert_not_found(&opts, ERR_UNSUPPORTED, FLOE_LIBDIR "/criu/bin/criu");
	assert_not_found(&opts, ERR_UNSUPPORTED, "/usr/lib/floe/criu/bin/criu, nor on PATH");
	assert_not_found(&opts, ERR_UNSUPPORTED, "tools/install-deps");
	assert_not_found(&opts, ERR_UNSUPPORTED, "--criu PATH");
	sbin = put("usr/sbin/criu", 0755);
	assert_found(&opts, sbin, CRIU_FROM_PATH);
	on_path = put("path/criu", 0755);
	assert_found(&opts, on_path, CRIU_FROM_PATH);
	usr_lib = put("usr/lib/floe/criu/bin/criu", 0755);
	assert_found(&opts, usr_lib, CRIU_FROM_BUILT_IN);
	ours = put(FLOE_LIBDIR "/criu/bin/criu", 0755);
	assert_found(&opts, ours, CRIU_FROM_BUILT_IN);
	named = put("configured", 0755);
	opts.configured = named;
	assert_found(&opts, named, CRIU_FROM_CONFIG);
	other = put("other", 0755);
	opts.option = other;
	assert_found(&opts, other, CRIU_FROM_OPTION);
	/* Empty is not given. */
	opts.option = "";
	opts.configured = "";
	assert_found(&opts, ours, CRIU_FROM_BUILT_IN);
}

static void test_named(void **state UNUSED)
{
	auto_free char *dir = path_join(prefix, "path");
	auto_free char *search = xasprintf("/nonexistent::%s", dir);
	struct criu_find_opts opts = { .search_path = search, .prefix = prefix };
	auto_free char *dev = put("path/criu-dev", 0755);
	auto_free char *plain = put("plain", 0644);

	/* A name is looked up, a path is taken as it is. */
	opts.option = "criu-dev";
	assert_found(&opts, dev, CRIU_FROM_OPTION);
	opts.option = "criu-none";
	assert_not_found(&opts, ERR_NOT_FOUND, "'criu-none', which option --criu names");
	opts.option = "/nonexistent/criu";
	assert_not_found(&opts, ERR_NOT_FOUND, "'/nonexistent/criu', which option --criu names");
	opts.option = plain;
	assert_not_found(&opts, ERR_DENIED, "permission denied");
	opts.option = NULL;
	opts.configured = dir;
	assert_not_found(&opts, ERR_SYSTEM, "which the configuration file names: is a directory");
}

static bool has_nftables(const char *text, size_t len)
{
	auto_free char *path = put("criu-built", 0755);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	(void)close(fd);
	return criu_has_nftables(path);
}

static void test_nftables(void **state UNUSED)
{
	static const char with[] = "\177ELF...\0libc.so.6\0libnftables.so.1\0";
	static const char without[] = "\177ELF...\0libc.so.6\0libnet.so.9\0";
	static const char script[] = "#!/bin/sh\nLD_PRELOAD=libnftables.so.1 exec criu\n";

	assert_true(has_nftables(with, sizeof(with)));
	assert_false(has_nftables(without, sizeof(without)));
	assert_false(has_nftables(script, sizeof(script)));
	assert_false(has_nftables("", 0));
	assert_false(criu_has_nftables("/nonexistent/criu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_nftables),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
