/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cdi.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "engine/containers_conf.h"
#include "engine/environment.h"
#include "engine/specgen.h"

struct cdi_node {
	char *path;
	char *host_path;
	char *type;
	struct opt_i64 major;
	struct opt_i64 minor;
	struct opt_u32 file_mode;
	char *permissions;
	struct opt_u32 uid;
	struct opt_u32 gid;
};

struct cdi_hook {
	char *name; /* of its stage */
	char *path;
	char **args;
	size_t n_args;
	char **env;
	size_t n_env;
	struct opt_i64 timeout;
};

struct cdi_mount {
	char *host_path;
	char *container_path;
	char *type;
	char **options;
	size_t n_options;
};

struct cdi_edits {
	char **env;
	size_t n_env;
	struct cdi_node *nodes;
	size_t n_nodes;
	struct cdi_hook *hooks;
	size_t n_hooks;
	struct cdi_mount *mounts;
	size_t n_mounts;
	uint32_t *gids;
	size_t n_gids;
	struct json_object *rdt;
	struct json_object *net_devices;
};

struct cdi_device {
	char *name;
	struct cdi_edits edits;
};

struct cdi_file {
	char *version;
	char *kind;
	struct cdi_device *devices;
	size_t n_devices;
	struct cdi_edits edits;
	size_t priority; /* number of its directory */
	char *path;
	bool used;
};

/* clang-format off: one row a line. */
#define T struct cdi_node
JSON_DESC_STATIC(node_desc, T, F_STRING(T, path, "path", JSON_REQUIRED),
		 F_STRING(T, host_path, "hostPath", 0), F_STRING(T, type, "type", 0),
		 F_OPT_I64(T, major, "major", 0), F_OPT_I64(T, minor, "minor", 0),
		 F_OPT_U32(T, file_mode, "fileMode", 0), F_STRING(T, permissions, "permissions", 0),
		 F_OPT_U32(T, uid, "uid", 0), F_OPT_U32(T, gid, "gid", 0));
#undef T
#define T struct cdi_hook
JSON_DESC_STATIC(cdi_hook_desc, T, F_STRING(T, name, "hookName", JSON_REQUIRED),
		 F_STRING(T, path, "path", JSON_REQUIRED), F_STRINGS(T, args, "args", 0),
		 F_STRINGS(T, env, "env", 0), F_OPT_I64(T, timeout, "timeout", 0));
#undef T
#define T struct cdi_mount
JSON_DESC_STATIC(cdi_mount_desc, T, F_STRING(T, host_path, "hostPath", JSON_REQUIRED),
		 F_STRING(T, container_path, "containerPath", JSON_REQUIRED),
		 F_STRING(T, type, "type", 0), F_STRINGS(T, options, "options", 0));
#undef T
#define T struct cdi_edits
JSON_DESC_STATIC(edits_desc, T, F_STRINGS(T, env, "env", 0),
		 F_OBJECTS(T, nodes, struct cdi_node, "deviceNodes", 0, node_desc),
		 F_OBJECTS(T, hooks, struct cdi_hook, "hooks", 0, cdi_hook_desc),
		 F_OBJECTS(T, mounts, struct cdi_mount, "mounts", 0, cdi_mount_desc),
		 F_U32S(T, gids, "additionalGids", 0), F_RAW(T, rdt, "intelRdt", 0),
		 F_RAW(T, net_devices, "netDevices", 0));
#undef T
#define T struct cdi_device
JSON_DESC_STATIC(cdi_device_desc, T, F_STRING(T, name, "name", JSON_REQUIRED),
		 F_OBJECT(T, edits, struct cdi_edits, "containerEdits", 0, edits_desc));
#undef T
#define T struct cdi_file
JSON_DESC_STATIC(cdi_file_desc, T, F_STRING(T, version, "cdiVersion", JSON_REQUIRED),
		 F_STRING(T, kind, "kind", JSON_REQUIRED),
		 F_OBJECTS(T, devices, struct cdi_device, "devices", 0, cdi_device_desc),
		 F_OBJECT(T, edits, struct cdi_edits, "containerEdits", 0, edits_desc));
#undef T
/* clang-format on */

/* --- names ------------------------------------------------------------------------------------------ */

