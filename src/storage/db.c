/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/db.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/str.h"

/* "floe", so that file(1) and we ourselves can tell such a file. */
#define APPLICATION_ID 0x666c6f65
/* Of the table of versions itself. */
#define LAYOUT_VERSION 1

struct db {
	sqlite3 *handle;
	char *path;
	unsigned int depth; /* of transactions */
	bool rolled_back; /* within the outermost one */
	bool passing; /* what is committed need not be on disk */
	bool is_passing; /* as SQLite has been told */
};

static int fail(const struct db *db, int code, struct err *err, const char *what)
{
	const char *reason = sqlite3_errmsg(db->handle);
	int r;

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		r = err_set(err, ERR_TIMEOUT,
			    "%s: data base '%s' is in use by another command that does not end",
			    what, db->path);
		break;
	case SQLITE_CONSTRAINT:
		r = err_set(err, ERR_EXISTS, "%s: %s", what, reason);
		break;
	case SQLITE_FULL:
		r = err_sys(err, -ENOSPC, "%s: write data base '%s'", what, db->path);
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		r = err_set(err, ERR_DENIED, "%s: data base '%s': %s", what, db->path, reason);
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		r = err_set(err, ERR_CORRUPT,
			    "%s: data base '%s' is damaged: %s; restore it from a copy, or move it "
			    "away to begin anew",
			    what, db->path, reason);
		break;
	default:
		r = err_set(err, ERR_INTERNAL, "%s: data base '%s': %s", what, db->path, reason);
	}
	return r;
}

static int run(struct db *db, const char *sql, const char *what, struct err *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(db, code, err, what);
}

static int check_file(struct db *db, struct err *err)
{
	int64_t id = 0;
	int64_t version = 0;
	int r = db_get_i64(db, &id, err, "PRAGMA application_id", "");

	if (r == 0)
		r = db_get_i64(db, &version, err, "PRAGMA user_version", "");
	if (r < 0)
		return r;
	if (version > LAYOUT_VERSION)
		return err_set(err, ERR_STATE,
			       "open data base '%s': it was written by a newer floe (layout %lld)",
			       db->path, (long long)version);
	if (id == APPLICATION_ID && version == LAYOUT_VERSION)
		return 0;
	if (id != 0 && id != APPLICATION_ID)
		return err_set(err, ERR_INVALID, "open data base '%s': it is not one of floe's",
			       db->path);
	r = db_begin(db, err);
	if (r < 0)
		return r;
	r = run(db,
		"CREATE TABLE IF NOT EXISTS schema_versions("
		" module TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;"
		"PRAGMA application_id = 1718382437;"
		"PRAGMA user_version = 1",
		"lay out data base", err);
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	return db_commit(db, err);
}
_Static_assert(APPLICATION_ID == 1718382437 && LAYOUT_VERSION == 1, "as in the statements above");

static int configure(struct db *db, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + DB_BUSY_MS * NSEC_PER_MSEC;
	int code = sqlite3_busy_timeout(db->handle, DB_BUSY_MS);

	/* Not every command shall write the log back and sync twice only because it is alone: commits do so once the
	 * log has grown to a thousand pages. */
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* The change to WAL does not wait for its lock as everything else does. */
	while (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) {
		code = sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if (code == SQLITE_OK || clock_ms_until(deadline) == 0)
			break;
		clock_sleep_ms(5);
	}
	if (code != SQLITE_OK)
		return fail(db, code, err, "open data base");
	return run(db, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", "open data base",
		   err);
}

int db_open(struct db **ret, const char *path, struct err *err)
{
	auto_db struct db *db = xcalloc(1, sizeof(*db));
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDWR | O_CREAT, 0600);
	int code;
	int r;

	if (fd < 0)
		return err_sys(err, fd, "open data base '%s'", path);
	/* Before SQLite opens it: closing any descriptor of a file drops all record locks (fcntl(2)). */
	close_fd(&fd);
	db->path = xstrdup(path);
	code = sqlite3_open_v2(path, &db->handle,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (code != SQLITE_OK)
		return fail(db, code, err, "open data base");
	r = configure(db, err);
	if (r == 0)
		r = check_file(db, err);
	if (r < 0)
		return r;
	*ret = take_ptr(db);
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	db_rollback(db);
	(void)sqlite3_close(db->handle);
	free(db->path);
	free(db);
}

/* --- migration --- */

int db_schema_version(struct db *db, const char *module, int64_t *ret, struct err *err)
{
	int r = db_get_i64(db, ret, err, "SELECT version FROM schema_versions WHERE module = ?",
			   "s", module);

	if (r == -ENOENT) {
		*ret = 0;
		r = 0;
	}
	return r;
}

/* One step, by whoever comes first: another process may have done it meanwhile. */
static int migrate_step(struct db *db, const struct db_schema *schema, int64_t from,
			struct err *err)
{
	auto_free char *what =
		xasprintf("migrate '%s' from version %lld", schema->module, (long long)from);
	int64_t now = 0;
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	r = db_schema_version(db, schema->module, &now, err);
	if (r == 0 && now == from) {
		r = run(db, schema->steps[from], what, err);
		if (r == 0)
			r = db_exec(db, err,
				    "INSERT INTO schema_versions(module, version) VALUES(?, ?)"
				    " ON CONFLICT(module) DO UPDATE SET version = excluded.version",
				    "si", schema->module, from + 1);
	}
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	return db_commit(db, err);
}

