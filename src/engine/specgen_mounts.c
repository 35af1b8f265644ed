/* SPDX-License-Identifier: Apache-2.0 */
/* mounts of the runtime configuration. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/specgen.h"

#define MOUNT_OPTIONS_MAX 8

struct mount_template {
	const char *destination;
	const char *type;
	const char *source;
	const char *options[MOUNT_OPTIONS_MAX];
};

static const struct mount_template template_proc = {
	"/proc", "proc", "proc", { "nosuid", "noexec", "nodev" }
};
static const struct mount_template template_dev = {
	"/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" }
};
static const struct mount_template template_pts = { "/dev/pts",
						    "devpts",
						    "devpts",
						    { "nosuid", "noexec", "newinstance",
						      "ptmxmode=0666", "mode=0620", "gid=5" } };
static const struct mount_template template_pts_no_group = { "/dev/pts",
							     "devpts",
							     "devpts",
							     { "nosuid", "noexec", "newinstance",
							       "ptmxmode=0666", "mode=0620" } };
static const struct mount_template template_sys_host = {
	"/sys", "bind", "/sys", { "rbind", "rprivate", "nosuid", "noexec", "nodev", "ro" }
};
static const struct mount_template template_mqueue = {
	"/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" }
};
static const struct mount_template template_mqueue_host = {
	"/dev/mqueue", "bind", "/dev/mqueue", { "bind", "nosuid", "noexec", "nodev" }
};
static const struct mount_template template_sys = {
	"/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" }
};
static const struct mount_template template_sys_privileged = {
	"/sys", "sysfs", "sysfs", { "rprivate", "nosuid", "noexec", "nodev", "rw" }
};
static const struct mount_template template_cgroup = { "/sys/fs/cgroup",
						       "cgroup",
						       "cgroup",
						       { "rprivate", "nosuid", "noexec", "nodev",
							 "relatime", "ro" } };
static const struct mount_template template_cgroup_rw = { "/sys/fs/cgroup",
							  "cgroup",
							  "cgroup",
							  { "rprivate", "nosuid", "noexec", "nodev",
							    "relatime", "rw" } };

static struct oci_mount *push(struct runtime_spec *spec, const char *destination, const char *type,
			      const char *source)
{
	struct oci_mount *m = array_push(spec->mounts, spec->n_mounts);

	m->destination = xstrdup(destination);
	m->type = xstrdup(type);
	m->source = xstrdup(source);
	return m;
}

static void option(struct oci_mount *m, const char *text)
{
	json_strings_add(&m->options, &m->n_options, text);
}

static void push_template(struct runtime_spec *spec, const struct mount_template *t)
{
	struct oci_mount *m = push(spec, t->destination, t->type, t->source);

	for (size_t i = 0; i < MOUNT_OPTIONS_MAX && t->options[i]; i++)
		option(m, t->options[i]);
}

static bool user_mounts(const struct spec_facts *f, const char *destination)
{
	for (size_t i = 0; i < f->n_mounts; i++)
		if (str_eq(f->mounts[i].destination, destination))
			return true;
	return false;
}

static bool has_mount(const struct runtime_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (str_eq(spec->mounts[i].destination, destination))
			return true;
	return false;
}

static void add_defaults(struct runtime_spec *spec, const struct container_config *c,
			 const struct spec_facts *f)
{
	/* In systemd mode, and for privileged ones, the container manages its own cgroup. */
	bool cgroup_writable = c->privileged || (f->systemd_mode && f->cgroup_v2);
	const struct mount_template *templates[] = {
		&template_proc,
		&template_dev,
		f->no_tty_group ? &template_pts_no_group : &template_pts,
		str_eq(c->ipc, "host") ? &template_mqueue_host : &template_mqueue,
		/* sysfs shows the network, and is mounted only by whom that belongs to. */
		f->foreign_netns ? &template_sys_host :
		c->privileged	 ? &template_sys_privileged :
				   &template_sys,
		cgroup_writable ? &template_cgroup_rw : &template_cgroup,
	};

	for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
		if (!user_mounts(f, templates[i]->destination) &&
		    !(f->no_host_mqueue && templates[i] == &template_mqueue_host))
			push_template(spec, templates[i]);
	for (size_t i = 0; c->read_only && !c->read_write_tmpfs && i < spec->n_mounts; i++)
		if (str_eq(spec->mounts[i].destination, "/dev"))
			option(&spec->mounts[i], "ro");
	if (c->proc_opts && spec->n_mounts > 0 && str_eq(spec->mounts[0].destination, "/proc")) {
		auto_free char *text = xstrdup(c->proc_opts);
		char *rest = text;
		char *word;

		while ((word = strsep(&rest, ",")))
			if (*word)
				option(&spec->mounts[0], word);
	}
}

static void add_bind(struct runtime_spec *spec, const struct container_config *c,
		     const struct spec_facts *f, const struct spec_bind *b, const char *destination)
{
	struct oci_mount *m;

	if (user_mounts(f, destination))
		return;
	m = push(spec, destination, "bind", b->source);
	option(m, "bind");
	option(m, "rprivate");
	if (b->is_shm) {
		if (c->read_only && !c->read_write_tmpfs)
			option(m, "ro");
		option(m, "nosuid");
		option(m, "noexec");
		option(m, "nodev");
	} else if (b->read_only || (c->read_only && !c->read_write_tmpfs)) {
		option(m, "ro");
		option(m, "nosuid");
		option(m, "noexec");
		option(m, "nodev");
	}
}