/* Begins with a letter (of a device's name also a digit), ends with one or a digit. */
static bool is_part(const char *text, size_t len, bool may_begin_with_digit, const char *others)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(others, text[i]))
			return false;
	return len > 0 &&
	       (isalpha((unsigned char)text[0]) ||
		(may_begin_with_digit && isdigit((unsigned char)text[0]))) &&
	       isalnum((unsigned char)text[len - 1]);
}

bool cdi_is_name(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *equals = slash ? strchr(slash, '=') : NULL;

	return equals && is_part(text, (size_t)(slash - text), false, "_-.") &&
	       is_part(slash + 1, (size_t)(equals - slash) - 1, false, "_-.") &&
	       is_part(equals + 1, strlen(equals + 1), true, "_-.:");
}

/* --- files ------------------------------------------------------------------------------------------ */

struct cdi_files {
	struct cdi_file *v;
	size_t n;
	struct strvec yaml; /* what cannot be read here */
};

static void files_done(struct cdi_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		free(files->v[i].path);
		json_done(&cdi_file_desc, &files->v[i]);
	}
	free(files->v);
	strvec_done(&files->yaml);
}
DEFINE_AUTO_VAL(cdi_files, struct cdi_files, files_done)

/* A specification of another major version may mean something else by the same words. */
static bool is_known_version(const char *version)
{
	return str_has_prefix(version, "0.") || str_has_prefix(version, "1.");
}

static int load_file(const char *path, struct cdi_file *ret, struct err *err)
{
	int r = json_decode_file(&cdi_file_desc, ret, AT_FDCWD, path, err);

	if (r < 0 || is_known_version(ret->version))
		return r;
	r = err_set(err, ERR_UNSUPPORTED,
		    "cdiVersion '%s' is not known here: only 0.x and 1.x are; have its vendor's "
		    "tool write one of these, or update floe",
		    ret->version);
	json_done(&cdi_file_desc, ret);
	return r;
}

/* One that is broken is no reason to do without the others. */
static void load_dir(struct cdi_files *files, const char *dir, size_t priority)
{
	auto_strvec struct strvec paths = STRVEC_INIT;

	(void)fs_list_paths(dir, ".yaml", &files->yaml);
	(void)fs_list_paths(dir, ".yml", &files->yaml);
	(void)fs_list_paths(dir, ".json", &paths);
	for (size_t i = 0; i < paths.n; i++) {
		struct cdi_file file = { 0 };
		struct err err = ERR_INIT;

		if (load_file(paths.v[i], &file, &err) < 0) {
			log_warning("CDI specification '%s' is left out: %s", paths.v[i], err.msg);
			continue;
		}
		file.priority = priority;
		file.path = xstrdup(paths.v[i]);
		*array_push(files->v, files->n) = file;
	}
}

static const struct cdi_device *device_in(const struct cdi_file *file, const char *name)
{
	const char *rest = str_skip_prefix(name, file->kind);

	for (size_t i = 0; rest && *rest == '=' && i < file->n_devices; i++)
		if (str_eq(file->devices[i].name, rest + 1))
			return &file->devices[i];
	return NULL;
}

/* Of the directory with the highest number; two files of it that have the device make it none. */
static const struct cdi_device *find(struct cdi_files *files, const char *name,
				     struct cdi_file **ret_file)
{
	const struct cdi_device *found = NULL;
	const char *conflict = NULL; /* the other file */

	for (size_t i = 0; i < files->n; i++) {
		const struct cdi_device *d = device_in(&files->v[i], name);

		if (!d)
			continue;
		conflict = found && (*ret_file)->priority == files->v[i].priority ?
				   (*ret_file)->path :
				   NULL;
		found = d;
		*ret_file = &files->v[i];
	}
	if (!conflict)
		return found;
	log_warning("CDI device '%s' is in '%s' and '%s'", name, conflict, (*ret_file)->path);
	return NULL;
}

/* --- edits ------------------------------------------------------------------------------------------ */

static const char *type_of(mode_t mode)
{
	return S_ISCHR(mode) ? "c" : S_ISBLK(mode) ? "b" : S_ISFIFO(mode) ? "p" : NULL;
}

