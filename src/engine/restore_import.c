/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_import.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/io.h"
#include "core/path.h"
#include "core/random.h"
#include "core/stage.h"
#include "core/str.h"
#include "engine/archive_record.h"
#include "engine/checkpoint_files.h"
#include "engine/cleanup.h"
#include "engine/create.h"
#include "engine/event.h"
#include "engine/image_use.h"
#include "engine/prepare.h"
#include "engine/records.h"
#include "engine/restore_check.h"
#include "engine/secret.h"
#include "engine/volume.h"
#include "image/pull.h"
#include "storage/rootfs.h"

#define IMPORT_DIR "import"
#define PREVIOUS_DIR "import.previous"
#define ID_LENGTH 64

struct import {
	struct engine *e;
	const struct restore_import *o;
	const struct restore_options *restore;
	struct restore_result *result;
	struct archive_reader *reader;
	struct archive_documents documents;
	struct archive_config config;
	struct runtime_spec spec;
	struct container_config record;
	char *top; /* chain id of the image's layers; owned */
	struct container container;
	bool created;
	struct strvec volumes; /* that were made for it */
	struct restore_source source;
};

/* --- the documents ---------------------------------------------------------------------------------- */

static const struct archive_document *document(const struct import *x,
					       enum archive_member_kind kind)
{
	return &x->documents.v[kind];
}

static int stage_read(void *context, struct err *err)
{
	struct import *x = context;
	const struct archive_document *config;
	const struct archive_document *spec;
	int r = archive_reader_open(&x->reader, x->o->source, NULL, err);

	if (r == 0)
		r = archive_reader_documents(x->reader, &x->documents, err);
	if (r < 0)
		return r;
	config = document(x, ARCHIVE_CONFIG);
	spec = document(x, ARCHIVE_SPEC);
	if (!config->text || !spec->text)
		return err_set(
			err, ERR_INVALID, "restore from '%s': %s.dump is missing%s", x->o->source,
			config->text ? "spec" : "config",
			archive_reader_can_rewind(x->reader) ?
				"; it is no checkpoint archive" :
				", or stands behind the images, where it cannot be read from "
				"a pipe: use a file");
	r = archive_config_parse(&x->config, config->text, config->len, "config.dump", err);
	if (r == 0)
		r = json_decode(&runtime_spec_desc, &x->spec, spec->text, spec->len, "spec.dump",
				err);
	return r < 0 ? r : archive_record_parse(&x->record, &x->config, &x->spec, err);
}

/* --- what the caller wants otherwise ---------------------------------------------------------------- */

static struct container_mount *find_mount(struct container_config *g, const char *destination)
{
	for (size_t i = 0; i < g->n_mounts; i++)
		if (str_eq(g->mounts[i].destination, destination))
			return &g->mounts[i];
	return NULL;
}

static int replace_mount(struct container_config *g, const struct container_mount *from,
			 struct err *err)
{
	struct container_mount *m = find_mount(g, from->destination);

	if (!m)
		return err_set(err, ERR_INVALID,
			       "mount '%s': the container has no mount there, and its processes "
			       "cannot be given one; `floe container checkpoint inspect --mounts` "
			       "lists what there is",
			       from->destination);
	if (!str_eq(from->type, "bind") && !str_eq(from->type, "volume"))
		return err_set(err, ERR_INVALID,
			       "mount '%s': only a directory of the host or a volume can take the "
			       "place of another mount",
			       from->destination);
	if (!str_eq(m->type, "bind") && !str_eq(m->type, "volume"))
		return err_set(err, ERR_INVALID,
			       "mount '%s': it is a %s, whose content is in the checkpoint",
			       from->destination, m->type);
	replace_ptr(m->type, xstrdup(from->type));
	replace_ptr(m->source, xstrdup(from->source));
	replace_ptr(m->subpath, xstrdup(from->subpath));
	m->anonymous = false;
	return 0;
}

