/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/validate.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/strbuf.h"
#include "spec/validate_parts.h"

#define TRY(expr)                                                                                  \
	do {                                                                                       \
		int try_r_ = (expr);                                                               \
		if (try_r_ < 0)                                                                    \
			return try_r_;                                                             \
	} while (0)

int validate_word(const struct vocabulary *words, const char *value, struct err *err,
		  const char *path_fmt, ...)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	if (vocabulary_find(words, value))
		return 0;
	va_start(ap, path_fmt);
	strbuf_vaddf(&text, path_fmt, ap);
	va_end(ap);
	if (str_is_empty(value))
		strbuf_adds(&text, ": missing, expected one of ");
	else
		strbuf_addf(&text, ": unknown value '%s', expected one of ", value);
	for (size_t i = 0; i < words->n; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "", words->v[i].name);
	return err_set(err, ERR_INVALID, "%s", text.buf);
}

static const char *skip_number(const char *s, unsigned long *ret)
{
	char *end;

	if (*s < '0' || *s > '9')
		return NULL;
	errno = 0;
	*ret = strtoul(s, &end, 10);
	return errno || *ret > UINT16_MAX ? NULL : end;
}

bool is_number_list(const char *s)
{
	for (;;) {
		unsigned long first;
		unsigned long last;

		s += strspn(s, " ");
		s = skip_number(s, &first);
		last = first;
		if (s && *s == '-')
			s = skip_number(s + 1, &last);
		if (!s || last < first)
			return false;
		s += strspn(s, " \n");
		if (!*s)
			return true;
		if (*s++ != ',')
			return false;
	}
}

/*
 * Id mappings.
 */

