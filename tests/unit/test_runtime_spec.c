/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/runtime_spec.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"
#include "core/str.h"
#include "spec/defaults.h"
#include "spec/runtime_features.h"
#include "spec/runtime_state.h"
#include "spec/sysctl_name.h"
#include "spec/validate.h"
#include "spec/vocabulary.h"

static char *golden_path(const char *name)
{
	const char *root = getenv("FLOE_SOURCE_ROOT");

	return xasprintf("%s/tests/golden/spec/%s", root ? root : ".", name);
}

/* Without the newline at the end, which our writer leaves to the caller. */
static char *golden_text(const char *name)
{
	auto_free char *path = golden_path(name);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	assert_int_equal(io_read_file_at(AT_FDCWD, path, JSON_TEXT_MAX, &text), 0);
	while (text.len && text.buf[text.len - 1] == '\n')
		strbuf_truncate(&text, text.len - 1);
	return strbuf_take(&text);
}

static void load_golden(struct runtime_spec *ret, const char *name)
{
	auto_free char *path = golden_path(name);
	struct err err = ERR_INIT;

	if (runtime_spec_load(ret, AT_FDCWD, path, &err) < 0)
		fail_msg("%s", err.msg);
}

/* Real-looking documents come back byte for byte, unknown keys and all. */
static void test_round_trip(void **state UNUSED)
{
	static const char *const names[] = { "full.json", "podman.json", "docker.json" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *expected = golden_text(names[i]);
		auto_free char *text = NULL;
		struct runtime_spec spec;

		load_golden(&spec, names[i]);
		text = runtime_spec_to_json(&spec, JSON_INDENT2);
		assert_string_equal(text, expected);
		runtime_spec_done(&spec);
	}
}

static void test_accepted(void **state UNUSED)
{
	static const char *const names[] = { "podman.json", "docker.json", "default.json",
					     "default-rootless.json" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct err err = ERR_INIT;
		struct runtime_spec spec;

		load_golden(&spec, names[i]);
		if (runtime_spec_validate(&spec, &err) < 0)
			fail_msg("%s: %s", names[i], err.msg);
		runtime_spec_done(&spec);
	}
}

/* Every row of every table is in full.json, in the first element of its list. */
static void check_coverage(const struct json_desc *desc, struct json_object *value);

static struct json_object *first_of(struct json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		return json_object_array_get_idx(value, 0);
	json_object_object_foreach(value, key, member)
	{
		(void)key;
		return member;
	}
	return NULL;
}

static void check_row(const struct json_field *field, struct json_object *object)
{
	struct json_object *member = NULL;

	if (field->kind == JSON_KIND_EXTRA)
		return;
	if (!json_object_object_get_ex(object, field->key, &member))
		fail_msg("full.json lacks %s", field->key);
	if (!field->desc)
		return;
	if (field->kind == JSON_KIND_OBJECTS || field->kind == JSON_KIND_OBJECT_MAP)
		member = first_of(member);
	check_coverage(field->desc, member);
}

static void check_coverage(const struct json_desc *desc, struct json_object *value)
{
	assert_true(json_object_is_type(value, json_type_object));
	for (size_t i = 0; i < desc->n_fields; i++)
		check_row(&desc->fields[i], value);
}

static void test_coverage(void **state UNUSED)
{
	auto_free char *text = golden_text("full.json");
	struct json_object *value = json_tokener_parse(text);
	struct json_object *mounts;
	struct json_object *swapped;

	/* The first mount is short on purpose: look at the second. */
	assert_true(json_object_object_get_ex(value, "mounts", &mounts));
	swapped = json_object_get(json_object_array_get_idx(mounts, 1));
	assert_int_equal(json_object_array_put_idx(mounts, 0, swapped), 0);
	/* Likewise the namespace with a path. */
	assert_true(json_object_object_get_ex(value, "linux", &mounts));
	assert_true(json_object_object_get_ex(mounts, "namespaces", &mounts));
	swapped = json_object_get(json_object_array_get_idx(mounts, 1));
	assert_int_equal(json_object_array_put_idx(mounts, 0, swapped), 0);
	check_coverage(&runtime_spec_desc, value);
	json_object_put(value);
}

