/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volume.h"

#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/lock.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/random.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/copy_tree.h"
#include "engine/event.h"
#include "engine/records.h"
#include "engine/volume_mount.h"

#define T struct volume
/* clang-format off: one row a line. */
JSON_DESC_STATIC(volume_desc, T, F_STRING(T, name, "name", JSON_REQUIRED),
		 F_STRING(T, mountpoint, "mountpoint", JSON_REQUIRED),
		 F_I64(T, created_ns, "created", 0), F_STRING(T, driver, "driver", 0),
		 F_STRING_MAP(T, labels, "labels", 0), F_STRING_MAP(T, options, "options", 0),
		 F_BOOL(T, anonymous, "anonymous", 0), F_BOOL(T, needs_copy_up, "needsCopyUp", 0),
		 F_BOOL(T, needs_chown, "needsChown", 0), F_U32(T, uid, "uid", 0),
		 F_U32(T, gid, "gid", 0), F_U32(T, given_uid, "givenUid", 0),
		 F_U32(T, given_gid, "givenGid", 0), F_U32(T, given_mode, "givenMode", 0),
		 F_U32(T, mount_count, "mountCount", 0), F_STRINGS(T, holders, "holders", 0));
/* clang-format on */
#undef T

void volume_done(struct volume *volume)
{
	json_done(&volume_desc, volume);
}

void volumes_done(struct volumes *volumes)
{
	for (size_t i = 0; i < volumes->n; i++)
		volume_done(&volumes->v[i]);
	free(volumes->v);
	*volumes = (struct volumes){ 0 };
}

static int save(struct engine *e, const struct volume *v, bool create, struct err *err)
{
	auto_free char *text = json_encode(&volume_desc, v, JSON_COMPACT);
	struct db *db;
	int r = record_db(e, &db, err);

	if (r < 0)
		return r;
	return create ? db_exec(db, err, "INSERT INTO volumes (name, record) VALUES (?, ?)", "ss",
				v->name, text) :
			db_exec(db, err, "UPDATE volumes SET record = ? WHERE name = ?", "ss", text,
				v->name);
}

int volume_save(struct engine *e, const struct volume *v, struct err *err)
{
	int r = save(e, v, false, err);

	return MIN(r, 0);
}

static char *lock_path(const struct engine *e, const char *name)
{
	return xasprintf("%s/locks/volume-%s", e->tmpdir, name);
}

int volume_lock(struct engine *e, const char *name, struct err *err)
{
	auto_free char *path = lock_path(e, name);
	int fd = lock_open_living(AT_FDCWD, path, LOCK_MODE_EXCLUSIVE, -1);

	return fd < 0 ? err_sys(err, fd, "lock volume '%s'", name) : fd;
}

int volume_make_directory(const struct volume *v, struct err *err)
{
	int r = fs_mkdir_all(AT_FDCWD, v->mountpoint, 0700, 0755);

	if (r < 0)
		return err_sys(err, r, "make volume '%s': create directory '%s'", v->name,
			       v->mountpoint);
	if ((v->uid || v->gid) && chown(v->mountpoint, v->uid, v->gid) < 0)
		return err_sys(err, -errno, "make volume '%s': change owner", v->name);
	return 0;
}

/* --uid and --gid, or uid= and gid= of the option `o`, which a file system may have no such options for. */
static void take_owner(struct volume *v, const struct volume_options *o)
{
	const char *mount_options = json_string_map_get(&o->options, "o");
	auto_strvec struct strvec words = STRVEC_INIT;
	bool given = o->uid.set || o->gid.set;

	v->uid = o->uid.v;
	v->gid = o->gid.v;
	if (mount_options)
		strvec_split(&words, mount_options, ',', false);
	for (size_t i = 0; i < words.n; i++) {
		const char *uid = str_skip_prefix(words.v[i], "uid=");
		const char *gid = str_skip_prefix(words.v[i], "gid=");
		uint32_t id;

		if ((!uid && !gid) || parse_u32(uid ? uid : gid, &id) < 0)
			continue;
		given = true;
		if (uid && !o->uid.set)
			v->uid = id;
		if (gid && !o->gid.set)
			v->gid = id;
	}
	v->needs_chown = !given;
}

int volume_create(struct engine *e, const struct volume_options *o, char **ret_name,
		  struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r;

	if (o->name && !parse_is_name(o->name))
		return err_set(err, ERR_INVALID,
			       "volume name '%s': names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*",
			       o->name);
	r = volume_check_options(&o->options, err);
	if (r < 0)
		return r;
	v.name = o->name ? xstrdup(o->name) : random_hex(64);
	v.mountpoint = xasprintf("%s/%s/_data", e->volumepath, v.name);
	v.created_ns = (int64_t)clock_now_realtime_ns();
	v.driver = xstrdup("local");
	v.anonymous = o->anonymous;
	v.needs_copy_up = true;
	take_owner(&v, o);
	json_string_map_set_all(&v.labels, &o->labels);
	json_string_map_set_all(&v.options, &o->options);
	r = save(e, &v, true, err);
	if (r == -EEXIST && o->ignore) {
		err_clear(err);
		r = 0;
	} else if (r == -EEXIST) {
		r = err_set(err, ERR_EXISTS,
			    "volume with name %s already exists: volume already exists", v.name);
	} else if (r >= 0) {
		r = volume_make_directory(&v, err);
		if (r >= 0)
			event_object(e, "volume", "create", NULL, v.name);
	}
	if (r >= 0 && ret_name)
		*ret_name = take_ptr(v.name);
	return r < 0 ? r : 0;
}

