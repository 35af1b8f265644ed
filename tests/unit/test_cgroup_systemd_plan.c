/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told about a container: tests/golden/cgroup-systemd/NAME.json, and NAME.unit with the
 * unit, its cgroup and its properties. FLOE_GOLDEN_UPDATE=1 writes the expected files anew, for the eye to
 * compare. And the text of annotations as typed values.
 */
#include "runtime/cgroup/plan_systemd.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "runtime/cgroup/plan_v1.h"
#include "runtime/cgroup/plan_v2.h"

/* --- golden files -------------------------------------------------------------------------- */

struct golden {
	int version;
	bool v1;
	bool rootless;
	bool update;
	char *cgroups_path;
	struct oci_resources *resources;
	struct json_string_map annotations;
};

#define T struct golden
JSON_DESC(golden_desc, T, F_INT(T, version, "version", JSON_REQUIRED), F_BOOL(T, v1, "v1", 0),
	  F_BOOL(T, rootless, "rootless", 0), F_BOOL(T, update, "update", 0),
	  F_STRING(T, cgroups_path, "cgroupsPath", 0),
	  F_OBJECT_PTR(T, resources, struct oci_resources, "resources", 0, oci_resources_desc),
	  F_STRING_MAP(T, annotations, "annotations", 0));
#undef T

static char *golden_path(const char *name, const char *suffix)
{
	const char *root = getenv("FLOE_SOURCE_ROOT");

	return xasprintf("%s/tests/golden/cgroup-systemd/%s%s", root ? root : ".", name, suffix);
}

static int add_unit(const struct golden *g, const struct systemd_plan_facts *facts,
		    struct systemd_plan *plan, struct strbuf *text, struct err *err)
{
	struct cgroup_systemd_name name;
	int r = cgroup_path_parse_systemd(g->cgroups_path, "web", g->rootless, &name, err);

	if (r < 0)
		return r;
	strbuf_addf(text, "unit %s in %s at %s\n", name.unit, name.slice, name.path);
	systemd_plan_add_unit(plan, &name, "web", facts);
	cgroup_systemd_name_done(&name);
	return 0;
}

static int add_devices(const struct golden *g, const struct systemd_plan_facts *facts,
		       struct systemd_plan *plan, struct err *err)
{
	struct device_rules rules;
	int r;

	/* The default rules alone would only repeat themselves in every file. */
	if (!g->resources || g->resources->n_devices == 0)
		return 0;
	r = device_rules_from_resources(&rules, g->resources, err);
	if (r < 0)
		return r;
	systemd_plan_add_devices(plan, &rules, facts);
	device_rules_done(&rules);
	return 0;
}

/* And the files whose values the plan changes. */
static int add_limits(const struct golden *g, const struct systemd_plan_facts *facts,
		      struct systemd_plan *plan, struct strbuf *text, struct err *err)
{
	auto_cgroup_plan struct cgroup_plan limits = CGROUP_PLAN_INIT;
	int r;

	if (!g->resources)
		return 0;
	r = g->v1 ? cgroup_plan_v1(&limits, g->resources, err) :
		    cgroup_plan_v2(&limits, g->resources, err);
	if (r < 0)
		return r;
	cgroup_plan_round_quota(&limits);
	for (size_t i = 0; i < limits.n; i++)
		if (str_eq(limits.v[i].file, "cpu.max") ||
		    str_eq(limits.v[i].file, "cpu.cfs_quota_us"))
			strbuf_addf(text, "file %s = '%s'\n", limits.v[i].file, limits.v[i].value);
	systemd_plan_add_limits(plan, &limits, facts);
	return 0;
}

static int make(const struct golden *g, struct systemd_plan *plan, struct strbuf *text,
		struct err *err)
{
	struct systemd_plan_facts facts = {
		.version = (unsigned int)g->version,
		.is_v2 = !g->v1,
		.for_update = g->update,
	};
	int r = g->update ? 0 : add_unit(g, &facts, plan, text, err);

	if (r == 0)
		r = add_devices(g, &facts, plan, err);
	if (r == 0)
		r = add_limits(g, &facts, plan, text, err);
	return r < 0 ? r : systemd_plan_add_annotations(plan, &g->annotations, err);
}