static void check_process(const struct oci_process *process)
{
	assert_true(process->terminal && process->no_new_privileges);
	assert_int_equal(process->console_size->height, 25);
	assert_true(process->user.umask.set && process->user.umask.v == 022);
	assert_int_equal(process->user.additional_gids[1], 6);
	assert_string_equal(process->args[2], "echo \"h\xc3\xa9llo\"\t/");
	assert_null(process->args[process->n_args]);
	assert_non_null(process->capabilities->inheritable);
	assert_int_equal(process->capabilities->n_inheritable, 0);
	assert_true(process->rlimits[0].hard == UINT64_MAX && process->rlimits[0].soft == 1024);
	assert_true(process->oom_score_adj.set && process->oom_score_adj.v == -500);
	assert_true(process->scheduler->period.v == UINT64_MAX);
	assert_int_equal(process->io_priority->priority, 4);
	assert_string_equal(process->exec_cpu_affinity->final_, "0-3,7");
	assert_non_null(process->extra.object);
}

static void check_resources(const struct oci_resources *resources)
{
	assert_true(resources->devices[0].major.set && resources->devices[0].major.v == -1);
	assert_true(resources->devices[1].allow && !resources->devices[1].type);
	assert_true(resources->memory->reservation.v == -1);
	assert_true(resources->memory->swappiness.set && resources->memory->swappiness.v == 0);
	assert_true(resources->cpu->idle.set && resources->cpu->idle.v == 0);
	assert_true(resources->pids->limit.v == 32771);
	assert_true(resources->block_io->throttle_write_bps[0].rate == UINT64_MAX);
	assert_true(resources->block_io->throttle_read_iops[0].minor == 2);
	assert_true(resources->block_io->throttle_write_iops[0].minor == 3);
	assert_true(resources->hugepage_limits[0].limit == UINT64_MAX);
	assert_string_equal(resources->rdma[1].key, "rxe3");
	assert_false(resources->rdma[1].hca_handles.set);
	assert_string_equal(json_string_map_get(&resources->unified, "memory.high"), "1048576");
}

static void test_full(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct runtime_spec spec;

	load_golden(&spec, "full.json");
	check_process(spec.process);
	check_resources(spec.linux_->resources);
	assert_string_equal(spec.mounts[1].options[0], "rbind");
	assert_int_equal(spec.mounts[1].gid_mappings[1].host_id, 300000);
	assert_true(spec.hooks->poststop[0].timeout.v == 30);
	assert_false(spec.hooks->poststop[1].timeout.set);
	assert_string_equal(runtime_spec_annotation(&spec, "com.example.key1"), "value1");
	assert_null(runtime_spec_annotation(&spec, "com.example"));
	assert_string_equal(spec.linux_->namespaces[1].path, "/var/run/netns/neta");
	assert_string_equal(spec.linux_->net_devices[0].key, "eth0");
	assert_true(spec.linux_->seccomp->syscalls[0].args[0].value_two == UINT64_MAX);
	assert_true(spec.linux_->time_offsets[1].secs == -604800);
	assert_ptr_equal(oci_linux_namespace(spec.linux_, "network"), &spec.linux_->namespaces[1]);
	assert_null(oci_linux_namespace(spec.linux_, "net"));
	assert_null(oci_linux_namespace(NULL, "network"));
	/* All that there is, but for the one thing that is not for us. */
	assert_int_equal(runtime_spec_validate(&spec, &err), -EOPNOTSUPP);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	json_object_object_del(spec.extra.object, "vm");
	if (runtime_spec_validate(&spec, &err) < 0)
		fail_msg("%s", err.msg);
	runtime_spec_done(&spec);
	assert_null(spec.process);
}

/* An empty list of flags is not the same as none. */
static void test_seccomp_flags(void **state UNUSED)
{
	static const char with[] = "{\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
				   "\"flags\":[]}}}";
	struct runtime_spec spec;

	assert_int_equal(json_decode(&runtime_spec_desc, &spec, with, strlen(with), "c", NULL), 0);
	assert_non_null(spec.linux_->seccomp->flags);
	assert_int_equal(spec.linux_->seccomp->n_flags, 0);
	assert_null(spec.linux_->seccomp->architectures);
	runtime_spec_done(&spec);
}

