/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_import.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/path.h"
#include "core/stage.h"
#include "core/str.h"
#include "engine/archive_record.h"
#include "engine/checkpoint_files.h"
#include "engine/cleanup.h"
#include "engine/create.h"
#include "engine/image_use.h"
#include "engine/own_archives.h"
#include "engine/prepare.h"
#include "engine/records.h"
#include "engine/restore_check.h"
#include "engine/restore_content.h"
#include "engine/restore_sources.h"
#include "engine/secret.h"
#include "engine/userns.h"
#include "engine/volume.h"
#include "image/pull.h"
#include "storage/rootfs.h"

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
	bool own; /* nothing of it is of strangers */
	bool created;
	struct strvec volumes; /* that are made for it */
	struct strvec sources; /* of bind mounts, likewise */
	struct restore_content content;
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

static int stage_identity(void *context, struct err *err)
{
	struct import *x = context;

	checkpoint_strip_static(&x->record, x->restore && x->restore->ignore_static_ip,
				x->restore && x->restore->ignore_static_mac);
	return restore_identity_apply(&x->o->identity, &x->record, &x->spec, x->o->source, err);
}

static bool is_own_file(struct engine *e, const char *path)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_PATH, 0);

	return own_archives_have(e, fd);
}

static bool is_own(const struct import *x)
{
	const char *previous = x->o->previous;

	return own_archives_have(x->e, archive_reader_fd(x->reader)) &&
	       (!previous || is_own_file(x->e, previous));
}

static uint32_t allowed(const struct import *x)
{
	return x->own ? UINT32_MAX : x->o->allowed;
}

/* CRIU gives the processes the ids that they had, whoever has these here, and whoever wrote the archive. */
static int check_ids(const struct import *x, struct err *err)
{
	auto_free char *name = NULL;
	struct container_idmap with;
	int r = userns_find_overlap(x->e, &x->record, &with, &name, err);

	if (r < 0 || !name || x->o->allowed & (1U << RESTORE_IDS))
		return r;
	return err_set(
		err, ERR_DENIED,
		"restore from '%s': its processes have ids of the host that are among %u to "
		"%llu, which container '%s' has, and what --userns auto has chosen is for one "
		"container alone; remove the other, or let both have them: --allow ids",
		x->o->source, with.host, (unsigned long long)with.host + MAX(with.size, 1U) - 1,
		name);
}

static int stage_judge(void *context, struct err *err)
{
	struct import *x = context;
	auto_restore_findings struct restore_findings f = { 0 };
	int r;

	restore_policy_check(&x->config, &x->spec, &x->record, x->o->identity.given, &f);
	x->own = is_own(x);
	if (f.text.len > 0 && x->o->report && !x->own)
		x->o->report(x->o->context, f.text.buf);
	r = restore_policy_decide(&f, allowed(x), x->o->source, err);
	return r < 0 ? r : check_ids(x, err);
}

/* --- runtime and image ------------------------------------------------------------------------------ */

/*
 * CRIU's images are for the runtime that made them, under whatever path it is here; the container stays with it. An
 * archive that names none, or one by a path of another machine, gets that of new containers.
 */