static void clear_attachments(struct container_config *g)
{
	for (size_t i = 0; i < g->n_networks; i++)
		network_attachment_done(&g->networks[i]);
	free(g->networks);
	g->networks = NULL;
	g->n_networks = 0;
}

static int replace_networks(struct container_config *g, const struct container_config *given,
			    struct err *err)
{
	if (given->n_networks == 0)
		return 0;
	if (g->n_networks == 0)
		return err_set(
			err, ERR_INVALID,
			"--network: the container was frozen without networks of its own, and "
			"its processes cannot be given one");
	clear_attachments(g);
	for (size_t i = 0; i < given->n_networks; i++)
		network_attachment_copy(array_push(g->networks, g->n_networks),
					&given->networks[i]);
	return 0;
}

static void replace_ports(struct container_config *g, const struct container_config *given)
{
	struct network_ports old = { g->ports, g->n_ports };
	struct network_ports copy = NETWORK_PORTS_INIT;

	network_ports_done(&old);
	network_ports_copy(&copy,
			   &(struct network_ports){ (struct network_port *)(uintptr_t)given->ports,
						    given->n_ports });
	g->ports = copy.v;
	g->n_ports = copy.n;
}

/* In the record for later starts, and in the configuration for this one. */
static void replace_limits(struct import *x, const struct container_limits *given)
{
	struct container_limits *l = &x->record.limits;
	struct oci_resources *r = x->spec.linux_->resources;

	if (!r)
		r = x->spec.linux_->resources = xcalloc(1, sizeof(*r));
	if (given->memory.set) {
		l->memory = given->memory;
		l->memory_swap = given->memory_swap;
		if (!r->memory)
			r->memory = xcalloc(1, sizeof(*r->memory));
		r->memory->limit = given->memory;
		r->memory->swap = given->memory_swap;
		if (given->memory.v > 0 && !given->memory_swap.set &&
		    given->memory.v <= INT64_MAX / 2)
			r->memory->swap = (struct opt_i64){ true, given->memory.v * 2 };
	}
	if (given->cpu_quota.set) {
		l->cpu_quota = given->cpu_quota;
		l->cpu_period = given->cpu_period;
		if (!r->cpu)
			r->cpu = xcalloc(1, sizeof(*r->cpu));
		r->cpu->quota = given->cpu_quota;
		r->cpu->period = given->cpu_period;
	}
}

static int check_identity(const struct import *x, struct err *err)
{
	const struct restore_identity *i = &x->o->identity;

	if (i->name && !container_name_is_valid(i->name))
		return err_set(
			err, ERR_INVALID,
			"names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: '%s': invalid argument",
			i->name);
	if (!container_name_is_valid(x->record.name ? x->record.name : "") || !x->record.id ||
	    strlen(x->record.id) != ID_LENGTH ||
	    strspn(x->record.id, "0123456789abcdef") != ID_LENGTH)
		return err_set(
			err, ERR_INVALID,
			"restore from '%s': its container has no valid name and id; give it a "
			"name with --name",
			x->o->source);
	if ((i->ip || i->mac) && x->record.n_networks != 1)
		return err_set(err, ERR_INVALID,
			       "--%s needs a container in exactly one network; this one is in %zu",
			       i->ip ? "ip" : "mac", x->record.n_networks);
	if (i->hostname && !oci_linux_namespace(x->spec.linux_, "uts"))
		return err_set(err, ERR_INVALID,
			       "--hostname: the container has the host name of its host");
	return 0;
}

