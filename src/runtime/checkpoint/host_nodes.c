/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/host_nodes.h"

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/str.h"
#include "kernel/mountfd.h"

static char *node_path(const char *directory, size_t i)
{
	return xasprintf("%s/device-%zu", directory, i);
}

static int mount_node(const struct mountfd_env *env, int mount_fd, const char *path,
		      struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	if (mknod(path, S_IFREG | 0600, 0) < 0)
		return err_sys(err, -errno, "make '%s'", path);
	fd = fd_open_at(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(err, fd, "open '%s'", path);
	r = mountfd_attach(env, mount_fd, fd);
	return r < 0 ? err_sys(err, r, "mount a device on '%s'", path) : 0;
}

/* externals_make() lists all nodes, in the order of their plan. */
static struct external *find_external(struct externals *externals, size_t node)
{
	for (size_t i = 0; i < externals->n; i++)
		if (externals->v[i].kind == EXTERNAL_DEVICE && node-- == 0)
			return &externals->v[i];
	return NULL;
}

static int make_directory(char **ret, struct err *err)
{
	auto_free char *path = xstrdup("/run/floe-devices.XXXXXX");

	if (!mkdtemp(path))
		return err_sys(err, -errno, "make a directory for devices in /run");
	*ret = take_ptr(path);
	return chmod(*ret, 0711) < 0 ? err_sys(err, -errno, "open '%s' to others", *ret) : 0;
}

int host_nodes_mount(struct launch *l, struct externals *externals, char **ret_directory,
		     struct err *err)
{
	struct mountfd_env env = MOUNTFD_ENV_INIT;
	int r = device_make_host_nodes(&l->devices, l->bundle.spec.linux_, &l->device_fds, err);

	if (r < 0 || !l->device_fds)
		return r;
	r = make_directory(ret_directory, err);
	mountfd_env_probe(&env);
	for (size_t i = 0; r == 0 && i < l->devices.n_nodes; i++) {
		struct external *external = find_external(externals, i);
		auto_free char *path = NULL;

		if (l->device_fds[i] < 0 || !external)
			continue;
		path = node_path(*ret_directory, i);
		r = mount_node(&env, l->device_fds[i], path, err);
		if (r == 0)
			replace_ptr(external->source, take_ptr(path));
	}
	return r;
}

void host_nodes_unmount(const struct launch *l, const char *directory)
{
	if (!directory)
		return;
	for (size_t i = 0; l->device_fds && i < l->devices.n_nodes; i++) {
		auto_free char *path = NULL;

		if (l->device_fds[i] < 0)
			continue;
		path = node_path(directory, i);
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != ENOENT &&
		    errno != EINVAL)
			log_warning("unmount '%s': %s", path, errno_text(errno));
		(void)unlink(path);
	}
	(void)rmdir(directory);
}
