/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: entries come in the archive's order. The parent directory of each is resolved
 * inside the root (and kept open, since neighbours follow each other); the last component is made
 * with calls that do not follow symlinks. Times of directories are set at the end, because whatever
 * is made in them changes these.
 */
#include "storage/unpack.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "storage/whiteout.h"
#include "storage/xattr.h"

struct dir_times {
	char *path;
	struct timespec times[2];
};

struct unpacker {
	struct tar_reader *reader;
	const struct rooted *root;
	const struct unpack_options *options;
	struct unpack_result result;
	char *parent_path; /* of parent_fd */
	int parent_fd; /* O_PATH */
	struct dir_times *dirs;
	size_t n_dirs;
};

/* One entry on its way. */
struct item {
	struct archive_entry *entry;
	char *path; /* clean, relative; "." for the root itself */
	const char *name; /* last component */
	struct stat st;
};

/* --- paths --- */

static int clean_name(const char *raw, char **ret, struct err *err)
{
	auto_free char *clean = NULL;
	size_t depth = 1;

	if (path_has_dotdot(raw))
		return err_set(err, ERR_INVALID, "unpack '%s': the name leads out of the archive",
			       raw);
	/* An absolute one is meant from the root of what is unpacked. */
	clean = path_clean(raw + strspn(raw, "/"));
	for (const char *p = clean; *p; p++)
		depth += *p == '/';
	if (depth > UNPACK_DEPTH_MAX)
		return err_set(err, ERR_INVALID,
			       "unpack '%.200s...': more than %d directories deep", raw,
			       UNPACK_DEPTH_MAX);
	*ret = take_ptr(clean);
	return 0;
}

/* Put what is below rename_from below rename_to. */
static char *renamed(const struct unpack_options *o, char *path)
{
	const char *rest;
	char *result;

	if (!o->rename_from)
		return path;
	if (str_eq(o->rename_from, ".")) {
		result = str_eq(path, ".") ? xstrdup(o->rename_to) : path_join(o->rename_to, path);
		free(path);
		return result;
	}
	rest = str_skip_prefix(path, o->rename_from);
	if (!rest || (*rest && *rest != '/'))
		return path;
	result = path_join(o->rename_to, rest);
	free(path);
	return result;
}

/* --- directories that the archive does not name --- */

/* The attributes of the nearest directory below that has this path. */
static void copy_lower_attributes(const struct unpacker *u, const char *path, int dir_fd)
{
	for (size_t i = 0; u->options->lowers && i < u->options->lowers->n; i++) {
		auto_rooted struct rooted lower = ROOTED_INIT;
		auto_close int fd = -EBADF;
		struct stat st;

		if (rooted_open(&lower, AT_FDCWD, u->options->lowers->v[i]) < 0)
			continue;
		fd = rooted_openat(&lower, path, O_PATH | O_NOFOLLOW);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
			return;
		if (fchownat(dir_fd, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0 ||
		    chmod(fd_path(dir_fd).text, st.st_mode & 07777) < 0)
			log_debug("attributes of '%s' cannot be copied from below", path);
		(void)utimensat(AT_FDCWD, fd_path(dir_fd).text,
				(struct timespec[]){ st.st_atim, st.st_mtim }, 0);
		return;
	}
}

/* Make dir_fd/name a directory, in place of whatever else is there. An O_PATH descriptor. */
static int make_dir(const struct unpacker *u, int dir_fd, const char *name, bool *ret_new)
{
	struct stat st;
	bool opaque = false;
	int fd;

	*ret_new = false;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return fd_open_at(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		if (u->options->no_replace_dir)
			return -ENOTDIR;
		/* The layer hides a directory below and has a new one of that name. */
		opaque = u->options->whiteouts && whiteout_is(&st);
		if (unlinkat(dir_fd, name, 0) < 0)
			return -errno;
	}
	if (mkdirat(dir_fd, name, 0755) < 0)
		return -errno;
	*ret_new = true;
	fd = fd_open_at(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd >= 0 && opaque) {
		int r = whiteout_set_opaque(fd);

		if (r < 0) {
			close_fd(&fd);
			return r;
		}
	}
	return fd;
}

/* Make all directories of path that are missing. An O_PATH descriptor of the last one. */
static int make_parents(const struct unpacker *u, const char *path)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	auto_strbuf struct strbuf done = STRBUF_INIT;
	auto_close int fd = rooted_openat(u->root, "/", O_PATH | O_DIRECTORY);

	strvec_split(&parts, path, '/', false);
	for (size_t i = 0; fd >= 0 && i < parts.n; i++) {
		bool is_new = false;
		int next;

		strbuf_addf(&done, "/%s", parts.v[i]);
		next = rooted_openat(u->root, done.buf, O_PATH | O_DIRECTORY);
		if (next == -ENOENT || next == -ENOTDIR)
			next = make_dir(u, fd, parts.v[i], &is_new);
		if (next >= 0 && is_new)
			copy_lower_attributes(u, done.buf, next);
		close_fd(&fd);
		fd = next;
	}
	return take_fd(fd);
}