static int stage_identity(void *context, struct err *err)
{
	struct import *x = context;
	const struct restore_identity *i = &x->o->identity;
	int r = 0;

	if (i->name) {
		replace_ptr(x->record.name, xstrdup(i->name));
		replace_ptr(x->record.id, random_hex(ID_LENGTH));
	}
	if (i->hostname)
		replace_ptr(x->record.hostname, xstrdup(i->hostname));
	for (size_t k = 0; r == 0 && i->given && k < i->given->n_mounts; k++)
		r = replace_mount(&x->record, &i->given->mounts[k], err);
	if (r == 0 && i->given)
		r = replace_networks(&x->record, i->given, err);
	if (r == 0)
		r = check_identity(x, err);
	if (r < 0)
		return r;
	if (i->has_ports)
		replace_ports(&x->record, i->given);
	if (i->given)
		replace_limits(x, &i->given->limits);
	return 0;
}

static int stage_judge(void *context, struct err *err)
{
	struct import *x = context;
	const struct container_config *given = x->o->identity.given;
	auto_restore_findings struct restore_findings f = { 0 };

	restore_policy_check(&x->config, &x->spec, &x->record, given ? given->mounts : NULL,
			     given ? given->n_mounts : 0, &f);
	if (f.text.len > 0 && x->o->report)
		x->o->report(x->o->context, f.text.buf);
	return restore_policy_decide(&f, x->o->allowed, x->o->source, err);
}

/* --- runtime and image ------------------------------------------------------------------------------ */

/* CRIU's images are for the runtime that made them, under whatever path it is here. */
static int stage_runtime(void *context, struct err *err)
{
	struct import *x = context;
	struct engine *e = x->e;
	struct engine_options options = *e->options;
	const struct engine_options *saved = e->options;
	const char *wanted = x->config.runtime;
	int r;

	if (str_is_empty(wanted) || strchr(wanted, '/'))
		return engine_find_runtime(e, err);
	if (options.runtime) {
		r = engine_find_runtime(e, err);
		if (r == 0 && !str_eq(path_basename(e->runtime), wanted))
			r = err_set(err, ERR_INVALID,
				    "container runtimes do not match: the archive needs '%s', and "
				    "--runtime says '%s'",
				    wanted, options.runtime);
		return r;
	}
	options.runtime = wanted;
	e->options = &options;
	r = engine_find_runtime(e, err);
	e->options = saved;
	return r < 0 ? err_wrap(err, r, "the archive needs the runtime '%s'", wanted) : 0;
}

static int load_by_id(struct import *x, struct store *store, struct image *image, struct err *err)
{
	const struct container_config *g = &x->record;
	const struct pull_options options = { .policy = PULL_MISSING };
	auto_free char *pulled = NULL;
	int r = g->image_id ? image_find(store, g->image_id, image, NULL, NULL) : -ENOENT;

	if (r != -ENOENT || !g->image_name)
		return r == -ENOENT ?
			       err_set(err, ERR_NOT_FOUND,
				       "the image %s of the archive is not here, and it has no "
				       "name to pull it by",
				       g->image_id ? g->image_id : "") :
			       r;
	/* By the name, if that still means the same. */
	r = image_pull(store, g->image_name, &options, &pulled, NULL, err);
	if (r < 0)
		return err_wrap(err, r, "the image of the archive");
	if (g->image_id && !str_eq(g->image_id, pulled))
		return err_set(
			err, ERR_NOT_FOUND,
			"the archive needs the image %s; what '%s' means here is %s, which is "
			"another one",
			g->image_id, g->image_name, pulled);
	return image_load(store, pulled, image, err);
}

static int stage_image(void *context, struct err *err)
{
	struct import *x = context;
	auto_image struct image image = { 0 };
	struct store *store;
	int r;

	if (x->record.rootfs)
		return 0;
	r = engine_store(x->e, &store, err);
	if (r == 0)
		r = load_by_id(x, store, &image, err);
	if (r < 0)
		return r;
	x->top = take_ptr(image.top);
	replace_ptr(x->record.image_id, xstrdup(image.id));
	replace_ptr(x->record.image_digest, xstrdup(image.manifest_digest));
	return 0;
}

/* --- the container ---------------------------------------------------------------------------------- */

