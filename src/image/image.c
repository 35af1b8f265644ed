/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"

#include <string.h>
#include <time.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/str.h"
#include "image/schema.h"
#include "storage/blob.h"
#include "storage/layer.h"

static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE images("
	" id TEXT PRIMARY KEY," /* 64 hex digits */
	" manifest_digest TEXT NOT NULL,"
	" manifest_type TEXT NOT NULL,"
	" top TEXT," /* chain id; null: no layers */
	" created INTEGER NOT NULL," /* nanoseconds, from the configuration */
	" added INTEGER NOT NULL,"
	" size INTEGER NOT NULL"
	") WITHOUT ROWID;"
	"CREATE TABLE image_names("
	" name TEXT PRIMARY KEY,"
	" image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,"
	" added INTEGER NOT NULL"
	") WITHOUT ROWID;"
	"CREATE INDEX image_names_image ON image_names(image_id);"
	"CREATE TABLE image_digests("
	" digest TEXT NOT NULL," /* REPOSITORY@sha256:... */
	" image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,"
	" PRIMARY KEY(digest, image_id)"
	") WITHOUT ROWID;"
	"CREATE INDEX image_digests_image ON image_digests(image_id)",
	/* 2: also those that it has no more */
	"CREATE TABLE image_names_history("
	" image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,"
	" name TEXT NOT NULL,"
	" added INTEGER NOT NULL,"
	" PRIMARY KEY(image_id, name)"
	") WITHOUT ROWID;"
	"INSERT INTO image_names_history SELECT image_id, name, added FROM image_names",
};

const struct db_schema image_schema = {
	.module = "image",
	.steps = steps,
	.n_steps = ARRAY_SIZE(steps),
};

int images_open(struct store *store, struct err *err)
{
	return db_migrate(store->db, &image_schema, err);
}

void image_done(struct image *image)
{
	free(image->id);
	free(image->manifest_digest);
	free(image->manifest_type);
	free(image->top);
	strvec_done(&image->names);
	strvec_done(&image->digests);
	*image = (struct image){ 0 };
}

void images_done(struct images *images)
{
	for (size_t i = 0; i < images->n; i++)
		image_done(&images->v[i]);
	free(images->v);
	*images = (struct images){ 0 };
}

/* --- reading --- */

#define COLUMNS "id, manifest_digest, manifest_type, top, created, added, size"

static void read_row(const struct db_stmt *q, struct image *ret)
{
	ret->id = xstrdup(db_text(q, 0));
	ret->manifest_digest = xstrdup(db_text(q, 1));
	ret->manifest_type = xstrdup(db_text(q, 2));
	ret->top = xstrdup(db_text(q, 3));
	ret->created_ns = (uint64_t)db_i64(q, 4);
	ret->added_ns = (uint64_t)db_i64(q, 5);
	ret->size = (uint64_t)db_i64(q, 6);
}

static int read_list(struct store *store, const char *sql, const char *id, struct strvec *ret,
		     struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(store->db, &q, err, sql, "s", id);

	while (r >= 0 && (r = db_step(&q, err)) > 0)
		strvec_add(ret, db_text(&q, 0));
	return r;
}

static int read_names(struct store *store, struct image *image, struct err *err)
{
	int r = read_list(
		store, "SELECT name FROM image_names WHERE image_id = ? ORDER BY added DESC, name",
		image->id, &image->names, err);

	if (r < 0)
		return r;
	return read_list(store, "SELECT digest FROM image_digests WHERE image_id = ? ORDER BY 1",
			 image->id, &image->digests, err);
}

int images_list(struct store *store, struct images *ret, struct err *err)
{
	auto_images struct images images = { 0 };
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(store->db, &q, err,
			 "SELECT " COLUMNS " FROM images ORDER BY created DESC, id", "");

	while (r >= 0 && (r = db_step(&q, err)) > 0)
		read_row(&q, array_push(images.v, images.n));
	for (size_t i = 0; r >= 0 && i < images.n; i++)
		r = read_names(store, &images.v[i], err);
	if (r < 0)
		return r;
	*ret = images;
	images = (struct images){ 0 };
	return 0;
}

int image_load(struct store *store, const char *id, struct image *ret, struct err *err)
{
	auto_image struct image image = { 0 };
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(store->db, &q, err, "SELECT " COLUMNS " FROM images WHERE id = ?", "s",
			 id);

	if (r == 0)
		r = db_step(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, "%s: image not known", id);
	read_row(&q, &image);
	r = read_names(store, &image, err);
	if (r < 0)
		return r;
	*ret = image;
	image = (struct image){ 0 };
	return 0;
}

static int read_document(struct store *store, const char *digest, const struct json_desc *desc,
			 void *ret, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = blob_read(store, digest, IMAGE_DOCUMENT_MAX, &text, err);

	return r < 0 ? r : json_decode(desc, ret, text.buf, text.len, digest, err);
}

