/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/specgen.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/environment.h"
#include "kernel/signals.h"
#include "spec/defaults.h"

#define INIT_DESTINATION "/run/podman-init"

/* name=value, unless the list has the name. */
static void env_default(struct oci_process *p, const char *name, const char *value)
{
	auto_free char *entry = NULL;

	if (environment_has(p->env, p->n_env, name))
		return;
	entry = xasprintf("%s=%s", name, value);
	json_strings_add(&p->env, &p->n_env, entry);
}

void specgen_set_environment(struct oci_process *p, const struct container_config *c)
{
	static const struct {
		const char *name;
		const char *value;
	} defaults[] = { { "PATH", ENVIRONMENT_PATH },
			 { "TERM", "xterm" },
			 { "container", "podman" } };

	json_strings_add_all(&p->env, &p->n_env, c->env, c->n_env);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!specgen_has_option(c->unset_env, c->n_unset_env, defaults[i].name) &&
		    (c->tty || !str_eq(defaults[i].name, "TERM")))
			env_default(p, defaults[i].name, defaults[i].value);
}

static void add_environment(struct oci_process *p, const struct container_config *c,
			    const struct spec_facts *f)
{
	specgen_set_environment(p, c);
	env_default(p, "HOME", str_is_empty(f->user.home) ? "/" : f->user.home);
	if (f->hostname)
		env_default(p, "HOSTNAME", f->hostname);
	for (size_t i = 0; i < f->secret_env.n; i++)
		env_default(p, f->secret_env.v[i].key, f->secret_env.v[i].value);
	if (f->systemd_mode) {
		auto_free char *uuid = xstrndup(c->id, 32);

		env_default(p, "container_uuid", uuid);
	}
	if (f->notify_dir)
		env_default(p, "NOTIFY_SOCKET", "/run/notify/notify.sock");
}

static struct oci_rlimit *find_rlimit(struct oci_process *p, const char *type)
{
	for (size_t i = 0; i < p->n_rlimits; i++)
		if (str_eq(p->rlimits[i].type, type))
			return &p->rlimits[i];
	return NULL;
}

static void set_rlimit(struct oci_process *p, const char *type, uint64_t soft, uint64_t hard)
{
	struct oci_rlimit *to = find_rlimit(p, type);

	if (!to) {
		to = array_push(p->rlimits, p->n_rlimits);
		to->type = xstrdup(type);
	}
	to->soft = soft;
	to->hard = hard;
}

void specgen_set_rlimits(struct oci_process *p, const struct container_config *c)
{
	for (size_t i = 0; i < c->n_ulimits; i++)
		set_rlimit(p, c->ulimits[i].name, c->ulimits[i].soft, c->ulimits[i].hard);
}

static void add_rlimits(struct oci_process *p, const struct container_config *c,
			const struct spec_facts *f)
{
	const struct {
		const char *type;
		uint64_t value;
	} defaults[] = { { "RLIMIT_NOFILE", MIN(f->nofile_max, (uint64_t)1048576) },
			 { "RLIMIT_NPROC", MIN(f->nproc_max, (uint64_t)4194304) } };

	specgen_set_rlimits(p, c);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!find_rlimit(p, defaults[i].type))
			set_rlimit(p, defaults[i].type, defaults[i].value, defaults[i].value);
}

static int add_user(struct oci_process *p, const struct container_config *c,
		    const struct spec_facts *f, struct err *err)
{
	p->user.uid = f->user.uid;
	p->user.gid = f->user.gid;
	/* Whoever asks for a user gets its group among the others, too: what a program with setgid bit gives up it keeps. */
	if (!str_is_empty(c->user))
		*array_push(p->user.additional_gids, p->user.n_additional_gids) = f->user.gid;
	for (size_t i = 0; i < f->user.n_groups; i++)
		if (str_is_empty(c->user) || f->user.groups[i] != f->user.gid)
			*array_push(p->user.additional_gids, p->user.n_additional_gids) =
				f->user.groups[i];
	if (c->umask) {
		uint64_t umask;

		if (parse_u64_base(c->umask, 8, &umask) < 0 || umask > 07777)
			return err_set(err, ERR_INVALID,
				       "umask '%s': expected an octal number up to 7777", c->umask);
		p->user.umask = (struct opt_u32){ true, (uint32_t)umask };
	}
	return 0;
}

