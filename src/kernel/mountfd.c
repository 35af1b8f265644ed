/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mountfd.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "kernel/mountflags.h"
#include "kernel/proc_root.h"
#include "kernel/syscalls.h"

/* fsconfig(2) takes values of up to 255 bytes. */
#define FSCONFIG_VALUE_MAX 255
#define STAGE_DIRECTORY "d"
#define STAGE_FILE "f"

void mountfd_env_probe(struct mountfd_env *env)
{
	struct mount_attr nothing = { 0 };

	env->has_mount_api = !kernel_call_is_missing(sys_open_tree(-EBADF, "", AT_EMPTY_PATH));
	env->has_setattr =
		!kernel_call_is_missing(sys_mount_setattr(-EBADF, "", AT_EMPTY_PATH, &nothing));
}

void mountfd_env_done(struct mountfd_env *env)
{
	close_fd(&env->stage_fd);
	close_fd(&env->proc_fd);
}

int mountfd_env_keep_proc(struct mountfd_env *env)
{
	env->proc_fd = proc_root_open("/proc");
	return env->proc_fd < 0 ? env->proc_fd : 0;
}

/* A descriptor as path, for a current directory that is the root of a procfs. */
struct fd_name {
	char text[32];
};

static struct fd_name fd_name(int fd)
{
	struct fd_name name;

	(void)snprintf(name.text, sizeof(name.text), "self/fd/%d", fd);
	return name;
}

int mountfd_mount(const struct mountfd_env *env, int source_fd, const char *source, int target_fd,
		  const char *type, unsigned long flags, const char *data)
{
	/* Inside a container, what /proc is depends on its image, hence no path from "/". */
	auto_close int opened_fd = env->proc_fd >= 0 ? -EBADF : proc_root_open("/proc");
	int proc_fd = env->proc_fd >= 0 ? env->proc_fd : opened_fd;
	auto_close int cwd_fd = -EBADF;
	int r = 0;

	if (proc_fd < 0)
		return proc_fd;
	cwd_fd = fd_open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
	if (cwd_fd < 0)
		return cwd_fd;
	if (fchdir(proc_fd) < 0)
		return -errno;
	if (mount(source_fd >= 0 ? fd_name(source_fd).text : source, fd_name(target_fd).text, type,
		  flags, data) < 0)
		r = -errno;
	if (fchdir(cwd_fd) < 0 && r == 0)
		r = -errno;
	return r;
}

/* The root of the staging tmpfs, mounted on dir_fd, by mount(2). */
static int mount_stage(const struct mountfd_env *env, int dir_fd)
{
	auto_close int fd = -EBADF;
	auto_free char *path = NULL;
	struct statfs fs;
	int r = mountfd_mount(env, -1, "stage", dir_fd, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			      "mode=0700,nr_inodes=8,size=64k");

	if (r < 0)
		return r;
	/* By its path, since dir_fd is below the new mount; then see that it is what we want. */
	path = fd_readlink(dir_fd);
	if (!path)
		return -errno;
	fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == TMPFS_MAGIC ? take_fd(fd) : -EXDEV;
}

int mountfd_env_stage(struct mountfd_env *env, int dir_fd)
{
	static char mode[] = "mode=0700";
	static char *options[] = { mode, NULL };
	const struct strvec data = { .v = options, .n = 1 };
	const struct mountfd_fs fs = { .type = "tmpfs",
				       .source = "stage",
				       .data = &data,
				       .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC };
	struct mountfd_log log;
	auto_close int fd = env->has_mount_api ? mountfd_open_fs(env, &fs, &log) :
						 mount_stage(env, dir_fd);
	int r;

	if (fd < 0)
		return fd;
	r = env->has_mount_api ? mountfd_attach(env, fd, dir_fd) : 0;
	if (r == 0)
		/* Private, and left out of the recursive bind of what it is mounted on. */
		r = mountfd_set_propagation(env, fd, MS_UNBINDABLE);
	if (r < 0)
		return r;
	if (mkdirat(fd, STAGE_DIRECTORY, 0700) < 0 ||
	    mknodat(fd, STAGE_FILE, S_IFREG | 0600, 0) < 0)
		return -errno;
	env->stage_fd = take_fd(fd);
	return 0;
}

static int stage_open(const struct mountfd_env *env, bool directory)
{
	if (env->stage_fd < 0)
		return -ENOSYS;
	return fd_open_at(env->stage_fd, directory ? STAGE_DIRECTORY : STAGE_FILE,
			  O_PATH | O_NOFOLLOW, 0);
}

