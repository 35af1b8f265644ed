/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/runtime.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"

#define ROOT_NAME "floe-runtime"

/* Who root of our user namespace is outside of it: 0 with the identity map. */
static unsigned int root_outside(bool *ret_initial)
{
	auto_free char *line = io_read_line_at(AT_FDCWD, "/proc/self/uid_map");
	unsigned int inside;
	unsigned int outside;
	unsigned int size;

	/* Without procfs there is nothing to tell us that we are not on the host. */
	*ret_initial = true;
	if (!line || sscanf(line, "%u %u %u", &inside, &outside, &size) != 3)
		return 0;
	*ret_initial = inside == 0 && outside == 0 && size == UINT32_MAX;
	return outside;
}

static bool in_initial_user_namespace(void)
{
	bool initial;

	(void)root_outside(&initial);
	return initial;
}

/*
 * Whether the state belongs into the user's runtime directory, as runc decides: not for root, but for
 * a root of a user namespace who is somebody else outside.
 */
static bool uses_user_root(void)
{
	const char *user;

	if (geteuid() != 0)
		return true;
	user = getenv("USER");
	return !str_eq(user, "root") && !in_initial_user_namespace();
}

char *runtime_default_root(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	/* podman passes the variable empty to say that there is none. */
	if (str_is_empty(dir) || dir[0] != '/' || !uses_user_root())
		return xstrdup("/run/" ROOT_NAME);
	return path_join(dir, ROOT_NAME);
}

/* Whether the root lies in the user's runtime directory, which is pruned unless the sticky bit says
 * no (XDG base directory specification). */
static bool is_below_user_dir(const char *root)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	auto_free char *clean = str_is_empty(dir) ? NULL : path_clean(dir);

	return clean && path_is_below(root, clean) && uses_user_root();
}

static int make_root(const struct runtime *rt, struct err *err)
{
	int r = fs_mkdir_all(AT_FDCWD, rt->root, 0711, 0700);

	if (r < 0)
		return err_sys(err, r, "create state directory '%s' (--root gives another place)",
			       rt->root);
	if (is_below_user_dir(rt->root) && chmod(rt->root, 01700) < 0)
		return err_sys(err, -errno, "set the sticky bit of '%s'", rt->root);
	return 0;
}

int runtime_open_root(struct runtime *rt, bool create, struct err *err)
{
	int fd;

	if (rt->root_fd >= 0)
		return 0;
	fd = fd_open_at(AT_FDCWD, rt->root, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT && create) {
		int r = make_root(rt, err);

		if (r < 0)
			return r;
		fd = fd_open_at(AT_FDCWD, rt->root, O_PATH | O_DIRECTORY, 0);
	}
	if (fd == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "state directory '%s' does not exist", rt->root);
	if (fd < 0)
		return err_sys(err, fd, "open state directory '%s'", rt->root);
	rt->root_fd = fd;
	return 0;
}

void runtime_done(struct runtime *rt)
{
	close_fd(&rt->root_fd);
	free(rt->root);
	free(rt->criu_path);
	*rt = (struct runtime)RUNTIME_INIT;
}

bool runtime_is_rootless(const struct runtime *rt)
{
	unsigned int outside;
	bool initial;

	if (rt->rootless != ROOTLESS_AUTO)
		return rt->rootless == ROOTLESS_TRUE;
	if (geteuid() != 0)
		return true;
	outside = root_outside(&initial);
	if (initial)
		return false;
	/* Root of the host in a user namespace has the system's systemd to ask. */
	return rt->cgroup_driver == CGROUP_DRIVER_SYSTEMD ? outside != 0 : true;
}