/* What the file does not say is as the host's device has it. */
static int complete_node(const struct cdi_node *from, struct oci_device *ret, struct err *err)
{
	const char *host = from->host_path ? from->host_path : from->path;
	bool has_number = from->major.set && from->major.v != 0;
	struct stat st;

	ret->path = xstrdup(from->path);
	ret->type = xstrdup(from->type);
	ret->major = from->major;
	ret->minor = from->minor;
	ret->file_mode = from->file_mode;
	if (from->type && (has_number || str_eq(from->type, "p")))
		return 0;
	if (stat(host, &st) < 0)
		return err_set(err, ERR_COMMAND, "device '%s': %s", host, errno_text(errno));
	if (!type_of(st.st_mode) || (from->type && !str_eq(from->type, type_of(st.st_mode))))
		return err_set(err, ERR_COMMAND, "device '%s': it is no device of type '%s'", host,
			       from->type ? from->type : "c, b or p");
	replace_ptr(ret->type, xstrdup(type_of(st.st_mode)));
	if (!S_ISFIFO(st.st_mode)) {
		ret->major = (struct opt_i64){ true, major(st.st_rdev) };
		ret->minor = (struct opt_i64){ true, minor(st.st_rdev) };
	}
	if (!ret->file_mode.set)
		ret->file_mode = (struct opt_u32){ true, st.st_mode & 07777 };
	return 0;
}

static void device_done(struct oci_device *d)
{
	free(d->type);
	free(d->path);
}

static void put_device(struct oci_linux *l, const struct oci_device *d)
{
	for (size_t i = 0; i < l->n_devices; i++)
		if (str_eq(l->devices[i].path, d->path)) {
			device_done(&l->devices[i]);
			l->devices[i] = *d;
			return;
		}
	*array_push(l->devices, l->n_devices) = *d;
}

static int add_node(struct runtime_spec *spec, const struct cdi_node *from, struct err *err)
{
	const struct oci_user *user = &spec->process->user;
	struct oci_resources *resources = spec->linux_->resources;
	struct oci_device device = { 0 };
	struct oci_device_rule *rule;
	int r = complete_node(from, &device, err);

	if (r < 0) {
		device_done(&device);
		return r;
	}
	/* Who is not root is to have it. */
	device.uid = from->uid.set ? from->uid : (struct opt_u32){ user->uid > 0, user->uid };
	device.gid = from->gid.set ? from->gid : (struct opt_u32){ user->gid > 0, user->gid };
	put_device(spec->linux_, &device);
	if (str_eq(device.type, "p"))
		return 0;
	if (!resources)
		resources = spec->linux_->resources = xcalloc(1, sizeof(*resources));
	rule = array_push(resources->devices, resources->n_devices);
	rule->allow = true;
	rule->type = xstrdup(str_eq(device.type, "u") ? "c" : device.type);
	rule->major = device.major;
	rule->minor = device.minor;
	rule->access = xstrdup(from->permissions ? from->permissions : "rwm");
	return 0;
}

/* In place of what is mounted there. */
static void add_mount(struct runtime_spec *spec, const struct cdi_mount *from)
{
	struct oci_mount *mount;
	size_t i = 0;

	while (i < spec->n_mounts && !str_eq(spec->mounts[i].destination, from->container_path))
		i++;
	if (i == spec->n_mounts)
		array_push(spec->mounts, spec->n_mounts)->destination =
			xstrdup(from->container_path);
	mount = &spec->mounts[i];
	replace_ptr(mount->source, xstrdup(from->host_path));
	replace_ptr(mount->type, xstrdup(from->type ? from->type : "bind"));
	while (mount->n_options > 0)
		free(mount->options[--mount->n_options]);
	json_strings_add_all(&mount->options, &mount->n_options, from->options, from->n_options);
}

static int add_hook(struct runtime_spec *spec, const struct cdi_hook *from, struct err *err)
{
	const struct oci_hook hook = {
		.path = from->path,
		.args = from->args,
		.n_args = from->n_args,
		.env = from->env,
		.n_env = from->n_env,
		.timeout = from->timeout,
	};
	struct oci_hook *to;

	if (!spec->hooks)
		spec->hooks = xcalloc(1, sizeof(*spec->hooks));
	to = oci_hooks_add(spec->hooks, from->name);
	if (!to)
		return err_set(err, ERR_COMMAND, "hook '%s': there is no such stage", from->name);
	oci_hook_copy(to, &hook);
	return 0;
}

