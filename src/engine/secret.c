/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secret.h"

#include "engine/userns.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/random.h"
#include "core/str.h"
#include "engine/records.h"
#include "engine/secret_driver.h"
#include "engine/volume.h"

#define T struct secret
/* clang-format off: one row a line. */
JSON_DESC_STATIC(secret_desc, T, F_STRING(T, id, "id", JSON_REQUIRED),
		 F_STRING(T, name, "name", JSON_REQUIRED), F_STRING(T, driver, "driver", 0),
		 F_STRING_MAP(T, options, "options", 0), F_I64(T, created_ns, "created", 0),
		 F_I64(T, updated_ns, "updated", 0), F_STRING_MAP(T, labels, "labels", 0));
/* clang-format on */
#undef T

void secret_done(struct secret *secret)
{
	json_done(&secret_desc, secret);
}

void secrets_done(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->n; i++)
		secret_done(&secrets->v[i]);
	free(secrets->v);
	*secrets = (struct secrets){ 0 };
}

static int check(const char *name, const struct strbuf *data, struct err *err)
{
	if (!parse_is_name(name) || strlen(name) > 253)
		return err_set(err, ERR_INVALID,
			       "secret name '%s': names must match [a-zA-Z0-9][a-zA-Z0-9_.-]* and "
			       "have at most 253 characters",
			       name);
	if (data->len == 0 || data->len >= SECRET_SIZE_MAX)
		return err_set(err, ERR_INVALID,
			       "secret '%s': its size must be between 1 and %u bytes", name,
			       SECRET_SIZE_MAX - 1);
	return 0;
}

static int insert(struct db *db, const struct secret *s, const struct secret *old, struct err *err)
{
	auto_free char *text = json_encode(&secret_desc, s, JSON_COMPACT);
	int r = db_begin(db, err);

	if (r < 0)
		return r;
	if (old->id)
		r = db_exec(db, err, "DELETE FROM secrets WHERE id = ?", "s", old->id);
	if (r >= 0)
		r = db_exec(db, err, "INSERT INTO secrets (id, name, record) VALUES (?, ?, ?)",
			    "sss", s->id, s->name, text);
	if (r >= 0)
		r = db_commit(db, err);
	if (r < 0)
		db_rollback(db);
	return r == -EEXIST ? err_set(err, ERR_EXISTS, "%s: secret name in use", s->name) : r;
}

/* Of what no record speaks of any more; whoever asked for something else gets that all the same. */
static void remove_data(const struct engine *e, const struct secret *s)
{
	struct err err = ERR_INIT;

	if (secret_driver_remove(e, s, &err) < 0)
		log_warning("%s", err.msg);
}

/* With a name that is not to be replaced: fail before a driver is bothered. */
static int look_for_old(struct engine *e, const struct secret_params *p, struct secret *ret,
			struct err *err)
{
	if (secret_load(e, p->name, ret, NULL) < 0)
		return 0;
	if (str_eq(ret->name, p->name))
		return p->replace ? 0 : err_set(err, ERR_EXISTS, "%s: secret name in use", p->name);
	secret_done(ret);
	return 0;
}

int secret_create(struct engine *e, const struct secret_params *p, const struct strbuf *data,
		  char **ret_id, struct err *err)
{
	auto_secret struct secret s = { 0 };
	auto_secret struct secret old = { 0 };
	struct db *db;
	int r = check(p->name, data, err);

	if (r == 0)
		r = secret_driver_check(p->driver, p->options, err);
	if (r == 0)
		r = record_db(e, &db, err);
	if (r == 0)
		r = look_for_old(e, p, &old, err);
	if (r < 0)
		return r;
	s.id = random_hex(25);
	s.name = xstrdup(p->name);
	s.driver = xstrdup(p->driver);
	s.created_ns = s.updated_ns = (int64_t)clock_now_realtime_ns();
	json_string_map_set_all(&s.labels, p->labels);
	json_string_map_set_all(&s.options, p->options);
	/* The content first: a record never speaks of what is not there. */
	r = secret_driver_store(e, &s, data, err);
	if (r < 0)
		return r;
	r = insert(db, &s, &old, err);
	if (r < 0) {
		remove_data(e, &s);
		return r;
	}
	if (old.id)
		remove_data(e, &old);
	*ret_id = take_ptr(s.id);
	return 0;
}

static int decode(const char *text, struct secret *ret, struct err *err)
{
	return json_decode(&secret_desc, ret, text, strlen(text), "record of secret", err);
}