static int stage_runtime(void *context, struct err *err)
{
	struct import *x = context;
	const char *given = x->e->options->runtime;
	const char *wanted = x->config.runtime;
	const char *name = engine_runtime_name(x->e);
	auto_free char *path = NULL;

	if (!str_is_empty(wanted) && !strchr(wanted, '/')) {
		if (given && !str_eq(path_basename(given), wanted))
			return err_set(
				err, ERR_INVALID,
				"container runtimes do not match: the container was made with "
				"'%s', and cannot be restored with runtime '%s'; leave "
				"--runtime out",
				wanted, given);
		name = given ? given : wanted;
	}
	path = engine_runtime_path(x->e, name);
	if (!path)
		return err_set(
			err, ERR_NOT_FOUND,
			"the archive needs the runtime '%s', and there is no such program; give "
			"its path with --runtime",
			name);
	replace_ptr(x->record.runtime,
		    strchr(name, '/') ? path_absolute(name, NULL) : xstrdup(name));
	return 0;
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

/* --- what it mounts --- */

/* Those that it says what they were of. */
static int known_sources(const struct import *x, struct archive_bind_mounts *ret, struct err *err)
{
	const struct archive_document *d = document(x, ARCHIVE_BIND_MOUNTS);

	*ret = (struct archive_bind_mounts){ 0 };
	return d->text ? archive_bind_mounts_parse(ret, d->text, d->len, err) : 0;
}

static int stage_sources(void *context, struct err *err)
{
	struct import *x = context;
	struct archive_bind_mounts known;
	int r = known_sources(x, &known, err);

	if (r == 0)
		r = restore_sources_make(&known, &x->record, &x->sources, err);
	archive_bind_mounts_done(&known);
	return r;
}

static void undo_sources(void *context)
{
	const struct import *x = context;

	restore_sources_remove(&x->sources);
}

/* --- the container ---------------------------------------------------------------------------------- */

/* A volume whose content is in the archive must not be there yet: somebody else's content would be overwritten. */
static int plan_volume(struct import *x, const struct container_mount *m, struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r;

	if (!container_name_is_valid(m->source))
		return err_set(err, ERR_INVALID, "volume '%s': no valid name", m->source);
	r = volume_load(x->e, m->source, &v, NULL);
	if (r == 0 && str_eq(v.name, m->source)) {
		if (x->o->ignore_volumes ||
		    container_config_mount(x->o->identity.given, m->destination))
			return 0;
		return err_set(err, ERR_EXISTS,
			       "volume with name %s already exists. Use --ignore-volumes to not "
			       "restore content of volumes",
			       m->source);
	}
	if (!strvec_contains(&x->volumes, m->source))
		strvec_add(&x->volumes, m->source);
	return 0;
}

/* The record has their names by now. One that somebody else has made meanwhile is not ours to remove. */
static int make_volumes(struct import *x, struct err *err)
{
	struct container *c = &x->container;
	auto_strvec struct strvec made = STRVEC_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->config.n_mounts; i++) {
		const struct container_mount *m = &c->config.mounts[i];
		const struct volume_options options = {
			.name = m->source,
			.anonymous = m->anonymous,
		};

		if (!str_eq(m->type, "volume") || !strvec_contains(&x->volumes, m->source) ||
		    strvec_contains(&made, m->source))
			continue;
		r = volume_create(x->e, &options, NULL, err);
		if (r == 0)
			strvec_add(&made, m->source);
	}
	if (r == 0)
		return 0;
	strvec_done(&x->volumes);
	x->volumes = made;
	made = (struct strvec)STRVEC_INIT;
	return r;
}

/*
 * One that an import was killed over stands in the way, by its name or id: who holds its lock is at work still.
 */
static int remove_remains(struct engine *e, const char *name, struct err *err)
{
	const struct remove_options options = { .force = true, .volumes = true };
	auto_container struct container c = CONTAINER_INIT;
	auto_free char *path = NULL;
	auto_close int lock = -EBADF;

	if (container_open(&c, e, name, NULL) < 0 || !c.status.importing)
		return 0;
	path = xasprintf("%s/locks/%s", e->tmpdir, c.config.id);
	lock = lock_open(AT_FDCWD, path, LOCK_MODE_EXCLUSIVE, 0);
	if (lock < 0)
		return err_set(err, ERR_EXISTS, "container '%s' is being imported already",
			       c.config.name);
	close_fd(&lock);
	if (container_lock(&c, NULL) < 0 || !c.status.importing)
		return 0;
	return container_remove(&c, &options, err);
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
	auto_idmap struct idmap uids;
	auto_idmap struct idmap gids;
	const struct rootfs_options options = { .top = x->top, .uids = &uids, .gids = &gids };
	struct store *store;
	int r;

	userns_maps(&x->container.config, &uids, &gids);
	if (x->container.config.rootfs)
		return 0;
	r = engine_store(x->e, &store, err);
	return r < 0 ? r : rootfs_create(store, x->container.config.id, &options, err);
}

/* Again, now that nobody can take them meanwhile. */
static int lock_ids(struct import *x, int *ret_lock, struct err *err)
{
	if (x->record.n_uid_maps == 0)
		return 0;
	*ret_lock = userns_lock(x->e, err);
	return *ret_lock < 0 ? *ret_lock : check_ids(x, err);
}

