/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/own_archives.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "engine/records.h"

/* Of more than these the oldest are forgotten. */
#define KEPT 1000

/* NULL: no file that nobody but us writes. */
static char *key_of(int fd)
{
	static const unsigned int wanted = STATX_BASIC_STATS | STATX_BTIME;
	struct statx s;

	if (statx(fd, "", AT_EMPTY_PATH, wanted, &s) < 0 || !S_ISREG(s.stx_mode) ||
	    s.stx_uid != geteuid() || (s.stx_mode & (S_IWGRP | S_IWOTH)))
		return NULL;
	/* A file system that does not keep the time of birth leaves zeroes. */
	return xasprintf("%u:%u %llu %llu %lld.%09u %lld.%09u", s.stx_dev_major, s.stx_dev_minor,
			 (unsigned long long)s.stx_ino, (unsigned long long)s.stx_size,
			 (long long)s.stx_mtime.tv_sec, s.stx_mtime.tv_nsec,
			 (long long)s.stx_btime.tv_sec, s.stx_btime.tv_nsec);
}

int own_archives_add(struct engine *e, const char *path, struct err *err)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_PATH, 0);
	auto_free char *key = fd < 0 ? NULL : key_of(fd);
	struct db *db;
	int r = key ? record_db(e, &db, err) : 0;

	if (!key || r < 0)
		return r;
	r = db_exec(db, err, "INSERT OR REPLACE INTO own_archives VALUES (?, ?)", "si", key,
		    (int64_t)clock_now_realtime_ns());
	if (r == 0)
		r = db_exec(db, err,
			    "DELETE FROM own_archives WHERE key NOT IN"
			    " (SELECT key FROM own_archives ORDER BY written DESC LIMIT ?)",
			    "i", (int64_t)KEPT);
	return r;
}

bool own_archives_have(struct engine *e, int fd)
{
	auto_free char *key = fd < 0 ? NULL : key_of(fd);
	struct db *db;

	return key && record_db(e, &db, NULL) == 0 &&
	       db_has(db, NULL, "SELECT 1 FROM own_archives WHERE key = ?", "s", key) == 1;
}