static void test_errors(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "{\"mounts\":[{\"destination\":\"/a\"},\n{\"options\":[\"ro\", 1]}]}",
		  "c:2: mounts[1].options[1]: expected string, got number" },
		{ "{\"process\":{\"user\":{\"uid\":-1}}}",
		  "c:1: process.user.uid: expected integer from 0 to 4294967295, got -1" },
		{ "{\"process\":{\"rlimits\":[{\"hard\":-1}]}}",
		  "c:1: process.rlimits[0].hard: expected integer from 0 to 18446744073709551615, "
		  "got -1" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":1.5}}}}",
		  "c:1: linux.resources.memory.limit: expected integer, got number 1.5" },
		{ "{\"annotations\":{\"a\":1}}",
		  "c:1: annotations.a: expected string, got number" },
		{ "{\"process\":{\"env\":[\"A=\\u0000\"]}}",
		  "c:1: process.env[0]: string contains a NUL character" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct runtime_spec spec;

		assert_int_equal(json_decode(&runtime_spec_desc, &spec, cases[i].text,
					     strlen(cases[i].text), "c", &err),
				 -EBADMSG);
		assert_string_equal(err.msg, cases[i].message);
	}
}

/* No prefix of a real document is taken for a whole one, and none leaks. */
static void test_truncated(void **state UNUSED)
{
	auto_free char *text = golden_text("full.json");
	size_t len = strlen(text);
	struct runtime_spec spec;

	for (size_t n = 0; n < len; n += 7) {
		char *part = xmemdup(text, n);

		assert_int_equal(json_decode(&runtime_spec_desc, &spec, part, n, "c", NULL),
				 -EBADMSG);
		free(part);
	}
}

/* Members of the wrong type anywhere: an error, no crash, no leak. */
static void test_wrong_types(void **state UNUSED)
{
	auto_free char *text = golden_text("full.json");
	static const char *const values[] = { "{}", "[]", "\"\"", "-1", "true", "1.5" };

	for (char *p = strchr(text, ':'); p; p = strchr(p + 1, ':')) {
		size_t head = (size_t)(p + 1 - text);
		size_t old = strcspn(p + 1, ",\n");

		for (size_t i = 0; p[1] == ' ' && !strchr("{[", p[2]) && i < ARRAY_SIZE(values);
		     i++) {
			auto_free char *changed =
				xasprintf("%.*s%s%s", (int)head, text, values[i], p + 1 + old);
			struct runtime_spec spec;

			if (json_decode(&runtime_spec_desc, &spec, changed, strlen(changed), "c",
					NULL) == 0)
				runtime_spec_done(&spec);
		}
	}
}

static void check_default(const struct spec_default_opts *opts, const char *name)
{
	auto_free char *expected = golden_text(name);
	auto_free char *text = NULL;
	struct runtime_spec spec;

	runtime_spec_default(&spec, opts);
	text = runtime_spec_to_json(&spec, JSON_TABS);
	assert_string_equal(text, expected);
	runtime_spec_done(&spec);
}

static void test_defaults(void **state UNUSED)
{
	check_default(&(struct spec_default_opts){ 0 }, "default.json");
	check_default(&(struct spec_default_opts){ .is_rootless = true,
						   .has_cgroup_namespace = true,
						   .host_uid = 1000,
						   .host_gid = 1001 },
		      "default-rootless.json");
}

static void check_same(const struct json_desc *desc, const char *text)
{
	struct err err = ERR_INIT;
	void *object = xcalloc(1, desc->size);
	auto_free char *again = NULL;

	if (json_decode(desc, object, text, strlen(text), "text", &err) < 0)
		fail_msg("%s", err.msg);
	again = json_encode(desc, object, JSON_COMPACT);
	assert_string_equal(again, text);
	json_done(desc, object);
	free(object);
}

