/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations and what is planned for them: tests/golden/mount/NAME.json (and those of
 * tests/golden/spec) with NAME.plan. The annotation floe.test.facts has the facts that are not in the
 * document. FLOE_GOLDEN_UPDATE=1 writes the expected files anew.
 */
#include "runtime/mount/plan.h"

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
#include "core/log.h"
#include "core/str.h"
#include "runtime/device/plan.h"

static char *golden_path(const char *dir, const char *name, const char *suffix)
{
	const char *root = getenv("FLOE_SOURCE_ROOT");

	return xasprintf("%s/tests/golden/%s/%s%s", root ? root : ".", dir, name, suffix);
}

static bool has_fact(const struct runtime_spec *spec, const char *name, const char *fact)
{
	const char *words = runtime_spec_annotation(spec, "floe.test.facts");

	return (words && strstr(words, fact)) || strstr(name, fact);
}

static int make_text(const struct runtime_spec *spec, const char *name, char **ret, struct err *err)
{
	auto_mount_plan struct mount_plan plan = MOUNT_PLAN_INIT;
	auto_device_plan struct device_plan devices = DEVICE_PLAN_INIT;
	auto_free char *mount_text = NULL;
	auto_free char *device_text = NULL;
	struct mount_facts facts;
	int r;

	mount_facts_init(&facts, spec, "/bundle");
	facts.is_rootless = has_fact(spec, name, "rootless");
	facts.cgroup_mode = has_fact(spec, name, "v2") ? MOUNT_CGROUP_V2 : MOUNT_CGROUP_V1;
	r = mount_plan_make(&plan, spec, &facts, err);
	if (r == 0)
		r = device_plan_make(&devices, spec, &plan, err);
	if (r < 0)
		return r;
	mount_text = mount_plan_to_text(&plan);
	device_text = device_plan_to_text(&devices);
	/* The default devices need not be in every file. */
	*ret = xasprintf("%s%s", mount_text,
			 spec->linux_ && spec->linux_->n_devices ? device_text : "");
	return 0;
}

static void check(const char *dir, const char *name)
{
	auto_free char *input = golden_path(dir, name, ".json");
	auto_free char *path = golden_path("mount", name, ".plan");
	auto_strbuf struct strbuf expected = STRBUF_INIT;
	auto_free char *text = NULL;
	struct runtime_spec spec;
	struct err err = ERR_INIT;

	if (json_decode_file(&runtime_spec_desc, &spec, AT_FDCWD, input, &err) < 0)
		fail_msg("%s", err.msg);
	if (make_text(&spec, name, &text, &err) < 0)
		text = xasprintf("%s: %s\n", err_kind_to_string(err.kind), err.msg);
	runtime_spec_done(&spec);
	if (getenv("FLOE_GOLDEN_UPDATE")) {
		assert_int_equal(
			fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0644, FS_VOLATILE), 0);
		return;
	}
	if (io_read_file_at(AT_FDCWD, path, 65536, &expected) < 0)
		fail_msg("cannot read %s", path);
	if (!str_eq(text, expected.buf))
		fail_msg("%s:\n--- expected\n%s--- got\n%s", name, expected.buf, text);
}

static void test_golden(void **state UNUSED)
{
	static const char *const dirs[] = { "mount", "spec" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		auto_free char *dir_path = golden_path(dirs[i], "", "");
		auto_closedir DIR *dir = opendir(dir_path);
		struct dirent *entry;

		assert_non_null(dir);
		while ((entry = readdir(dir))) {
			auto_free char *name = NULL;

			if (!str_has_suffix(entry->d_name, ".json"))
				continue;
			name = xstrndup(entry->d_name, strlen(entry->d_name) - strlen(".json"));
			check(dirs[i], name);
			n++;
		}
	}
	assert_true(n > 20);
}

