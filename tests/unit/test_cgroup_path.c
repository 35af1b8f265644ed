/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/auto.h"

static void check(const char *cgroups_path, const char *own, bool is_v2, const char *expected)
{
	auto_free char *path = NULL;
	struct err err = ERR_INIT;

	if (cgroup_path_resolve(cgroups_path, "web", own, is_v2, &path, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(path, expected);
}

static void check_refused(const char *cgroups_path, const char *id, const char *text)
{
	char *path = NULL;
	struct err err = ERR_INIT;

	assert_true(cgroup_path_resolve(cgroups_path, id, "/own", false, &path, &err) < 0);
	assert_null(path);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.msg, text));
}

static void test_resolve(void **state UNUSED)
{
	check("/a/b", NULL, false, "/a/b");
	check("/a/b", NULL, true, "/a/b");
	check("//a/./b/", NULL, false, "/a/b");
	/* v1: below our own; v2: beside it. */
	check(NULL, "/", false, "/web");
	check("", "/user/1", false, "/user/1/web");
	check("pod/web", "/user/1", false, "/user/1/pod/web");
	check(NULL, "/", true, "/web");
	check("", "/user/1", true, "/user/web");
	check("pod/web", "/init.scope", true, "/pod/web");
	/* A systemd name under the cgroupfs driver is a directory name like any other, as in runc. */
	check("system.slice:docker:web", "/", false, "/system.slice:docker:web");
	check_refused("/a/../b", "web", "'..'");
	check_refused("..", "web", "'..'");
	check_refused("/", "web", "root of the hierarchy");
	check_refused("///.", "web", "root of the hierarchy");
	check_refused("/a\nb", "web", "newline");
	assert_true(cgroup_path_needs_own(NULL));
	assert_true(cgroup_path_needs_own("a"));
	assert_false(cgroup_path_needs_own("/a"));
}

static void check_unit(const char *cgroups_path, bool rootless, const char *unit, const char *slice,
		       const char *path)
{
	struct cgroup_systemd_name name;
	struct err err = ERR_INIT;

	if (cgroup_path_parse_systemd(cgroups_path, "web", rootless, &name, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(name.unit, unit);
	assert_string_equal(name.slice, slice);
	assert_string_equal(name.path, path);
	cgroup_systemd_name_done(&name);
}

static void check_unit_refused(const char *cgroups_path)
{
	struct cgroup_systemd_name name;
	struct err err = ERR_INIT;

	assert_true(cgroup_path_parse_systemd(cgroups_path, "web", false, &name, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_systemd(void **state UNUSED)
{
	check_unit("machine.slice:libpod:web", false, "libpod-web.scope", "machine.slice",
		   "/machine.slice/libpod-web.scope");
	check_unit(":libpod:web", false, "libpod-web.scope", "system.slice",
		   "/system.slice/libpod-web.scope");
	check_unit(":libpod:web", true, "libpod-web.scope", "user.slice",
		   "/user.slice/libpod-web.scope");
	check_unit("a-b-c.slice::web", false, "web.scope", "a-b-c.slice",
		   "/a.slice/a-b.slice/a-b-c.slice/web.scope");
	check_unit("-.slice:x:web", false, "x-web.scope", "-.slice", "/x-web.scope");
	check_unit("a.slice:x:a-b.slice", false, "a-b.slice", "a.slice", "/a.slice/a-b.slice");
	check_unit(NULL, false, "floe-web.scope", "system.slice", "/system.slice/floe-web.scope");
	check_unit_refused("/a/b");
	check_unit_refused("web");
	check_unit_refused("a.slice:web");
	check_unit_refused("a.slice:x:web:y");
	check_unit_refused("a.slice:x:");
	check_unit_refused("a:x:web");
	check_unit_refused("a--b.slice:x:web");
	check_unit_refused("a-.slice:x:web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
