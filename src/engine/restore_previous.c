/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_previous.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/reader.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "criu/image_parent.h"
#include "engine/checkpoint_files.h"
#include "engine/own_archives.h"
#include "storage/digest.h"

#define UNPACK_DIR "import.previous"
#define KEY "floePrevious"
#define PARENT_LINK CHECKPOINT_DIR "/parent"
/* CRIU writes an entry of some hundred bytes. */
#define INVENTORY_MAX (1U << 20)

/*
 * CRIU's inventory of a pre-dump has the time of it and, since 4.1, a number of that run of CRIU: no two are the same. path:
 * the directory.
 */
static int name_of(const char *path, char ret[static STORE_DIGEST_MAX])
{
	auto_strbuf struct strbuf inventory = STRBUF_INIT;
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	int r = dir < 0 ? dir : io_read_file_at(dir, "inventory.img", INVENTORY_MAX, &inventory);

	if (r == 0)
		digest_of(inventory.buf, inventory.len, ret);
	return r;
}

void restore_previous_describe(const struct container *c, struct json_object *o)
{
	auto_free char *parent = checkpoint_file(c, PARENT_LINK);
	char name[STORE_DIGEST_MAX];

	if (name_of(parent, name) == 0)
		json_object_object_add(o, KEY, json_object_new_string(name));
}

/* Both archives are of the same container, as far as they say. */
static int check_container(const struct restore_content *x, struct archive_reader *reader,
			   struct err *err)
{
	auto_archive_config struct archive_config config = { 0 };
	struct archive_documents documents = { 0 };
	const struct archive_document *d = &documents.v[ARCHIVE_CONFIG];
	int r = archive_reader_documents(reader, &documents, err);

	if (r == 0 && d->text)
		r = archive_config_parse(&config, d->text, d->len, "config.dump", err);
	archive_documents_done(&documents);
	if (r < 0)
		return err_wrap(err, r, "read '%s'", x->import->previous);
	if (str_is_empty(config.id) || str_is_empty(x->config->id) ||
	    str_eq(config.id, x->config->id))
		return 0;
	return err_set(err, ERR_INVALID,
		       "'%s' is a pre-checkpoint of container '%s' (%.12s), and '%s' a checkpoint "
		       "of '%s' (%.12s); give the pre-checkpoint that it was built upon",
		       x->import->previous, config.name ? config.name : "", config.id,
		       x->import->source, x->config->name ? x->config->name : "", x->config->id);
}

static const char *wanted_name(const struct restore_content *x)
{
	struct json_object *v = NULL;

	return x->config->extra.object &&
			       json_object_object_get_ex(x->config->extra.object, KEY, &v) ?
		       json_object_get_string(v) :
		       NULL;
}

static int check_images(const struct restore_content *x, const struct container *c,
			const char *previous, struct err *err)
{
	auto_free char *images = checkpoint_file(c, CHECKPOINT_DIR);
	auto_close int dir = fd_open_at(AT_FDCWD, images, O_RDONLY | O_DIRECTORY, 0);
	auto_close int parent = fd_open_at(AT_FDCWD, previous, O_RDONLY | O_DIRECTORY, 0);
	const char *wanted = wanted_name(x);
	char name[STORE_DIGEST_MAX];
	int r = wanted ? name_of(previous, name) : 0;

	if (r < 0)
		return err_sys(err, r, "read 'inventory.img' of '%s'", x->import->previous);
	if (wanted && !str_eq(wanted, name))
		return err_set(err, ERR_INVALID,
			       "'%s' is another pre-checkpoint of the container than the one that "
			       "'%s' was built upon",
			       x->import->previous, x->import->source);
	if (dir < 0 || parent < 0)
		return err_sys(err, dir < 0 ? dir : parent, "open the images of '%s'",
			       x->import->source);
	r = criu_images_check_parent(dir, parent, err);
	return r < 0 ? err_wrap(err, r, "'%s' was not built upon '%s'", x->import->source,
				x->import->previous) :
		       0;
}

static int unpack(const struct restore_content *x, const struct container *c,
		  struct archive_reader *reader, const char *to, struct err *err)
{
	static const char *const names[] = { UNPACK_DIR, NULL };
	const struct archive_unpack_options options = { .skip_kinds = 0 };
	auto_free char *path = checkpoint_file(c, UNPACK_DIR);
	auto_close int dir = -EBADF;
	int r;

	if (mkdir(path, 0700) < 0)
		return err_sys(err, -errno, "create directory '%s'", path);
	dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	r = dir < 0 ? err_sys(err, dir, "open '%s'", path) :
		      archive_reader_unpack(reader, dir, &options, NULL, err);
	if (r == 0 && renameat(dir, CHECKPOINT_PRE_DIR, AT_FDCWD, to) < 0)
		r = err_sys(err, -errno, "take the pre-checkpoint of '%s'", x->import->previous);
	checkpoint_remove(c, names);
	return r;
}

int restore_previous_unpack(const struct restore_content *x, const struct container *c,
			    struct err *err)
{
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_free char *to = checkpoint_file(c, CHECKPOINT_PRE_DIR);
	int r;

	if (!x->import->previous)
		return 0;
	r = archive_reader_open(&reader, x->import->previous, NULL, err);
	if (r == 0 && x->own && !own_archives_have(c->engine, archive_reader_fd(reader)))
		r = err_set(err, ERR_STATE, "'%s' was written to while it was restored",
			    x->import->previous);
	if (r == 0)
		r = check_container(x, reader, err);
	if (r == 0)
		r = unpack(x, c, reader, to, err);
	return r < 0 ? r : check_images(x, c, to, err);
}