int db_migrate(struct db *db, const struct db_schema *schema, struct err *err)
{
	int64_t version = 0;
	int r = db_schema_version(db, schema->module, &version, err);

	if (r < 0)
		return r;
	if (version > (int64_t)schema->n_steps)
		return err_set(err, ERR_STATE,
			       "open data base '%s': its '%s' part was written by a newer floe "
			       "(version %lld, this one knows %zu)",
			       db->path, schema->module, (long long)version, schema->n_steps);
	for (; version < (int64_t)schema->n_steps; version++) {
		r = migrate_step(db, schema, version, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- transactions --- */

bool db_set_passing(struct db *db, bool passing)
{
	bool before = db->passing;

	db->passing = passing;
	return before;
}

bool db_is_passing(const struct db *db)
{
	return db->passing;
}

/*
 * SQLite takes it only between transactions. synchronous=FULL: a commit is on disk when it returns, and all that were before it.
 * NORMAL: in WAL mode a power cut may lose the last transactions, but never the data base's consistency.
 */
static int choose_durability(struct db *db, struct err *err)
{
	int r;

	if (db->depth > 0 || db->is_passing == db->passing)
		return 0;
	r = run(db, db->passing ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
		"begin transaction", err);
	if (r == 0)
		db->is_passing = db->passing;
	return r;
}

int db_begin(struct db *db, struct err *err)
{
	if (db->depth == 0) {
		int r = choose_durability(db, err);

		if (r == 0)
			r = run(db, "BEGIN IMMEDIATE", "begin transaction", err);
		if (r < 0)
			return r;
		db->rolled_back = false;
	}
	db->depth++;
	return 0;
}

int db_commit(struct db *db, struct err *err)
{
	int r;

	if (db->depth == 0)
		return err_set(err, ERR_INTERNAL, "commit: no transaction");
	if (--db->depth > 0)
		return 0;
	if (db->rolled_back) {
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
		return err_set(err, ERR_INTERNAL, "commit: a part was rolled back");
	}
	r = run(db, "COMMIT", "commit transaction", err);
	if (r < 0)
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

void db_rollback(struct db *db)
{
	if (db->depth == 0)
		return;
	db->rolled_back = true;
	if (--db->depth == 0)
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* --- statements --- */

static int bind_one(sqlite3_stmt *stmt, int index, char type, va_list *ap)
{
	const char *text;

	switch (type) {
	case 's':
		text = va_arg(*ap, const char *);
		return text ? sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT) :
			      sqlite3_bind_null(stmt, index);
	case 'i':
		return sqlite3_bind_int64(stmt, index, va_arg(*ap, int64_t));
	default:
		return SQLITE_MISUSE;
	}
}

static int query(struct db *db, struct db_stmt *ret, struct err *err, const char *sql,
		 const char *types, va_list *ap)
{
	struct db_stmt stmt = { .db = db };
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt.stmt, NULL);

	for (int i = 0; code == SQLITE_OK && types[i]; i++)
		code = bind_one(stmt.stmt, i + 1, types[i], ap);
	if (code != SQLITE_OK) {
		int r = fail(db, code, err, "query");

		db_stmt_done(&stmt);
		return r;
	}
	*ret = stmt;
	return 0;
}

int db_query(struct db *db, struct db_stmt *ret, struct err *err, const char *sql,
	     const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = query(db, ret, err, sql, types, &ap);
	va_end(ap);
	return r;
}

int db_step(struct db_stmt *stmt, struct err *err)
{
	int code = sqlite3_step(stmt->stmt);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : fail(stmt->db, code, err, "query");
}

const char *db_text(const struct db_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt->stmt, column);
}

int64_t db_i64(const struct db_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->stmt, column);
}

void db_stmt_done(struct db_stmt *stmt)
{
	(void)sqlite3_finalize(stmt->stmt);
	stmt->stmt = NULL;
}

int db_exec(struct db *db, struct err *err, const char *sql, const char *types, ...)
{
	auto_db_stmt struct db_stmt stmt = DB_STMT_INIT;
	va_list ap;
	int r = choose_durability(db, err);

	if (r < 0)
		return r;
	va_start(ap, types);
	r = query(db, &stmt, err, sql, types, &ap);
	va_end(ap);
	while (r >= 0) {
		r = db_step(&stmt, err);
		if (r == 0)
			return 0;
	}
	return r;
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int db_has(struct db *db, struct err *err, const char *sql, const char *types, ...)
{
	auto_db_stmt struct db_stmt stmt = DB_STMT_INIT;
	va_list ap;
	int r;

	va_start(ap, types);
	r = query(db, &stmt, err, sql, types, &ap);
	va_end(ap);
	return r < 0 ? r : db_step(&stmt, err);
}

int db_get_i64(struct db *db, int64_t *ret, struct err *err, const char *sql, const char *types,
	       ...)
{
	auto_db_stmt struct db_stmt stmt = DB_STMT_INIT;
	va_list ap;
	int r;

	va_start(ap, types);
	r = query(db, &stmt, err, sql, types, &ap);
	va_end(ap);
	if (r == 0)
		r = db_step(&stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret = db_i64(&stmt, 0);
	return 0;
}

int db_get_text(struct db *db, char **ret, struct err *err, const char *sql, const char *types, ...)
{
	auto_db_stmt struct db_stmt stmt = DB_STMT_INIT;
	va_list ap;
	int r;

	va_start(ap, types);
	r = query(db, &stmt, err, sql, types, &ap);
	va_end(ap);
	if (r == 0)
		r = db_step(&stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret = xstrdup(db_text(&stmt, 0));
	return 0;
}