/* Files that we generate, the shared memory, secrets. A user's mount at the same place wins. What belongs into /etc is
 * put into that of each directory that somebody is going to chroot to as well. */
static void add_binds(struct runtime_spec *spec, const struct container_config *c,
		      const struct spec_facts *f)
{
	for (size_t i = 0; i < f->n_binds; i++) {
		const struct spec_bind *b = &f->binds[i];

		add_bind(spec, c, f, b, b->destination);
		for (size_t k = 0; k < c->n_chroot_dirs && str_has_prefix(b->destination, "/etc/");
		     k++) {
			auto_free char *destination =
				path_join(c->chroot_dirs[k], b->destination + 1);

			add_bind(spec, c, f, b, destination);
		}
	}
}

static bool is_engines_own(const char *text)
{
	static const char *const words[] = {
		"z", "Z", "U", "copy", "nocopy", "O", "no-dereference", "bind-nonrecursive"
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(text, words[i]))
			return true;
	return false;
}

static void add_users(struct runtime_spec *spec, const struct spec_facts *f)
{
	for (size_t i = 0; i < f->n_mounts; i++) {
		const struct container_mount *from = &f->mounts[i];
		bool bound = str_eq(from->type, "bind") || str_eq(from->type, "volume");
		struct oci_mount *m = push(spec, from->destination, bound ? "bind" : from->type,
					   bound ? from->source : from->type);

		for (size_t k = 0; k < from->n_options; k++)
			if (!is_engines_own(from->options[k]))
				option(m, from->options[k]);
	}
}

static void add_tmpfs(struct runtime_spec *spec, const struct spec_facts *f,
		      const char *destination)
{
	struct oci_mount *m;

	if (has_mount(spec, destination) || user_mounts(f, destination))
		return;
	m = push(spec, destination, "tmpfs", "tmpfs");
	option(m, "rw");
	option(m, "rprivate");
	option(m, "nosuid");
	option(m, "nodev");
	option(m, "tmpcopyup");
}

/* The same for systemd, which may be told how much it may write. */
static void add_systemd_tmpfs(struct runtime_spec *spec, const struct container_config *c,
			      const struct spec_facts *f, const char *destination)
{
	size_t before = spec->n_mounts;

	add_tmpfs(spec, f, destination);
	if (spec->n_mounts > before && c->shm_size_systemd.set && c->shm_size_systemd.v > 0) {
		auto_free char *size = xasprintf("size=%lld", (long long)c->shm_size_systemd.v);

		option(&spec->mounts[before], size);
	}
}

static void add_systemd_mode(struct runtime_spec *spec, const struct container_config *c,
			     const struct spec_facts *f)
{
	static const char *const places[] = { "/run", "/run/lock", "/tmp", "/var/log/journal" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		add_systemd_tmpfs(spec, c, f, places[i]);
	if (!f->cgroup_v2) {
		struct oci_mount *m =
			push(spec, "/sys/fs/cgroup/systemd", "bind", "/sys/fs/cgroup/systemd");

		option(m, "bind");
		option(m, "rprivate");
		option(m, "nodev");
		option(m, "noexec");
		option(m, "nosuid");
		json_strings_add(&spec->linux_->masked_paths, &spec->linux_->n_masked_paths,
				 "/sys/fs/cgroup/systemd/release_agent");
	}
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] && path[1] != '/';
	return n;
}

/* As good as any other for some twenty elements. */
void specgen_sort_mounts(struct runtime_spec *spec)
{
	struct oci_mount *v = spec->mounts;

	for (size_t i = 1; i < spec->n_mounts; i++) {
		struct oci_mount m = v[i];
		size_t d = depth(m.destination);
		size_t k = i;

		for (; k > 0 && depth(v[k - 1].destination) > d; k--)
			v[k] = v[k - 1];
		v[k] = m;
	}
}

/* What the root must be for the mounts to be what they ask for: "shared" is never taken back. */
static void set_propagation(struct runtime_spec *spec)
{
	const char *wanted = NULL;

	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];

		if (specgen_has_option(m->options, m->n_options, "shared") ||
		    specgen_has_option(m->options, m->n_options, "rshared"))
			wanted = "shared";
		else if (!wanted && (specgen_has_option(m->options, m->n_options, "slave") ||
				     specgen_has_option(m->options, m->n_options, "rslave")))
			wanted = "rslave";
	}
	spec->linux_->rootfs_propagation = xstrdup(wanted);
}

int specgen_mounts(struct runtime_spec *spec, const struct container_config *c,
		   const struct spec_facts *f, struct err *err UNUSED)
{
	add_defaults(spec, c, f);
	add_binds(spec, c, f);
	if (f->init_path) {
		struct oci_mount *m = push(spec, "/run/podman-init", "bind", f->init_path);

		option(m, "bind");
		option(m, "ro");
		option(m, "rprivate");
	}
	if (f->notify_dir) {
		struct oci_mount *m = push(spec, "/run/notify", "bind", f->notify_dir);

		option(m, "bind");
		option(m, "rprivate");
	}
	add_users(spec, f);
	if (f->systemd_mode)
		add_systemd_mode(spec, c, f);
	if (c->read_only && c->read_write_tmpfs) {
		add_tmpfs(spec, f, "/run");
		add_tmpfs(spec, f, "/tmp");
		add_tmpfs(spec, f, "/var/tmp");
	}
	specgen_sort_mounts(spec);
	set_propagation(spec);
	return 0;
}
