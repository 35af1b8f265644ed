/* SPDX-License-Identifier: Apache-2.0 */
/* info: this machine and this engine, with podman's keys. */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/floe/commands.h"
#include "cli/floe/version.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "cli/yaml.h"
#include "core/alloc.h"
#include "core/capture.h"
#include "core/io.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/image_use.h"
#include "engine/records.h"
#include "engine/seccomp_profile.h"
#include "engine/specgen.h"
#include "image/pull.h"
#include "image/registries.h"
#include "kernel/caps.h"
#include "kernel/cgroupfs.h"
#include "kernel/os_release.h"
#include "network/netavark.h"

#define PROGRAM_TIMEOUT_MS 10000

struct options {
	const char *format;
};

/* --- programs --------------------------------------------------------------------------------------- */

/* As capture_text(). */
static char *output_of(char *const *argv)
{
	return capture_text(argv, PROGRAM_TIMEOUT_MS);
}

/* "crun_1.8.1-1_amd64", as the package manager knows it; "" where it does not. Caller owns. */
static char *package_of(char *path)
{
	static char query[] = "/usr/bin/dpkg-query";
	static char rpm[] = "/usr/bin/rpm";
	char *const search[] = { query, (char[]){ "-S" }, path, NULL };
	char *const rpm_search[] = { rpm, (char[]){ "-qf" }, path, NULL };
	auto_free char *owner = output_of(search);
	char *version;

	if (!owner) {
		char *package = output_of(rpm_search);

		return package ? package : xstrdup("");
	}
	/* "PACKAGE[:ARCH][, ...]: PATH" */
	owner[strcspn(owner, ":,")] = '\0';
	version = output_of((char *const[]){ query, (char[]){ "-W" },
					     (char[]){ "-f=${Package}_${Version}_${Architecture}" },
					     owner, NULL });
	return version ? version : xstrdup("");
}

static struct json_object *program(const char *name, const char *path)
{
	struct json_object *o = json_object_new_object();
	auto_free char *own = xstrdup(path ? path : "");
	auto_free char *package = path ? package_of(own) : NULL;
	auto_free char *version =
		path ? output_of((char *const[]){ own, (char[]){ "--version" }, NULL }) : NULL;

	if (name)
		view_add(o, "name", name);
	view_add(o, "package", package);
	view_add(o, "path", path);
	view_add(o, "version", version);
	return o;
}

/* conmon's version is of two lines. */
static struct json_object *in_one_line(struct json_object *o)
{
	struct json_object *version;
	const char *text = json_object_object_get_ex(o, "version", &version) ?
				   json_object_get_string(version) :
				   NULL;
	const char *end = text ? strchr(text, '\n') : NULL;
	auto_free char *line = end ? xasprintf("%.*s, %s", (int)(end - text), text, end + 1) : NULL;

	if (line)
		view_add(o, "version", line);
	return o;
}

/* --- host ------------------------------------------------------------------------------------------- */

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
	uptime = xasprintf("%ldh %ldm %ld.00s (Approximately %.2f days)", info.uptime / 3600,
			   info.uptime / 60 % 60, info.uptime % 60, (double)info.uptime / 86400);
	view_add(o, "uptime", uptime);
}

static void add_percent(struct json_object *o, const char *key, double value)
{
	auto_free char *text = xasprintf("%.2f", value);

	json_object_object_add(o, key, json_object_new_double_s(value, text));
}

/* Since the machine was started: the first line of /proc/stat (proc_stat(5)). */
static void add_cpu(struct json_object *o)
{
	auto_free char *line = io_read_line_at(AT_FDCWD, "/proc/stat");
	struct json_object *cpu = json_object_new_object();
	unsigned long long t[8] = { 0 };
	double all = 0;

	if (line)
		(void)sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1],
			     &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		all += (double)t[i];
	all = all > 0 ? all / 100 : 1;
	add_percent(cpu, "userPercent", (double)(t[0] + t[1]) / all);
	add_percent(cpu, "systemPercent", (double)(t[2] + t[5] + t[6] + t[7]) / all);
	add_percent(cpu, "idlePercent", (double)(t[3] + t[4]) / all);
	json_object_object_add(o, "cpuUtilization", cpu);
}

static void add_distribution(struct json_object *o)
{
	static const struct {
		const char *from;
		const char *to;
	} keys[] = { { "ID", "distribution" },
		     { "VERSION_ID", "version" },
		     { "VARIANT_ID", "variant" },
		     { "VERSION_CODENAME", "codename" } };
	struct json_object *d = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		auto_free char *value = os_release_value(keys[i].from);

		if (value)
			view_add(d, keys[i].to, value);
	}
	json_object_object_add(o, "distribution", d);
}