int volume_adopt(struct engine *e, const char *name, struct err *err)
{
	auto_volume struct volume v = { .created_ns = (int64_t)clock_now_realtime_ns() };
	int r;

	v.name = xstrdup(name);
	v.mountpoint = xasprintf("%s/%s/_data", e->volumepath, name);
	v.driver = xstrdup("local");
	r = save(e, &v, true, err);
	return MIN(r, 0);
}

int volume_remake(struct engine *e, const char *name, struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r = volume_load(e, name, &v, err);

	return r < 0 ? r : volume_make_directory(&v, err);
}

static int decode(const char *text, struct volume *ret, struct err *err)
{
	return json_decode(&volume_desc, ret, text, strlen(text), "record of volume", err);
}

int volume_load(struct engine *e, const char *name, struct volume *ret, struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_query(db, &q, err,
			     "SELECT record FROM volumes WHERE name = ?1 OR"
			     " substr(name, 1, length(?1)) = ?1 ORDER BY name <> ?1 LIMIT 2",
			     "s", name);
	if (r >= 0)
		r = db_step(&q, err);
	if (r < 0)
		return r;
	if (r == 0 || !*name)
		return err_set(err, ERR_NOT_FOUND,
			       "no volume with name \"%s\" found: no such volume", name);
	r = decode(db_text(&q, 0), ret, err);
	if (r < 0 || str_eq(ret->name, name))
		return r;
	r = db_step(&q, err);
	if (r == 0)
		return 0;
	volume_done(ret);
	return r < 0 ? r :
		       err_set(err, ERR_INVALID,
			       "more than one volume has a name that begins "
			       "with '%s'",
			       name);
}

int volume_list(struct engine *e, struct volumes *ret, struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	auto_volumes struct volumes found = { 0 };
	struct db *db;
	int r = record_db(e, &db, err);

	if (r == 0)
		r = db_query(db, &q, err, "SELECT record FROM volumes ORDER BY name", "");
	while (r >= 0 && (r = db_step(&q, err)) > 0) {
		struct volume v;

		r = decode(db_text(&q, 0), &v, err);
		if (r == 0)
			*array_push(found.v, found.n) = v;
	}
	if (r < 0)
		return r;
	*ret = found;
	found = (struct volumes){ 0 };
	return 0;
}

int volume_remove(struct engine *e, const char *name, struct err *err)
{
	auto_volume struct volume v = { 0 };
	auto_strvec struct strvec users = STRVEC_INIT;
	auto_free char *dir = NULL;
	auto_free char *lock = NULL;
	auto_close int lock_fd = -EBADF;
	struct db *db;
	int r = volume_load(e, name, &v, err);

	if (r == 0)
		r = record_db(e, &db, err);
	if (r == 0)
		r = db_begin(db, err);
	if (r < 0)
		return r;
	r = record_volume_users(e, v.name, &users, err);
	if (r == 0 && users.n > 0)
		r = err_set(err, ERR_STATE,
			    "volume %s is being used by the following container(s): %s: volume is "
			    "being used",
			    v.name, users.v[0]);
	if (r == 0)
		r = db_exec(db, err, "DELETE FROM volumes WHERE name = ?", "s", v.name);
	if (r >= 0)
		r = db_commit(db, err);
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	dir = path_dirname(v.mountpoint);
	lock = lock_path(e, v.name);
	/* Not before: who has it writes to the database. */
	r = lock_fd = volume_lock(e, v.name, err);
	/* Never what is in it. */
	if (r >= 0)
		r = volume_unmount_now(&v, err);
	if (r < 0)
		return r;
	r = fs_remove_tree(AT_FDCWD, dir);
	(void)unlink(lock);
	event_object(e, "volume", "remove", NULL, v.name);
	return r < 0 ? err_sys(err, r, "remove volume '%s': remove '%s'", v.name, dir) : 0;
}

int volume_chown_tree(const char *path, uint32_t uid, uint32_t gid)
{
	auto_free char *copy = xstrdup(path);
	char *const paths[] = { copy, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;
	int r = fts ? 0 : -1;

	while (r == 0 && (entry = fts_read(fts)))
		if (entry->fts_info != FTS_DP)
			r = lchown(entry->fts_accpath, uid, gid);
	if (fts)
		(void)fts_close(fts);
	return r;
}

/* One that cannot be read is not: nothing is copied into it then. */
static bool is_empty_dir(int fd)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	return fs_list(fd, ".", &names) == 0 && names.n == 0;
}

