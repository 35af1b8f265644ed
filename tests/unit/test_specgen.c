/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the options of run to the configuration of the runtime: tests/golden/engine/NAME.args (one argument a line) with
 * NAME.spec. The facts are the same for all, but for what the name says: "v2", "uid1000", "systemd". Likewise conmon's
 * command line. FLOE_GOLDEN_UPDATE=1 writes the expected files anew.
 */
#include "engine/specgen.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/floe/commands.h"
#include "cli/floe/create_options.h"
#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "engine/conmon.h"
#include "engine/container.h"
#include "engine/etc_files.h"

static char *golden_path(const char *name)
{
	const char *root = getenv("FLOE_SOURCE_ROOT");

	return xasprintf("%s/tests/golden/engine/%s", root ? root : ".", name);
}

static void add_bind(struct spec_facts *f, const char *destination, bool is_shm)
{
	*array_push(f->binds, f->n_binds) = (struct spec_bind){
		.destination = xstrdup(destination),
		.source = xasprintf("/run/floe/containers/ID%s", destination),
		.is_shm = is_shm,
	};
}

static void copy_mount(struct spec_facts *f, const struct container_mount *from)
{
	struct container_mount *to = array_push(f->mounts, f->n_mounts);

	to->type = xstrdup(from->type);
	to->source = str_eq(from->type, "volume") ?
			     xasprintf("/volumes/%s/_data", from->source ? from->source : "ANON") :
			     xstrdup(from->source);
	to->destination = xstrdup(from->destination);
	for (size_t i = 0; i < from->n_options; i++)
		json_strings_add(&to->options, &to->n_options, from->options[i]);
}

static void make_facts(const char *name, const struct container_config *c, struct spec_facts *f)
{
	*f = (struct spec_facts){
		.rootfs = xstrdup("/rootfs"),
		.hostname = xstrdup(c->hostname ? c->hostname : "0123456789ab"),
		.cgroups_path = xstrdup("/floe/floe-ID"),
		.nofile_max = 1048576,
		.nproc_max = 100000,
		.last_cap = 40,
		.cgroup_v2 = strstr(name, "v2"),
		.systemd_mode = strstr(name, "systemd"),
	};
	f->user.home = xstrdup("/root");
	if (strstr(name, "uid1000")) {
		f->user.uid = 1000;
		f->user.gid = 100;
		f->user.given = true;
		*array_push(f->user.groups, f->user.n_groups) = 7;
	}
	add_bind(f, "/etc/hosts", false);
	add_bind(f, "/etc/resolv.conf", false);
	add_bind(f, "/dev/shm", true);
	for (size_t i = 0; i < c->n_mounts; i++)
		copy_mount(f, &c->mounts[i]);
	for (size_t i = 0; i < c->n_devices; i++)
		*array_push(f->devices, f->n_devices) = (struct spec_device){
			.path = xstrdup(c->devices[i].path),
			.type = 'c',
			.major = 10,
			.minor = 200,
			.mode = 0660,
			.access = xstrdup(c->devices[i].permissions),
		};
	if (c->init)
		f->init_path = xstrdup("/usr/libexec/catatonit");
	json_string_map_set(&f->throttle_numbers, "/dev/sda", "8:0");
}