static int add_process(struct runtime_spec *spec, const struct container_config *c,
		       const struct spec_facts *f, struct err *err)
{
	struct oci_process *p = spec->process = xcalloc(1, sizeof(*p));
	int r;

	p->terminal = c->tty;
	p->cwd = xstrdup(str_is_empty(c->workdir) ? "/" : c->workdir);
	if (f->init_path) {
		json_strings_add(&p->args, &p->n_args, INIT_DESTINATION);
		json_strings_add(&p->args, &p->n_args, "--");
	}
	json_strings_add_all(&p->args, &p->n_args, c->entrypoint, c->n_entrypoint);
	json_strings_add_all(&p->args, &p->n_args, c->command, c->n_command);
	if (p->n_args == (f->init_path ? 2U : 0U))
		return err_set(err, ERR_INVALID,
			       "no command or entrypoint is given, and the image has none");
	add_environment(p, c, f);
	p->oom_score_adj = c->oom_score_adj;
	r = add_user(p, c, f, err);
	if (r == 0)
		add_rlimits(p, c, f);
	return r;
}

/* --- namespaces --------------------------------------------------------------------------------- */

static bool is_private(const char *mode)
{
	return !mode || str_eq(mode, "private") || str_eq(mode, "shareable") ||
	       str_eq(mode, "none");
}

static void add_namespace(struct oci_linux *l, const char *type, const char *path)
{
	struct oci_namespace *ns = array_push(l->namespaces, l->n_namespaces);

	ns->type = xstrdup(type);
	ns->path = xstrdup(path);
}

static const char *joined_path(const struct spec_facts *f, const char *type)
{
	for (size_t i = 0; i < f->n_namespaces; i++)
		if (str_eq(f->namespaces[i].type, type))
			return f->namespaces[i].path;
	return NULL;
}

/* A new namespace, one to join, or (host) none at all. */
static void choose_namespace(struct oci_linux *l, const struct spec_facts *f, const char *type,
			     const char *mode, bool default_is_private)
{
	const char *path = joined_path(f, type);

	if (path)
		add_namespace(l, type, path);
	else if (mode ? is_private(mode) : default_is_private)
		add_namespace(l, type, NULL);
}

static void add_id_maps(struct oci_linux *l, const struct container_config *c)
{
	add_namespace(l, "user", NULL);
	for (size_t i = 0; i < c->n_uid_maps; i++)
		*array_push(l->uid_mappings, l->n_uid_mappings) =
			(struct oci_id_mapping){ c->uid_maps[i].container, c->uid_maps[i].host,
						 c->uid_maps[i].size };
	for (size_t i = 0; i < c->n_gid_maps; i++)
		*array_push(l->gid_mappings, l->n_gid_mappings) =
			(struct oci_id_mapping){ c->gid_maps[i].container, c->gid_maps[i].host,
						 c->gid_maps[i].size };
}

static void add_namespaces(struct oci_linux *l, const struct container_config *c,
			   const struct spec_facts *f)
{
	choose_namespace(l, f, "pid", c->pid, true);
	/* Whatever the network is made of, it is in a namespace: ours, by path, or the runtime's. */
	if (!str_eq(c->network, "host"))
		add_namespace(l, "network", joined_path(f, "network"));
	choose_namespace(l, f, "ipc", c->ipc, true);
	choose_namespace(l, f, "uts", c->uts, true);
	add_namespace(l, "mount", NULL);
	choose_namespace(l, f, "cgroup", c->cgroupns, f->cgroup_v2);
	if (joined_path(f, "user"))
		add_namespace(l, "user", joined_path(f, "user"));
	else if (f->own_userns)
		add_id_maps(l, c);
}

static bool has_namespace(const struct oci_linux *l, const char *type)
{
	return oci_linux_namespace(l, type) != NULL;
}

/* --- annotations and the like ------------------------------------------------------------------- */

static int add_annotations(struct runtime_spec *spec, const struct container_config *c,
			   struct err *err)
{
	struct json_string_map *to = &spec->annotations;
	int signal_number = c->stop_signal ? signals_from_string(c->stop_signal) : SIGTERM;
	auto_free char *text = NULL;

	if (signal_number < 0)
		return err_set(err, ERR_INVALID, "stop signal '%s': no such signal",
			       c->stop_signal);
	text = xasprintf("%d", signal_number);
	json_string_map_set(to, "org.opencontainers.image.stopSignal", text);
	json_string_map_set(to, "io.container.manager", "floe");
	if (c->auto_remove)
		json_string_map_set(to, "io.podman.annotations.autoremove", "TRUE");
	if (c->privileged)
		json_string_map_set(to, "io.podman.annotations.privileged", "TRUE");
	if (c->init)
		json_string_map_set(to, "io.podman.annotations.init", "TRUE");
	if (specgen_has_option(c->groups, c->n_groups, "keep-groups"))
		json_string_map_set(to, "run.oci.keep_original_groups", "1");
	json_string_map_set_all(to, &c->annotations);
	return 0;
}