/* user_namespaces(7): an extent is not empty and neither wraps nor reaches the id 2^32-1. */
static bool is_extent(uint32_t first, uint32_t size)
{
	return size > 0 && (uint64_t)first + size <= UINT32_MAX;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t a_size, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

#define MAPPINGS_MAX 340 /* the kernel's UID_GID_MAP_MAX_EXTENTS */

static int validate_mapping_list(const struct oci_id_mapping *list, size_t n, const char *path,
				 const char *key, struct err *err)
{
	if (n > MAPPINGS_MAX)
		return err_set(err, ERR_INVALID, "%s.%s: %zu entries, the kernel takes at most %d",
			       path, key, n, MAPPINGS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_mapping *a = &list[i];

		if (!is_extent(a->container_id, a->size) || !is_extent(a->host_id, a->size))
			return err_set(err, ERR_INVALID,
				       "%s.%s[%zu].size: %u ids from %u and %u on, expected at "
				       "least 1 and none above 4294967294",
				       path, key, i, a->size, a->container_id, a->host_id);
		for (size_t j = 0; j < i; j++) {
			const struct oci_id_mapping *b = &list[j];

			if (overlap(a->container_id, b->container_id, a->size, b->size) ||
			    overlap(a->host_id, b->host_id, a->size, b->size))
				return err_set(err, ERR_INVALID,
					       "%s.%s[%zu]: overlaps with %s.%s[%zu]", path, key, i,
					       path, key, j);
		}
	}
	return 0;
}

int validate_mappings(const struct oci_id_mapping *uid_mappings, size_t n_uid_mappings,
		      const struct oci_id_mapping *gid_mappings, size_t n_gid_mappings,
		      const char *path, struct err *err)
{
	TRY(validate_mapping_list(uid_mappings, n_uid_mappings, path, "uidMappings", err));
	return validate_mapping_list(gid_mappings, n_gid_mappings, path, "gidMappings", err);
}

/*
 * Top level.
 */

/* Any 0.x and 1.x: what a document of a later minor version adds is ignored, as the specification
 * wants it. */
static int validate_version(const char *version, struct err *err)
{
	size_t n_major;

	if (str_is_empty(version))
		return err_set(err, ERR_INVALID,
			       "ociVersion: missing, expected the version of the specification, "
			       "such as 1.3.0");
	n_major = strspn(version, "0123456789");
	if (n_major == 0 || version[n_major] != '.')
		return err_set(err, ERR_INVALID,
			       "ociVersion: '%s' is no version, expected one such as 1.3.0",
			       version);
	if (n_major > 1 || version[0] > '1')
		return err_set(err, ERR_UNSUPPORTED,
			       "ociVersion: %s is not supported, expected 1.x", version);
	return 0;
}

static int validate_root(const struct oci_root *root, struct err *err)
{
	if (!root)
		return err_set(err, ERR_INVALID,
			       "root: missing, expected an object with the path of the container's "
			       "root filesystem");
	if (str_is_empty(root->path))
		return err_set(err, ERR_INVALID,
			       "root.path: missing, expected a directory, absolute or relative to "
			       "the bundle");
	return 0;
}

static int validate_names(const struct runtime_spec *spec, struct err *err)
{
	bool has_uts = oci_linux_namespace(spec->linux_, "uts");

	if (!has_uts && !str_is_empty(spec->hostname))
		return err_set(err, ERR_INVALID,
			       "hostname: unable to set hostname without a private UTS namespace, "
			       "add one of type uts to linux.namespaces");
	if (!has_uts && !str_is_empty(spec->domainname))
		return err_set(err, ERR_INVALID,
			       "domainname: unable to set domainname without a private UTS "
			       "namespace, add one of type uts to linux.namespaces");
	return 0;
}

/*
 * Mounts.
 */

static bool has_option(const struct oci_mount *mount, const char *option)
{
	for (size_t i = 0; i < mount->n_options; i++)
		if (str_eq(mount->options[i], option))
			return true;
	return false;
}

/* Whether the mount is a bind mount: by its options, whatever its type says. */
static bool is_bind_mount(const struct oci_mount *mount)
{
	return has_option(mount, "bind") || has_option(mount, "rbind");
}

/* A relative destination is deprecated, not wrong: it counts from the container's root. */
static int validate_destination(const struct oci_mount *mount, size_t i, struct err *err)
{
	auto_free char *clean = NULL;

	if (str_is_empty(mount->destination))
		return err_set(err, ERR_INVALID,
			       "mounts[%zu].destination: missing, expected an absolute path in the "
			       "container",
			       i);
	clean = path_join("/", mount->destination);
	if (str_eq(clean, "/"))
		return err_set(err, ERR_INVALID,
			       "mounts[%zu].destination: '%s' is the container's root itself, "
			       "expected a path below it",
			       i, mount->destination);
	return 0;
}

static int validate_mount_mappings(const struct runtime_spec *spec, const struct oci_mount *mount,
				   size_t i, struct err *err)
{
	bool has_uids = mount->n_uid_mappings > 0;
	bool has_gids = mount->n_gid_mappings > 0;
	bool wants_map = has_option(mount, "idmap") || has_option(mount, "ridmap");
	auto_free char *path = NULL;

	if (has_uids != has_gids)
		return err_set(err, ERR_INVALID,
			       "mounts[%zu].%s: missing, uidMappings and gidMappings go together",
			       i, has_uids ? "gidMappings" : "uidMappings");
	if (!has_uids && !wants_map)
		return 0;
	if (!is_bind_mount(mount))
		return err_set(err, ERR_INVALID,
			       "mounts[%zu]: id-mapped mounts are only supported for bind mounts, "
			       "add the option bind or rbind",
			       i);
	if (!has_uids && !oci_linux_namespace(spec->linux_, "user"))
		return err_set(err, ERR_INVALID,
			       "mounts[%zu].options: idmap without a user namespace, expected "
			       "uidMappings and gidMappings of the mount",
			       i);
	if (!has_uids)
		return 0;
	path = xasprintf("mounts[%zu]", i);
	return validate_mappings(mount->uid_mappings, mount->n_uid_mappings, mount->gid_mappings,
				 mount->n_gid_mappings, path, err);
}

static int validate_mount(const struct runtime_spec *spec, size_t i, struct err *err)
{
	const struct oci_mount *mount = &spec->mounts[i];
	bool is_bind = is_bind_mount(mount);

	TRY(validate_destination(mount, i, err));
	if (is_bind && str_is_empty(mount->source))
		return err_set(err, ERR_INVALID,
			       "mounts[%zu].source: missing, a bind mount needs a path of the host",
			       i);
	if (!is_bind && str_is_empty(mount->type) && !has_option(mount, "remount"))
		return err_set(err, ERR_INVALID,
			       "mounts[%zu].type: missing, expected a type of filesystem, or the "
			       "option bind or rbind",
			       i);
	return validate_mount_mappings(spec, mount, i, err);
}

static int validate_mounts(const struct runtime_spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		TRY(validate_mount(spec, i, err));
	return 0;
}

/*
 * Hooks.
 */

int validate_hook_list(const struct oci_hook *list, size_t n, const char *name, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct oci_hook *hook = &list[i];

		if (str_is_empty(hook->path) || hook->path[0] != '/')
			return err_set(err, ERR_INVALID,
				       "hooks.%s[%zu].path: '%s' is not an absolute path", name, i,
				       hook->path ? hook->path : "");
		if (hook->timeout.set && hook->timeout.v <= 0)
			return err_set(err, ERR_INVALID,
				       "hooks.%s[%zu].timeout: %jd, expected seconds above 0", name,
				       i, (intmax_t)hook->timeout.v);
	}
	return 0;
}