static void check(const char *name)
{
	auto_free char *input = golden_path(name, ".json");
	auto_free char *output = golden_path(name, ".unit");
	auto_systemd_plan struct systemd_plan plan = SYSTEMD_PLAN_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_strbuf struct strbuf expected = STRBUF_INIT;
	struct golden g = { 0 };
	struct err err = ERR_INIT;

	if (json_decode_file(&golden_desc, &g, AT_FDCWD, input, &err) < 0)
		fail_msg("%s", err.msg);
	if (make(&g, &plan, &text, &err) < 0) {
		strbuf_clear(&text);
		strbuf_addf(&text, "%s: %s\n", err_kind_to_string(err.kind), err.msg);
	} else {
		systemd_plan_format(&plan, &text);
	}
	json_done(&golden_desc, &g);
	if (getenv("FLOE_GOLDEN_UPDATE")) {
		assert_int_equal(
			fs_write_atomic(AT_FDCWD, output, text.buf, text.len, 0644, FS_VOLATILE),
			0);
		return;
	}
	if (io_read_file_at(AT_FDCWD, output, 65536, &expected) < 0)
		fail_msg("cannot read %s", output);
	if (!str_eq(text.buf, expected.buf))
		fail_msg("%s:\n--- expected\n%s--- got\n%s", name, expected.buf, text.buf);
}

static void test_golden(void **state UNUSED)
{
	auto_free char *dir_path = golden_path("", "");
	auto_closedir DIR *dir = opendir(dir_path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		auto_free char *name = NULL;

		if (!str_has_suffix(entry->d_name, ".json"))
			continue;
		name = xstrndup(entry->d_name, strlen(entry->d_name) - strlen(".json"));
		check(name);
		n++;
	}
	assert_true(n >= 20);
}

/* --- values -------------------------------------------------------------------------------- */

static void check_value(const char *text, const char *expected)
{
	auto_systemd_value struct systemd_value value = SYSTEMD_VALUE_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct err err = ERR_INIT;

	if (systemd_value_parse(&value, text, &err) < 0)
		fail_msg("%s", err.msg);
	systemd_value_format(&value, &sb);
	assert_string_equal(sb.buf, expected);
}

static void check_value_refused(const char *text, const char *reason)
{
	struct systemd_value value = SYSTEMD_VALUE_INIT;
	struct err err = ERR_INIT;

	if (systemd_value_parse(&value, text, &err) == 0)
		fail_msg("'%s' was accepted", text);
	assert_int_equal(err.kind, ERR_INVALID);
	if (!strstr(err.msg, reason))
		fail_msg("'%s': %s", text, err.msg);
	assert_null(value.signature);
}

static void test_scalars(void **state UNUSED)
{
	check_value("true", "b true");
	check_value(" false ", "b false");
	check_value("42", "i 42");
	check_value("-42", "i -42");
	check_value("+42", "i 42");
	check_value("0x1F", "i 31");
	check_value("-0x1f", "i -31");
	check_value("017", "i 15");
	check_value("0", "i 0");
	check_value("2.5", "d 2.5");
	check_value("-.5", "d -0.5");
	check_value("1e3", "d 1000");
	check_value("uint64 5", "t 5");
	check_value("@t 18446744073709551615", "t 18446744073709551615");
	check_value("byte 255", "y 255");
	check_value("int16 -32768", "n -32768");
	check_value("uint16 65535", "q 65535");
	check_value("uint32 4294967295", "u 4294967295");
	check_value("int64 -9223372036854775808", "x -9223372036854775808");
	check_value("double 5", "d 5");
}

static void test_strings(void **state UNUSED)
{
	check_value("'text'", "s 'text'");
	check_value("\"it's\"", "s 'it\\'s'");
	check_value("'a\\'b\\\\c\\n\\x'", "s 'a\\'b\\\\c\\nx'");
	check_value("'\\u00e9\\U0001f600'", "s '\xc3\xa9\xf0\x9f\x98\x80'");
	check_value("''", "s ''");
	check_value("objectpath '/a/b'", "o '/a/b'");
	check_value("signature 'as'", "g 'as'");
	check_value("b'ab'", "ay [97, 98, 0]");
}