/* A volume whose content is in the archive must not be there yet: somebody else's content would be overwritten. */
static int make_volume(struct import *x, struct container_mount *m, struct err *err)
{
	const struct volume_options options = { .name = m->source, .anonymous = m->anonymous };
	const struct container_config *given = x->o->identity.given;
	auto_volume struct volume v = { 0 };
	bool is_given = false;
	int r;

	if (!container_name_is_valid(m->source))
		return err_set(err, ERR_INVALID, "volume '%s': no valid name", m->source);
	for (size_t i = 0; given && i < given->n_mounts; i++)
		is_given = is_given || str_eq(given->mounts[i].destination, m->destination);
	r = volume_load(x->e, m->source, &v, NULL);
	if (r == 0 && str_eq(v.name, m->source)) {
		if (x->o->ignore_volumes || is_given)
			return 0;
		return err_set(err, ERR_EXISTS,
			       "volume with name %s already exists. Use --ignore-volumes to not "
			       "restore content of volumes",
			       m->source);
	}
	r = volume_create(x->e, &options, NULL, err);
	if (r == 0)
		strvec_add(&x->volumes, m->source);
	return r;
}

static int resolve_secrets(struct import *x, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < x->record.n_secrets; i++) {
		auto_secret struct secret s = { 0 };

		r = secret_load(x->e, x->record.secrets[i].name ? x->record.secrets[i].name : "",
				&s, err);
		if (r == 0)
			replace_ptr(x->record.secrets[i].id, take_ptr(s.id));
	}
	return r;
}

static int make_rootfs(struct import *x, struct err *err)
{
	const struct rootfs_options options = { .top = x->top };
	struct store *store;
	int r;

	if (x->record.rootfs)
		return 0;
	r = engine_store(x->e, &store, err);
	return r < 0 ? r : rootfs_create(store, x->container.config.id, &options, err);
}

static int stage_create(void *context, struct err *err)
{
	struct import *x = context;
	struct container_status status = { .phase = PHASE_CREATED };
	int r = resolve_secrets(x, err);

	for (size_t i = 0; r == 0 && i < x->record.n_mounts; i++)
		if (str_eq(x->record.mounts[i].type, "volume") &&
		    !strvec_contains(&x->volumes, x->record.mounts[i].source))
			r = make_volume(x, &x->record.mounts[i], err);
	if (r < 0)
		return r;
	status.boot_id = xstrdup(container_boot_id());
	r = record_add(x->e, &x->record, &status, err);
	if (r < 0) {
		container_status_done(&status);
		return r;
	}
	container_from(&x->container, x->e, &x->record, &status);
	x->created = true;
	r = container_lock(&x->container, err);
	if (r == 0)
		r = make_rootfs(x, err);
	if (r == 0 && fs_mkdir_all(AT_FDCWD, x->container.static_dir, 0711, 0700) < 0)
		r = err_sys(err, -errno, "create directory '%s'", x->container.static_dir);
	return r;
}

static void undo_create(void *context)
{
	struct import *x = context;
	struct err err = ERR_INIT;

	if (x->created &&
	    container_remove(&x->container, &(struct remove_options){ .force = true }, &err) < 0)
		log_warning("%s", err.msg);
	for (size_t i = 0; i < x->volumes.n; i++)
		if (volume_remove(x->e, x->volumes.v[i], &err) < 0)
			log_debug("%s", err.msg);
	x->created = false;
}

/* --- the content ------------------------------------------------------------------------------------ */

static int open_volume(const struct import *x, const char *name, struct rooted *ret,
		       struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r = volume_load(x->e, name, &v, err);

	if (r == 0)
		r = volume_make_directory(&v, err);
	if (r < 0)
		return r;
	r = rooted_open(ret, AT_FDCWD, v.mountpoint);
	return r < 0 ? err_sys(err, r, "open volume '%s'", name) : 0;
}