static int open_parent(struct unpacker *u, const char *path, struct err *err)
{
	auto_free char *parent = path_dirname(path);
	int fd;

	if (str_eq(parent, u->parent_path))
		return 0;
	fd = rooted_openat(u->root, parent, O_PATH | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR)
		fd = make_parents(u, parent);
	if (fd < 0)
		return err_sys(err, fd, "unpack '%s': open its directory", path);
	close_fd(&u->parent_fd);
	u->parent_fd = fd;
	replace_ptr(u->parent_path, take_ptr(parent));
	return 0;
}

static void forget_parent(struct unpacker *u)
{
	close_fd(&u->parent_fd);
	replace_ptr(u->parent_path, NULL);
}

/* --- attributes --- */

/* By the entry's path below the parent, which is not followed. */
static int set_xattrs(const struct unpacker *u, const struct item *item, int fd, struct err *err)
{
	const char *name;
	const void *value;
	size_t len;

	if (archive_entry_xattr_reset(item->entry) == 0)
		return 0;
	while (archive_entry_xattr_next(item->entry, &name, &value, &len) == ARCHIVE_OK) {
		auto_free char *path = xasprintf("%s/%s", fd_path(u->parent_fd).text, item->name);
		int r;

		if (!xattr_is_content_or_acl(name)) {
			log_debug("unpack '%s': attribute '%s' is left out", item->path, name);
			continue;
		}
		r = fd >= 0 ? setxattr(fd_path(fd).text, name, value, len, 0) :
			      lsetxattr(path, name, value, len, 0);
		/* user.* is for files and directories only; not every file system has any. */
		if (r < 0 && errno != ENOTSUP && errno != EPERM)
			return err_sys(err, -errno, "unpack '%s': set attribute '%s'", item->path,
				       name);
	}
	return 0;
}

static void entry_times(const struct item *item, struct timespec ret[2])
{
	ret[1] = item->st.st_mtim;
	ret[0] = archive_entry_atime_is_set(item->entry) ? item->st.st_atim : item->st.st_mtim;
}

static int map_id(const struct idmap *map, uint32_t *id)
{
	return map && map->n > 0 ? idmap_to_outside(map, *id, id) : 0;
}

