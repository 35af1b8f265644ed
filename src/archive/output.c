/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"

static int fail(const struct output *output, int code, struct err *err)
{
	return err_sys(err, code, "write '%s'", output->name);
}

/* --- files --- */

static char *temporary_name(const char *name)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)getpid();
	return xasprintf(".%.200s.%016llx", name, (unsigned long long)random);
}

static int open_temporary(struct output *output, mode_t mode)
{
	int fd = fd_open_at(output->parent_fd, ".", O_RDWR | O_TMPFILE, mode);

	if (fd >= 0)
		return fd;
	/* Not every file system has files without a name. */
	output->temporary = temporary_name(output->final_name);
	return fd_open_at(output->parent_fd, output->temporary,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

/*
 * What a path leads to, -ENOENT when there is nothing yet. It is the kernel that follows a symlink, so
 * that none counts against which fs.protected_symlinks guards (proc_sys_fs(5)); one that leads nowhere
 * gets its target, only to learn its name.
 */
static int open_old(const char *path, mode_t mode, bool *ret_made)
{
	int fd = fd_open_at(AT_FDCWD, path, O_PATH, 0);
	struct stat st;

	if (fd != -ENOENT || lstat(path, &st) < 0)
		return fd;
	fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, mode);
	*ret_made = fd >= 0;
	return fd;
}

/* Its name is known: nothing may stay when the output fails. What has content was written by another. */
static void remove_made(const struct stat *made, const char *real)
{
	auto_free char *parent = path_dirname(real);
	auto_close int dir = fd_open_at(AT_FDCWD, parent, O_PATH | O_DIRECTORY, 0);
	const char *name = path_basename(real);
	struct stat st;

	if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fs_is_same_file(&st, made) && st.st_size == 0)
		(void)unlinkat(dir, name, 0);
}

/*
 * A pipe is opened by its path and with O_CREAT: only then does the kernel ask whose it is
 * (fs.protected_fifos). Should it be gone by now, what the kernel has made in its place goes too.
 */
static int open_pipe(const char *path, const struct stat *old, mode_t mode)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, mode);
	auto_free char *real = NULL;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (fs_is_same_file(&st, old))
		return take_fd(fd);
	real = fd_readlink(fd);
	if (real && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		remove_made(&st, real);
	return -ESTALE;
}

static int open_new(struct output *output, const char *path, mode_t mode, struct err *err)
{
	auto_free char *parent = path_dirname(path);

	output->parent_fd = fd_open_at(AT_FDCWD, parent, O_PATH | O_DIRECTORY, 0);
	if (output->parent_fd < 0)
		return fail(output, output->parent_fd, err);
	output->final_name = xstrdup(path_basename(path));
	if (!*output->final_name)
		return fail(output, -EISDIR, err);
	output->fd = open_temporary(output, mode);
	return output->fd < 0 ? fail(output, output->fd, err) : 0;
}

static int open_file(struct output *output, const char *path, mode_t mode, struct err *err)
{
	bool made = false;
	auto_close int old = open_old(path, mode, &made);
	auto_free char *real = NULL;
	struct stat st;

	if (old == -ENOENT && lstat(path, &st) < 0)
		return open_new(output, path, mode, err);
	if (old < 0)
		return fail(output, old, err);
	if (fstat(old, &st) < 0)
		return fail(output, -errno, err);
	if (S_ISDIR(st.st_mode))
		return fail(output, -EISDIR, err);
	/* What is no file, or has no name, is written to as it is. */
	if (!S_ISREG(st.st_mode) || st.st_nlink == 0) {
		output->fd = S_ISFIFO(st.st_mode) ? open_pipe(path, &st, mode) :
						    fd_reopen(old, O_WRONLY | O_TRUNC);
		return output->fd < 0 ? fail(output, output->fd, err) : 0;
	}
	/* A symlink stands for its target, which is what is replaced. */
	real = fd_readlink(old);
	if (real && made)
		remove_made(&st, real);
	return real ? open_new(output, real, mode, err) : fail(output, -errno, err);
}

/* --- directories --- */

static int open_dir(struct output *output, const char *path, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r;

	output->is_dir = true;
	output->made = mkdir(path, 0700) == 0;
	if (!output->made && errno != EEXIST)
		return fail(output, -errno, err);
	output->fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (output->fd < 0)
		return fail(output, output->fd, err);
	output->final_name = xstrdup(path);
	r = fs_list(output->fd, ".", &names);
	if (r < 0)
		return fail(output, r, err);
	if (names.n > 0) {
		output->committed = true;
		return err_set(err, ERR_EXISTS, "write '%s': the directory is not empty", path);
	}
	return 0;
}