int secret_load(struct engine *e, const char *name, struct secret *ret, struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_query(db, &q, err,
			     "SELECT record FROM secrets WHERE name = ?1 OR id = ?1 OR"
			     " (length(?1) > 0 AND substr(id, 1, length(?1)) = ?1)"
			     " ORDER BY name <> ?1, id <> ?1 LIMIT 1",
			     "s", name);
	if (r >= 0)
		r = db_step(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "no secret with name or id \"%s\": no such secret", name);
	return decode(db_text(&q, 0), ret, err);
}

int secret_list(struct engine *e, struct secrets *ret, struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	auto_secrets struct secrets found = { 0 };
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_query(db, &q, err, "SELECT record FROM secrets ORDER BY name", "");
	while (r >= 0 && (r = db_step(&q, err)) > 0) {
		struct secret s;

		r = decode(db_text(&q, 0), &s, err);
		if (r == 0)
			*array_push(found.v, found.n) = s;
	}
	if (r < 0)
		return r;
	*ret = found;
	found = (struct secrets){ 0 };
	return 0;
}

int secret_remove(struct engine *e, const char *name, struct err *err)
{
	auto_secret struct secret s = { 0 };
	struct db *db;
	int r = secret_load(e, name, &s, err);

	if (r == 0)
		r = record_db(e, &db, err);
	/* It can fail: then there is still a record of what is to be removed. */
	if (r == 0)
		r = secret_driver_remove(e, &s, err);
	if (r == 0)
		r = db_exec(db, err, "DELETE FROM secrets WHERE id = ?", "s", s.id);
	return MIN(r, 0);
}

int secret_read(struct engine *e, const char *id, struct strbuf *ret, struct err *err)
{
	auto_secret struct secret s = { 0 };
	int r = secret_load(e, id, &s, err);

	return r < 0 ? r : secret_driver_lookup(e, &s, ret, err);
}

static int prepare_file(struct container *c, const struct container_secret *s,
			const struct strbuf *data, struct spec_facts *f, struct err *err)
{
	auto_free char *dir = path_join(c->run_dir, "secrets");
	auto_free char *path = path_join(dir, s->name);
	auto_free char *target = s->target && s->target[0] == '/' ?
					 path_clean(s->target) :
					 path_join("/run/secrets", s->target ? s->target : s->name);
	int r = fs_mkdir_all(AT_FDCWD, dir, 0711, 0711);
	auto_close int fd = -EBADF;
	uint32_t uid;
	uint32_t gid;

	if (userns_owner_outside(&c->config, s->uid, s->gid, &uid, &gid) < 0)
		return err_set(err, ERR_INVALID,
			       "secret '%s': user %u or group %u is not mapped into the container",
			       s->name, s->uid, s->gid);

	if (r == 0)
		r = fd =
			fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (r >= 0)
		r = io_write_all(fd, data->buf, data->len);
	if (r >= 0 && (fchown(fd, uid, gid) < 0 || fchmod(fd, s->mode) < 0))
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "write secret '%s'", s->name);
	*array_push(f->binds, f->n_binds) = (struct spec_bind){ .destination = take_ptr(target),
								.source = take_ptr(path),
								.read_only = true };
	return 0;
}

/* One that has replaced it since has its name. */
static int read_of_container(const struct container *c, const struct container_secret *s,
			     struct strbuf *ret, struct err *err)
{
	struct err why = ERR_INIT;
	int r = secret_read(c->engine, s->id, ret, &why);

	if (r < 0 && why.kind == ERR_NOT_FOUND)
		return secret_read(c->engine, s->name, ret, err);
	if (r < 0 && err)
		*err = why;
	return r;
}

int secrets_prepare(struct container *c, struct spec_facts *f, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->config.n_secrets; i++) {
		const struct container_secret *s = &c->config.secrets[i];
		auto_strbuf struct strbuf data = STRBUF_INIT;

		r = read_of_container(c, s, &data, err);
		if (r < 0)
			break;
		if (!str_eq(s->type, "env"))
			r = prepare_file(c, s, &data, f, err);
		else if (memchr(data.buf, 0, data.len))
			r = err_set(err, ERR_INVALID,
				    "secret '%s' has a zero byte and cannot be a variable",
				    s->name);
		else
			json_string_map_set(&f->secret_env, s->target ? s->target : s->name,
					    data.buf);
	}
	return r;
}
