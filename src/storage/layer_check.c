/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/layer.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/rooted.h"
#include "core/str.h"
#include "storage/blob.h"
#include "storage/tar_reader.h"
#include "storage/whiteout.h"

/* Regular files of the archive with their sizes; the last of a name counts, whiteouts do not. */
static int read_sizes(const struct store *store, const char *blob, struct json_object *sizes,
		      struct err *err)
{
	auto_tar_reader struct tar_reader *reader = NULL;
	auto_close int fd = blob_open(store, blob, err);
	struct archive_entry *entry;
	int r = fd < 0 ? fd : tar_reader_open(&reader, fd, blob, err);

	while (r >= 0 && (r = tar_reader_next(reader, &entry, err)) > 0) {
		const char *name = archive_entry_pathname(entry);
		auto_free char *path = name ? path_clean(name) : NULL;
		const struct stat *st;

		if (!path || str_has_prefix(path_basename(path), WHITEOUT_PREFIX))
			continue;
		/* Another kind of object may take the place of a file before it. */
		json_object_object_del(sizes, path);
		st = archive_entry_stat(entry);
		if (S_ISREG(st->st_mode) && !archive_entry_hardlink(entry))
			json_object_object_add(sizes, path, json_object_new_int64(st->st_size));
	}
	return r;
}

/* 1 when it is as the archive has it; also where a symlink of a lower layer leads elsewhere, so that the
 * directory is not there. */
static bool file_is_there(const struct rooted *root, const char *path, int64_t size)
{
	auto_free char *parent = path_dirname(path);
	auto_close int dir = rooted_openat(root, parent, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	struct stat st;

	if (dir < 0)
		return true;
	return fstatat(dir, path_basename(path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == size;
}

int layer_compare(const struct store *store, const char *chain_id, const char *blob,
		  struct err *err)
{
	auto_free char *diff = layer_diff_path(store, chain_id);
	struct json_object *sizes = json_object_new_object();
	auto_rooted struct rooted root = ROOTED_INIT;
	bool same = true;
	int r = read_sizes(store, blob, sizes, err);

	if (r == 0) {
		r = rooted_open(&root, AT_FDCWD, diff);
		if (r < 0)
			r = err_sys(err, r, "open '%s'", diff);
	}
	if (r == 0) {
		json_object_object_foreach(sizes, path, size)
			same = same && file_is_there(&root, path, json_object_get_int64(size));
	}
	json_object_put(sizes);
	return r < 0 ? r : same;
}
