/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_policy.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/archive_record.h"
#include "engine/specgen.h"
#include "kernel/caps.h"

static const char *const class_names[RESTORE_CLASS_MAX_] = {
	[RESTORE_PRIVILEGED] = "privileged", [RESTORE_CAPABILITIES] = "capabilities",
	[RESTORE_DEVICES] = "devices",	     [RESTORE_MOUNTS] = "mounts",
	[RESTORE_HOOKS] = "hooks",	     [RESTORE_ANNOTATIONS] = "annotations",
	[RESTORE_NAMESPACES] = "namespaces", [RESTORE_IDS] = "ids",
	[RESTORE_SECCOMP] = "seccomp",	     [RESTORE_LSM] = "lsm",
	[RESTORE_MASKS] = "masks",	     [RESTORE_SYSCTL] = "sysctl",
	[RESTORE_SECRETS] = "secrets",	     [RESTORE_RUNTIME] = "runtime",
	[RESTORE_IMAGES] = "images",
};

void restore_findings_done(struct restore_findings *findings)
{
	strbuf_done(&findings->text);
}

int restore_allow_parse(const char *text, uint32_t *mask, struct err *err)
{
	auto_strvec struct strvec words = STRVEC_INIT;

	strvec_split(&words, text, ',', false);
	for (size_t i = 0; i < words.n; i++) {
		bool known = str_eq(words.v[i], "all");

		if (known)
			*mask |= (1U << RESTORE_CLASS_MAX_) - 1;
		for (int k = 0; k < RESTORE_CLASS_MAX_; k++)
			if (str_eq(words.v[i], class_names[k])) {
				*mask |= 1U << k;
				known = true;
			}
		if (!known) {
			auto_strvec struct strvec names = STRVEC_INIT;
			auto_free char *list = NULL;

			for (int k = 0; k < RESTORE_CLASS_MAX_; k++)
				strvec_add(&names, class_names[k]);
			list = strvec_join(&names, ", ");
			return err_set(err, ERR_USAGE, "--allow '%s': expected all, or some of %s",
				       words.v[i], list);
		}
	}
	return 0;
}

void restore_findings_add(struct restore_findings *f, enum restore_class class, const char *format,
			  ...)
{
	va_list ap;

	f->classes |= 1U << class;
	strbuf_addf(&f->text, "%s: ", class_names[class]);
	va_start(ap, format);
	strbuf_vaddf(&f->text, format, ap);
	va_end(ap);
	strbuf_addc(&f->text, '\n');
}

/* --- capabilities ----------------------------------------------------------------------------------- */

static uint64_t default_capabilities(void)
{
	const struct container_config plain = { .n_cap_add = 0 };
	uint64_t bounding = 0;
	uint64_t added = 0;

	(void)specgen_capabilities(&plain, caps_last(), &bounding, &added, NULL);
	return bounding;
}

static void check_set(char *const *names, size_t n, uint64_t *seen, struct restore_findings *f)
{
	uint64_t allowed = default_capabilities();

	for (size_t i = 0; i < n; i++) {
		int cap = caps_from_name(names[i]);

		if (cap >= 0 && (allowed & CAPS_BIT(cap)))
			continue;
		if (cap >= 0 && (*seen & CAPS_BIT(cap)))
			continue;
		if (cap >= 0)
			*seen |= CAPS_BIT(cap);
		restore_findings_add(f, RESTORE_CAPABILITIES, "%s", names[i]);
	}
}

static void check_capabilities(const struct oci_capabilities *c, struct restore_findings *f)
{
	uint64_t seen = 0;

	if (!c)
		return;
	check_set(c->bounding, c->n_bounding, &seen, f);
	check_set(c->effective, c->n_effective, &seen, f);
	check_set(c->permitted, c->n_permitted, &seen, f);
	check_set(c->inheritable, c->n_inheritable, &seen, f);
	check_set(c->ambient, c->n_ambient, &seen, f);
}

