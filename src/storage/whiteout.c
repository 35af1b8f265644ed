/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/whiteout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strvec.h"

#define META ".wh..wh."
#define OPAQUE ".wh..wh..opq"
#define OPAQUE_ATTRIBUTE "trusted.overlay.opaque"

bool whiteout_is(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

bool whiteout_is_opaque(const char *path)
{
	char value;

	return lgetxattr(path, OPAQUE_ATTRIBUTE, &value, 1) == 1 && value == 'y';
}

int whiteout_set_opaque(int dir_fd)
{
	return setxattr(fd_path(dir_fd).text, OPAQUE_ATTRIBUTE, "y", 1, 0) < 0 ? -errno : 0;
}

int whiteout_unpack(int dir_fd, const char *name, const char *path, struct err *err)
{
	const char *hidden = name + strlen(WHITEOUT_PREFIX);
	struct stat st;

	if (str_eq(name, OPAQUE)) {
		int r = whiteout_set_opaque(dir_fd);

		return r < 0 ? err_sys(err, r, "unpack '%s': set attribute '%s'", path,
				       OPAQUE_ATTRIBUTE) :
			       0;
	}
	/* The other ones are aufs' own bookkeeping. */
	if (str_has_prefix(name, META))
		return 0;
	if (!*hidden || str_eq(hidden, ".") || str_eq(hidden, ".."))
		return err_set(err, ERR_INVALID, "unpack '%s': a whiteout of nothing", path);
	if (fstatat(dir_fd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* It hides what is below this layer, not what this layer has itself. */
		if (S_ISDIR(st.st_mode)) {
			auto_close int fd =
				fd_open_at(dir_fd, hidden, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
			int r = fd < 0 ? fd : whiteout_set_opaque(fd);

			return r < 0 ? err_sys(err, r, "unpack '%s'", path) : 0;
		}
		return 0;
	}
	if (mknodat(dir_fd, hidden, S_IFCHR, makedev(0, 0)) < 0)
		return err_sys(err, -errno, "unpack '%s': make a whiteout", path);
	return 0;
}

int whiteout_apply(int dir_fd, const char *name, const char *path, struct err *err)
{
	const char *hidden = name + strlen(WHITEOUT_PREFIX);
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_close int dir = fd_reopen(dir_fd, O_RDONLY | O_DIRECTORY);
	int r = dir < 0 ? dir : 0;

	if (str_eq(name, OPAQUE))
		r = r < 0 ? r : fs_list(dir, ".", &names);
	else if (str_has_prefix(name, META))
		return 0;
	else if (!*hidden || str_eq(hidden, ".") || str_eq(hidden, ".."))
		return err_set(err, ERR_INVALID, "unpack '%s': a whiteout of nothing", path);
	else
		strvec_add(&names, hidden);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = fs_remove_tree(dir, names.v[i]);
	return r < 0 ? err_sys(err, r, "unpack '%s': remove what it hides", path) : 0;
}