static void add_cgroups(struct json_object *o, const struct engine *e)
{
	auto_cgroupfs struct cgroupfs cgroups = CGROUPFS_INIT;
	struct json_object *controllers = json_object_new_array();
	bool v2 = cgroupfs_open(&cgroups, NULL) == 0 && cgroups.mode == CGROUPFS_V2;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char *rest;
	char *word;

	view_add(o, "cgroupManager", e->cgroup_manager == ENGINE_SYSTEMD ? "systemd" : "cgroupfs");
	view_add(o, "cgroupVersion", v2 ? "v2" : "v1");
	/* Of version 1 a table with a heading: name, hierarchy, cgroups, enabled. */
	(void)io_read_file_at(AT_FDCWD, v2 ? "/sys/fs/cgroup/cgroup.controllers" : "/proc/cgroups",
			      64 << 10, &text);
	rest = text.buf;
	while (rest && (word = strsep(&rest, v2 ? " \n" : "\n"))) {
		size_t len = strcspn(word, "\t");
		const char *hierarchy = word[len] ? word + len + 1 : "";

		if (!*word || *word == '#' || (!v2 && hierarchy[0] == '0'))
			continue;
		json_object_array_add(controllers, json_object_new_string_len(word, (int)len));
	}
	json_object_object_add(o, "cgroupControllers", controllers);
}

/* What templates call something else than documents do. */
static void add_template_name(struct json_object *o, const char *name, const char *value)
{
	struct json_object *names = json_object_new_object();

	view_add(names, name, value);
	gotemplate_add_empty(o, names);
}

static struct json_object *security(const struct conf_containers *conf)
{
	struct json_object *o = json_object_new_object();
	const struct container_config plain = { 0 };
	auto_strbuf struct strbuf caps = STRBUF_INIT;
	uint64_t bounding = 0;
	uint64_t added = 0;

	(void)specgen_capabilities(&plain, caps_last(), &bounding, &added, NULL);
	for (int i = 0; i <= caps_last(); i++)
		if (bounding & CAPS_BIT(i))
			strbuf_addf(&caps, "%s%s", caps.len ? "," : "", caps_to_name(i));
	view_add(o, "capabilities", caps.buf);
	add_template_name(o, "DefaultCapabilities", caps.buf);
	view_add_bool(o, "rootless", geteuid() != 0);
	view_add_bool(o, "apparmorEnabled",
		      access("/sys/kernel/security/apparmor/profiles", F_OK) == 0);
	view_add_bool(o, "seccompEnabled", true);
	view_add(o, "seccompProfilePath",
		 !str_is_empty(conf->seccomp_profile)	     ? conf->seccomp_profile :
		 access(SECCOMP_PROFILE_OVERRIDE, F_OK) == 0 ? SECCOMP_PROFILE_OVERRIDE :
		 access(SECCOMP_PROFILE_DEFAULT, F_OK) == 0  ? SECCOMP_PROFILE_DEFAULT :
							       "");
	view_add_bool(o, "selinuxEnabled", access("/sys/fs/selinux/enforce", F_OK) == 0);
	return o;
}

static void add_network(struct json_object *o, const struct engine *e)
{
	struct json_object *n;
	auto_netavark struct netavark netavark = NETAVARK_INIT;

	view_add(o, "networkBackend", e->network_backend == NETWORK_CNI ? "cni" : "netavark");
	if (e->network_backend == NETWORK_CNI || netavark_find(&netavark, e->netavark, NULL) < 0)
		return;
	n = program(NULL, netavark.path);
	view_add(n, "backend", "netavark");
	view_add(n, "defaultNetwork", network_default_name(&e->network_dir));
	json_object_object_add(n, "dns", program(NULL, netavark.aardvark));
	json_object_object_add(o, "networkBackendInfo", n);
}

static struct json_object *host(struct engine *e)
{
	struct json_object *o = json_object_new_object();
	const char *variant = NULL;
	struct utsname name;
	struct err err = ERR_INIT;

	(void)uname(&name);
	(void)engine_find_runtime(e, &err);
	(void)engine_find_conmon(e, &err);
	view_add(o, "arch", platform_architecture(&variant));
	view_add(o, "variant", variant);
	add_cgroups(o, e);
	json_object_object_add(o, "conmon", in_one_line(program(NULL, e->conmon)));
	add_cpu(o);
	view_add_i64(o, "cpus", proc_n_cpus());
	view_add(o, "databaseBackend", "sqlite");
	add_distribution(o);
	view_add(o, "eventLogger",
		 e->options->events_backend ? e->options->events_backend : "file");
	view_add(o, "hostname", name.nodename);
	json_object_object_add(o, "idMappings", json_object_new_object());
	view_add(o, "kernel", name.release);
	view_add(o, "linkmode", "dynamic");
	view_add(o, "logDriver",
		 e->conf->containers.log_driver ? e->conf->containers.log_driver : "k8s-file");
	add_memory(o);
	add_network(o, e);
	json_object_object_add(o, "ociRuntime",
			       program(e->runtime ? path_basename(e->runtime) : "", e->runtime));
	view_add(o, "os", "linux");
	json_object_object_add(o, "security", security(&e->conf->containers));
	view_add_bool(o, "serviceIsRemote", false);
	return o;
}

/* --- store ------------------------------------------------------------------------------------------ */

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
	container_sync_loaded(&c);
	count->n++;
	count->running += c.status.phase == PHASE_RUNNING;
	count->paused += c.status.phase == PHASE_PAUSED;
	container_close(&c);
	return 0;
}