/* One mount, or one part of `linux`, that is refused. */
static void test_refused(void **state UNUSED)
{
	static const struct {
		const char *mount; /* NULL: none */
		const char *linux_; /* members beside namespaces */
		const char *want;
	} cases[] = {
		{ "{\"destination\":\"/a\",\"source\":\"x\"}", "",
		  "mounts[0] '/a': type is missing; only a mount with the option 'bind' or 'rbind' "
		  "goes"
		  " without" },
		{ "{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/x\"}", "",
		  "mounts[0] '/a': type 'bind' alone makes no bind mount; add 'bind' to its "
		  "options" },
		{ "{\"destination\":\"/b/..\",\"type\":\"tmpfs\"}", "",
		  "mounts[0] '/b/..': a mount cannot cover the root file system" },
		{ "{\"destination\":\"\",\"type\":\"tmpfs\"}", "",
		  "mounts[0] '': destination is missing" },
		{ "{\"destination\":\"/a\",\"options\":[\"bind\"]}", "",
		  "mounts[0] '/a': source of the bind mount is missing" },
		{ "{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\",\"size=1\"]}",
		  "",
		  "mounts[0] '/a': bind mounts cannot have any filesystem-specific options applied"
		  " ('size=1')" },
		{ "{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\",\"tmpcopyup\"]}",
		  "", "mounts[0] '/a': tmpcopyup can be used only with tmpfs" },
		{ "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"src-nofollow\"]}", "",
		  "mounts[0] '/a': option 'src-nofollow' is for bind mounts only" },
		{ "{\"destination\":\"/a\",\"source\":\"/"
		  "x\",\"options\":[\"bind\",\"copy-symlink\","
		  "\"dest-nofollow\"]}",
		  "",
		  "mounts[0] '/a': options 'copy-symlink' and 'dest-nofollow' exclude each other; "
		  "drop"
		  " one" },
		{ "{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\",\"idmap\"]}", "",
		  "mounts[0] '/a': the id-mapped mount has no mappings: give it uidMappings and"
		  " gidMappings, or the container a user namespace" },
		{ "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"idmap\"]}", "",
		  "mounts[0] '/a': only a bind mount can be id-mapped" },
		{ "{\"destination\":\"/a\",\"source\":\"/"
		  "x\",\"options\":[\"bind\"],\"uidMappings\":"
		  "[{\"containerID\":0,\"hostID\":1,\"size\":1}]}",
		  "",
		  "mounts[0] '/a': uidMappings and gidMappings belong together; gidMappings is "
		  "missing" },
		{ "{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\","
		  "\"idmap=uids=0-1-1\"]}",
		  "",
		  "mounts[0] '/a': option 'idmap=uids=0-1-1': expected"
		  " 'idmap=uids=ID-ID-COUNT#...;gids=ID-ID-COUNT' (id in the source, id on the "
		  "host,"
		  " number of ids)" },
		{ "{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\","
		  "\"idmap=uids=0-1-0;gids=0-1-1\"]}",
		  "", "mounts[0] '/a': option 'idmap=uids=0-1-0;gids=0-1-1': expected" },
		{ "{\"destination\":\"/a\",\"source\":\"/x\",\"options\":[\"bind\","
		  "\"idmap=uids=@0-1-1;gids=0-1-1\"]}",
		  "",
		  "mounts[0] '/a': option 'idmap': ids 1 to 1 ('@') are not within one range of the"
		  " container's user namespace" },
		{ NULL, ",\"rootfsPropagation\":\"strange\"",
		  "linux.rootfsPropagation 'strange' is not one of private, slave, shared, "
		  "unbindable"
		  " or these with an 'r' in front" },
		{ NULL, ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"q\"}]",
		  "linux.devices[0] '/dev/x': type 'q' is not one of c, b, u, p" },
		{ NULL, ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"minor\":1}]",
		  "linux.devices[0] '/dev/x': major is missing" },
		{ NULL,
		  ",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"b\",\"major\":4096,\"minor\":1}]",
		  "linux.devices[0] '/dev/x': major 4096 is not between 0 and 4095" },
		{ NULL, ",\"devices\":[{\"path\":\"/a/..\",\"type\":\"p\"}]",
		  "linux.devices[0] '/a/..': path '/a/..' is the root directory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *json = xasprintf(
			"{\"mounts\":[%s],\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]%s}}",
			cases[i].mount ? cases[i].mount : "", cases[i].linux_);
		auto_free char *text = NULL;
		struct runtime_spec spec;
		struct err err = ERR_INIT;

		if (json_decode(&runtime_spec_desc, &spec, json, strlen(json), "test", &err) < 0)
			fail_msg("%s", err.msg);
		if (make_text(&spec, "", &text, &err) == 0)
			fail_msg("accepted: %s\n%s", json, text);
		runtime_spec_done(&spec);
		assert_int_equal(err.kind, ERR_INVALID);
		if (!str_has_prefix(err.msg, cases[i].want))
			fail_msg("got  %s\nwant %s", err.msg, cases[i].want);
	}
}

static void test_idmap_is_not_for_rootless(void **state UNUSED)
{
	static const char json[] =
		"{\"annotations\":{\"floe.test.facts\":\"rootless\"},\"mounts\":[{\"destination\":"
		"\"/a\",\"source\":\"/x\",\"options\":[\"bind\",\"idmap\"]}],\"linux\":{"
		"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]}}";
	auto_free char *text = NULL;
	struct runtime_spec spec;
	struct err err = ERR_INIT;

	assert_int_equal(json_decode(&runtime_spec_desc, &spec, json, strlen(json), "test", &err),
			 0);
	assert_true(make_text(&spec, "", &text, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	runtime_spec_done(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_idmap_is_not_for_rootless),
	};

	log_configure(&(struct log_config){ .level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO });
	return cmocka_run_group_tests(tests, NULL, NULL);
}