/* --- devices ---------------------------------------------------------------------------------------- */

/* What every container may use: null, zero, full, random, urandom, tty, console, ptmx, terminals, tun. */
static bool is_plain_device(const char *type, const struct opt_i64 *major,
			    const struct opt_i64 *minor)
{
	static const int numbers[][2] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 },   { 1, 9 },
					  { 5, 0 }, { 5, 1 }, { 5, 2 }, { 10, 200 } };

	if (!str_eq(type, "c") || !major->set)
		return false;
	if (major->v == 136)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (major->v == numbers[i][0] && minor->set && minor->v == numbers[i][1])
			return true;
	return false;
}

/* What CDI devices are is up to this host; the next start gives them to the container. */
static void check_devices(const struct oci_linux *l, const struct container_config *record,
			  struct restore_findings *f)
{
	for (size_t i = 0; i < record->n_cdi_devices; i++)
		restore_findings_add(f, RESTORE_DEVICES, "CDI device '%s' of this host",
				     record->cdi_devices[i]);
	for (size_t i = 0; i < l->n_devices; i++) {
		const struct oci_device *d = &l->devices[i];

		if (!str_eq(d->type, "p") && !is_plain_device(d->type, &d->major, &d->minor))
			restore_findings_add(f, RESTORE_DEVICES, "%s", d->path ? d->path : "?");
	}
	for (size_t i = 0; l->resources && i < l->resources->n_devices; i++) {
		const struct oci_device_rule *r = &l->resources->devices[i];
		bool mknod_only = str_eq(r->access, "m");

		if (r->allow && !mknod_only && !is_plain_device(r->type, &r->major, &r->minor))
			restore_findings_add(f, RESTORE_DEVICES, "access '%s' to %s %lld:%lld",
					     r->access ? r->access : "rwm",
					     r->type ? r->type : "all",
					     r->major.set ? (long long)r->major.v : -1LL,
					     r->minor.set ? (long long)r->minor.v : -1LL);
	}
	if (l->n_net_devices > 0)
		restore_findings_add(f, RESTORE_DEVICES, "network device '%s' of the host",
				     l->net_devices[0].key);
}

/* --- mounts ----------------------------------------------------------------------------------------- */

static void check_mounts(const struct runtime_spec *spec, const struct container_config *record,
			 const struct container_config *given, struct restore_findings *f)
{
	for (size_t i = 0; i < record->n_mounts; i++) {
		const struct container_mount *m = &record->mounts[i];

		if (container_config_mount(given, m->destination))
			continue;
		if (str_eq(m->type, "bind"))
			restore_findings_add(f, RESTORE_MOUNTS, "'%s' of the host on '%s'",
					     m->source, m->destination);
		else if (str_eq(m->type, "image"))
			restore_findings_add(f, RESTORE_MOUNTS, "image '%s' of this host on '%s'",
					     m->source, m->destination);
	}
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];
		bool is_sys = str_eq(m->destination, "/sys") ||
			      str_eq(m->destination, "/sys/fs/cgroup");

		if (is_sys && !specgen_has_option(m->options, m->n_options, "ro"))
			restore_findings_add(f, RESTORE_MOUNTS, "'%s' is writable", m->destination);
	}
	if (record->rootfs)
		restore_findings_add(f, RESTORE_MOUNTS, "'%s' of the host is the root file system",
				     record->rootfs);
	if (spec->linux_->rootfs_propagation && strstr(spec->linux_->rootfs_propagation, "shared"))
		restore_findings_add(f, RESTORE_MOUNTS, "its mounts propagate to the host");
}

/* --- hooks, annotations, namespaces ------------------------------------------------------------------- */

static void check_hook(const char *stage, const struct oci_hook *v, size_t n,
		       struct restore_findings *f)
{
	for (size_t i = 0; i < n; i++)
		restore_findings_add(f, RESTORE_HOOKS, "%s '%s' on the host", stage,
				     v[i].path ? v[i].path : "?");
}

