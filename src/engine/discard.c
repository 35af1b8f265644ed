/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/discard.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/auto.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/strvec.h"

/* What is smaller is gone before there is a process for it. */
#define LARGE ((off_t)64 << 20)

void discard_hold(struct discard *d, const char *directory)
{
	auto_close int dir =
		fd_open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	auto_strvec struct strvec names = STRVEC_INIT;

	if (dir < 0 || fs_list(dir, ".", &names) < 0)
		return;
	for (size_t i = 0; i < names.n && d->n < DISCARD_FILES; i++) {
		struct stat st;
		int fd;

		if (fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || st.st_size < LARGE)
			continue;
		fd = fd_open_at(dir, names.v[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		if (fd >= 0)
			d->fds[d->n++] = fd;
	}
}

/* Only system calls: there may be threads. Whatever else is open here, locks above all, others wait for. */
static _Noreturn void wait_and_end(const struct discard *d, int pipe_fd)
{
	int keep[DISCARD_FILES + 1];
	char byte;

	for (size_t i = 0; i < d->n; i++)
		keep[i] = d->fds[i];
	keep[d->n] = pipe_fd;
	(void)fd_close_from(0, keep, d->n + 1);
	/* The last to close them. */
	if (chdir("/") == 0)
		(void)RETRY_EINTR(read(pipe_fd, &byte, 1));
	_exit(0);
}

/* A child of nobody who would have to wait for it. */
static void start_holder(const struct discard *d, int pipe_fd, int our_end)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)close(our_end);
		pid = fork();
		if (pid == 0)
			wait_and_end(d, pipe_fd);
		_exit(0);
	}
	if (pid > 0)
		(void)RETRY_EINTR(waitpid(pid, NULL, 0));
}

void discard_release(struct discard *d)
{
	int pipe_fds[2] = { -EBADF, -EBADF };

	if (d->n > 0 && pipe2(pipe_fds, O_CLOEXEC) == 0)
		start_holder(d, pipe_fds[0], pipe_fds[1]);
	for (size_t i = 0; i < d->n; i++)
		close_fd(&d->fds[i]);
	d->n = 0;
	close_fd(&pipe_fds[0]);
	close_fd(&pipe_fds[1]);
}