/* What a volume of the archive is called here: by the place of its mount, which may have been given another one. */
static const char *volume_here(const struct import *x, const char *name)
{
	for (size_t i = 0; i < x->config.n_named_volumes; i++) {
		const struct archive_named_volume *v = &x->config.named_volumes[i];
		const struct container_config *g = &x->container.config;

		for (size_t k = 0; str_eq(v->volume_name, name) && k < g->n_mounts; k++)
			if (str_eq(g->mounts[k].destination, v->dest) &&
			    str_eq(g->mounts[k].type, "volume"))
				return g->mounts[k].source;
	}
	return NULL;
}

struct fill {
	struct import *x;
	const struct rooted *root;
};

static int unpack_tar(void *context, const struct archive_member *member, struct tar_reader *tar,
		      struct err *err)
{
	const struct fill *f = context;
	struct import *x = f->x;
	struct archive_inner_options options = {
		.allow_devices = (x->o->allowed & (1U << RESTORE_DEVICES)) != 0,
		.whiteouts = archive_engine_of(&x->spec.annotations) == ARCHIVE_ENGINE_CONTAINERD,
	};
	auto_rooted struct rooted place = ROOTED_INIT;
	auto_free char *volume = NULL;
	auto_free char *shm = NULL;
	const char *here;
	int r;

	switch ((int)member->kind) {
	case ARCHIVE_ROOTFS_TAR:
		if (!x->o->ignore_rootfs)
			r = archive_unpack_inner(tar, f->root, &options, err);
		else
			r = 0;
		return r < 0 ? r : 1;
	case ARCHIVE_SHM_TAR:
		shm = container_shm_path(&x->container);
		if (!shm)
			return 1;
		r = rooted_open(&place, AT_FDCWD, shm);
		if (r < 0)
			return err_sys(err, r, "open '%s'", shm);
		break;
	default:
		volume = archive_member_volume(member);
		here = volume ? volume_here(x, volume) : NULL;
		/* One that was there before keeps what it has. */
		if (!here || !strvec_contains(&x->volumes, here) || x->o->ignore_volumes)
			return 1;
		r = open_volume(x, here, &place, err);
		if (r < 0)
			return r;
		break;
	}
	options.whiteouts = false;
	r = archive_unpack_inner(tar, &place, &options, err);
	return r < 0 ? r : 1;
}

static int make_import_dir(const struct container *c, const char *name, int *ret, struct err *err)
{
	auto_free char *path = checkpoint_file(c, name);

	if (mkdir(path, 0700) < 0)
		return err_sys(err, -errno, "create directory '%s'", path);
	*ret = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	return *ret < 0 ? err_sys(err, *ret, "open '%s'", path) : 0;
}

static int remove_deleted(int dir, const struct rooted *root, struct err *err)
{
	auto_strvec struct strvec paths = STRVEC_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(dir, "deleted.files", JSON_TEXT_MAX, &text);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(err, r, "read deleted.files");
	r = archive_deleted_parse(&paths, text.buf, text.len, err);
	return r < 0 ? r : archive_remove_deleted(root, paths.v, paths.n, err);
}

