/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/records.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"

#define ID_LENGTH 64

static const char *const steps[] = {
	"CREATE TABLE containers ("
	" id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,"
	" config TEXT NOT NULL, status TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX containers_created ON containers (created);"
	"CREATE TABLE container_dependencies ("
	" id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,"
	" needs TEXT NOT NULL, PRIMARY KEY (id, needs)) WITHOUT ROWID;"
	"CREATE INDEX container_dependencies_needs ON container_dependencies (needs);"
	"CREATE TABLE container_volumes ("
	" id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,"
	" volume TEXT NOT NULL, PRIMARY KEY (id, volume)) WITHOUT ROWID;"
	"CREATE INDEX container_volumes_volume ON container_volumes (volume);"
	"CREATE TABLE volumes (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE secrets ("
	" id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record TEXT NOT NULL) WITHOUT ROWID;",

	/* The part of config that lists show, as most of it is read for nothing there; null: not split off yet. */
	"ALTER TABLE containers ADD COLUMN brief TEXT;",

	"CREATE TABLE own_archives (key TEXT PRIMARY KEY, written INTEGER NOT NULL) WITHOUT ROWID;",

	/* Networks of containers that are gone otherwise: engine/network_later.h. */
	"CREATE TABLE networks_later ("
	" id TEXT PRIMARY KEY, config TEXT NOT NULL, status TEXT NOT NULL) WITHOUT ROWID;",

	/*
	 * What lists read is in front and config behind it, in a table with rowids: only there does a row of a kilobyte
	 * need no page of its own. All tables that refer to it anew, as DROP TABLE deletes what does.
	 */
	"CREATE TABLE new_containers ("
	" id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,"
	" status TEXT NOT NULL, brief TEXT, config TEXT NOT NULL);"
	"INSERT INTO new_containers"
	" SELECT id, name, created, status, brief, config FROM containers;"
	"CREATE TABLE new_dependencies ("
	" id TEXT NOT NULL REFERENCES new_containers (id) ON DELETE CASCADE,"
	" needs TEXT NOT NULL, PRIMARY KEY (id, needs)) WITHOUT ROWID;"
	"INSERT INTO new_dependencies SELECT id, needs FROM container_dependencies;"
	"CREATE TABLE new_volumes ("
	" id TEXT NOT NULL REFERENCES new_containers (id) ON DELETE CASCADE,"
	" volume TEXT NOT NULL, PRIMARY KEY (id, volume)) WITHOUT ROWID;"
	"INSERT INTO new_volumes SELECT id, volume FROM container_volumes;"
	"DROP TABLE container_dependencies; DROP TABLE container_volumes; DROP TABLE containers;"
	"ALTER TABLE new_containers RENAME TO containers;"
	"ALTER TABLE new_dependencies RENAME TO container_dependencies;"
	"ALTER TABLE new_volumes RENAME TO container_volumes;"
	"CREATE INDEX containers_created ON containers (created);"
	"CREATE INDEX container_dependencies_needs ON container_dependencies (needs);"
	"CREATE INDEX container_volumes_volume ON container_volumes (volume);",

	/* How those ended that are gone, for who waits for them. */
	"CREATE TABLE ended_containers ("
	" id TEXT PRIMARY KEY, code INTEGER NOT NULL, finished INTEGER NOT NULL,"
	" removed INTEGER NOT NULL) WITHOUT ROWID;",
};

static const struct db_schema schema = {
	.module = "engine",
	.steps = steps,
	.n_steps = ARRAY_SIZE(steps),
};

int record_db(struct engine *e, struct db **ret, struct err *err)
{
	auto_free char *path = NULL;
	int r;

	if (!e->db) {
		path = path_join(e->root, "floe.db");
		r = engine_prepare(e, err);
		if (r == 0)
			r = db_open(&e->db, path, err);
		if (r == 0)
			r = db_migrate(e->db, &schema, err);
		if (r < 0)
			return r;
	}
	*ret = e->db;
	return 0;
}

bool record_set_passing(struct engine *e, bool passing)
{
	struct db *db;

	return record_db(e, &db, NULL) == 0 && db_set_passing(db, passing);
}