/* Names as podman has them, of statfs(2)'s numbers. */
static const char *file_system(const char *path)
{
	static const struct {
		unsigned int magic;
		const char *name;
	} known[] = { { 0xef53, "extfs" },     { 0x58465342, "xfs" },	    { 0x9123683e, "btrfs" },
		      { 0x01021994, "tmpfs" }, { 0x794c7630, "overlayfs" }, { 0x6969, "nfs" },
		      { 0x2fc12fc1, "zfs" },   { 0xf2f52010, "f2fs" } };
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return "<unknown>";
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((unsigned int)fs.f_type == known[i].magic)
			return known[i].name;
	return "<unknown>";
}

static int store_info(struct engine *e, struct json_object *o, struct err *err)
{
	struct json_object *status = json_object_new_object();
	struct json_object *images = json_object_new_object();
	auto_images struct images list = { 0 };
	struct statvfs fs;
	struct store *store;
	int r = engine_store(e, &store, err);

	if (r == 0)
		r = images_list(store, &list, err);
	if (r == 0) {
		view_add(o, "graphDriverName", store_driver_to_string(store->driver));
		if (store->driver == STORE_OVERLAY) {
			view_add(status, "Backing Filesystem", file_system(e->root));
			view_add(status, "Native Overlay Diff", "true");
			view_add(status, "Supports d_type", "true");
			view_add(status, "Using metacopy", "false");
		}
	}
	view_add_i64(images, "number", (int64_t)list.n);
	json_object_object_add(o, "graphStatus", status);
	json_object_object_add(o, "imageStore", images);
	if (statvfs(e->root, &fs) == 0) {
		int64_t all = (int64_t)(fs.f_blocks * fs.f_frsize);

		view_add_i64(o, "graphRootAllocated", all);
		view_add_i64(o, "graphRootUsed", all - (int64_t)(fs.f_bfree * fs.f_frsize));
	}
	return r;
}

static int add_store(struct engine *e, struct json_object *info, struct err *err)
{
	struct json_object *o = json_object_new_object();
	struct json_object *containers = json_object_new_object();
	struct count count = { .engine = e };
	int r = record_each_readable(e, count_one, &count, err);

	view_add_i64(containers, "number", count.n);
	view_add_i64(containers, "paused", count.paused);
	view_add_i64(containers, "running", count.running);
	view_add_i64(containers, "stopped", count.n - count.running - count.paused);
	json_object_object_add(o, "containerStore", containers);
	json_object_object_add(o, "graphOptions", json_object_new_object());
	view_add(o, "graphRoot", e->root);
	view_add(o, "runRoot", e->runroot);
	view_add_bool(o, "transientStore", false);
	view_add(o, "volumePath", e->volumepath);
	json_object_object_add(o, "configFiles", view_strings(e->conf->files.v, e->conf->files.n));
	json_object_object_add(info, "store", o);
	return r < 0 ? r : store_info(e, o, err);
}

static int add_registries(struct json_object *info, struct err *err)
{
	struct json_object *o = json_object_new_object();
	auto_registries struct registries registries = { 0 };
	int r = registries_load(&registries, NULL, err);

	if (r == 0 && registries.search.n > 0)
		json_object_object_add(o, "search",
				       view_strings(registries.search.v, registries.search.n));
	json_object_object_add(info, "registries", o);
	return r;
}

static void add_plugins(struct json_object *info)
{
	static const char *const volumes[] = { "local" };
	static const char *const networks[] = { "bridge", "macvlan", "ipvlan" };
	static const char *const logs[] = { "k8s-file", "none", "passthrough", "journald" };
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "authorization", NULL);
	json_object_object_add(o, "log",
			       view_strings((char *const *)(uintptr_t)logs, ARRAY_SIZE(logs)));
	json_object_object_add(
		o, "network",
		view_strings((char *const *)(uintptr_t)networks, ARRAY_SIZE(networks)));
	json_object_object_add(
		o, "volume", view_strings((char *const *)(uintptr_t)volumes, ARRAY_SIZE(volumes)));
	json_object_object_add(info, "plugins", o);
}

/* Where podman's templates have another name than its documents. */
static void add_go_names(struct json_object *info)
{
	struct json_object *o;
	struct json_object *version;

	if (json_object_object_get_ex(info, "host", &o) &&
	    json_object_object_get_ex(o, "cgroupVersion", &version))
		json_object_object_add(o, "CgroupsVersion", json_object_get(version));
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct engine *e = floe_engine(inv);
	struct json_object *info = json_object_new_object();
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int r;

	json_object_object_add(info, "host", host(e));
	r = add_store(e, info, err);
	if (r == 0)
		r = add_registries(info, err);
	add_plugins(info);
	json_object_object_add(info, "version", version_object());
	if (r == 0 && o->format && !str_eq(o->format, "json"))
		add_go_names(info);
	if (r == 0 && o->format)
		r = gotemplate_format_value(o->format, info, &out, err);
	else if (r == 0)
		yaml_add(info, &out);
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
