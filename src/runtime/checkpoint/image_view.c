/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/image_view.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "core/fd.h"
#include "core/str.h"
#include "kernel/mountfd.h"

#define DIRECTORY "criu-images"
#define DIRECTORY_MODE 0711

bool image_view_is_needed(int images_fd)
{
	struct stat st;

	return fstat(images_fd, &st) == 0 && !(st.st_mode & S_IXOTH);
}

static int make_top(int state_dir_fd)
{
	auto_close int fd = -EBADF;

	if (mkdirat(state_dir_fd, DIRECTORY, DIRECTORY_MODE) < 0)
		return -errno;
	fd = fd_open_at(state_dir_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	/* The umask had its say. */
	return fchmod(fd, DIRECTORY_MODE) < 0 ? -errno : take_fd(fd);
}

int image_view_open(int images_fd, int state_dir_fd, struct err *err)
{
	auto_strvec struct strvec data = STRVEC_INIT;
	const struct mountfd_fs fs = {
		.type = "overlay",
		.source = "overlay",
		.data = &data,
		.flags = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC,
	};
	struct mountfd_env env = MOUNTFD_ENV_INIT;
	struct mountfd_log log = { .text = "" };
	auto_close int top_fd = -EBADF;
	int fd;

	mountfd_env_probe(&env);
	if (!env.has_mount_api)
		return err_set(err, ERR_UNSUPPORTED, "the mount API of Linux 5.2 is missing");
	top_fd = make_top(state_dir_fd);
	if (top_fd < 0)
		return err_sys(err, top_fd, "make directory '" DIRECTORY "'");
	strvec_addf(&data, "lowerdir=%s:%s", fd_path(top_fd).text, fd_path(images_fd).text);
	fd = mountfd_open_fs(&env, &fs, &log);
	if (fd < 0)
		return err_sys(err, fd, "mount an overlay%s%s", *log.text ? ": " : "", log.text);
	return fd;
}

void image_view_remove(int state_dir_fd)
{
	(void)unlinkat(state_dir_fd, DIRECTORY, AT_REMOVEDIR);
}