int image_config_load(struct store *store, const char *id, struct image_config *ret,
		      struct err *err)
{
	auto_free char *digest = xasprintf("sha256:%s", id);

	return read_document(store, digest, &image_config_desc, ret, err);
}

int image_manifest_load(struct store *store, const struct image *image, struct image_manifest *ret,
			struct err *err)
{
	return read_document(store, image->manifest_digest, &image_manifest_desc, ret, err);
}

/* --- times --- */

/* Digits at *p, which moves behind them; -1 when there are none. */
static int read_number(const char **p, size_t digits)
{
	int value = 0;

	for (size_t i = 0; i < digits; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool read_char(const char **p, const char *any)
{
	if (!**p || !strchr(any, **p))
		return false;
	(*p)++;
	return true;
}

static int read_zone(const char **p)
{
	int sign;
	int hours;
	int minutes;

	if (read_char(p, "Zz"))
		return 0;
	sign = **p == '-' ? -1 : 1;
	if (!read_char(p, "+-"))
		return 0;
	hours = read_number(p, 2);
	(void)read_char(p, ":");
	minutes = read_number(p, 2);
	return hours < 0 || minutes < 0 ? 0 : sign * (hours * 60 + minutes) * 60;
}

uint64_t image_time_parse(const char *text)
{
	const char *p = text ? text : "";
	struct tm tm = { 0 };
	uint64_t ns = 0;
	uint64_t unit = NSEC_PER_SEC / 10;
	time_t seconds;

	tm.tm_year = read_number(&p, 4) - 1900;
	if (!read_char(&p, "-"))
		return 0;
	tm.tm_mon = read_number(&p, 2) - 1;
	if (!read_char(&p, "-"))
		return 0;
	tm.tm_mday = read_number(&p, 2);
	if (!read_char(&p, "Tt "))
		return 0;
	tm.tm_hour = read_number(&p, 2);
	if (!read_char(&p, ":"))
		return 0;
	tm.tm_min = read_number(&p, 2);
	if (!read_char(&p, ":"))
		return 0;
	tm.tm_sec = read_number(&p, 2);
	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
		return 0;
	if (read_char(&p, ".,"))
		for (; *p >= '0' && *p <= '9'; p++, unit /= 10)
			ns += (uint64_t)(*p - '0') * unit;
	seconds = timegm(&tm) - read_zone(&p);
	return seconds < 0 ? 0 : (uint64_t)seconds * NSEC_PER_SEC + ns;
}

/* --- changing --- */

int image_tag(struct store *store, const char *id, const char *full, struct err *err)
{
	int64_t now = (int64_t)clock_now_realtime_ns();
	int r = db_exec(store->db, err,
			"INSERT INTO image_names(name, image_id, added) VALUES(?, ?, ?)"
			" ON CONFLICT(name) DO UPDATE SET"
			" added = CASE WHEN image_id = excluded.image_id THEN added"
			"  ELSE excluded.added END,"
			" image_id = excluded.image_id",
			"ssi", full, id, now);

	return r < 0 ? r :
		       db_exec(store->db, err,
			       "INSERT OR IGNORE INTO image_names_history(name, image_id, added)"
			       " VALUES(?, ?, ?)",
			       "ssi", full, id, now);
}

int image_names_history(struct store *store, const char *id, struct strvec *ret, struct err *err)
{
	return read_list(store,
			 "SELECT h.name FROM image_names_history h LEFT JOIN image_names n"
			 " ON n.name = h.name AND n.image_id = h.image_id WHERE h.image_id = ?"
			 " ORDER BY n.name IS NULL, n.added, h.added DESC, h.name",
			 id, ret, err);
}

int image_untag(struct store *store, const char *id, const char *full, struct err *err)
{
	int r = db_exec(store->db, err, "DELETE FROM image_names WHERE name = ? AND image_id = ?",
			"ss", full, id);

	if (r == 0 && db_changes(store->db) == 0)
		return err_set(err, ERR_NOT_FOUND, "%s: tag not known", full);
	return r;
}

int image_delete(struct store *store, const char *id, struct err *err)
{
	auto_free char *user = xasprintf("image:%s", id);
	int r = db_begin(store->db, err);

	if (r < 0)
		return r;
	r = db_exec(store->db, err, "DELETE FROM images WHERE id = ?", "s", id);
	if (r == 0)
		r = layer_unuse(store, user, err);
	if (r == 0)
		r = db_exec(store->db, err, "DELETE FROM blob_users WHERE user = ?", "s", user);
	if (r < 0) {
		db_rollback(store->db);
		return r;
	}
	return db_commit(store->db, err);
}
