/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/defaults.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/str.h"

#define MOUNT_OPTIONS_MAX 8

static const struct mount_template {
	const char *destination;
	const char *type;
	const char *source;
	const char *options[MOUNT_OPTIONS_MAX]; /* ends with NULL */
} mount_templates[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

/* A sysfs of its own belongs to a network namespace of its own, which a rootless one lacks. */
static const struct mount_template rootless_sys = {
	"/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" }
};

static const char *const capabilities[] = {
	"CAP_AUDIT_WRITE",
	"CAP_KILL",
	"CAP_NET_BIND_SERVICE",
};

static const char *const args[] = { "sh" };

static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
};

static const char *const masked_paths[] = {
	"/proc/acpi",	       "/proc/asound",	   "/proc/kcore",	"/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/sys/firmware",       "/proc/scsi",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static void add_strings(char ***list, size_t *n, const char *const *v, size_t n_v)
{
	for (size_t i = 0; i < n_v; i++)
		json_strings_add(list, n, v[i]);
}

#define ADD_STRINGS(object, member, v)                                                             \
	add_strings(&(object)->member, &(object)->n_##member, (v), ARRAY_SIZE(v))

/* gid=5 and the like: the ids of a rootless container are not the host's. */
static bool names_an_id(const char *option)
{
	return str_has_prefix(option, "uid=") || str_has_prefix(option, "gid=");
}

static void add_mount(struct runtime_spec *spec, const struct mount_template *template,
		      bool is_rootless)
{
	struct oci_mount *mount = array_push(spec->mounts, spec->n_mounts);

	mount->destination = xstrdup(template->destination);
	mount->type = xstrdup(template->type);
	mount->source = xstrdup(template->source);
	for (const char *const *option = template->options; *option; option++)
		if (!is_rootless || !names_an_id(*option))
			json_strings_add(&mount->options, &mount->n_options, *option);
}

static void add_mounts(struct runtime_spec *spec, bool is_rootless)
{
	for (size_t i = 0; i < ARRAY_SIZE(mount_templates); i++) {
		const struct mount_template *template = &mount_templates[i];

		if (is_rootless && str_eq(template->destination, rootless_sys.destination))
			template = &rootless_sys;
		add_mount(spec, template, is_rootless);
	}
}

static struct oci_process *default_process(void)
{
	struct oci_process *process = xcalloc(1, sizeof(*process));
	struct oci_capabilities *caps = xcalloc(1, sizeof(*caps));
	struct oci_rlimit *rlimit = array_push(process->rlimits, process->n_rlimits);

	process->terminal = true;
	ADD_STRINGS(process, args, args);
	ADD_STRINGS(process, env, env);
	process->cwd = xstrdup("/");
	process->capabilities = caps;
	ADD_STRINGS(caps, bounding, capabilities);
	ADD_STRINGS(caps, effective, capabilities);
	ADD_STRINGS(caps, permitted, capabilities);
	*rlimit = (struct oci_rlimit){ xstrdup("RLIMIT_NOFILE"), 1024, 1024 };
	process->no_new_privileges = true;
	return process;
}

static void add_namespace(struct oci_linux *linux_, const char *type)
{
	array_push(linux_->namespaces, linux_->n_namespaces)->type = xstrdup(type);
}

static void add_mappings(struct oci_linux *linux_, const struct spec_default_opts *opts)
{
	*array_push(linux_->uid_mappings, linux_->n_uid_mappings) =
		(struct oci_id_mapping){ .host_id = opts->host_uid, .size = 1 };
	*array_push(linux_->gid_mappings, linux_->n_gid_mappings) =
		(struct oci_id_mapping){ .host_id = opts->host_gid, .size = 1 };
}

static struct oci_resources *default_resources(void)
{
	struct oci_resources *resources = xcalloc(1, sizeof(*resources));
	struct oci_device_rule *rule = array_push(resources->devices, resources->n_devices);

	rule->access = xstrdup("rwm");
	return resources;
}

static struct oci_linux *default_linux(const struct spec_default_opts *opts)
{
	struct oci_linux *linux_ = xcalloc(1, sizeof(*linux_));

	add_namespace(linux_, "pid");
	if (!opts->is_rootless)
		add_namespace(linux_, "network");
	add_namespace(linux_, "ipc");
	add_namespace(linux_, "uts");
	add_namespace(linux_, "mount");
	if (opts->has_cgroup_namespace)
		add_namespace(linux_, "cgroup");
	if (opts->is_rootless) {
		add_namespace(linux_, "user");
		add_mappings(linux_, opts);
	} else {
		linux_->resources = default_resources();
	}
	ADD_STRINGS(linux_, masked_paths, masked_paths);
	ADD_STRINGS(linux_, readonly_paths, readonly_paths);
	return linux_;
}

void runtime_spec_default(struct runtime_spec *ret, const struct spec_default_opts *opts)
{
	*ret = (struct runtime_spec){
		.oci_version = xstrdup(SPEC_OCI_VERSION),
		.process = default_process(),
		.root = xcalloc(1, sizeof(*ret->root)),
		.hostname = xstrdup("floe"),
		.linux_ = default_linux(opts),
	};
	ret->root->path = xstrdup("rootfs");
	ret->root->readonly = true;
	add_mounts(ret, opts->is_rootless);
}
