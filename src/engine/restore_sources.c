/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_sources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"

#define PERMISSIONS 0777

static const struct archive_bind_mount *find(const struct archive_bind_mounts *known,
					     const struct container_mount *m)
{
	for (size_t i = 0; i < known->n; i++)
		if (str_eq(known->v[i].source, m->source) &&
		    str_eq(known->v[i].destination, m->destination))
			return &known->v[i];
	return NULL;
}

static int make_directory(const char *path, mode_t mode, struct strvec *made)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	strvec_add(made, path);
	/* Whatever the umask says. */
	return chmod(path, mode) < 0 ? -errno : 0;
}

static int make_parents(const char *path, struct strvec *made)
{
	auto_free char *parent = path_dirname(path);
	int r;

	if (fs_exists(AT_FDCWD, parent))
		return 0;
	r = make_parents(parent, made);
	return r < 0 ? r : make_directory(parent, 0755, made);
}

static int make_file(const char *path, mode_t mode, struct strvec *made)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return fd;
	strvec_add(made, path);
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int make(const struct archive_bind_mount *like, struct strvec *made)
{
	mode_t mode = like->permissions & PERMISSIONS;
	int r = make_parents(like->source, made);

	if (r < 0)
		return r;
	return str_eq(like->file_type, "directory") ? make_directory(like->source, mode, made) :
						      make_file(like->source, mode, made);
}

static bool is_clean(const char *path)
{
	auto_free char *clean = path_clean(path);

	return path[0] == '/' && str_eq(clean, path);
}

bool restore_sources_can_make(const struct archive_bind_mounts *known,
			      const struct container_mount *m)
{
	return find(known, m) && is_clean(m->source);
}

int restore_sources_make(const struct archive_bind_mounts *known,
			 const struct container_config *record, struct strvec *made,
			 struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < record->n_mounts; i++) {
		const struct container_mount *m = &record->mounts[i];
		const struct archive_bind_mount *like = find(known, m);

		if (!str_eq(m->type, "bind") || fs_exists(AT_FDCWD, m->source))
			continue;
		if (!restore_sources_can_make(known, m))
			return err_set(err, ERR_NOT_FOUND,
				       "the bind mount source %s is missing. Please create the "
				       "corresponding file or directory, or give another one with "
				       "--volume SOURCE:%s",
				       m->source, m->destination);
		r = make(like, made);
		if (r < 0)
			return err_sys(err, r, "make the bind mount source '%s'", m->source);
	}
	return r;
}

void restore_sources_remove(const struct strvec *made)
{
	for (size_t i = made->n; i-- > 0;) {
		struct stat st;

		if (rmdir(made->v[i]) == 0 || lstat(made->v[i], &st) < 0)
			continue;
		if (S_ISREG(st.st_mode) && st.st_size == 0)
			(void)unlink(made->v[i]);
	}
}