static void remove_entries(struct output *output)
{
	for (size_t i = output->entries.n; i-- > 0;)
		if (unlinkat(output->fd, output->entries.v[i], 0) < 0 && errno == EISDIR)
			(void)unlinkat(output->fd, output->entries.v[i], AT_REMOVEDIR);
	if (output->made)
		(void)rmdir(output->final_name);
}

/* Make the directories above path. */
static int make_parents(struct output *output, const char *path)
{
	auto_free char *parent = path_dirname(path);
	int r;

	if (str_eq(parent, ".") || strvec_contains(&output->entries, parent))
		return 0;
	r = make_parents(output, parent);
	if (r < 0)
		return r;
	if (mkdirat(output->fd, parent, 0700) < 0)
		return -errno;
	strvec_add(&output->entries, parent);
	return 0;
}

int output_create(struct output *output, const char *path, struct err *err)
{
	auto_free char *clean = path_clean(path);
	int r = make_parents(output, clean);
	int fd =
		r < 0 ? r :
			fd_open_at(output->fd, clean, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, fd, "write '%s/%s'", output->name, clean);
	strvec_add(&output->entries, clean);
	return fd;
}

int output_make(struct output *output, const char *path, const char *link, struct err *err)
{
	auto_free char *clean = path_clean(path);
	int r;

	if (strvec_contains(&output->entries, clean))
		return 0;
	r = make_parents(output, clean);
	if (r == 0 &&
	    (link ? symlinkat(link, output->fd, clean) : mkdirat(output->fd, clean, 0700)) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "write '%s/%s'", output->name, clean);
	strvec_add(&output->entries, clean);
	return 0;
}

/* --- all --- */

static int open_stdout(struct output *output, struct err *err)
{
	output->fd = STDOUT_FILENO;
	output->borrowed = true;
	output->name = xstrdup("stdout");
	if (isatty(output->fd))
		return err_set(err, ERR_USAGE,
			       "write 'stdout': it is a terminal; redirect it or name a file");
	return 0;
}

int output_open(struct output *output, const char *target, struct err *err)
{
	const char *dir = str_skip_prefix(target, "dir:");
	int r;

	if (str_eq(target, "-"))
		return open_stdout(output, err);
	output->name = xstrdup(dir ? dir : target);
	if (!*output->name)
		return err_set(err, ERR_USAGE, "write archive: '%s' names no place", target);
	if (dir)
		return open_dir(output, dir, err);
	r = open_file(output, target, 0600, err);
	return r == -EISDIR ? err_set(err, ERR_INVALID,
				      "write '%s': it is a directory; 'dir:%s' would write into it",
				      target, target) :
			      r;
}

int output_open_file(struct output *output, const char *path, mode_t mode, struct err *err)
{
	output->name = xstrdup(path);
	return open_file(output, path, mode, err);
}

/* The file gets a name beside the final one, so that one step can replace what is there. */
static int link_temporary(struct output *output)
{
	auto_free char *name = temporary_name(output->final_name);

	if (linkat(AT_FDCWD, fd_path(output->fd).text, output->parent_fd, name, AT_SYMLINK_FOLLOW) <
	    0)
		return -errno;
	output->temporary = take_ptr(name);
	return 0;
}

static int name_file(struct output *output, bool sync)
{
	auto_close int dir = -EBADF;
	int r = 0;

	if (sync && fdatasync(output->fd) < 0)
		return -errno;
	if (!output->temporary)
		r = link_temporary(output);
	if (r < 0)
		return r;
	if (renameat(output->parent_fd, output->temporary, output->parent_fd, output->final_name) <
	    0)
		return -errno;
	replace_ptr(output->temporary, NULL);
	if (!sync)
		return 0;
	dir = fd_reopen(output->parent_fd, O_RDONLY | O_DIRECTORY);
	return dir < 0 || fsync(dir) < 0 ? -errno : 0;
}

int output_commit(struct output *output, bool sync, struct err *err)
{
	int r = 0;

	if (output->parent_fd >= 0)
		r = name_file(output, sync);
	else if (output->is_dir && sync && fsync(output->fd) < 0)
		r = -errno;
	if (r < 0)
		return fail(output, r, err);
	output->committed = true;
	return 0;
}

void output_withdraw(struct output *output)
{
	if (!output->committed)
		return;
	if (output->parent_fd >= 0)
		(void)unlinkat(output->parent_fd, output->final_name, 0);
	output->committed = !output->is_dir;
}

void output_close(struct output *output)
{
	if (output->is_dir && !output->committed && output->fd >= 0)
		remove_entries(output);
	if (output->temporary)
		(void)unlinkat(output->parent_fd, output->temporary, 0);
	if (!output->borrowed)
		close_fd(&output->fd);
	close_fd(&output->parent_fd);
	free(output->name);
	free(output->final_name);
	free(output->temporary);
	strvec_done(&output->entries);
	*output = (struct output)OUTPUT_INIT;
}