static void test_containers(void **state UNUSED)
{
	check_value("['a', 'b']", "as ['a', 'b']");
	check_value("[ 1 , 2 ]", "ai [1, 2]");
	check_value("[uint64 1, 2]", "at [1, 2]");
	check_value("@as []", "as []");
	check_value("@at [1]", "at [1]");
	check_value("('a', 5, true)", "(sib) ('a', 5, true)");
	check_value("(1,)", "(i) (1)");
	check_value("[('/dev/null', 'rw'), ('/dev/zero', 'r')]",
		    "a(ss) [('/dev/null', 'rw'), ('/dev/zero', 'r')]");
	check_value("@a(st) [('/dev/sda', 1024)]", "a(st) [('/dev/sda', 1024)]");
	check_value("{'a': 1, 'b': 2}", "a{si} ['a': 1, 'b': 2]");
	check_value("@a{sv} {'a': <1>, 'b': <'x'>}", "a{sv} ['a': <i 1>, 'b': <s 'x'>]");
	check_value("@a{sv} {}", "a{sv} []");
	check_value("<uint32 5>", "v <u 5>");
	check_value("[[1], [2, 3]]", "aai [[1], [2, 3]]");
	check_value("(@as [], [b'x'])", "(asaay) ([], [[120, 0]])");
}

static void test_refused(void **state UNUSED)
{
	check_value_refused("", "expected a value at character 1");
	check_value_refused("yes", "expected a value at character 1");
	check_value_refused("5 6", "expected the end at character 3");
	check_value_refused("byte 256", "out of its type's range");
	check_value_refused("2147483648", "out of its type's range");
	check_value_refused("uint64 -1", "out of its type's range");
	check_value_refused("uint64 18446744073709551616", "expected an integer");
	check_value_refused("uint64 2.5", "expected an integer");
	check_value_refused("uint64 'a'", "unexpected string");
	check_value_refused("'open", "expected the end of the string");
	check_value_refused("'open\\", "expected the end of the string");
	check_value_refused("'\\u12'", "the number of a character");
	check_value_refused("'\\ud800'", "the number of a character");
	check_value_refused("'\\u0000'", "the number of a character");
	check_value_refused("[]", "expected a type in front");
	check_value_refused("[1, 'a']", "unexpected string");
	check_value_refused("[1, uint64 2]", "another type");
	check_value_refused("[1 2]", "expected ','");
	check_value_refused("[1, 2", "expected ','");
	check_value_refused("[1,]", "expected a value");
	check_value_refused("()", "expected a value");
	check_value_refused("@(ss) ('a',)", "expected more elements");
	check_value_refused("@(s) ('a', 'b')", "expected the end of the tuple");
	check_value_refused("{['a']: 1}", "no container");
	check_value_refused("{1 2}", "expected ':'");
	check_value_refused("<5", "expected '>'");
	check_value_refused("@q", "expected a value");
	check_value_refused("@h 5", "signature of one D-Bus type");
	check_value_refused("@ms 'a'", "signature of one D-Bus type");
	check_value_refused("@( 5", "signature of one D-Bus type");
	check_value_refused("@a{vs} {}", "signature of one D-Bus type");
	check_value_refused("@as 5", "unexpected number");
	check_value_refused("@ai {'a': 1}", "unexpected array");
	check_value_refused("nothing", "expected a value");
	check_value_refused("just 5", "expected a value");
	check_value_refused("[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "nested too deeply");
	check_value_refused("@aaaaaaaaaaaaaaaaaaaaas []", "signature of one D-Bus type");
}

static void check_seconds(const char *text, int expected_r, const char *expected)
{
	auto_systemd_value struct systemd_value value = SYSTEMD_VALUE_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	assert_int_equal(systemd_value_parse(&value, text, NULL), 0);
	assert_int_equal(systemd_value_to_usec(&value), expected_r);
	if (expected_r < 0)
		return;
	systemd_value_format(&value, &sb);
	assert_string_equal(sb.buf, expected);
}

static void test_seconds(void **state UNUSED)
{
	check_seconds("5", 0, "t 5000000");
	check_seconds("2.5", 0, "t 2500000");
	check_seconds("uint64 7", 0, "t 7000000");
	check_seconds("byte 1", 0, "t 1000000");
	check_seconds("int64 0", 0, "t 0");
	check_seconds("-1", -ERANGE, NULL);
	check_seconds("-0.5", -ERANGE, NULL);
	check_seconds("1e30", -ERANGE, NULL);
	check_seconds("nan", -ERANGE, NULL);
	check_seconds("uint64 18446744073709551615", -ERANGE, NULL);
	check_seconds("'5'", -EINVAL, NULL);
	check_seconds("[5]", -EINVAL, NULL);
	check_seconds("true", -EINVAL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),	cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_containers),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
