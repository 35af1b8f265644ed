/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/overlay.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/syscalls.h"

/* fsconfig(2) takes values up to this length; mount(2) one page of options. */
#define FSCONFIG_VALUE_MAX 255
#define MOUNT_DATA_MAX 4095

/* The kernel's words ("e overlay: ...") about what failed; the last ones count. */
static void read_log(int fs_fd, char *buf, size_t size)
{
	char line[256];
	ssize_t n;

	buf[0] = '\0';
	while ((n = RETRY_EINTR(read(fs_fd, line, sizeof(line) - 1))) > 0) {
		line[n] = '\0';
		(void)snprintf(buf, size, "%s", line[0] && line[1] == ' ' ? line + 2 : line);
		buf[strcspn(buf, "\n")] = '\0';
	}
}

static int set_string(int fs_fd, const char *key, const char *value)
{
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0);
}

/* -EINVAL from a kernel that does not know "lowerdir+". */
static int configure(int fs_fd, const struct overlay_mount *m)
{
	int r = set_string(fs_fd, "source", "overlay");

	for (size_t i = 0; r == 0 && i < m->lowers->n; i++)
		r = strlen(m->lowers->v[i]) > FSCONFIG_VALUE_MAX ?
			    -EINVAL :
			    set_string(fs_fd, "lowerdir+", m->lowers->v[i]);
	if (r == 0 && m->upper) {
		r = set_string(fs_fd, "upperdir", m->upper);
		if (r == 0)
			r = set_string(fs_fd, "workdir", m->work);
		/* Whatever the kernel was built with: what is written must be readable without it. */
		if (r == 0)
			r = set_string(fs_fd, "redirect_dir", "off");
		if (r == 0)
			r = set_string(fs_fd, "metacopy", "off");
	}
	return r;
}

/* A mount made by the new API, not attached; *ret_unknown: this kernel cannot say it that way. */
static int open_new(const struct overlay_mount *m, bool *ret_unknown, struct err *err)
{
	auto_close int fs_fd = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	char reason[256];
	int mount_fd;
	int r;

	*ret_unknown = false;
	if (fs_fd < 0) {
		*ret_unknown = kernel_call_is_missing(fs_fd);
		return err_sys(err, fs_fd, "open file system 'overlay'");
	}
	r = configure(fs_fd, m);
	if (r < 0) {
		*ret_unknown = r == -EINVAL;
		read_log(fs_fd, reason, sizeof(reason));
		return err_sys(err, r, "configure overlay for '%s': %s", m->target, reason);
	}
	r = sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0) {
		read_log(fs_fd, reason, sizeof(reason));
		return err_sys(err, r, "mount overlay on '%s'%s%s", m->target, *reason ? ": " : "",
			       reason);
	}
	mount_fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
	if (mount_fd < 0)
		return err_sys(err, mount_fd, "mount overlay on '%s'", m->target);
	return mount_fd;
}

static int mount_new(const struct overlay_mount *m, bool *ret_unknown, struct err *err)
{
	auto_close int mount_fd = open_new(m, ret_unknown, err);
	int r;

	if (mount_fd < 0)
		return mount_fd;
	r = sys_move_mount(mount_fd, "", AT_FDCWD, m->target, MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return err_sys(err, r, "mount overlay on '%s'", m->target);
	return 0;
}

/* In a child, since its current directory changes. */
static int mount_in_child(const struct overlay_mount *m, const char *data)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (m->layers_dir && chdir(m->layers_dir) < 0)
			_exit(errno & 0xff);
		_exit(mount("overlay", m->target, "overlay", 0, data) < 0 ? errno & 0xff : 0);
	}
	if (RETRY_EINTR(waitpid(pid, &status, 0)) < 0)
		return -errno;
	if (!WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

static int mount_old(const struct overlay_mount *m, struct err *err)
{
	const struct strvec *names = m->short_names ? m->short_names : m->lowers;
	auto_free char *lowers = strvec_join(names, ":");
	auto_free char *data =
		m->upper ?
			xasprintf(
				"lowerdir=%s,upperdir=%s,workdir=%s,redirect_dir=off,metacopy=off",
				lowers, m->upper, m->work) :
			xasprintf("lowerdir=%s", lowers);
	int r;

	if (strlen(data) > MOUNT_DATA_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "mount overlay on '%s': %zu layers are too many for this kernel; "
			       "squash the image",
			       m->target, m->lowers->n);
	r = mount_in_child(m, data);
	if (r < 0)
		return err_sys(err, r, "mount overlay on '%s'", m->target);
	return 0;
}

int overlay_mount(const struct overlay_mount *mount_, struct err *err)
{
	bool unknown;
	int r = mount_new(mount_, &unknown, err);

	if (r < 0 && unknown) {
		log_debug("%s; by mount(2) instead", err ? err->msg : "new mount API");
		err_clear(err);
		r = mount_old(mount_, err);
	}
	if (r < 0)
		return r;
	/* Containers must not hand the mount on by propagation of the host's. */
	if (mount(NULL, mount_->target, NULL, MS_PRIVATE, NULL) < 0) {
		r = -errno;
		(void)umount2(mount_->target, MNT_DETACH);
		return err_sys(err, r, "make mount '%s' private", mount_->target);
	}
	return 0;
}

bool overlay_works(const char *dir)
{
	static const char *const names[] = { "lower", "upper", "work", "merged" };
	auto_free char *base = xasprintf("%s/.probe-XXXXXX", dir);
	auto_strvec struct strvec paths = STRVEC_INIT;
	auto_strvec struct strvec lowers = STRVEC_INIT;
	struct overlay_mount m = { 0 };
	bool works = false;

	if (!mkdtemp(base))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		strvec_addf(&paths, "%s/%s", base, names[i]);
		if (mkdir(paths.v[i], 0700) < 0)
			goto out;
	}
	strvec_add(&lowers, paths.v[0]);
	m.lowers = &lowers;
	m.upper = paths.v[1];
	m.work = paths.v[2];
	m.target = paths.v[3];
	works = overlay_mount(&m, NULL) == 0;
	if (works)
		(void)umount2(m.target, MNT_DETACH);
out:
	(void)fs_remove_tree(AT_FDCWD, base);
	return works;
}
