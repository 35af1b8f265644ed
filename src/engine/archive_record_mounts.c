/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/archive_record_mounts.h"

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/specgen.h"

/* Whether engines make this mount themselves: its source is no choice of the user's. */
static bool is_engines_mount(const char *destination)
{
	static const char *const places[] = {
		"/dev/shm",	  "/etc/resolv.conf",	"/etc/hostname",
		"/etc/hosts",	  "/run/.containerenv", "/var/run/.containerenv",
		"/run/secrets",	  "/var/run/secrets",	"/run/podman-init",
		"/run/notify",	  "/etc/passwd",	"/etc/group",
		"/etc/localtime", "/dev/init",		NULL,
	};

	return str_is_one_of(destination, places) || path_is_below(destination, "/run/secrets");
}

/* Whether every container has this mount, of this type and no directory of the host's. */
static bool is_default_mount(const struct oci_mount *m)
{
	static const struct {
		const char *destination;
		const char *types[3];
	} defaults[] = {
		{ "/proc", { "proc" } },
		{ "/dev", { "tmpfs" } },
		{ "/dev/pts", { "devpts" } },
		{ "/dev/mqueue", { "mqueue" } },
		{ "/dev/shm", { "tmpfs" } },
		{ "/sys", { "sysfs" } },
		{ "/sys/fs/cgroup", { "cgroup", "cgroup2" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (str_eq(defaults[i].destination, m->destination))
			return str_is_one_of(m->type, defaults[i].types);
	return false;
}

static int parse_volumes(struct container_config *ret, const struct archive_config *a,
			 struct err *err)
{
	for (size_t i = 0; i < a->n_named_volumes; i++) {
		const struct archive_named_volume *v = &a->named_volumes[i];
		struct container_mount *m;

		if (str_is_empty(v->volume_name) || str_is_empty(v->dest))
			return err_set(err, ERR_INVALID,
				       "config.dump: namedVolumes[%zu]: no name or place", i);
		m = array_push(ret->mounts, ret->n_mounts);
		m->type = xstrdup("volume");
		m->source = xstrdup(v->volume_name);
		m->destination = xstrdup(v->dest);
		m->anonymous = v->set_anonymous;
		m->subpath = str_is_empty(v->sub_path) ? NULL : xstrdup(v->sub_path);
		json_strings_add_all(&m->options, &m->n_options, v->options, v->n_options);
	}
	return 0;
}

static int parse_images(struct container_config *ret, const struct archive_config *a,
			struct err *err)
{
	for (size_t i = 0; i < a->n_image_volumes; i++) {
		const struct archive_image_volume *v = &a->image_volumes[i];
		struct container_mount *m;

		if (str_is_empty(v->source) || str_is_empty(v->dest) || v->dest[0] != '/')
			return err_set(err, ERR_INVALID,
				       "config.dump: ctrImageVolumes[%zu]: no image or place", i);
		m = array_push(ret->mounts, ret->n_mounts);
		m->type = xstrdup("image");
		m->source = xstrdup(v->source);
		m->destination = xstrdup(v->dest);
		m->subpath = str_is_empty(v->sub_path) ? NULL : xstrdup(v->sub_path);
		json_strings_add(&m->options, &m->n_options, v->rw ? "rw" : "ro");
	}
	return 0;
}

/* Made anew from the secret that the record names. */
static bool is_secret(const struct archive_config *a, const char *destination)
{
	for (size_t i = 0; i < a->n_secrets; i++)
		if (str_eq(a->secrets[i].target, destination))
			return true;
	return false;
}

/* What every tmpfs has that does not say the contrary. */
static const char *const tmpfs_defaults[] = {
	"rw", "rprivate", "nosuid", "nodev", "tmpcopyup", NULL
};

/* Those of a read-only root, which come with it. */
static bool is_read_write_tmpfs(const struct container_config *c, const struct oci_mount *m)
{
	static const char *const places[] = { "/run", "/tmp", "/var/tmp", NULL };

	if (!c->read_only || !c->read_write_tmpfs || !str_eq(m->type, "tmpfs") ||
	    !str_is_one_of(m->destination, places))
		return false;
	for (size_t i = 0; i < m->n_options; i++)
		if (!str_is_one_of(m->options[i], tmpfs_defaults))
			return false;
	return true;
}

/* Without the words that are added to every mount of its kind that does not say the contrary. */
static void add_options(struct container_mount *to, const struct oci_mount *from)
{
	static const char *const bind[] = { "rw", "rprivate", "rbind", NULL };
	static const char *const none[] = { NULL };
	const char *const *defaults = str_eq(to->type, "tmpfs") ? tmpfs_defaults :
				      str_eq(to->type, "bind")	? bind :
								  none;

	for (size_t i = 0; i < from->n_options; i++)
		if (!str_is_one_of(from->options[i], defaults))
			json_strings_add(&to->options, &to->n_options, from->options[i]);
}

static int parse_mounts(struct container_config *ret, const struct archive_config *a,
			const struct runtime_spec *spec, struct err *err)
{
	static const char *const types[] = { "bind",   "tmpfs",	 "ramfs", "devpts",
					     "mqueue", "cgroup", NULL };

	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct oci_mount *from = &spec->mounts[i];
		const char *type = str_is_empty(from->type) ? "bind" : from->type;
		struct container_mount *m;

		if (str_is_empty(from->destination) || from->destination[0] != '/')
			return err_set(err, ERR_INVALID,
				       "spec.dump: mounts[%zu]: no absolute destination", i);
		if (is_engines_mount(from->destination) || is_default_mount(from) ||
		    is_secret(a, from->destination) || is_read_write_tmpfs(ret, from) ||
		    container_config_mount(ret, from->destination))
			continue;
		if (str_eq(type, "none") || str_eq(type, "rbind"))
			type = "bind";
		if (str_eq(type, "overlay"))
			return err_set(err, ERR_UNSUPPORTED,
				       "spec.dump: mount '%s' is an overlay (option O of a "
				       "volume): what the container wrote there is in no archive",
				       from->destination);
		if (!str_is_one_of(type, types))
			return err_set(err, ERR_UNSUPPORTED,
				       "spec.dump: mount '%s' is of type '%s', which floe does not "
				       "know",
				       from->destination, type);
		m = array_push(ret->mounts, ret->n_mounts);
		m->type = xstrdup(type);
		m->source = str_eq(type, "bind") ? xstrdup(from->source) : NULL;
		m->destination = xstrdup(from->destination);
		add_options(m, from);
		if (str_eq(type, "bind") && (!m->source || m->source[0] != '/'))
			return err_set(err, ERR_INVALID,
				       "spec.dump: mount '%s': its source is no absolute path",
				       from->destination);
	}
	return 0;
}

int archive_record_mounts(struct container_config *ret, const struct archive_config *a,
			  const struct runtime_spec *spec, struct err *err)
{
	int r = parse_volumes(ret, a, err);

	if (r == 0)
		r = parse_images(ret, a, err);
	return r < 0 ? r : parse_mounts(ret, a, spec, err);
}