static void test_state_documents(void **state UNUSED)
{
	check_same(&oci_state_desc,
		   "{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"status\":\"running\",\"pid\":7,"
		   "\"bundle\":\"/b\",\"annotations\":{\"k\":\"v\"}}");
	/* The pid of a stopped container: left out for hooks, 0 for `state`. */
	check_same(&oci_state_desc, "{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"status\":"
				    "\"stopped\",\"bundle\":\"/b\"}");
	check_same(&container_state_desc,
		   "{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"pid\":0,\"status\":\"stopped\","
		   "\"bundle\":\"/b\",\"rootfs\":\"/b/rootfs\",\"created\":"
		   "\"2026-01-01T00:00:00.5Z\",\"owner\":\"\"}");
	check_same(&oci_seccomp_state_desc,
		   "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":9,\"metadata\":\"m\","
		   "\"state\":{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"status\":\"creating\","
		   "\"pid\":9,\"bundle\":\"/b\"}}");
}

static void test_features(void **state UNUSED)
{
	static const char text[] =
		"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.3.0\",\"hooks\":[\"prestart\"],"
		"\"mountOptions\":[\"ro\"],\"linux\":{\"namespaces\":[\"pid\"],\"capabilities\":["
		"\"CAP_KILL\"],\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":true,"
		"\"systemdUser\":false,\"rdma\":true},\"seccomp\":{\"enabled\":true,\"actions\":[],"
		"\"operators\":[],\"archs\":[],\"knownFlags\":[],\"supportedFlags\":[]},"
		"\"apparmor\":{\"enabled\":true},\"selinux\":{\"enabled\":false},\"intelRdt\":{"
		"\"enabled\":true,\"schemata\":true,\"monitoring\":true},\"memoryPolicy\":{"
		"\"modes\":[],\"flags\":[]},\"mountExtensions\":{\"idmap\":{\"enabled\":true}},"
		"\"netDevices\":{\"enabled\":true}},\"annotations\":{\"a\":\"b\"},"
		"\"potentiallyUnsafeConfigAnnotations\":[\"bundle\"]}";

	check_same(&runtime_features_desc, text);
}

static void check_sysctl(const char *name, const char *path, const char *type)
{
	auto_free char *got = sysctl_name_to_path(name);

	if (!path) {
		assert_null(got);
		return;
	}
	assert_string_equal(got, path);
	assert_true(str_eq(sysctl_path_namespace(got), type));
}

static void test_sysctl_names(void **state UNUSED)
{
	check_sysctl("net.ipv4.ip_forward", "net/ipv4/ip_forward", "network");
	check_sysctl("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding",
		     "network");
	check_sysctl("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding",
		     "network");
	check_sysctl("kernel.shm_rmid_forced", "kernel/shm_rmid_forced", "ipc");
	check_sysctl("kernel.sem2", "kernel/sem2", NULL);
	check_sysctl("fs.mqueue.msg_max", "fs/mqueue/msg_max", "ipc");
	check_sysctl("fs.mqueue", "fs/mqueue", NULL);
	check_sysctl("kernel.domainname", "kernel/domainname", "uts");
	check_sysctl("user.max_user_namespaces", "user/max_user_namespaces", "user");
	check_sysctl("kernel.core_pattern", "kernel/core_pattern", NULL);
	check_sysctl("network", "network", NULL);
	check_sysctl("", NULL, NULL);
	check_sysctl("net..ipv4", NULL, NULL);
	check_sysctl("net/../kernel/core_pattern", NULL, NULL);
	check_sysctl("net.//.kernel.core_pattern", NULL, NULL);
	check_sysctl("net.ipv4.", NULL, NULL);
	check_sysctl("/net/ipv4/ip_forward", NULL, NULL);
}

static void test_vocabulary(void **state UNUSED)
{
	assert_int_equal(vocabulary_find(&spec_namespaces, "network")->value, 0x40000000);
	assert_int_equal(vocabulary_find(&spec_namespaces, "time")->value, 0x80);
	assert_null(vocabulary_find(&spec_namespaces, "net"));
	assert_null(vocabulary_find(&spec_namespaces, NULL));
	assert_int_equal(vocabulary_find(&spec_propagations, "rslave")->value, 0x84000);
	assert_int_equal(spec_hooks.n, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_coverage),      cmocka_unit_test(test_full),
		cmocka_unit_test(test_seccomp_flags), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_truncated),     cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_defaults),      cmocka_unit_test(test_state_documents),
		cmocka_unit_test(test_features),      cmocka_unit_test(test_sysctl_names),
		cmocka_unit_test(test_vocabulary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
