/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/stats.h"

#include "criu/image_file.h"
#include "criu/stats.pb-c.h"

static void take(struct criu_stats *ret, const CriuStatsEntry *entry)
{
	const CriuDumpStats *d = entry->dump;
	const CriuRestoreStats *r = entry->restore;

	*ret = (struct criu_stats){ 0 };
	if (d) {
		ret->dump.freezing_time = d->freezing_time;
		ret->dump.frozen_time = d->frozen_time;
		ret->dump.memdump_time = d->memdump_time;
		ret->dump.memwrite_time = d->memwrite_time;
		ret->dump.pages_scanned = d->pages_scanned;
		ret->dump.pages_skipped_parent = d->pages_skipped_parent;
		ret->dump.pages_written = d->pages_written;
		ret->dump.pages_lazy = d->pages_lazy;
	}
	if (r) {
		ret->restore.forking_time = r->forking_time;
		ret->restore.restore_time = r->restore_time;
		ret->restore.pages_compared = r->pages_compared;
		ret->restore.pages_skipped_cow = r->pages_skipped_cow;
		ret->restore.pages_restored = r->pages_restored;
	}
}

/* r: what opening the file gave. */
static int load(struct criu_stats *ret, struct image_file *file, int r, const char *name,
		struct err *err)
{
	CriuStatsEntry *entry = NULL;

	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "criu has written no statistics ('%s')", name);
	if (r == 0)
		r = image_file_next(file);
	if (r > 0)
		entry = criu_stats_entry__unpack(NULL, file->len, file->entry);
	if (!entry)
		return err_set(err, ERR_CORRUPT, "read criu's statistics '%s': %s", name,
			       r < 0 ? errno_text(r) : "malformed");
	take(ret, entry);
	criu_stats_entry__free_unpacked(entry, NULL);
	return 0;
}

int criu_stats_load(struct criu_stats *ret, int dir_fd, const char *name, struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open(&file, dir_fd, name, IMAGE_MAGIC_STATS);

	return load(ret, &file, r, name, err);
}

int criu_stats_decode(struct criu_stats *ret, const void *data, size_t len, const char *name,
		      struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	int r = image_file_open_memory(&file, data, len, IMAGE_MAGIC_STATS);

	return load(ret, &file, r, name, err);
}