static int add_personality(struct oci_linux *l, const char *text, struct err *err)
{
	if (!text)
		return 0;
	if (!str_eq(text, "LINUX") && !str_eq(text, "LINUX32"))
		return err_set(err, ERR_COMMAND, "personality '%s': expected LINUX or LINUX32",
			       text);
	l->personality = xcalloc(1, sizeof(*l->personality));
	l->personality->domain = xstrdup(text);
	return 0;
}

/* Kernel parameters, those of a namespace that the container does not have left to the runtime's
 * judgement; by default anyone may ping. */
static void add_sysctl(struct oci_linux *l, const struct container_config *c)
{
	if (has_namespace(l, "network") && !oci_linux_namespace(l, "network")->path &&
	    !json_string_map_get(&c->sysctl, "net.ipv4.ping_group_range"))
		json_string_map_set(&l->sysctl, "net.ipv4.ping_group_range", "0 0");
	json_string_map_set_all(&l->sysctl, &c->sysctl);
}

int specgen(struct runtime_spec *ret, const struct container_config *c, struct spec_facts *f,
	    struct err *err)
{
	/* The oldest that has all that is said here: crun before 1.9 knows no other. */
	struct runtime_spec spec = { .oci_version = xstrdup("1.0.2") };
	int r;

	spec.root = xcalloc(1, sizeof(*spec.root));
	spec.root->path = xstrdup(f->rootfs);
	spec.root->readonly = c->read_only;
	spec.linux_ = xcalloc(1, sizeof(*spec.linux_));
	spec.linux_->cgroups_path = xstrdup(f->cgroups_path);
	add_namespaces(spec.linux_, c, f);
	/* A name can only be given to a uts namespace of its own. */
	if (has_namespace(spec.linux_, "uts") && !joined_path(f, "uts"))
		spec.hostname = xstrdup(f->hostname);
	add_sysctl(spec.linux_, c);
	r = add_process(&spec, c, f, err);
	if (r == 0)
		r = add_annotations(&spec, c, err);
	if (r == 0)
		r = add_personality(spec.linux_, c->personality, err);
	if (r == 0)
		r = specgen_mounts(&spec, c, f, err);
	if (r == 0)
		r = specgen_resources(&spec, c, f, err);
	if (r == 0)
		r = specgen_security(&spec, c, f, err);
	if (r < 0) {
		runtime_spec_done(&spec);
		return r;
	}
	spec.linux_->seccomp = take_ptr(f->seccomp);
	spec.hooks = take_ptr(f->hooks);
	*ret = spec;
	return 0;
}

bool specgen_has_option(char *const *options, size_t n, const char *option)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(options[i], option))
			return true;
	return false;
}

/* --- facts ---------------------------------------------------------------------------------------- */

static void mount_done(struct container_mount *m)
{
	free(m->type);
	free(m->source);
	free(m->destination);
	free(m->subpath);
	for (size_t i = 0; i < m->n_options; i++)
		free(m->options[i]);
	free(m->options);
}

void spec_facts_done(struct spec_facts *f)
{
	struct oci_hooks precreate = { .prestart = f->precreate, .n_prestart = f->n_precreate };
	struct runtime_spec owner = { .hooks = f->hooks };
	struct runtime_spec owner_of_precreate = { .hooks = xcalloc(1, sizeof(precreate)) };

	free(f->rootfs);
	free(f->hostname);
	free(f->user.groups);
	free(f->user.home);
	for (size_t i = 0; i < f->n_binds; i++) {
		free(f->binds[i].destination);
		free(f->binds[i].source);
	}
	free(f->binds);
	for (size_t i = 0; i < f->n_namespaces; i++) {
		free(f->namespaces[i].type);
		free(f->namespaces[i].path);
	}
	free(f->namespaces);
	for (size_t i = 0; i < f->n_devices; i++) {
		free(f->devices[i].path);
		free(f->devices[i].access);
	}
	free(f->devices);
	for (size_t i = 0; i < f->n_mounts; i++)
		mount_done(&f->mounts[i]);
	free(f->mounts);
	json_string_map_done(&f->secret_env);
	json_string_map_done(&f->throttle_numbers);
	if (f->seccomp) {
		owner.linux_ = xcalloc(1, sizeof(*owner.linux_));
		owner.linux_->seccomp = f->seccomp;
	}
	runtime_spec_done(&owner);
	*owner_of_precreate.hooks = precreate;
	runtime_spec_done(&owner_of_precreate);
	free(f->cgroups_path);
	free(f->apparmor_profile);
	free(f->init_path);
	free(f->notify_dir);
	*f = (struct spec_facts){ 0 };
}
