/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"

static char dir[64];
static char path[96];

static int setup(void **state UNUSED)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/floe-db-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/t.db", dir);
	return 0;
}

static int teardown(void **state UNUSED)
{
	return fs_remove_tree(AT_FDCWD, dir);
}

static const char *const steps[] = {
	"CREATE TABLE t(a TEXT PRIMARY KEY, b INTEGER)",
	"ALTER TABLE t ADD COLUMN c TEXT; INSERT INTO t(a, b) VALUES('made by 2', 2)",
	"CREATE TABLE u(a TEXT REFERENCES t(a))",
};

static void test_migration(void **state UNUSED)
{
	const struct db_schema old = { "m", steps, 1 };
	const struct db_schema new = { "m", steps, 3 };
	struct err err = ERR_INIT;
	auto_free char *text = NULL;
	struct db *db;
	int64_t version;

	assert_int_equal(db_open(&db, path, &err), 0);
	assert_int_equal(db_migrate(db, &old, &err), 0);
	assert_int_equal(db_exec(db, &err, "INSERT INTO t VALUES(?, ?)", "si", "x", (int64_t)7), 0);
	db_close(db);
	assert_int_equal(db_open(&db, path, &err), 0);
	assert_int_equal(db_migrate(db, &new, &err), 0);
	assert_int_equal(db_schema_version(db, "m", &version, &err), 0);
	assert_int_equal(version, 3);
	assert_int_equal(db_get_text(db, &text, &err, "SELECT a FROM t WHERE b = 2", ""), 0);
	assert_string_equal(text, "made by 2");
	/* The older program must not touch it. */
	assert_true(db_migrate(db, &old, &err) < 0);
	assert_int_equal(err.kind, ERR_STATE);
	assert_non_null(strstr(err.msg, "newer floe"));
	db_close(db);
}

static void test_failed_step_leaves_nothing(void **state UNUSED)
{
	const char *const bad[] = { "CREATE TABLE t(a); SYNTAX" };
	const struct db_schema schema = { "m", bad, 1 };
	struct err err = ERR_INIT;
	struct db *db;
	int64_t n = -1;

	assert_int_equal(db_open(&db, path, &err), 0);
	assert_true(db_migrate(db, &schema, &err) < 0);
	assert_non_null(strstr(err.msg, "migrate 'm' from version 0"));
	assert_int_equal(
		db_get_i64(db, &n, NULL, "SELECT count(*) FROM sqlite_master WHERE name = 't'", ""),
		0);
	assert_int_equal(n, 0);
	db_close(db);
}

static void test_values_and_errors(void **state UNUSED)
{
	const struct db_schema schema = { "m", steps, 3 };
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	struct err err = ERR_INIT;
	struct db *db;
	int64_t v;

	assert_int_equal(db_open(&db, path, &err), 0);
	assert_int_equal(db_migrate(db, &schema, &err), 0);
	assert_int_equal(
		db_exec(db, &err, "INSERT INTO t VALUES(?, ?, ?)", "sis", "k", INT64_MIN, NULL), 0);
	assert_int_equal(db_exec(db, &err, "INSERT INTO t(a) VALUES(?)", "s", "k"), -EEXIST);
	assert_int_equal(err.kind, ERR_EXISTS);
	/* Foreign keys are on. */
	assert_int_equal(db_exec(db, &err, "INSERT INTO u VALUES('none')", ""), -EEXIST);
	assert_int_equal(db_query(db, &q, &err, "SELECT a, b, c FROM t WHERE a = ?", "s", "k"), 0);
	assert_int_equal(db_step(&q, &err), 1);
	assert_string_equal(db_text(&q, 0), "k");
	assert_true(db_i64(&q, 1) == INT64_MIN);
	assert_null(db_text(&q, 2));
	assert_int_equal(db_step(&q, &err), 0);
	db_stmt_done(&q);
	assert_int_equal(db_get_i64(db, &v, &err, "SELECT b FROM t WHERE a = 'no'", ""), -ENOENT);
	db_close(db);
}

static void test_nested_transactions(void **state UNUSED)
{
	const struct db_schema schema = { "m", steps, 3 };
	struct err err = ERR_INIT;
	struct db *db;
	int64_t n;

	assert_int_equal(db_open(&db, path, &err), 0);
	assert_int_equal(db_migrate(db, &schema, &err), 0);
	assert_int_equal(db_begin(db, &err), 0);
	assert_int_equal(db_begin(db, &err), 0);
	assert_int_equal(db_exec(db, &err, "INSERT INTO t(a) VALUES('x')", ""), 0);
	db_rollback(db);
	assert_true(db_commit(db, &err) < 0);
	assert_int_equal(db_get_i64(db, &n, &err, "SELECT count(*) FROM t WHERE a = 'x'", ""), 0);
	assert_int_equal(n, 0);
	db_close(db);
}

/* Several processes that make the same data base at once, and write to it. */
static void test_many_processes(void **state UNUSED)
{
	const struct db_schema schema = { "m", steps, 3 };
	struct err err = ERR_INIT;
	struct db *db;
	int64_t n;

	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		if (db_open(&db, path, &err) < 0 || db_migrate(db, &schema, &err) < 0)
			_exit(1);
		for (int k = 0; k < 20; k++)
			if (db_exec(db, &err, "INSERT INTO t VALUES(?, ?, null)", "si",
				    xasprintf("%d-%d", i, k), (int64_t)k) < 0)
				_exit(2);
		_exit(0);
	}
	for (int i = 0; i < 8; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(db_open(&db, path, &err), 0);
	assert_int_equal(db_get_i64(db, &n, &err, "SELECT count(*) FROM t", ""), 0);
	assert_int_equal(n, 8 * 20 + 1);
	db_close(db);
}

static void test_not_a_data_base(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct db *db;
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("this is no data base", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_true(db_open(&db, path, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_migration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_step_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values_and_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested_transactions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_data_base, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