static int add_relations(struct db *db, const struct container_config *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < c->n_dependencies; i++)
		r = db_exec(db, err, "INSERT OR IGNORE INTO container_dependencies VALUES (?, ?)",
			    "ss", c->id, c->dependencies[i]);
	for (size_t i = 0; r >= 0 && i < c->n_mounts; i++)
		if (str_eq(c->mounts[i].type, "volume"))
			r = db_exec(db, err,
				    "INSERT OR IGNORE INTO container_volumes VALUES (?, ?)", "ss",
				    c->id, c->mounts[i].source);
	return r;
}

static int name_in_use(struct engine *e, const char *name, struct err *err)
{
	auto_free char *id = NULL;

	/* It may be gone again by now. */
	if (record_find(e, name, &id, NULL) < 0)
		id = xstrdup("another container");
	return err_set(err, ERR_EXISTS,
		       "the container name \"%s\" is already in use by %s. You have to remove that "
		       "container to be able to reuse that name: that name is already in use, or "
		       "use --replace to instruct floe to do so",
		       name, id);
}

int record_add(struct engine *e, const struct container_config *config,
	       const struct container_status *status, struct err *err)
{
	auto_free char *config_text = json_encode(&container_config_desc, config, JSON_COMPACT);
	auto_free char *status_text = json_encode(&container_status_desc, status, JSON_COMPACT);
	auto_free char *brief = json_encode(&container_brief_desc, config, JSON_COMPACT);
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_begin(db, err);
	if (r < 0)
		return r;
	r = db_exec(db, err,
		    "INSERT INTO containers (id, name, created, config, status, brief)"
		    " VALUES (?, ?, ?, ?, ?, ?)",
		    "ssisss", config->id, config->name, config->created_ns, config_text,
		    status_text, brief);
	if (r >= 0)
		r = add_relations(db, config, err);
	if (r >= 0)
		r = db_commit(db, err);
	if (r >= 0)
		return 0;
	db_rollback(db);
	return r == -EEXIST ? name_in_use(e, config->name, err) : r;
}

/* desc: which members of the configuration are there. */
static int decode(const struct json_desc *desc, const char *id, const char *config,
		  const char *status, struct container_config *ret_config,
		  struct container_status *ret_status, struct err *err)
{
	auto_free char *name = xasprintf("record of container %.12s", id);
	int r = json_decode(desc, ret_config, config, strlen(config), name, err);

	if (r < 0)
		return r;
	r = json_decode(&container_status_desc, ret_status, status, strlen(status), name, err);
	if (r < 0)
		container_config_done(ret_config);
	return r;
}

/* ... which is damaged: what can still be done. */
static void advise(const char *id, struct err *err)
{
	err_append(err, "; 'floe rm --force %.12s' removes that container", id);
}

static int load_from(struct engine *e, const char *sql, const char *id,
		     struct container_config *ret_config, struct container_status *ret_status,
		     struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_query(db, &q, err, sql, "s", id);
	if (r >= 0)
		r = db_step(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, "no container with id '%s'", id);
	r = decode(&container_config_desc, id, db_text(&q, 0), db_text(&q, 1), ret_config,
		   ret_status, err);
	if (r < 0)
		advise(id, err);
	return r;
}

int record_load(struct engine *e, const char *id, struct container_config *ret_config,
		struct container_status *ret_status, struct err *err)
{
	return load_from(e, "SELECT config, status FROM containers WHERE id = ?", id, ret_config,
			 ret_status, err);
}

int record_load_network(struct engine *e, const char *id, struct container_config *ret_config,
			struct container_status *ret_status, struct err *err)
{
	return load_from(e, "SELECT config, status FROM networks_later WHERE id = ?", id,
			 ret_config, ret_status, err);
}

int record_save_status(struct engine *e, const char *id, const struct container_status *status,
		       struct err *err)
{
	auto_free char *text = json_encode(&container_status_desc, status, JSON_COMPACT);
	struct db *db;
	int r = record_db(e, &db, err);

