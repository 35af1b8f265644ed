/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace/network_maker.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "kernel/netlink.h"

#define STACK_SIZE (64U << 10)

/*
 * In the helper, whose memory, errno and descriptors are its parent's: nothing but system calls. What fails sets the
 * parent's errno, and the parent ours, even to 0; so that errno does not say whether the namespace at hand is still the
 * host's.
 */
static int make(void *context)
{
	struct network_maker *m = context;

	if (unshare(CLONE_NEWNET) == 0 && netlink_bring_up_loopback() == 0)
		m->fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return 0;
}

int network_maker_start(struct network_maker *m)
{
	*m = (struct network_maker){ .fd = -EBADF, .stack = xmalloc(STACK_SIZE) };
	/* No signal at its end: whoever waits for children of the container's does not meet it. */
	m->pid = clone(make, (char *)m->stack + STACK_SIZE, CLONE_VM | CLONE_FILES, m);
	if (m->pid < 0) {
		int r = -errno;

		m->pid = 0;
		return r;
	}
	return 0;
}

int network_maker_finish(struct network_maker *m)
{
	if (m->pid > 0)
		(void)RETRY_EINTR(waitpid(m->pid, NULL, (int)__WCLONE));
	m->pid = 0;
	return m->fd;
}

void network_maker_done(struct network_maker *m)
{
	if (!m->stack)
		return;
	(void)network_maker_finish(m);
	close_fd(&m->fd);
	free(m->stack);
	m->stack = NULL;
}
