/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/closed_sources.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/path.h"
#include "runtime/namespace/userns.h"

/* What is the container's its root can enter; anything else as others do. */
static bool can_enter(const struct stat *st, const struct oci_linux *linux_)
{
	if (st->st_mode & S_IXOTH ||
	    userns_has_host(linux_->uid_mappings, linux_->n_uid_mappings, st->st_uid))
		return true;
	return st->st_mode & S_IXGRP &&
	       userns_has_host(linux_->gid_mappings, linux_->n_gid_mappings, st->st_gid);
}

static bool is_closed(const char *source, const struct oci_linux *linux_)
{
	auto_free char *path = xstrdup(source);
	struct stat st;

	for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
		*slash = '\0';
		if (stat(path, &st) == 0 && !can_enter(&st, linux_))
			return true;
	}
	return false;
}

static char *source_path(const char *directory, size_t i)
{
	return xasprintf("%s/source-%zu", directory, i);
}

/* For the container's root (by its group), and nobody else: what lies behind closed directories may be open to all. */
static int make_directory(gid_t gid, char **ret, struct err *err)
{
	auto_free char *path = xstrdup("/run/floe-sources.XXXXXX");

	if (!mkdtemp(path))
		return err_sys(err, -errno, "make a directory for sources of mounts in /run");
	*ret = take_ptr(path);
	if (chown(*ret, (uid_t)-1, gid) < 0 || chmod(*ret, 0710) < 0)
		return err_sys(err, -errno, "open '%s' to the container's root", *ret);
	return 0;
}

/* Without what is mounted below it: those are mounts of their own for CRIU. */
static int bind_source(const char *source, const char *path, struct err *err)
{
	auto_close int fd = fd_open_at(AT_FDCWD, source, O_PATH | O_NOFOLLOW, 0);
	struct stat st;
	int r = fd < 0 ? fd : 0;

	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r == 0 && (S_ISDIR(st.st_mode) ? mkdir(path, 0700) : mknod(path, S_IFREG | 0600, 0)))
		r = -errno;
	if (r == 0 && mount(fd_path(fd).text, path, NULL, MS_BIND, NULL) < 0)
		r = -errno;
	return r < 0 ? err_sys(err, r, "bind '%s' to '%s'", source, path) : 0;
}

int closed_sources_mount(struct externals *externals, const struct oci_linux *linux_,
			 char **ret_directory, struct err *err)
{
	gid_t gid;
	int r = 0;

	/* A namespace that is joined: its ids are not known. */
	if (userns_to_host(linux_->gid_mappings, linux_->n_gid_mappings, 0, 1, &gid) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < externals->n; i++) {
		struct external *x = &externals->v[i];
		auto_free char *path = NULL;

		if (x->kind != EXTERNAL_BIND || x->source_is_link || !is_closed(x->source, linux_))
			continue;
		if (!*ret_directory)
			r = make_directory(gid, ret_directory, err);
		if (r < 0)
			break;
		path = source_path(*ret_directory, i);
		r = bind_source(x->source, path, err);
		if (r == 0)
			replace_ptr(x->source, take_ptr(path));
	}
	return r;
}

void closed_sources_unmount(const struct externals *externals, const char *directory)
{
	for (size_t i = 0; directory && i < externals->n; i++) {
		auto_free char *path = source_path(directory, i);

		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != ENOENT &&
		    errno != EINVAL)
			log_warning("unmount '%s': %s", path, errno_text(errno));
		if (unlink(path) < 0)
			(void)rmdir(path);
	}
	if (directory)
		(void)rmdir(directory);
}