static int validate_hooks(const struct oci_hooks *hooks, struct err *err)
{
	if (!hooks)
		return 0;
	TRY(validate_hook_list(hooks->prestart, hooks->n_prestart, "prestart", err));
	TRY(validate_hook_list(hooks->create_runtime, hooks->n_create_runtime, "createRuntime",
			       err));
	TRY(validate_hook_list(hooks->create_container, hooks->n_create_container,
			       "createContainer", err));
	TRY(validate_hook_list(hooks->start_container, hooks->n_start_container, "startContainer",
			       err));
	TRY(validate_hook_list(hooks->poststart, hooks->n_poststart, "poststart", err));
	return validate_hook_list(hooks->poststop, hooks->n_poststop, "poststop", err);
}

static int validate_annotations(const struct json_string_map *annotations, struct err *err)
{
	for (size_t i = 0; i < annotations->n; i++)
		if (!*annotations->v[i].key)
			return err_set(err, ERR_INVALID,
				       "annotations: a key is empty, expected a name such as "
				       "com.example.key");
	return 0;
}

/* Without it the processes would run beside the host's, which whoever wrote it did not want. */
static int validate_vm(const struct json_extra *extra, struct err *err)
{
	if (!json_object_object_get_ex(extra->object, "vm", NULL))
		return 0;
	return err_set(
		err, ERR_UNSUPPORTED,
		"vm: containers in virtual machines are not supported, use a runtime that makes "
		"them or remove the section");
}

int runtime_spec_validate(const struct runtime_spec *spec, struct err *err)
{
	TRY(validate_version(spec->oci_version, err));
	TRY(validate_root(spec->root, err));
	if (!spec->process)
		return err_set(err, ERR_INVALID,
			       "process: missing, process property must not be empty");
	TRY(oci_process_validate(spec->process, err));
	TRY(validate_names(spec, err));
	TRY(validate_mounts(spec, err));
	TRY(validate_hooks(spec->hooks, err));
	TRY(validate_annotations(&spec->annotations, err));
	TRY(validate_vm(&spec->extra, err));
	return spec->linux_ ? validate_linux(spec->linux_, err) : 0;
}

/*
 * Without privileges.
 */

static bool is_mapped(const struct oci_id_mapping *list, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= list[i].container_id && id - list[i].container_id < list[i].size)
			return true;
	return false;
}

/* One option of a mount, which may be several with commas: uid=N and gid=N. */
static int validate_rootless_option(const struct oci_linux *linux_, const char *option, size_t i,
				    struct err *err)
{
	for (const char *p = option;; p++) {
		size_t n = strcspn(p, ",");
		auto_free char *part = xstrndup(p, n);
		bool is_uid = str_has_prefix(part, "uid=");
		uint32_t id;

		if (is_uid || str_has_prefix(part, "gid=")) {
			if (parse_u32(part + 4, &id) < 0 ||
			    !(is_uid ? is_mapped(linux_->uid_mappings, linux_->n_uid_mappings, id) :
				       is_mapped(linux_->gid_mappings, linux_->n_gid_mappings, id)))
				return err_set(err, ERR_INVALID,
					       "mounts[%zu].options: '%s' names an id that a "
					       "rootless container has no mapping for, remove it",
					       i, part);
		}
		p += n;
		if (!*p)
			return 0;
	}
}

int runtime_spec_validate_rootless(const struct runtime_spec *spec, struct err *err)
{
	const struct oci_linux *linux_ = spec->linux_;
	const struct oci_namespace *user = oci_linux_namespace(linux_, "user");

	if (!user)
		return err_set(err, ERR_INVALID,
			       "linux.namespaces: rootless container requires user namespaces, add "
			       "one of type user");
	if (linux_->n_net_devices)
		return err_set(err, ERR_UNSUPPORTED,
			       "linux.netDevices: not supported for rootless containers");
	if (!str_is_empty(user->path))
		return 0;
	if (!linux_->n_uid_mappings || !linux_->n_gid_mappings)
		return err_set(err, ERR_INVALID,
			       "linux.%s: rootless container requires at least one mapping",
			       linux_->n_uid_mappings ? "gidMappings" : "uidMappings");
	for (size_t i = 0; i < spec->n_mounts; i++)
		for (size_t j = 0; j < spec->mounts[i].n_options; j++)
			TRY(validate_rootless_option(linux_, spec->mounts[i].options[j], i, err));
	return 0;
}