static int make_text(const char *name, char *const *args, char **ret, struct err *err)
{
	struct create_options options = create_options_default;
	struct cli_table table = { floe_create_command.options, floe_create_command.n_options,
				   &options };
	auto_cli_args struct cli_args parsed = { 0 };
	auto_container_config struct container_config config = { 0 };
	auto_spec_facts struct spec_facts facts = { 0 };
	struct runtime_spec spec;
	int r = cli_parse(&table, 1, true, "floe create", args, &parsed, err);

	if (r == 0)
		r = create_options_apply(&options, parsed.v, parsed.n, NULL, &config, err);
	cli_options_done(&table);
	if (r < 0)
		return r;
	config.id = xstrdup("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	make_facts(name, &config, &facts);
	r = specgen(&spec, &config, &facts, err);
	if (r < 0)
		return r;
	*ret = runtime_spec_to_json(&spec, JSON_INDENT2);
	runtime_spec_done(&spec);
	return 0;
}

static void compare(const char *name, const char *text)
{
	auto_free char *path = golden_path(name);
	auto_free char *with_newline = xasprintf("%s\n", text);
	auto_strbuf struct strbuf expected = STRBUF_INIT;

	if (getenv("FLOE_GOLDEN_UPDATE")) {
		assert_int_equal(fs_write_atomic(AT_FDCWD, path, with_newline, strlen(with_newline),
						 0644, FS_VOLATILE),
				 0);
		return;
	}
	assert_int_equal(io_read_file_at(AT_FDCWD, path, 1U << 20, &expected), 0);
	if (!str_eq(expected.buf, with_newline))
		fail_msg("%s: not as expected:\n%s", name, with_newline);
}

static void check(const char *file)
{
	auto_free char *name = xstrndup(file, strlen(file) - strlen(".args"));
	auto_free char *path = golden_path(file);
	auto_free char *expected = xasprintf("%s.spec", name);
	auto_strbuf struct strbuf input = STRBUF_INIT;
	auto_strvec struct strvec args = STRVEC_INIT;
	auto_free char *text = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(io_read_file_at(AT_FDCWD, path, 1U << 20, &input), 0);
	strvec_split(&args, input.buf, '\n', false);
	if (make_text(name, args.v, &text, &err) < 0)
		text = xasprintf("error: %s", err.msg);
	compare(expected, text);
}

static void golden_files(void **state)
{
	auto_free char *dir_path = golden_path("");
	auto_closedir DIR *dir = opendir(dir_path);
	struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (str_has_suffix(entry->d_name, ".args")) {
			check(entry->d_name);
			n++;
		}
	assert_true(n >= 10);
}

static void conmon_command_line(void **state)
{
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_strvec struct strvec exit_command = STRVEC_INIT;
	auto_strvec struct strvec runtime_args = STRVEC_INIT;
	auto_free char *text = NULL;

	(void)state;
	strvec_split(&exit_command, "/usr/bin/floe,container,cleanup,ID", ',', false);
	strvec_split(&runtime_args, "--cgroup-manager,disabled", ',', false);
	conmon_plan(&(struct conmon_params){ .conmon = "/usr/bin/conmon",
					     .id = "ID",
					     .name = "name",
					     .runtime = "/usr/bin/crun",
					     .runtime_args = &runtime_args,
					     .bundle = "/bundle",
					     .pidfile = "/run/pidfile",
					     .conmon_pidfile = "/run/conmon.pid",
					     .exit_dir = "/exits",
					     .persist_dir = "/persist/ID",
					     .log_driver = "json-file",
					     .log_path = "/log",
					     .log_size_max = 1000,
					     .log_tag = "tag",
					     .no_sync_log = true,
					     .oci_log = "/run/oci-log",
					     .tty = true,
					     .interactive = true,
					     .timeout = 5,
					     .exit_command = &exit_command },
		    &argv);
	text = strvec_join(&argv, "\n");
	compare("conmon-container.argv", text);
	strvec_done(&argv);
	conmon_plan(&(struct conmon_params){ .conmon = "/usr/bin/conmon",
					     .id = "ID",
					     .uuid = "SESSION",
					     .name = "name",
					     .runtime = "/usr/bin/crun",
					     .bundle = "/session",
					     .pidfile = "/session/pidfile",
					     .exit_dir = "/session/exit",
					     .log_driver = "none",
					     .exec_spec = "/session/process.json",
					     .exec_attach = true },
		    &argv);
	replace_ptr(text, strvec_join(&argv, "\n"));
	compare("conmon-exec.argv", text);
}

static void hosts_and_resolv_conf(void **state)
{
	char *add[] = { (char[]){ "db;cache:10.0.0.1" }, (char[]){ "host:host-gateway" } };
	const char *addresses[] = { "10.88.0.2", "fd01::2" };
	struct etc_hosts_params hosts = { .base = "127.0.0.1 localhost\n1.2.3.4 db\nfd00::1 six",
					  .add = add,
					  .n_add = 2,
					  .host_gateway = "10.88.0.1",
					  .addresses = addresses,
					  .n_addresses = 2,
					  .hostname = "abc",
					  .name = "web" };
	struct etc_resolv_params resolv = {
		.host = "search a.b c.d\nnameserver 127.0.0.53\nnameserver fe80::1%eth0\n"
			"nameserver 9.9.9.9\noptions ndots:2\n",
		.new_netns = true,
	};
	auto_free char *text = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(etc_hosts_text(&hosts, &text, &err), 0);
	assert_string_equal(text, "10.0.0.1\tdb cache\n10.88.0.1\thost\n127.0.0.1 localhost\n"
				  "1.2.3.4 db\nfd00::1 six\n::1\tlocalhost\n"
				  "10.88.0.1\thost.containers.internal "
				  "host.docker.internal\n10.88.0.2\tabc web\nfd01::2\tabc web\n");
	replace_ptr(text, etc_resolv_text(&resolv));
	assert_string_equal(text, "search a.b c.d\nnameserver 9.9.9.9\noptions ndots:2\n");
	resolv.host = "nameserver 127.0.0.53\n";
	replace_ptr(text, etc_resolv_text(&resolv));
	assert_string_equal(text, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}

/* Whatever the state, it can be removed, and a restart of the machine leads to one that can be started. */
static void state_machine(void **state)
{
	(void)state;
	for (enum container_phase p = PHASE_CREATED; p <= PHASE_STOPPING; p++) {
		enum container_phase after = container_next_phase(p, EVENT_REBOOT);

		assert_int_not_equal(after, 0);
		if (after != PHASE_REMOVING)
			assert_int_not_equal(container_next_phase(after, EVENT_INIT), 0);
		if (p != PHASE_RUNNING && p != PHASE_PAUSED && p != PHASE_STOPPING &&
		    p != PHASE_REMOVING)
			assert_int_not_equal(container_next_phase(p, EVENT_CLEANUP), 0);
		assert_true(container_phase_from_string(container_phase_to_string(p)) == p);
	}
	for (enum container_phase p = PHASE_RUNNING; p <= PHASE_STOPPING; p++)
		if (p == PHASE_RUNNING || p == PHASE_PAUSED || p == PHASE_STOPPING)
			assert_int_equal(container_next_phase(p, EVENT_EXIT), PHASE_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_files),
		cmocka_unit_test(conmon_command_line),
		cmocka_unit_test(hosts_and_resolv_conf),
		cmocka_unit_test(state_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
