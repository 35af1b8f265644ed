/* SPDX-License-Identifier: Apache-2.0 */
/* Which image a user means. */
#include <ctype.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "image/image.h"
#include "image/reference.h"
#include "image/registries.h"
#include "storage/blob.h"

#define ID_LEN 64

static int unknown(struct err *err, const char *what)
{
	return err_set(err, ERR_NOT_FOUND, "%s: image not known", what);
}

/* The id of an exact name; -ENOENT without *err. */
static int id_of_name(struct store *store, const char *name, char **ret, struct err *err)
{
	return db_get_text(store->db, ret, err, "SELECT image_id FROM image_names WHERE name = ?",
			   "s", name);
}

/* REPOSITORY@DIGEST, or the digest alone (of a manifest, whatever its repository). */
static int id_of_digest(struct store *store, const char *repository, const char *digest, char **ret,
			struct err *err)
{
	auto_free char *full = repository ? xasprintf("%s@%s", repository, digest) : NULL;
	int r;

	if (full) {
		r = db_get_text(store->db, ret, err,
				"SELECT image_id FROM image_digests WHERE digest = ?", "s", full);
		if (r != -ENOENT)
			return r;
		/* Locally made ones have names, and a manifest, but no digest of a registry's. */
		return db_get_text(
			store->db, ret, err,
			"SELECT i.id FROM images i JOIN image_names n ON n.image_id = i.id"
			" WHERE i.manifest_digest = ?"
			" AND substr(n.name, 1, length(?) + 1) = ? || ':'",
			"sss", digest, repository, repository);
	}
	return db_get_text(store->db, ret, err, "SELECT id FROM images WHERE manifest_digest = ?",
			   "s", digest);
}

/* By (a prefix of) the id. ERR_INVALID when several begin so. */
static int id_of_prefix(struct store *store, const char *what, char **ret, struct err *err)
{
	const char *hex = str_skip_prefix(what, "sha256:");
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	auto_free char *first = NULL;
	size_t len;
	int r;

	if (!hex)
		hex = what;
	len = strlen(hex);
	if (len < 3 || len > ID_LEN || strspn(hex, "0123456789abcdef") != len)
		return -ENOENT;
	r = db_query(store->db, &q, err, "SELECT id FROM images WHERE substr(id, 1, ?) = ? LIMIT 2",
		     "is", (int64_t)len, hex);
	if (r == 0)
		r = db_step(&q, err);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	first = xstrdup(db_text(&q, 0));
	r = db_step(&q, err);
	if (r < 0)
		return r;
	if (r > 0)
		return err_set(err, ERR_INVALID,
			       "image id '%s' is ambiguous: several images begin so; give more "
			       "digits",
			       what);
	*ret = take_ptr(first);
	return 0;
}

static int by_candidates(struct store *store, const struct strvec *candidates, char **ret_id,
			 char **ret_name, struct err *err)
{
	for (size_t i = 0; i < candidates->n; i++) {
		auto_reference struct reference ref = { 0 };
		auto_free char *repository = NULL;
		int r = reference_parse(&ref, candidates->v[i], err);

		if (r < 0)
			return r;
		repository = reference_repository(&ref);
		r = ref.digest ? id_of_digest(store, repository, ref.digest, ret_id, err) :
				 id_of_name(store, candidates->v[i], ret_id, err);
		if (r == 0)
			*ret_name = xstrdup(candidates->v[i]);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

/* A short name that is the end of a full one: "web" for "registry.example/team/web". */
static int by_suffix(struct store *store, const char *what, char **ret_id, char **ret_name,
		     struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	auto_reference struct reference ref = { 0 };
	auto_free char *end = NULL;
	auto_free char *name = NULL;
	int r = reference_parse(&ref, what, NULL);

	if (r < 0 || ref.domain || ref.digest)
		return -ENOENT;
	reference_tag_latest(&ref);
	name = reference_format(&ref);
	end = xasprintf("/%s", name);
	r = db_query(store->db, &q, err,
		     "SELECT image_id, name FROM image_names"
		     " WHERE substr(name, -length(?)) = ? ORDER BY added DESC LIMIT 1",
		     "ss", end, end);
	if (r == 0)
		r = db_step(&q, err);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_id = xstrdup(db_text(&q, 0));
	*ret_name = xstrdup(db_text(&q, 1));
	return 0;
}

static int by_name(struct store *store, const char *what, char **ret_id, char **ret_name,
		   struct err *err)
{
	auto_registries struct registries registries = { 0 };
	auto_strvec struct strvec candidates = STRVEC_INIT;
	auto_reference struct reference ref = { 0 };
	bool is_full = reference_parse(&ref, what, NULL) == 0 && ref.domain;
	/* Only short names depend on the configuration. */
	int r = is_full ? 0 : registries_load(&registries, NULL, err);

	if (r == 0)
		r = registries_candidates(&registries, what, true, &candidates, err);
	if (r == 0)
		r = by_candidates(store, &candidates, ret_id, ret_name, err);
	if (r == -ENOENT) {
		err_clear(err);
		r = by_suffix(store, what, ret_id, ret_name, err);
	}
	return r;
}

int image_find(struct store *store, const char *what, struct image *ret, char **ret_name,
	       struct err *err)
{
	auto_free char *id = NULL;
	auto_free char *name = NULL;
	int r = -ENOENT;

	if (digest_is_valid(what)) {
		r = id_of_prefix(store, what, &id, err);
		if (r == -ENOENT)
			r = id_of_digest(store, NULL, what, &id, err);
	} else if (!str_has_prefix(what, "sha256:")) {
		r = by_name(store, what, &id, &name, err);
		/* An id is no valid name when it is in the wrong form, and the other way round. */
		if (r < 0 && (!err || err->kind == ERR_INVALID || r == -ENOENT)) {
			struct err other = ERR_INIT;
			int r2 = id_of_prefix(store, what, &id, &other);

			if (r2 == 0 || (r2 != -ENOENT && err && r == -ENOENT)) {
				if (err)
					*err = other;
				r = r2;
			}
		}
	} else {
		r = id_of_prefix(store, what, &id, err);
	}
	if (r == -ENOENT)
		return unknown(err, what);
	if (r < 0)
		return r;
	r = image_load(store, id, ret, err);
	if (r == 0 && ret_name)
		*ret_name = take_ptr(name);
	return r;
}