/* mount(2) on the staging area; the new mount as descriptor. */
static int stage_mount(const struct mountfd_env *env, bool directory, int source_fd,
		       const char *source, const char *type, unsigned long flags, const char *data)
{
	auto_close int target_fd = stage_open(env, directory);
	int r;

	if (target_fd < 0)
		return target_fd;
	r = mountfd_mount(env, source_fd, source, target_fd, type, flags, data);
	return r < 0 ? r : stage_open(env, directory);
}

/*
 * New file systems
 */

static bool is_label_key(const char *key, size_t len)
{
	static const char *const keys[] = { "context", "fscontext", "defcontext", "rootcontext" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i]) == len && memcmp(keys[i], key, len) == 0)
			return true;
	return false;
}

/* What fsconfig(2) cannot express goes through mount(2). */
static bool needs_mount2(const struct mountfd_fs *fs)
{
	if (fs->flags & MS_I_VERSION)
		return true;
	for (size_t i = 0; fs->data && i < fs->data->n; i++) {
		const char *value = strchrnul(fs->data->v[i], '=');

		if (strlen(value) > FSCONFIG_VALUE_MAX + 1 ||
		    value - fs->data->v[i] > FSCONFIG_VALUE_MAX)
			return true;
	}
	return (fs->source && strlen(fs->source) > FSCONFIG_VALUE_MAX) ||
	       (fs->label && strlen(fs->label) > FSCONFIG_VALUE_MAX);
}

bool mountfd_needs_stage(const struct mountfd_env *env, const struct mountfd_fs *fs)
{
	return !env->has_mount_api || needs_mount2(fs);
}

static int open_fs_by_mount2(const struct mountfd_env *env, const struct mountfd_fs *fs)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;

	for (size_t i = 0; fs->data && i < fs->data->n; i++)
		strbuf_addf(&data, "%s%s", data.len ? "," : "", fs->data->v[i]);
	if (fs->label)
		strbuf_addf(&data, "%s%s=\"%s\"", data.len ? "," : "", fs->label_key, fs->label);
	/* mount(2) reads one page at most and cuts the rest off. */
	if (data.len >= (size_t)sysconf(_SC_PAGESIZE))
		return -E2BIG;
	return stage_mount(env, true, -1, fs->source, fs->type, fs->flags,
			   data.len ? data.buf : NULL);
}

/* One option of the file system: "key=value" or a flag. */
static int configure_option(int fs_fd, const char *option)
{
	const char *equals = strchr(option, '=');
	auto_free char *key = NULL;
	auto_free char *value = NULL;
	size_t len;

	if (!equals)
		return sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, option, NULL, 0);
	key = xstrndup(option, (size_t)(equals - option));
	len = strlen(equals + 1);
	/* The quotes that protect a comma in a label are mount(2)'s, not part of the value. */
	if (len >= 2 && equals[1] == '"' && equals[len] == '"' && is_label_key(key, strlen(key)))
		value = xstrndup(equals + 2, len - 2);
	else
		value = xstrdup(equals + 1);
	return sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0);
}

static int configure(int fs_fd, const struct mountfd_fs *fs)
{
	int r = 0;

	if (fs->source)
		r = sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", fs->source, 0);
	for (size_t i = 0; r >= 0 && mountflags_superblock[i].name; i++)
		if (fs->flags & mountflags_superblock[i].flag)
			r = sys_fsconfig(fs_fd, FSCONFIG_SET_FLAG, mountflags_superblock[i].name,
					 NULL, 0);
	for (size_t i = 0; r >= 0 && fs->data && i < fs->data->n; i++)
		r = configure_option(fs_fd, fs->data->v[i]);
	if (r >= 0 && fs->label)
		r = sys_fsconfig(fs_fd, FSCONFIG_SET_STRING, fs->label_key, fs->label, 0);
	if (r >= 0)
		r = sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r;
}

/* Each read(2) gives one message, "e text" for an error; the last one counts. */
static void read_log(int fs_fd, struct mountfd_log *log)
{
	char text[sizeof(log->text)];
	ssize_t len;

	while ((len = read(fs_fd, text, sizeof(text) - 1)) > 0) {
		text[len] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (str_has_prefix(text, "e "))
			(void)snprintf(log->text, sizeof(log->text), "%s", text + 2);
	}
}

int mountfd_open_fs(const struct mountfd_env *env, const struct mountfd_fs *fs,
		    struct mountfd_log *log)
{
	auto_close int fs_fd = -EBADF;
	int r;

	log->text[0] = '\0';
	if (mountfd_needs_stage(env, fs))
		return open_fs_by_mount2(env, fs);
	fs_fd = sys_fsopen(fs->type, FSOPEN_CLOEXEC);
	if (fs_fd < 0)
		return fs_fd;
	r = configure(fs_fd, fs);
	if (r >= 0)
		r = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC,
				(unsigned int)mountflags_to_attr(fs->flags));
	if (r < 0)
		read_log(fs_fd, log);
	return r;
}

