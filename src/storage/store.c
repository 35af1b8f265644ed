/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/store.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "storage/overlay.h"
#include "storage/schema.h"

#define CONTENT_LOCK "content"
#define CONTENT_TIMEOUT_MS 60000
#define DRIVER_FILE "driver"

static const char *const directories[] = {
	"blobs", "blobs/sha256", "layers", "layers/l", "rootfs", "staging", "locks",
};

const char *store_driver_to_string(enum store_driver driver)
{
	return driver == STORE_VFS ? "vfs" : "overlay";
}

char *store_path(const struct store *store, const char *a, const char *b)
{
	return b ? xasprintf("%s/%s/%s", store->root, a, b) : xasprintf("%s/%s", store->root, a);
}

static int make_directories(struct store *store, struct err *err)
{
	/* 0711 on the way to root file systems: a process in a user namespace must reach its own, of which
	 * the directory is open then. Who else could would find programs that are set-user-ID. */
	int r = fs_mkdir_all(AT_FDCWD, store->root, 0755, 0711);

	if (r < 0)
		return err_sys(err, r, "make directory '%s'", store->root);
	store->root_fd = fd_open_at(AT_FDCWD, store->root, O_PATH | O_DIRECTORY, 0);
	if (store->root_fd < 0)
		return err_sys(err, store->root_fd, "open directory '%s'", store->root);
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		bool leads_to_roots = str_eq(directories[i], "rootfs");

		if (mkdirat(store->root_fd, directories[i], leads_to_roots ? 0711 : 0700) < 0 &&
		    errno != EEXIST)
			return err_sys(err, -errno, "make directory '%s/%s'", store->root,
				       directories[i]);
	}
	return 0;
}

/* The driver that the root was made with; -ENOENT when it is new. */
static int read_driver(struct store *store, enum store_driver *ret, struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = io_read_file_at(store->root_fd, DRIVER_FILE, 64, &sb);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return err_sys(err, r, "read '%s/%s'", store->root, DRIVER_FILE);
	if (str_eq(sb.buf, "overlay\n"))
		*ret = STORE_OVERLAY;
	else if (str_eq(sb.buf, "vfs\n"))
		*ret = STORE_VFS;
	else
		return err_set(err, ERR_CORRUPT, "read '%s/%s': unknown driver", store->root,
			       DRIVER_FILE);
	return 0;
}

static int choose_driver(struct store *store, const char *wanted, const char *preferred,
			 enum store_driver *ret, struct err *err)
{
	if (str_is_empty(wanted)) {
		*ret = !str_eq(preferred, "vfs") && overlay_works(store->root) ? STORE_OVERLAY :
										 STORE_VFS;
		return 0;
	}
	if (str_eq(wanted, "overlay"))
		*ret = STORE_OVERLAY;
	else if (str_eq(wanted, "vfs"))
		*ret = STORE_VFS;
	else
		return err_set(err, ERR_USAGE, "storage driver '%s': not one of overlay, vfs",
			       wanted);
	return 0;
}

static int set_driver(struct store *store, const char *wanted, const char *preferred,
		      struct err *err)
{
	enum store_driver chosen;
	int r = read_driver(store, &store->driver, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		if (!str_is_empty(wanted) && !str_eq(wanted, store_driver_to_string(store->driver)))
			return err_set(err, ERR_STATE,
				       "open storage '%s': it was made with driver '%s', not '%s'; "
				       "use another --root or remove everything in it first",
				       store->root, store_driver_to_string(store->driver), wanted);
		return 0;
	}
	r = choose_driver(store, wanted, preferred, &chosen, err);
	if (r < 0)
		return r;
	{
		auto_free char *text = xasprintf("%s\n", store_driver_to_string(chosen));
		auto_close int root = fd_reopen(store->root_fd, O_RDONLY | O_DIRECTORY);

		r = root < 0 ? root :
			       fs_write_atomic(root, DRIVER_FILE, text, strlen(text), 0600,
					       FS_VOLATILE);
	}
	if (r < 0)
		return err_sys(err, r, "write '%s/%s'", store->root, DRIVER_FILE);
	store->driver = chosen;
	return 0;
}

int store_open(struct store *ret, const struct store_options *options, struct err *err)
{
	struct store store = STORE_INIT;
	int r;

	store.root = xstrdup(options->root);
	store.run_root = xstrdup(options->run_root);
	store.db = options->db;
	r = make_directories(&store, err);
	if (r == 0)
		r = set_driver(&store, options->driver, options->preferred, err);
	if (r == 0 && !store.db) {
		auto_free char *path = store_path(&store, "floe.db", NULL);

		r = db_open(&store.db, path, err);
		store.owns_db = r == 0;
	}
	if (r == 0)
		r = db_migrate(store.db, &storage_schema, err);
	if (r < 0) {
		store_close(&store);
		return r;
	}
	*ret = store;
	return 0;
}

void store_close(struct store *store)
{
	close_fd(&store->content_fd);
	close_fd(&store->root_fd);
	if (store->owns_db)
		db_close(store->db);
	free(store->root);
	free(store->run_root);
	*store = (struct store)STORE_INIT;
}

/* --- locks --- */

int store_lock(const struct store *store, const char *name, enum lock_mode mode, int timeout_ms,
	       struct err *err)
{
	auto_free char *path = xasprintf("locks/%s", name);
	int fd = lock_open(store->root_fd, path, mode, timeout_ms);

	if (fd == -ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "lock '%s/%s': another command holds it",
			       store->root, path);
	if (fd < 0)
		return err_sys(err, fd, "lock '%s/%s'", store->root, path);
	return fd;
}

int store_content_hold(struct store *store, struct err *err)
{
	int fd;

	if (store->content_depth++ > 0)
		return 0;
	fd = store_lock(store, CONTENT_LOCK, LOCK_MODE_SHARED, CONTENT_TIMEOUT_MS, err);
	if (fd < 0) {
		store->content_depth--;
		return fd;
	}
	store->content_fd = fd;
	return 0;
}

void store_content_release(struct store *store)
{
	if (store->content_depth > 0 && --store->content_depth == 0)
		close_fd(&store->content_fd);
}

/* --- staging --- */

int store_staging_make(const struct store *store, struct store_staging *ret, struct err *err)
{
	auto_free char *path = store_path(store, "staging", "XXXXXX");
	int r;

	if (!mkdtemp(path))
		return err_sys(err, -errno, "make directory '%s'", path);
	ret->dir_fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	r = ret->dir_fd < 0 ? ret->dir_fd : lock_fd(ret->dir_fd, LOCK_MODE_EXCLUSIVE, -1);
	if (r < 0) {
		close_fd(&ret->dir_fd);
		(void)rmdir(path);
		return err_sys(err, r, "lock directory '%s'", path);
	}
	ret->path = take_ptr(path);
	return 0;
}

void store_staging_drop(struct store_staging *staging)
{
	if (staging->path)
		(void)fs_remove_tree(AT_FDCWD, staging->path);
	close_fd(&staging->dir_fd);
	replace_ptr(staging->path, NULL);
}

char *store_boot_id(void)
{
	char *id = io_read_line_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id");

	return id ? id : xstrdup("");
}