	return r < 0 ? r :
		       db_exec(db, err, "UPDATE containers SET status = ? WHERE id = ?", "ss", text,
			       id);
}

int record_save_config(struct engine *e, const struct container_config *config, struct err *err)
{
	auto_free char *text = json_encode(&container_config_desc, config, JSON_COMPACT);
	auto_free char *brief = json_encode(&container_brief_desc, config, JSON_COMPACT);
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_exec(db, err,
			    "UPDATE containers SET config = ?, brief = ?, name = ? WHERE id = ?",
			    "ssss", text, brief, config->name, config->id);
	return r == -EEXIST ? name_in_use(e, config->name, err) : r;
}

/* All of them for this id, or none. */
static int exec_all(struct engine *e, const char *const *statements, const char *id,
		    struct err *err)
{
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_begin(db, err);
	if (r < 0)
		return r;
	for (; r >= 0 && *statements; statements++)
		r = db_exec(db, err, *statements, "s", id);
	if (r >= 0)
		r = db_commit(db, err);
	if (r < 0)
		db_rollback(db);
	return r < 0 ? r : 0;
}

/* As long as podman does. */
#define KEEP_ENDED_S "300"

/* Of a damaged status nothing can be read, and it must be removable. */
#define HAS_ENDED                                                                                  \
	"CASE WHEN json_valid(status)"                                                             \
	" THEN json_extract(status, '$.phase') IN ('stopped', 'exited') END"
#define HOW_IT_ENDED                                                                               \
	"coalesce(json_extract(status, '$.exitCode'), 0),"                                         \
	" coalesce(json_extract(status, '$.finishedNs'), 0)"

#define REMOVE_STATEMENTS                                                                          \
	"DELETE FROM ended_containers"                                                             \
	" WHERE id = ? OR removed < strftime('%s', 'now') - " KEEP_ENDED_S,                        \
		"INSERT INTO ended_containers"                                                     \
		" SELECT id, " HOW_IT_ENDED ", strftime('%s', 'now') FROM containers"              \
		" WHERE id = ? AND " HAS_ENDED,                                                    \
		"DELETE FROM container_dependencies WHERE id = ?",                                 \
		"DELETE FROM container_volumes WHERE id = ?",                                      \
		"DELETE FROM containers WHERE id = ?"

int record_load_end(struct engine *e, const char *id, int *ret_code, int64_t *ret_finished_ns)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	struct db *db;
	int r = record_db(e, &db, NULL);

	if (r == 0)
		r = db_query(db, &q, NULL,
			     "SELECT code, finished FROM ended_containers WHERE id = ?"
			     " UNION ALL SELECT " HOW_IT_ENDED " FROM containers"
			     " WHERE id = ? AND " HAS_ENDED,
			     "ss", id, id);
	if (r >= 0)
		r = db_step(&q, NULL);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_code = (int)db_i64(&q, 0);
	*ret_finished_ns = db_i64(&q, 1);
	return 0;
}

int record_remove(struct engine *e, const char *id, struct err *err)
{
	static const char *const statements[] = { REMOVE_STATEMENTS, NULL };

	return exec_all(e, statements, id, err);
}

int record_remove_but_network(struct engine *e, const char *id, struct err *err)
{
	static const char *const statements[] = {
		"INSERT OR REPLACE INTO networks_later"
		" SELECT id, config, status FROM containers WHERE id = ?",
		REMOVE_STATEMENTS,
		NULL,
	};

	return exec_all(e, statements, id, err);
}

int record_forget_network(struct engine *e, const char *id, struct err *err)
{
	static const char *const statements[] = { "DELETE FROM networks_later WHERE id = ?", NULL };
	/* No network outlives the boot. */
	bool before = record_set_passing(e, true);
	int r = exec_all(e, statements, id, err);

	(void)record_set_passing(e, before);
	return r;
}

static int collect(struct db *db, struct strvec *ret, struct err *err, const char *sql,
		   const char *argument)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = argument ? db_query(db, &q, err, sql, "s", argument) :
			   db_query(db, &q, err, sql, "");

	while (r >= 0 && (r = db_step(&q, err)) > 0)
		strvec_add(ret, db_text(&q, 0));
	return r < 0 ? r : 0;
}

