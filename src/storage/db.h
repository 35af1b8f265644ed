/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data base of the engine: the one wrapper of SQLite. WAL mode, so that readers never wait; a
 * writer waits for another one at most DB_BUSY_MS. Every process opens its own connection; a
 * connection must not be carried over fork.
 *
 * Statements are short-lived: db_query() prepares and binds in one step by a format with one
 * character for each `?`: 's' const char * (NULL: null), 'i' int64_t.
 *
 *	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
 *	r = db_query(db, &q, err, "SELECT name FROM t WHERE id = ?", "s", id);
 *	while (r >= 0 && (r = db_step(&q, err)) > 0)
 *		use(db_text(&q, 0));
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/macro.h"

#define DB_BUSY_MS 30000

struct db;

/* How a module's tables came to be: steps[i] (SQL, may be several statements) leads from its version
 * i to i + 1. Steps are only ever appended. */
struct db_schema {
	const char *module;
	const char *const *steps;
	size_t n_steps;
};

/* Open (create with mode 0600) the file. The caller owns the result. */
int db_open(struct db **ret, const char *path, struct err *err);
void db_close(struct db *db);

/* Bring the module's tables to its newest version, each step in a transaction of its own. ERR_STATE
 * when the file is of a newer program than this one. One read when there is nothing to do. */
int db_migrate(struct db *db, const struct db_schema *schema, struct err *err);
/* The version the module's tables have; 0 when it has none yet. */
int db_schema_version(struct db *db, const char *module, int64_t *ret, struct err *err);

/*
 * A commit is on disk when it returns, unless what it says passes with the machine's boot, or is about what will not be missed:
 * it is `passing` then, and waits for nothing. From the next transaction on; return: what it was before, to be set again.
 */
bool db_set_passing(struct db *db, bool passing);
bool db_is_passing(const struct db *db);

/* A writing transaction (BEGIN IMMEDIATE). They nest: only the outermost one counts, and a rollback
 * inside makes the outermost commit fail. ERR_TIMEOUT when another writer does not end. */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
/* Nothing when there is no transaction. */
void db_rollback(struct db *db);

struct db_stmt {
	struct sqlite3_stmt *stmt;
	struct db *db;
};

#define DB_STMT_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}

int db_query(struct db *db, struct db_stmt *ret, struct err *err, const char *sql,
	     const char *types, ...);
/* 1: there is a row, 0: no more, or an error. */
int db_step(struct db_stmt *stmt, struct err *err);
/* Columns of the current row, counted from 0. Texts live until the next step; NULL: null. */
const char *db_text(const struct db_stmt *stmt, int column);
int64_t db_i64(const struct db_stmt *stmt, int column);
void db_stmt_done(struct db_stmt *stmt);

/* A statement without rows. Return: 0; -EEXIST (ERR_EXISTS) when it breaks a unique or foreign key. */
int db_exec(struct db *db, struct err *err, const char *sql, const char *types, ...);
/* Rows that the last db_exec() changed. */
int64_t db_changes(struct db *db);
/* The first column of the first row: an integer. -ENOENT (no *err) when there is no row. */
int db_get_i64(struct db *db, int64_t *ret, struct err *err, const char *sql, const char *types,
	       ...);
/* Whether the query has a row: 1 or 0. */
int db_has(struct db *db, struct err *err, const char *sql, const char *types, ...);
/* The first column of the first row as text, which the caller owns; *ret is NULL when it is null. */
int db_get_text(struct db *db, char **ret, struct err *err, const char *sql, const char *types,
		...);

DEFINE_AUTO_VAL(db_stmt, struct db_stmt, db_stmt_done)
#define auto_db_stmt auto_cleanup(db_stmt_cleanup_val)
DEFINE_AUTO_PTR(db, struct db, db_close)
#define auto_db auto_cleanup(db_cleanup_ptr)