static void add_group(struct oci_user *user, uint32_t gid)
{
	for (size_t i = 0; i < user->n_additional_gids; i++)
		if (user->additional_gids[i] == gid)
			return;
	if (gid > 0)
		*array_push(user->additional_gids, user->n_additional_gids) = gid;
}

static int apply(struct runtime_spec *spec, const struct cdi_edits *e, struct err *err)
{
	int r = 0;

	if (e->rdt || e->net_devices)
		return err_set(err, ERR_UNSUPPORTED, "%s is not supported",
			       e->rdt ? "intelRdt" : "netDevices");
	for (size_t i = 0; i < e->n_env; i++)
		environment_set(&spec->process->env, &spec->process->n_env, e->env[i]);
	for (size_t i = 0; r == 0 && i < e->n_nodes; i++)
		r = add_node(spec, &e->nodes[i], err);
	for (size_t i = 0; i < e->n_mounts; i++)
		add_mount(spec, &e->mounts[i]);
	for (size_t i = 0; r == 0 && i < e->n_hooks; i++)
		r = add_hook(spec, &e->hooks[i], err);
	for (size_t i = 0; i < e->n_gids; i++)
		add_group(&spec->process->user, e->gids[i]);
	return r;
}

/* Of the file once, then of the device. */
static int inject_one(struct cdi_file *file, const struct cdi_device *device, const char *name,
		      struct runtime_spec *spec, struct err *err)
{
	int r = file->used ? 0 : apply(spec, &file->edits, err);

	file->used = true;
	if (r == 0)
		r = apply(spec, &device->edits, err);
	return r < 0 ? err_wrap(err, r, "CDI device '%s'", name) : 0;
}

void cdi_directories(struct strvec *ret, const struct engine *e)
{
	const struct conf_engine *conf = &e->conf->engine;

	if (e->options->cdi_spec_dirs.n > 0) {
		strvec_add_all(ret, e->options->cdi_spec_dirs.v, e->options->cdi_spec_dirs.n);
	} else if (conf->n_cdi_spec_dirs > 0) {
		strvec_add_all(ret, conf->cdi_spec_dirs, conf->n_cdi_spec_dirs);
	} else {
		strvec_add(ret, "/etc/cdi");
		strvec_add(ret, "/var/run/cdi");
	}
}

static void load_dirs(struct cdi_files *files, const struct strvec *dirs)
{
	for (size_t i = 0; i < dirs->n; i++)
		load_dir(files, dirs->v[i], i);
}

bool cdi_is_here(const struct strvec *dirs, const char *name)
{
	auto_cleanup(cdi_files_cleanup_val) struct cdi_files files = { 0 };
	struct cdi_file *file = NULL;

	load_dirs(&files, dirs);
	return find(&files, name, &file) != NULL;
}

static int unresolvable(const struct cdi_files *files, const struct strbuf *names, struct err *err)
{
	if (files->yaml.n > 0)
		return err_set(err, ERR_COMMAND,
			       "setting up CDI devices: unresolvable CDI devices %s; '%s' is not "
			       "read, have its JSON form there",
			       names->buf, files->yaml.v[0]);
	return err_set(err, ERR_COMMAND, "setting up CDI devices: unresolvable CDI devices %s",
		       names->buf);
}

int cdi_inject(const struct strvec *dirs, char *const *names, size_t n, struct runtime_spec *spec,
	       struct err *err)
{
	auto_cleanup(cdi_files_cleanup_val) struct cdi_files files = { 0 };
	auto_strbuf struct strbuf missing = STRBUF_INIT;
	struct cdi_file *file = NULL;
	int r = 0;

	if (n > 0)
		load_dirs(&files, dirs);
	for (size_t i = 0; i < n; i++)
		if (!find(&files, names[i], &file))
			strbuf_addf(&missing, "%s%s", missing.len ? ", " : "", names[i]);
	if (missing.len > 0)
		return unresolvable(&files, &missing, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct cdi_device *device = find(&files, names[i], &file);

		r = inject_one(file, device, names[i], spec, err);
	}
	if (n > 0)
		specgen_sort_mounts(spec);
	return r;
}