static bool is_hex(const char *s)
{
	return s[strspn(s, "0123456789abcdef")] == '\0';
}

int record_find(struct engine *e, const char *name, char **ret_id, struct err *err)
{
	auto_strvec struct strvec found = STRVEC_INIT;
	auto_free char *pattern = NULL;
	struct db *db;
	int r = record_db(e, &db, err);

	/* docker prints names with it, and podman takes them so. */
	if (name[0] == '/' && name[1])
		name++;
	if (r == 0)
		r = collect(db, &found, err, "SELECT id FROM containers WHERE name = ?", name);
	if (r == 0 && found.n == 0 && *name && is_hex(name) && strlen(name) <= ID_LENGTH) {
		pattern = xasprintf("%s*", name);
		r = collect(db, &found, err, "SELECT id FROM containers WHERE id GLOB ? LIMIT 2",
			    pattern);
	}
	if (r < 0)
		return r;
	if (found.n == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "no container with name or ID \"%s\" found: no such container",
			       name);
	if (found.n > 1)
		return err_set(err, ERR_INVALID,
			       "more than one container has an ID that begins "
			       "with '%s'",
			       name);
	*ret_id = xstrdup(found.v[0]);
	return 0;
}

int record_ids(struct engine *e, struct strvec *ret, struct err *err)
{
	struct db *db;
	int r = record_db(e, &db, err);

	return r < 0 ? r :
		       collect(db, ret, err, "SELECT id FROM containers ORDER BY created, id",
			       NULL);
}

int record_networks_later(struct engine *e, struct strvec *ret, struct err *err)
{
	struct db *db;
	int r = record_db(e, &db, err);

	return r < 0 ? r : collect(db, ret, err, "SELECT id FROM networks_later", NULL);
}

int record_dependents(struct engine *e, const char *id, struct strvec *ret, struct err *err)
{
	struct db *db;
	int r = record_db(e, &db, err);

	return r < 0 ? r :
		       collect(db, ret, err,
			       "SELECT id FROM container_dependencies WHERE needs = ?", id);
}

int record_volume_users(struct engine *e, const char *volume, struct strvec *ret, struct err *err)
{
	struct db *db;
	int r = record_db(e, &db, err);

	return r < 0 ? r :
		       collect(db, ret, err, "SELECT id FROM container_volumes WHERE volume = ?",
			       volume);
}

/* The columns of sql: id, configuration (of which desc names the members), status. */
static int each_of(struct engine *e, const char *sql, const struct json_desc *desc, bool skips,
		   record_callback *each, void *context, struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_query(db, &q, err, sql, "");
	while (r >= 0 && (r = db_step(&q, err)) > 0) {
		struct container_config config;
		struct container_status status;

		r = decode(desc, db_text(&q, 0), db_text(&q, 1), db_text(&q, 2), &config, &status,
			   err);
		if (r < 0)
			advise(db_text(&q, 0), err);
		/* One that is damaged does not hide all others from who only looks. */
		if (r < 0 && skips) {
			log_warning("%s", err ? err->msg : "a record is damaged");
			err_clear(err);
			r = 0;
			continue;
		}
		if (r < 0)
			break;
		r = each(context, &config, &status, err);
		container_config_done(&config);
		container_status_done(&status);
	}
	return r < 0 ? r : 0;
}

int record_each(struct engine *e, record_callback *each, void *context, struct err *err)
{
	return each_of(e, "SELECT id, config, status FROM containers ORDER BY created, id",
		       &container_config_desc, false, each, context, err);
}

int record_each_readable(struct engine *e, record_callback *each, void *context, struct err *err)
{
	return each_of(e, "SELECT id, config, status FROM containers ORDER BY created, id",
		       &container_config_desc, true, each, context, err);
}

int record_each_brief(struct engine *e, record_callback *each, void *context, struct err *err)
{
	return each_of(e, "SELECT id, coalesce(brief, config), status FROM containers",
		       &container_brief_desc, true, each, context, err);
}
