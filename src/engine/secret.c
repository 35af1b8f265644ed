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
#include "core/parse.h"
#include "core/path.h"
#include "core/random.h"
#include "core/str.h"
#include "engine/records.h"
#include "engine/volume.h"

#define T struct secret
/* clang-format off: one row a line. */
JSON_DESC_STATIC(secret_desc, T, F_STRING(T, id, "id", JSON_REQUIRED),
		 F_STRING(T, name, "name", JSON_REQUIRED), F_STRING(T, driver, "driver", 0),
		 F_I64(T, created_ns, "created", 0), F_I64(T, updated_ns, "updated", 0),
		 F_STRING_MAP(T, labels, "labels", 0));
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

static int open_dir(const struct engine *e, int *ret_fd, struct err *err)
{
	auto_free char *path = path_join(e->root, "secrets");
	int r = fs_mkdir_all(AT_FDCWD, path, 0711, 0700);

	if (r == 0)
		r = *ret_fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	return r < 0 ? err_sys(err, r, "open '%s'", path) : 0;
}

static int write_data(const struct engine *e, const char *id, const struct strbuf *data,
		      struct err *err)
{
	auto_close int dir = -EBADF;
	auto_close int readable = -EBADF;
	int r = open_dir(e, &dir, err);

	if (r < 0)
		return r;
	readable = fd_reopen(dir, O_RDONLY | O_DIRECTORY);
	r = readable < 0 ? readable :
			   fs_write_atomic(readable, id, data->buf, data->len, 0600, FS_DURABLE);
	return r < 0 ? err_sys(err, r, "write secret") : 0;
}

static void remove_data(const struct engine *e, const char *id)
{
	auto_close int dir = -EBADF;

	if (open_dir(e, &dir, NULL) == 0)
		(void)unlinkat(dir, id, 0);
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

int secret_create(struct engine *e, const char *name, const struct strbuf *data,
		  const struct json_string_map *labels, bool replace, char **ret_id,
		  struct err *err)
{
	auto_secret struct secret s = { 0 };
	auto_secret struct secret old = { 0 };
	auto_free char *text = NULL;
	struct db *db;
	int r = check(name, data, err);

	if (r == 0)
		r = record_db(e, &db, err);
	if (r < 0)
		return r;
	s.id = random_hex(25);
	s.name = xstrdup(name);
	s.driver = xstrdup("file");
	s.created_ns = s.updated_ns = (int64_t)clock_now_realtime_ns();
	if (labels)
		json_string_map_set_all(&s.labels, labels);
	text = json_encode(&secret_desc, &s, JSON_COMPACT);
	if (replace)
		(void)secret_load(e, name, &old, NULL);
	/* The content first: a record never speaks of what is not there. */
	r = write_data(e, s.id, data, err);
	if (r == 0)
		r = db_begin(db, err);
	if (r < 0)
		return r;
	if (old.id && str_eq(old.name, name))
		r = db_exec(db, err, "DELETE FROM secrets WHERE id = ?", "s", old.id);
	if (r >= 0)
		r = db_exec(db, err, "INSERT INTO secrets (id, name, record) VALUES (?, ?, ?)",
			    "sss", s.id, s.name, text);
	if (r >= 0)
		r = db_commit(db, err);
	if (r < 0) {
		db_rollback(db);
		remove_data(e, s.id);
		return r == -EEXIST ? err_set(err, ERR_EXISTS, "%s: secret name in use", name) : r;
	}
	if (old.id && str_eq(old.name, name))
		remove_data(e, old.id);
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
	if (r == 0)
		r = db_exec(db, err, "DELETE FROM secrets WHERE id = ?", "s", s.id);
	if (r < 0)
		return r;
	remove_data(e, s.id);
	return 0;
}

int secret_read(struct engine *e, const char *id, struct strbuf *ret, struct err *err)
{
	auto_close int dir = -EBADF;
	auto_close int fd = -EBADF;
	int r = open_dir(e, &dir, err);

	if (r < 0)
		return r;
	fd = fd_open_at(dir, id, O_RDONLY | O_NOFOLLOW, 0);
	r = fd < 0 ? fd : io_read_all(fd, SECRET_SIZE_MAX, ret);
	return r < 0 ? err_sys(err, r, "read secret '%.12s'", id) : 0;
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

int secrets_prepare(struct container *c, struct spec_facts *f, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->config.n_secrets; i++) {
		const struct container_secret *s = &c->config.secrets[i];
		auto_strbuf struct strbuf data = STRBUF_INIT;

		r = secret_read(c->engine, s->id, &data, err);
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