static void check_hooks(const struct oci_hooks *h, struct restore_findings *f)
{
	if (!h)
		return;
	check_hook("prestart", h->prestart, h->n_prestart, f);
	check_hook("createRuntime", h->create_runtime, h->n_create_runtime, f);
	check_hook("createContainer", h->create_container, h->n_create_container, f);
	check_hook("startContainer", h->start_container, h->n_start_container, f);
	check_hook("poststart", h->poststart, h->n_poststart, f);
	check_hook("poststop", h->poststop, h->n_poststop, f);
}

/* Those by which runtimes, CRIU and systemd are told what to do on the host. */
static void check_annotations(const struct json_string_map *map, struct restore_findings *f)
{
	static const char *const prefixes[] = { "run.oci.",	      "org.criu.",
						"org.systemd.",	      "io.katacontainers.",
						"module.wasm.",	      "org.opencontainers.runtime.",
						"io.containers.trace" };

	/* podman writes these for every container. */
	static const char *const usual[] = { "org.systemd.property.KillSignal",
					     "org.systemd.property.TimeoutStopUSec", NULL };

	for (size_t i = 0; i < map->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(prefixes); k++)
			if (str_has_prefix(map->v[i].key, prefixes[k]) &&
			    !str_is_one_of(map->v[i].key, usual))
				restore_findings_add(f, RESTORE_ANNOTATIONS, "%s=%s", map->v[i].key,
						     map->v[i].value);
}

static void check_namespaces(const struct oci_linux *l, struct restore_findings *f)
{
	static const char *const types[] = { "pid", "network", "ipc", "uts", "mount" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!oci_linux_namespace(l, types[i]))
			restore_findings_add(f, RESTORE_NAMESPACES, "%s namespace of the host",
					     types[i]);
}

/* --- seccomp, labels, masks ------------------------------------------------------------------------- */

/* What the default profile gives to capabilities that no container has by default. */
static const char *const guarded_calls[] = {
	"acct",
	"add_key",
	"bpf",
	"clock_settime",
	"create_module",
	"delete_module",
	"finit_module",
	"init_module",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kexec_file_load",
	"kexec_load",
	"lookup_dcookie",
	"nfsservctl",
	"perf_event_open",
	"open_by_handle_at",
	"quotactl",
	"quotactl_fd",
	"request_key",
	"settimeofday",
	"stime",
	"swapoff",
	"swapon",
	"userfaultfd",
	"vhangup",
	"vm86",
	"vm86old",
	NULL,
};

static void check_seccomp(const struct oci_seccomp *s, struct restore_findings *f)
{
	if (!s) {
		restore_findings_add(f, RESTORE_SECCOMP, "no filter of system calls");
		return;
	}
	if (str_eq(s->default_action, "SCMP_ACT_ALLOW") ||
	    str_eq(s->default_action, "SCMP_ACT_LOG"))
		restore_findings_add(f, RESTORE_SECCOMP,
				     "what the filter does not name is allowed");
	if (s->listener_path)
		restore_findings_add(f, RESTORE_SECCOMP, "an agent of the host at '%s'",
				     s->listener_path);
	for (size_t i = 0; i < s->n_syscalls; i++) {
		const struct oci_seccomp_syscall *c = &s->syscalls[i];

		if (!str_eq(c->action, "SCMP_ACT_ALLOW") && !str_eq(c->action, "SCMP_ACT_LOG"))
			continue;
		for (size_t k = 0; c->n_args == 0 && k < c->n_names; k++)
			if (str_is_one_of(c->names[k], guarded_calls))
				restore_findings_add(f, RESTORE_SECCOMP, "system call %s",
						     c->names[k]);
	}
}

