/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/page_server.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/auto.h"
#include "core/fd.h"

/* As many of the kernel's struct pipe_buffer as fit into 32 KiB. */
#define CRIU_PIPE_PAGES 819

/* The kernel makes it a power of two. */
static int pipe_size(void)
{
	int least = CRIU_PIPE_PAGES * (int)sysconf(_SC_PAGESIZE);
	int size = 1;

	while (size < least)
		size *= 2;
	return size;
}

int page_server_check(struct err *err)
{
	auto_close int reader = -EBADF;
	auto_close int writer = -EBADF;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, -errno, "make a pipe");
	reader = fds[0];
	writer = fds[1];
	if (fcntl(writer, F_SETPIPE_SZ, pipe_size()) >= 0)
		return 0;
	return err_set(
		err, ERR_UNSUPPORTED,
		"--lazy-pages: CRIU's page server needs a pipe of %d bytes, which is more than "
		"root may make here without CAP_SYS_RESOURCE; set the sysctl fs.pipe-max-size to "
		"that, or checkpoint without --lazy-pages",
		pipe_size());
}