static int stage_create(void *context, struct err *err)
{
	struct import *x = context;
	struct container_status status = { .phase = PHASE_CREATED, .importing = true };
	auto_close int ids_lock = -EBADF;
	int r = resolve_secrets(x, err);

	if (r == 0)
		r = remove_remains(x->e, x->record.name, err);
	if (r == 0)
		r = remove_remains(x->e, x->record.id, err);

	for (size_t i = 0; r == 0 && i < x->record.n_mounts; i++)
		if (str_eq(x->record.mounts[i].type, "volume"))
			r = plan_volume(x, &x->record.mounts[i], err);
	if (r == 0)
		r = lock_ids(x, &ids_lock, err);
	if (r < 0)
		return r;
	json_strings_add_all(&status.import_volumes, &status.n_import_volumes, x->volumes.v,
			     x->volumes.n);
	status.boot_id = xstrdup(container_boot_id());
	r = record_add(x->e, &x->record, &status, err);
	if (r < 0) {
		container_status_done(&status);
		return r;
	}
	container_from(&x->container, x->e, &x->record, &status);
	x->created = true;
	close_fd(&ids_lock);
	r = container_lock(&x->container, err);
	if (r == 0)
		r = make_volumes(x, err);
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

	if (!x->created)
		return;
	x->container.status.importing = false;
	if (container_remove(&x->container, &(struct remove_options){ .force = true }, &err) < 0)
		log_warning("%s", err.msg);
	for (size_t i = 0; i < x->volumes.n; i++)
		if (volume_remove(x->e, x->volumes.v[i], &err) < 0)
			log_debug("%s", err.msg);
	x->created = false;
}

/* --- the network ------------------------------------------------------------------------------------ */

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
	/* Before those that it had. */
	if (r == 0)
		restore_identity_addresses(i, &c->config);
	return r;
}

static bool has_user_namespace(const struct runtime_spec *spec)
{
	return spec->linux_ && oci_linux_namespace(spec->linux_, "user");
}

static int stage_restore(void *context, struct err *err)
{
	struct import *x = context;
	int r;

	x->content = (struct restore_content){
		.import = x->o,
		.reader = x->reader,
		.config = &x->config,
		.spec = &x->spec,
		.volumes = &x->volumes,
		.allowed = allowed(x),
		.own = x->own,
		.keep = x->restore->keep,
	};
	/* What is kept must be there as files, and images are built upon those of a pre-checkpoint as files. */
	if (!x->restore->keep && !x->o->previous && !has_user_namespace(&x->spec))
		x->content.memory = restore_memory_new(x->reader);
	x->source = (struct restore_source){
		.spec = &x->spec,
		.fill = restore_content_fill,
		.images = restore_content_images,
		.context = &x->content,
		.hostname = x->o->identity.hostname,
	};
	r = container_restore_from(&x->container, &x->source, x->restore, x->result, err);
	if (x->content.memory)
		r = restore_memory_explain(x->content.memory, r, err);
	return r < 0 || !x->restore->keep ? r : checkpoint_keep_network(&x->container, err);
}

static const struct stage stages[] = {
	{ "read the archive's documents", stage_read, NULL },
	{ "apply the new identity", stage_identity, NULL },
	{ "judge what the archive asks for", stage_judge, NULL },
	{ "find the runtime", stage_runtime, NULL },
	{ "find the image", stage_image, NULL },
	{ "make the sources of its mounts", stage_sources, undo_sources },
	{ "create the container", stage_create, undo_create },
	{ "ask for the addresses", stage_network, NULL },
	{ "restore", stage_restore, NULL },
};

static void import_done(struct import *x)
{
	restore_memory_free(x->content.memory);
	archive_reader_close(x->reader);
	archive_documents_done(&x->documents);
	archive_config_done(&x->config);
	runtime_spec_done(&x->spec);
	container_config_done(&x->record);
	strvec_done(&x->volumes);
	strvec_done(&x->sources);
	free(x->top);
}

int container_import_check(struct engine *e, const struct restore_import *import,
			   struct restore_check *ret, struct err *err)
{
	struct import x = { .e = e, .o = import, .container = CONTAINER_INIT };
	struct archive_bind_mounts known = { 0 };
	struct err reason = ERR_INIT;
	int r = stage_read(&x, err);

	if (r == 0)
		r = stage_identity(&x, err);
	if (r == 0)
		r = known_sources(&x, &known, err);
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
			restore_check_note(ret, RESTORE_FITS, "runtime", "%s", x.record.runtime);
		restore_check_run(ret, e, &x.config, &x.spec, &x.record, import, &known);
	}
	archive_bind_mounts_done(&known);
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