/*
 * Binds and attaching
 */

static int clone_by_mount2(const struct mountfd_env *env, int dir_fd, const char *path,
			   unsigned int flags)
{
	auto_close int opened_fd = -EBADF;
	int source_fd = dir_fd;
	struct stat st;

	if (*path) {
		opened_fd = fd_open_at(dir_fd, path,
				       O_PATH | (flags & MOUNTFD_NOFOLLOW ? O_NOFOLLOW : 0), 0);
		if (opened_fd < 0)
			return opened_fd;
		source_fd = opened_fd;
	}
	if (fstat(source_fd, &st) < 0)
		return -errno;
	return stage_mount(env, S_ISDIR(st.st_mode), source_fd, NULL, NULL,
			   MS_BIND | (flags & MOUNTFD_RECURSIVE ? MS_REC : 0), NULL);
}

int mountfd_clone(const struct mountfd_env *env, int dir_fd, const char *path, unsigned int flags)
{
	unsigned int tree_flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	if (!env->has_mount_api)
		return clone_by_mount2(env, dir_fd, path, flags);
	if (!*path)
		tree_flags |= AT_EMPTY_PATH;
	if (flags & MOUNTFD_RECURSIVE)
		tree_flags |= AT_RECURSIVE;
	if (flags & MOUNTFD_NOFOLLOW)
		tree_flags |= AT_SYMLINK_NOFOLLOW;
	return sys_open_tree(dir_fd, path, tree_flags);
}

int mountfd_attach(const struct mountfd_env *env, int mount_fd, int target_fd)
{
	if (env->has_mount_api)
		return sys_move_mount(mount_fd, "", target_fd, "",
				      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return mountfd_mount(env, mount_fd, NULL, target_fd, NULL, MS_MOVE, NULL);
}

int mountfd_attach_at(const struct mountfd_env *env, int mount_fd, int dir_fd, const char *name)
{
	auto_close int target_fd = -EBADF;

	if (env->has_mount_api)
		return sys_move_mount(mount_fd, "", dir_fd, name, MOVE_MOUNT_F_EMPTY_PATH);
	target_fd = fd_open_at(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
	return target_fd < 0 ? target_fd : mountfd_attach(env, mount_fd, target_fd);
}

int mountfd_bind(const struct mountfd_env *env, int from_fd, int target_fd, bool recursive)
{
	auto_close int mount_fd = -EBADF;

	if (!env->has_mount_api)
		return mountfd_mount(env, from_fd, NULL, target_fd, NULL,
				     MS_BIND | (recursive ? MS_REC : 0), NULL);
	mount_fd = mountfd_clone(env, from_fd, "", recursive ? MOUNTFD_RECURSIVE : 0);
	return mount_fd < 0 ? mount_fd : mountfd_attach(env, mount_fd, target_fd);
}

/*
 * Changes
 */

static int remount(const struct mountfd_env *env, int mount_fd, uint64_t set, uint64_t clear)
{
	struct statfs fs;
	uint64_t attr;

	if (fstatfs(mount_fd, &fs) < 0)
		return -errno;
	attr = mountflags_attr_from_statfs((unsigned long)fs.f_flags);
	return mountfd_mount(env, -1, NULL, mount_fd, NULL,
			     MS_REMOUNT | MS_BIND | mountflags_from_attr((attr & ~clear) | set),
			     NULL);
}

int mountfd_set_attr(const struct mountfd_env *env, int mount_fd, uint64_t set, uint64_t clear,
		     bool recursive)
{
	struct mount_attr attr = { 0 };

	/* A choice of access times replaces the former as a whole (mount_setattr(2)). */
	if ((set | clear) & MOUNT_ATTR__ATIME)
		clear |= MOUNT_ATTR__ATIME;
	if (!set && !clear)
		return 0;
	if (!env->has_setattr)
		return recursive ? -EOPNOTSUPP : remount(env, mount_fd, set, clear);
	attr.attr_set = set;
	attr.attr_clr = clear;
	return sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
				 &attr);
}

int mountfd_set_propagation(const struct mountfd_env *env, int mount_fd, unsigned long propagation)
{
	struct mount_attr attr = { .propagation = propagation & ~(unsigned long)MS_REC };

	if (!env->has_setattr)
		return mountfd_mount(env, -1, NULL, mount_fd, NULL, propagation, NULL);
	return sys_mount_setattr(mount_fd, "",
				 AT_EMPTY_PATH | (propagation & MS_REC ? AT_RECURSIVE : 0), &attr);
}

int mountfd_set_idmap(const struct mountfd_env *env, int mount_fd, int userns_fd, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)(unsigned int)userns_fd,
	};

	if (!env->has_setattr)
		return -EOPNOTSUPP;
	return sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
				 &attr);
}