/* From the directory of the import to where a container has its things. */
static int take_files(const struct container *c, int dir, struct err *err)
{
	static const char *const names[] = { CHECKPOINT_DIR, CHECKPOINT_PRE_DIR, "artifacts" };
	/* podman's, containerd's, CRI-O's. */
	static const char *const logs[] = { "ctr.log", "container.log",
					    "io.kubernetes.cri-o.LogPath" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *to = checkpoint_file(c, names[i]);

		if (renameat(dir, names[i], AT_FDCWD, to) < 0 && errno != ENOENT)
			return err_sys(err, -errno, "take '%s' of the archive", names[i]);
	}
	if (!str_eq(c->config.log_driver, "k8s-file") && !str_eq(c->config.log_driver, "json-file"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		auto_free char *to = checkpoint_file(c, "ctr.log");

		if (renameat(dir, logs[i], AT_FDCWD, to) < 0 && errno != ENOENT)
			return err_sys(err, -errno, "take the log of the archive");
	}
	return 0;
}

/* The memory that an earlier pre-checkpoint wrote, from an archive of its own. */
static int unpack_previous(struct import *x, struct err *err)
{
	static const char *const names[] = { PREVIOUS_DIR, NULL };
	const struct archive_unpack_options options = { .skip_kinds = 0 };
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_free char *to = checkpoint_file(&x->container, CHECKPOINT_PRE_DIR);
	auto_close int dir = -EBADF;
	int r;

	if (!x->o->previous)
		return 0;
	r = archive_reader_open(&reader, x->o->previous, NULL, err);
	if (r == 0)
		r = make_import_dir(&x->container, PREVIOUS_DIR, &dir, err);
	if (r == 0)
		r = archive_reader_unpack(reader, dir, &options, NULL, err);
	if (r == 0 && renameat(dir, CHECKPOINT_PRE_DIR, AT_FDCWD, to) < 0)
		r = err_sys(err, -errno, "take the pre-checkpoint of '%s'", x->o->previous);
	checkpoint_remove(&x->container, names);
	return r;
}

static int judge_images(struct import *x, struct err *err)
{
	auto_free char *path = checkpoint_file(&x->container, CHECKPOINT_DIR);
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	auto_restore_findings struct restore_findings f = { 0 };
	bool shared = false;
	int r;

	if (dir < 0)
		return err_set(
			err, ERR_INVALID,
			"restore from '%s': a complete checkpoint for this container cannot be "
			"found, cannot restore",
			x->o->source);
	r = restore_policy_check_images(dir, &x->spec, x->config.privileged, &f, &shared, err);
	if (r < 0)
		return r;
	if (shared && mount(NULL, x->container.status.mount_point, NULL, MS_SHARED, NULL) < 0 &&
	    errno != EINVAL)
		return err_sys(err, -errno, "share the mount of the root file system");
	if (f.text.len > 0 && x->o->report)
		x->o->report(x->o->context, f.text.buf);
	return restore_policy_decide(&f, x->o->allowed, x->o->source, err);
}

static int fill(void *context, struct container *c, const struct rooted *root, struct err *err)
{
	static const char *const names[] = { IMPORT_DIR, NULL };
	struct import *x = context;
	struct fill f = { x, root };
	const struct archive_unpack_options options = { .inner = unpack_tar, .context = &f };
	auto_close int dir = -EBADF;
	int r = make_import_dir(c, IMPORT_DIR, &dir, err);

	if (r == 0)
		r = archive_reader_unpack(x->reader, dir, &options, NULL, err);
	if (r == 0 && !x->o->ignore_rootfs)
		r = remove_deleted(dir, root, err);
	if (r == 0)
		r = take_files(c, dir, err);
	checkpoint_remove(c, names);
	if (r == 0)
		r = unpack_previous(x, err);
	return r < 0 ? r : judge_images(x, err);
}

/* --- the network ------------------------------------------------------------------------------------ */

static void set_addresses(struct container *c, const char *ip, const char *mac)
{
	struct network_attachment *a = c->config.networks;

	if (ip) {
		for (size_t i = 0; i < a->n_static_ips; i++)
			free(a->static_ips[i]);
		free(a->static_ips);
		a->static_ips = NULL;
		a->n_static_ips = 0;
		json_strings_add(&a->static_ips, &a->n_static_ips, ip);
	}
	if (mac)
		replace_ptr(a->static_mac, xstrdup(mac));
}

/* Names of networks in their order, for the form of libpod 1.x, which has none. */
static int save_status(struct import *x, struct err *err)
{
	const struct archive_document *d = document(x, ARCHIVE_NETWORK_STATUS);
	const struct container_config *g = &x->container.config;
	auto_free char *path = checkpoint_file(&x->container, CHECKPOINT_NETWORK_STATUS);
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *text = NULL;
	int r;

	if (!d->text)
		return 0;
	for (size_t i = 0; i < g->n_networks; i++)
		strvec_add(&names, g->networks[i].network);
	r = archive_network_status_parse(&status, d->text, d->len, names.v, names.n, err);
	if (r < 0)
		return r;
	text = network_status_format(&status);
	r = fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, FS_VOLATILE);
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

static int stage_network(void *context, struct err *err)
{
	struct import *x = context;
	const struct restore_identity *i = &x->o->identity;
	struct container *c = &x->container;
	bool new_networks = i->given && i->given->n_networks > 0;
	int r = 0;

	/* Another container by another name; with networks that it did not have, too. */
	if (!i->name && !new_networks) {
		r = save_status(x, err);
		if (r == 0)
			r = checkpoint_request_network(c, x->restore->ignore_static_ip,
						       x->restore->ignore_static_mac, err);
	} else if (!new_networks) {
		r = checkpoint_request_network(c, x->restore->ignore_static_ip,
					       x->restore->ignore_static_mac, err);
	}
	if (r == 0 && (i->ip || i->mac))
		set_addresses(c, i->ip, i->mac);
	return r;
}

static int stage_restore(void *context, struct err *err)
{
	struct import *x = context;

	x->source = (struct restore_source){
		.spec = &x->spec,
		.fill = fill,
		.context = x,
		.hostname = x->o->identity.hostname,
	};
	return container_restore_from(&x->container, &x->source, x->restore, x->result, err);
}

static const struct stage stages[] = {
	{ "read the archive's documents", stage_read, NULL },
	{ "apply the new identity", stage_identity, NULL },
	{ "judge what the archive asks for", stage_judge, NULL },
	{ "find the runtime", stage_runtime, NULL },
	{ "find the image", stage_image, NULL },
	{ "create the container", stage_create, undo_create },
	{ "ask for the addresses", stage_network, NULL },
	{ "restore", stage_restore, NULL },
};

static void import_done(struct import *x)
{
	archive_reader_close(x->reader);
	archive_documents_done(&x->documents);
	archive_config_done(&x->config);
	runtime_spec_done(&x->spec);
	container_config_done(&x->record);
	strvec_done(&x->volumes);
	free(x->top);
}

int container_import_check(struct engine *e, const struct restore_import *import,
			   struct restore_check *ret, struct err *err)
{
	struct import x = { .e = e, .o = import, .container = CONTAINER_INIT };
	struct err reason = ERR_INIT;
	int r = stage_read(&x, err);

	if (r == 0)
		r = stage_identity(&x, err);
	if (r == 0) {
		if (stage_judge(&x, &reason) < 0)
			restore_check_note(ret, RESTORE_FAILS, "trust", "%s", reason.msg);
		else
			restore_check_note(ret, RESTORE_FITS, "trust",
					   "the documents ask for nothing that is not allowed");
		err_clear(&reason);
		if (stage_runtime(&x, &reason) < 0)
			restore_check_note(ret, RESTORE_FAILS, "runtime", "%s", reason.msg);
		else
			restore_check_note(ret, RESTORE_FITS, "runtime", "%s", e->runtime);
		restore_check_run(ret, e, &x.config, &x.spec, &x.record, import);
	}
	import_done(&x);
	return r;
}

int container_import(struct container *ret, struct engine *e, const struct restore_import *import,
		     const struct restore_options *options, struct restore_result *result,
		     struct err *err)
{
	struct import x = { .e = e,
			    .o = import,
			    .restore = options,
			    .result = result,
			    .container = CONTAINER_INIT };
	int r = stages_run("import", stages, ARRAY_SIZE(stages), &x, err);

	import_done(&x);
	if (r == 0)
		*ret = x.container;
	else
		container_close(&x.container);
	return r;
}