static int chown_item(const struct unpacker *u, const struct item *item, int dir_fd,
		      const char *name, struct err *err)
{
	uid_t uid = u->options->force_owner ? u->options->force_uid : item->st.st_uid;
	gid_t gid = u->options->force_owner ? u->options->force_gid : item->st.st_gid;

	if (!u->options->owner && !u->options->force_owner)
		return 0;
	if (!u->options->force_owner &&
	    (map_id(u->options->uids, &uid) < 0 || map_id(u->options->gids, &gid) < 0))
		return err_set(err, ERR_INVALID,
			       "unpack '%s': its owner %u:%u is not mapped into the user namespace",
			       item->path, uid, gid);
	if (fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return err_sys(err, -errno, "unpack '%s': set its owner %u:%u", item->path, uid,
			       gid);
	return 0;
}

/* Owner, mode, attributes and times of what has just been made under the parent. */
static int set_attributes(const struct unpacker *u, const struct item *item, struct err *err)
{
	struct timespec times[2];
	int r = chown_item(u, item, u->parent_fd, item->name, err);

	if (r < 0)
		return r;
	if (!S_ISLNK(item->st.st_mode) &&
	    fchmodat(u->parent_fd, item->name, item->st.st_mode & 07777, 0) < 0)
		return err_sys(err, -errno, "unpack '%s': set its mode", item->path);
	r = set_xattrs(u, item, -EBADF, err);
	if (r < 0)
		return r;
	entry_times(item, times);
	if (utimensat(u->parent_fd, item->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, -errno, "unpack '%s': set its times", item->path);
	return 0;
}

/* --- kinds of entries --- */

/* What has the name makes room. */
static int clear_place(struct unpacker *u, const struct item *item, struct err *err)
{
	struct stat st;
	int r = 0;

	if (fstatat(u->parent_fd, item->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, -errno, "unpack '%s'", item->path);
	if (!S_ISDIR(st.st_mode)) {
		r = unlinkat(u->parent_fd, item->name, 0) < 0 ? -errno : 0;
	} else if (u->options->no_replace_dir) {
		return err_set(err, ERR_EXISTS,
			       "unpack '%s': a directory is there, and would be lost with all that "
			       "is in it "
			       "(cp --overwrite does that)",
			       item->path);
	} else {
		auto_close int dir = fd_reopen(u->parent_fd, O_RDONLY | O_DIRECTORY);

		r = dir < 0 ? dir : fs_remove_tree(dir, item->name);
	}
	return r < 0 ? err_sys(err, r, "unpack '%s': replace what is there", item->path) : 0;
}

static int write_data(struct unpacker *u, const struct item *item, int fd, struct err *err)
{
	uint64_t max = u->options->max_bytes ? u->options->max_bytes : UNPACK_BYTES_MAX;
	int64_t end = 0;
	const void *data;
	size_t len;
	int64_t offset;
	int r;

	while ((r = tar_reader_data(u->reader, &data, &len, &offset, err)) > 0) {
		const char *p = data;

		if (len == 0)
			continue;
		u->result.bytes += len;
		if (u->result.bytes > max)
			return err_set(err, ERR_INVALID,
				       "unpack '%s': the archive has more than %llu bytes",
				       item->path, (unsigned long long)max);
		r = u->options->sparse ? io_pwrite_sparse(fd, p, len, offset) :
					 io_pwrite_all(fd, p, len, offset);
		if (r < 0)
			return err_sys(err, r, "unpack '%s': write", item->path);
		end = offset + (int64_t)len;
	}
	if (r < 0)
		return r;
	/* A hole at the end of a sparse file. */
	if ((u->options->sparse || end < item->st.st_size) && ftruncate(fd, item->st.st_size) < 0)
		return err_sys(err, -errno, "unpack '%s': set its size", item->path);
	return 0;
}

static int unpack_file(struct unpacker *u, const struct item *item, struct err *err)
{
	struct timespec times[2];
	auto_close int fd = fd_open_at(u->parent_fd, item->name,
				       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return err_sys(err, fd, "unpack '%s'", item->path);
	r = write_data(u, item, fd, err);
	if (r == 0)
		r = chown_item(u, item, fd, "", err);
	if (r == 0 && fchmod(fd, item->st.st_mode & 07777) < 0)
		r = err_sys(err, -errno, "unpack '%s': set its mode", item->path);
	if (r == 0)
		r = set_xattrs(u, item, fd, err);
	entry_times(item, times);
	if (r == 0 && futimens(fd, times) < 0)
		r = err_sys(err, -errno, "unpack '%s': set its times", item->path);
	return r;
}

static int unpack_dir(struct unpacker *u, const struct item *item, struct err *err)
{
	struct dir_times *dir;
	auto_close int fd = -EBADF;
	bool is_new = false;
	int r;

	if (str_eq(item->path, "."))
		fd = rooted_openat(u->root, "/", O_PATH | O_DIRECTORY);
	else
		fd = make_dir(u, u->parent_fd, item->name, &is_new);
	if (fd < 0)
		return err_sys(err, fd, "unpack '%s'", item->path);
	if (u->options->keep_existing_dirs && !is_new)
		return 0;
	r = chown_item(u, item, fd, "", err);
	if (r == 0 && chmod(fd_path(fd).text, item->st.st_mode & 07777) < 0)
		r = err_sys(err, -errno, "unpack '%s': set its mode", item->path);
	if (r == 0)
		r = set_xattrs(u, item, fd, err);
	if (r < 0)
		return r;
	dir = array_push(u->dirs, u->n_dirs);
	dir->path = xstrdup(item->path);
	entry_times(item, dir->times);
	return 0;
}

static int unpack_hardlink(struct unpacker *u, const struct item *item, struct err *err)
{
	const char *raw = archive_entry_hardlink(item->entry);
	auto_free char *target = NULL;
	auto_free char *dir = NULL;
	auto_close int dir_fd = -EBADF;
	int r = clean_name(raw, &target, err);

	if (r < 0)
		return r;
	target = renamed(u->options, target);
	dir = path_dirname(target);
	dir_fd = rooted_openat(u->root, dir, O_PATH | O_DIRECTORY);
	if (dir_fd < 0 || linkat(dir_fd, path_basename(target), u->parent_fd, item->name, 0) < 0)
		return err_sys(err, dir_fd < 0 ? dir_fd : -errno, "unpack '%s': link to '%s'",
			       item->path, target);
	return 0;
}

static int unpack_special(struct unpacker *u, const struct item *item, struct err *err)
{
	mode_t type = item->st.st_mode & S_IFMT;
	int r = 0;

	if (u->options->no_devices && (type == S_IFCHR || type == S_IFBLK))
		return err_set(err, ERR_INVALID, "unpack '%s': a device does not belong there",
			       item->path);
	if (type == S_IFLNK && !archive_entry_symlink(item->entry))
		return err_set(err, ERR_CORRUPT, "unpack '%s': a symlink to nowhere", item->path);
	switch (type) {
	case S_IFLNK:
		r = symlinkat(archive_entry_symlink(item->entry), u->parent_fd, item->name);
		break;
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
		r = mknodat(u->parent_fd, item->name, type | 0600,
			    type == S_IFIFO ? 0 : item->st.st_rdev);
		break;
	default:
		return err_set(err, ERR_INVALID, "unpack '%s': unknown type %o of entry",
			       item->path, type);
	}
	if (r < 0)
		return err_sys(err, -errno, "unpack '%s'", item->path);
	return set_attributes(u, item, err);
}

/* --- all of it --- */

static int unpack_item(struct unpacker *u, const struct item *item, struct err *err)
{
	int r;

	if (str_eq(item->path, ".")) {
		if (!S_ISDIR(item->st.st_mode))
			return err_set(err, ERR_INVALID, "unpack '.': the root is no directory");
		return unpack_dir(u, item, err);
	}
	r = open_parent(u, item->path, err);
	if (r < 0)
		return r;
	if (u->options->whiteouts && str_has_prefix(item->name, WHITEOUT_PREFIX))
		return whiteout_unpack(u->parent_fd, item->name, item->path, err);
	if (u->options->apply_whiteouts && str_has_prefix(item->name, WHITEOUT_PREFIX))
		return whiteout_apply(u->parent_fd, item->name, item->path, err);
	if (!archive_entry_hardlink(item->entry) && S_ISDIR(item->st.st_mode))
		return unpack_dir(u, item, err);
	if (archive_entry_hardlink(item->entry)) {
		auto_free char *target = NULL;

		/* A link to itself must not remove what it links to. */
		r = clean_name(archive_entry_hardlink(item->entry), &target, err);
		if (r < 0)
			return r;
		target = renamed(u->options, target);
		if (str_eq(target, item->path))
			return 0;
	}
	r = clear_place(u, item, err);
	if (r < 0)
		return r;
	if (archive_entry_hardlink(item->entry))
		return unpack_hardlink(u, item, err);
	if (S_ISREG(item->st.st_mode))
		return unpack_file(u, item, err);
	return unpack_special(u, item, err);
}

static int unpack_entry(struct unpacker *u, struct archive_entry *entry, struct err *err)
{
	const char *raw = archive_entry_pathname(entry);
	struct item item = { .entry = entry };
	int r;

	if (!raw || !*raw)
		return err_set(err, ERR_INVALID,
			       "unpack: an entry has no name, or one that is not UTF-8");
	r = clean_name(raw, &item.path, err);
	if (r < 0)
		return r;
	item.path = renamed(u->options, item.path);
	item.name = path_basename(item.path);
	item.st = *archive_entry_stat(entry);
	r = unpack_item(u, &item, err);
	free(item.path);
	return r;
}

/* Newest first: a directory comes before what is in it. */
static int set_dir_times(struct unpacker *u, struct err *err)
{
	for (size_t i = u->n_dirs; i-- > 0;) {
		auto_close int fd =
			rooted_openat(u->root, u->dirs[i].path, O_PATH | O_DIRECTORY | O_NOFOLLOW);

		/* Replaced by a later entry. */
		if (fd < 0)
			continue;
		if (utimensat(AT_FDCWD, fd_path(fd).text, u->dirs[i].times, 0) < 0)
			return err_sys(err, -errno, "unpack '%s': set its times", u->dirs[i].path);
	}
	return 0;
}

static void unpacker_done(struct unpacker *u)
{
	forget_parent(u);
	for (size_t i = 0; i < u->n_dirs; i++)
		free(u->dirs[i].path);
	free(u->dirs);
}

int unpack(struct tar_reader *reader, const struct rooted *root,
	   const struct unpack_options *options, struct unpack_result *ret, struct err *err)
{
	uint64_t max = options->max_entries ? options->max_entries : UNPACK_ENTRIES_MAX;
	struct unpacker u = {
		.reader = reader, .root = root, .options = options, .parent_fd = -EBADF
	};
	struct archive_entry *entry;
	int r;

	while ((r = tar_reader_next(reader, &entry, err)) > 0) {
		if (++u.result.n_entries > max) {
			r = err_set(err, ERR_INVALID, "unpack: more than %llu entries",
				    (unsigned long long)max);
			break;
		}
		r = unpack_entry(&u, entry, err);
		if (r < 0)
			break;
	}
	if (r == 0)
		r = set_dir_times(&u, err);
	unpacker_done(&u);
	if (r == 0 && ret)
		*ret = u.result;
	return r;
}
