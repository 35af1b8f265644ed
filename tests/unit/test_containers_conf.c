/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/containers_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "cli/floe/commands.h"
#include "cli/floe/create_options.h"
#include "core/alloc.h"
#include "core/io.h"
#include "image/toml.h"

static char path[] = "/tmp/test-containers-conf-XXXXXX";

static int set_up(void **state UNUSED)
{
	int fd = mkstemp(path);

	if (fd < 0 || setenv("CONTAINERS_CONF", path, 1) < 0)
		return -1;
	return close(fd);
}

static int tear_down(void **state UNUSED)
{
	return unlink(path);
}

static void load(struct containers_conf *ret, const char *text)
{
	FILE *file = fopen(path, "we");
	struct err err = ERR_INIT;

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	if (containers_conf_load(ret, NULL, &err) < 0)
		fail_msg("%s", err.msg);
}

static const char every_key[] = "[containers]\n"
				"annotations = ['a=1']\n"
				"apparmor_profile = 'profile'\n"
				"base_hosts_file = 'image'\n"
				"cgroup_conf = ['memory.high=5']\n"
				"cgroupns = 'host'\n"
				"cgroups = 'no-conmon'\n"
				"default_capabilities = ['CHOWN']\n"
				"env_host = true\n"
				"http_proxy = false\n"
				"init = true\n"
				"init_path = '/init'\n"
				"ipcns = 'host'\n"
				"netns = 'none'\n"
				"oom_score_adj = -5\n"
				"pids_limit = 0\n"
				"privileged = true\n"
				"read_only = true\n"
				"seccomp_profile = '/profile.json'\n"
				"shm_size = '1k'\n"
				"userns = 'host'\n"
				"[engine]\n"
				"cgroup_manager = 'cgroupfs'\n"
				"compression_format = 'zstd'\n"
				"compression_level = 3\n"
				"events_logger = 'none'\n"
				"image_default_transport = 'oci:'\n"
				"pull_policy = 'never'\n"
				"retry = 4\n"
				"stop_timeout = 0\n"
				"[network]\n"
				"cni_plugin_dirs = ['/a', '/b']\n"
				"dns_bind_port = 5353\n"
				"firewall_driver = 'nftables'\n"
				"netavark_plugin_dirs = ['/c']\n"
				"network_backend = 'cni'\n";

/* The options' defaults, and the lists that a container gets. */
static void test_every_key(void **state UNUSED)
{
	auto_containers_conf struct containers_conf conf = { 0 };
	struct engine_options options = { .conf = &conf };
	struct floe_context context = { 0 };
	struct create_options o = { .stop_timeout = 10 };
	auto_container_config struct container_config c = { 0 };
	auto_container_config struct container_config plain = { .privileged = true };
	struct err err = ERR_INIT;

	load(&conf, every_key);
	assert_int_equal(engine_init(&context.engine, &options, &err), 0);
	assert_string_equal(context.engine.cni_path, "/a:/b");
	create_defaults_prepare(&context, &o);
	create_defaults_lists(&context.engine, &o);
	assert_string_equal(o.hosts_file, "image");
	assert_string_equal(o.cgroupns, "host");
	assert_string_equal(o.cgroups, "no-conmon");
	assert_string_equal(o.ipc, "host");
	assert_string_equal(o.userns, "host");
	assert_string_equal(o.pull, "never");
	assert_string_equal(o.networks.v[0], "none");
	assert_true(o.env_host && o.init && o.privileged && o.read_only);
	assert_true(o.http_proxy.set && !o.http_proxy.v);
	assert_int_equal(o.oom_score_adj.v, -5);
	assert_true(o.pids_limit.set && o.pids_limit.v == 0);
	assert_int_equal(o.stop_timeout, 0);
	assert_int_equal(create_defaults_merge(&context.engine, &c, &err), 0);
	assert_string_equal(json_string_map_get(&c.annotations, "a"), "1");
	assert_string_equal(json_string_map_get(&c.limits.unified, "memory.high"), "5");
	assert_string_equal(c.default_caps[0], "CHOWN");
	assert_string_equal(c.seccomp, "/profile.json");
	assert_int_equal(c.shm_size, 1024);
	if (access("/sys/kernel/security/apparmor/profiles", F_OK) == 0)
		assert_string_equal(c.apparmor, "profile");
	/* What is privileged is not confined by default. */
	assert_int_equal(create_defaults_merge(&context.engine, &plain, &err), 0);
	assert_null(plain.seccomp);
	assert_null(plain.apparmor);
	assert_int_equal(conf.engine.retry.v, 4);
	assert_string_equal(conf.engine.image_default_transport, "oci:");
	engine_done(&context.engine);
}

/* Nothing is configured: the options stay as they were. */
static void test_nothing(void **state UNUSED)
{
	auto_containers_conf struct containers_conf conf = { 0 };
	struct engine_options options = { .conf = &conf };
	struct floe_context context = { 0 };
	struct create_options o = { .stop_timeout = 10 };
	auto_container_config struct container_config c = { 0 };
	struct err err = ERR_INIT;

	load(&conf, "# nothing\n");
	assert_int_equal(engine_init(&context.engine, &options, &err), 0);
	create_defaults_prepare(&context, &o);
	create_defaults_lists(&context.engine, &o);
	assert_int_equal(create_defaults_merge(&context.engine, &c, &err), 0);
	assert_int_equal(o.stop_timeout, 10);
	assert_null(o.umask);
	assert_int_equal(o.networks.n, 0);
	assert_int_equal(c.n_mounts, 0);
	assert_null(c.seccomp);
	assert_null(context.engine.cni_path);
	engine_done(&context.engine);
}

static void test_toml(void **state UNUSED)
{
	static const char text[] = "a = [1, 'x', [true], {b = 2, c = ['d']}] # e\n"
				   "[t.u]\nk = \"v\\n\"\nf = 1.5\n"
				   "[t]\nz = '''\nlines\n'''\n";
	static const char *const bad[] = {
		"a", "a = ", "a = [1", "[t", "a = {b = 1", "a = x", "a = 1\n[a]\nb = 2\n", "a = 'x"
	};
	struct json_object *o = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(toml_to_json(text, "text", &o, &err), 0);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
			    "{\"a\":[1,\"x\",[true],{\"b\":2,\"c\":[\"d\"]}],"
			    "\"t\":{\"u\":{\"k\":\"v\\n\",\"f\":\"1.5\"},\"z\":\"lines\\n\"}}");
	json_object_put(o);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err_clear(&err);
		assert_true(toml_to_json(bad[i], "bad", &o, &err) < 0);
		assert_non_null(strstr(err.msg, "bad"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_toml),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