/* Whether an empty volume is not as its last user got it: that user, or somebody else, has given it away. */
static bool has_been_given_away(const struct volume *v, const struct stat *st)
{
	return v->given_mode != 0 && (v->given_uid != st->st_uid || v->given_gid != st->st_gid ||
				      v->given_mode != st->st_mode);
}

/* The first container that leaves something in the volume decides what is in it and whose it is. */
static int first_use(struct engine *e, struct volume *v, const struct container_mount *m,
		     const struct rooted *root, const struct spec_user *user, struct err *err)
{
	auto_close int to = fd_open_at(AT_FDCWD, v->mountpoint, O_PATH | O_DIRECTORY, 0);
	auto_close int from = rooted_openat(root, m->destination, O_PATH | O_DIRECTORY);
	bool empty;
	struct stat st;
	int r = 0;

	if (to < 0)
		return err_sys(err, to, "open volume '%s'", v->name);
	empty = is_empty_dir(to);
	if (fstat(to, &st) < 0)
		return err_sys(err, -errno, "examine volume '%s'", v->name);
	if (has_been_given_away(v, &st))
		v->needs_chown = false;
	if (v->needs_copy_up && empty && from >= 0 &&
	    !specgen_has_option(m->options, m->n_options, "nocopy")) {
		r = copy_tree(from, to);
		if (r < 0)
			return err_sys(err, r, "copy '%s' of the image into volume '%s'",
				       m->destination, v->name);
	}
	if (v->needs_chown && empty) {
		if (fchownat(to, "", user->uid, user->gid, AT_EMPTY_PATH) < 0)
			r = -errno;
		if (r == 0 && from >= 0 && fstat(from, &st) == 0 &&
		    !specgen_has_option(m->options, m->n_options, "U") &&
		    (fchownat(to, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0 ||
		     chmod(v->mountpoint, st.st_mode & 07777) < 0 ||
		     utimensat(AT_FDCWD, v->mountpoint,
			       (struct timespec[]){ st.st_atim, st.st_mtim }, 0) < 0))
			r = -errno;
		if (r < 0)
			return err_sys(err, r, "change the owner of volume '%s'", v->name);
	}
	/* Where there was nothing to take over, another container's place may have something. */
	empty = empty && is_empty_dir(to);
	v->needs_copy_up = v->needs_copy_up && empty;
	/* And what is still empty is nobody's yet: the next user gets it. */
	v->needs_chown = v->needs_chown && empty;
	if (v->needs_chown && fstat(to, &st) == 0) {
		v->given_uid = st.st_uid;
		v->given_gid = st.st_gid;
		v->given_mode = st.st_mode;
	}
	return save(e, v, false, err);
}

int volume_note_filled(struct engine *e, const char *name, struct err *err)
{
	auto_volume struct volume v = { 0 };
	auto_close int lock_fd = volume_lock(e, name, err);
	int r = lock_fd < 0 ? lock_fd : volume_load(e, name, &v, err);

	if (r < 0)
		return r;
	v.needs_copy_up = false;
	v.needs_chown = false;
	return save(e, &v, false, err);
}

int volume_subpath(const char *dir, const char *subpath, char **ret_path, struct err *err)
{
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_close int fd = -EBADF;
	auto_free char *inside = NULL;
	int r = rooted_open(&root, AT_FDCWD, dir);

	if (r == 0)
		r = fd = rooted_openat(&root, subpath, O_PATH);
	if (r < 0)
		return err_sys(err, r, "subpath '%s' of '%s'", subpath, dir);
	inside = rooted_resolve(&root, subpath);
	if (!inside)
		return err_sys(err, -errno, "subpath '%s' of '%s'", subpath, dir);
	*ret_path = path_join(dir, inside);
	return 0;
}

int volume_mount_for(struct engine *e, const struct container_mount *m, const struct rooted *root,
		     const struct spec_user *user, char **ret_path, struct err *err)
{
	const struct volume_options options = { .name = m->source, .ignore = true };
	auto_volume struct volume v = { 0 };
	auto_close int lock_fd = -EBADF;
	int r = volume_create(e, &options, NULL, err);

	if (r == 0)
		r = volume_load(e, m->source, &v, err);
	if (r == 0)
		r = volume_make_directory(&v, err);
	if (r < 0)
		return r;
	if (v.needs_copy_up || v.needs_chown) {
		r = lock_fd = volume_lock(e, v.name, err);
		if (r < 0)
			return r;
		volume_done(&v);
		r = volume_load(e, m->source, &v, err);
		if (r == 0 && (v.needs_copy_up || v.needs_chown))
			r = first_use(e, &v, m, root, user, err);
		if (r < 0)
			return r;
	}
	if (specgen_has_option(m->options, m->n_options, "U") &&
	    volume_chown_tree(v.mountpoint, user->uid, user->gid) < 0)
		return err_sys(err, -errno, "change the owner of volume '%s'", v.name);
	if (m->subpath)
		return volume_subpath(v.mountpoint, m->subpath, ret_path, err);
	*ret_path = take_ptr(v.mountpoint);
	return 0;
}
