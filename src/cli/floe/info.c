/* SPDX-License-Identifier: Apache-2.0 */
/* info: this machine and this engine, with podman's keys. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/floe/commands.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "core/alloc.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/records.h"
#include "floe-config.h"
#include "kernel/cgroupfs.h"

#include <fcntl.h>

struct options {
	const char *format;
};

static struct json_object *program(const char *path)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "name", path ? path_basename(path) : "");
	view_add(o, "path", path);
	return o;
}

static void add_memory(struct json_object *o)
{
	struct sysinfo info;
	auto_free char *uptime = NULL;

	if (sysinfo(&info) < 0)
		return;
	view_add_i64(o, "memFree", (int64_t)info.freeram * info.mem_unit);
	view_add_i64(o, "memTotal", (int64_t)info.totalram * info.mem_unit);
	view_add_i64(o, "swapFree", (int64_t)info.freeswap * info.mem_unit);
	view_add_i64(o, "swapTotal", (int64_t)info.totalswap * info.mem_unit);
	uptime = xasprintf("%ldh %ldm %lds", info.uptime / 3600, info.uptime / 60 % 60,
			   info.uptime % 60);
	view_add(o, "uptime", uptime);
}

static struct json_object *host(struct engine *e)
{
	struct json_object *o = json_object_new_object();
	struct json_object *security = json_object_new_object();
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	struct utsname name;
	struct err err = ERR_INIT;

	(void)uname(&name);
	(void)engine_find_runtime(e, &err);
	(void)engine_find_conmon(e, &err);
	view_add(o, "arch", str_eq(name.machine, "x86_64") ? "amd64" : name.machine);
	view_add(o, "cgroupManager", e->cgroup_manager == ENGINE_SYSTEMD ? "systemd" : "cgroupfs");
	view_add(o, "cgroupVersion",
		 cgroupfs_open(&cgroups, NULL) == 0 && cgroups.mode == CGROUPFS_V2 ? "v2" : "v1");
	json_object_object_add(o, "conmon", program(e->conmon));
	view_add_i64(o, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	view_add(o, "databaseBackend", "sqlite");
	view_add(o, "eventLogger",
		 e->options->events_backend ? e->options->events_backend : "file");
	view_add(o, "hostname", name.nodename);
	view_add(o, "kernel", name.release);
	view_add(o, "logDriver", "k8s-file");
	view_add(o, "os", "linux");
	json_object_object_add(o, "ociRuntime", program(e->runtime));
	view_add_bool(security, "rootless", geteuid() != 0);
	view_add_bool(security, "apparmorEnabled",
		      access("/sys/module/apparmor/parameters/enabled", F_OK) == 0);
	view_add_bool(security, "seccompEnabled", true);
	view_add_bool(security, "selinuxEnabled", access("/sys/fs/selinux/enforce", F_OK) == 0);
	json_object_object_add(o, "security", security);
	add_memory(o);
	return o;
}

struct count {
	struct engine *engine;
	int64_t n;
	int64_t running;
	int64_t paused;
};

static int count_one(void *context, struct container_config *config,
		     struct container_status *status, struct err *err UNUSED)
{
	struct count *count = context;
	struct container c;

	container_from(&c, count->engine, config, status);
	container_sync(&c);
	count->n++;
	count->running += c.status.phase == PHASE_RUNNING;
	count->paused += c.status.phase == PHASE_PAUSED;
	container_close(&c);
	return 0;
}

static int store(struct engine *e, struct json_object **ret, struct err *err)
{
	struct json_object *o = json_object_new_object();
	struct json_object *containers = json_object_new_object();
	struct count count = { .engine = e };
	int r = record_each(e, count_one, &count, err);

	view_add_i64(containers, "number", count.n);
	view_add_i64(containers, "paused", count.paused);
	view_add_i64(containers, "running", count.running);
	view_add_i64(containers, "stopped", count.n - count.running - count.paused);
	json_object_object_add(o, "containerStore", containers);
	view_add(o, "graphDriverName",
		 e->options->storage_driver ? e->options->storage_driver : "overlay");
	view_add(o, "graphRoot", e->root);
	view_add(o, "runRoot", e->runroot);
	view_add(o, "volumePath", e->volumepath);
	*ret = o;
	return r;
}

/* Maps and plain values only, which is all there is. */
static void add_yaml(struct json_object *value, int depth, struct strbuf *out)
{
	json_object_object_foreach(value, key, member)
	{
		strbuf_addf(out, "%*s%s:", depth * 2, "", key);
		if (json_object_is_type(member, json_type_object)) {
			strbuf_addc(out, '\n');
			add_yaml(member, depth + 1, out);
		} else {
			const char *text = json_object_get_string(member);

			strbuf_addf(out, " %s\n", str_is_empty(text) ? "\"\"" : text);
		}
	}
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct engine *e = floe_engine(inv);
	struct json_object *info = json_object_new_object();
	struct json_object *version = json_object_new_object();
	struct json_object *part = NULL;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int r;

	json_object_object_add(info, "host", host(e));
	r = store(e, &part, err);
	json_object_object_add(info, "store", part);
	view_add(version, "Version", FLOE_VERSION);
	view_add(version, "GitCommit", FLOE_COMMIT);
	json_object_object_add(info, "version", version);
	if (r == 0 && o->format)
		r = gotemplate_format_value(o->format, info, &out, err);
	else if (r == 0)
		add_yaml(info, 0, &out);
	json_object_put(info);
	return r < 0 ? r : cli_print(out.buf, err);
}

static const struct cli_option rows[] = {
	OPT_STRING(struct options, format, "format", 'f', "json|TEMPLATE", "form of the output"),
};

const struct cli_command floe_info_command = {
	.name = "info",
	.summary = "show this machine and this engine",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = 0,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