static void check_masks(const struct oci_linux *l, struct restore_findings *f)
{
	/* What every engine masks; the lists differ in what is of less weight. */
	static const char *const masked[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list",
					      "/sys/firmware" };
	static const char *const read_only[] = { "/proc/sys", "/proc/sysrq-trigger" };

	for (size_t i = 0; i < ARRAY_SIZE(masked); i++)
		if (!specgen_has_option(l->masked_paths, l->n_masked_paths, masked[i]))
			restore_findings_add(f, RESTORE_MASKS, "'%s' is visible", masked[i]);
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++)
		if (!specgen_has_option(l->readonly_paths, l->n_readonly_paths, read_only[i]))
			restore_findings_add(f, RESTORE_MASKS, "'%s' is writable", read_only[i]);
}

static void check_labels(const struct runtime_spec *spec, struct restore_findings *f)
{
	const struct oci_process *p = spec->process;

	if (str_eq(p->apparmor_profile, "unconfined"))
		restore_findings_add(f, RESTORE_LSM, "AppArmor profile unconfined");
	if (p->selinux_label &&
	    (strstr(p->selinux_label, "spc_t") || strstr(p->selinux_label, "unconfined")))
		restore_findings_add(f, RESTORE_LSM, "SELinux label '%s'", p->selinux_label);
}

/* Of namespaces that a container has of its own, as the kernel tells them apart. */
static bool is_namespaced_sysctl(const char *key)
{
	static const char *const prefixes[] = { "net.",		  "kernel.msg", "kernel.sem",
						"kernel.shm",	  "fs.mqueue.", "kernel.domainname",
						"kernel.hostname" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_has_prefix(key, prefixes[i]))
			return true;
	return false;
}

/* --- all of it -------------------------------------------------------------------------------------- */

static bool is_program_name(const char *s)
{
	return !strchr(s, '/') && s[0] != '-' && s[0] != '.';
}

void restore_policy_check(const struct archive_config *config, const struct runtime_spec *spec,
			  const struct container_config *record,
			  const struct container_config *given, struct restore_findings *ret)
{
	const struct oci_linux *l = spec->linux_;

	if (config->privileged)
		restore_findings_add(ret, RESTORE_PRIVILEGED, "the container is privileged");
	check_capabilities(spec->process->capabilities, ret);
	check_devices(l, record, ret);
	check_mounts(spec, record, given, ret);
	check_hooks(spec->hooks, ret);
	check_annotations(&spec->annotations, ret);
	check_namespaces(l, ret);
	check_seccomp(l->seccomp, ret);
	check_masks(l, ret);
	check_labels(spec, ret);
	for (size_t i = 0; i < l->sysctl.n; i++)
		if (!is_namespaced_sysctl(l->sysctl.v[i].key))
			restore_findings_add(ret, RESTORE_SYSCTL, "%s=%s", l->sysctl.v[i].key,
					     l->sysctl.v[i].value);
	for (size_t i = 0; i < record->n_secrets; i++)
		restore_findings_add(ret, RESTORE_SECRETS, "secret '%s' of this host",
				     record->secrets[i].name ? record->secrets[i].name : "?");
	if (!str_is_empty(config->runtime) && !is_program_name(config->runtime))
		restore_findings_add(ret, RESTORE_RUNTIME, "'%s'", config->runtime);
}

int restore_policy_decide(const struct restore_findings *f, uint32_t allowed, const char *source,
			  struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *list = NULL;
	uint32_t refused = f->classes & ~allowed;

	if (refused == 0)
		return 0;
	for (int i = 0; i < RESTORE_CLASS_MAX_; i++)
		if (refused & (1U << i))
			strvec_add(&names, class_names[i]);
	list = strvec_join(&names, ",");
	return err_set(err, ERR_DENIED,
		       "restore from '%s': it asks for more than 'floe run' gives a container of "
		       "its image; with trust in who made it: --allow %s",
		       source, list);
}
