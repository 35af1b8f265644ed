/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/courier.h"

#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/macro.h"
#include "runtime/init/handshake.h"

static void *run(void *context)
{
	const struct courier *c = context;
	int fd;

	if (RETRY_EINTR(read(c->number_fds[0], &fd, sizeof(fd))) != sizeof(fd))
		return NULL;
	/* Whatever goes wrong, the parent must hear of the listener: all are waiting for it. */
	if (handshake_send(c->sync_fd, HANDSHAKE_SECCOMP_FD, NULL, 0, &fd, 1, NULL) < 0)
		(void)handshake_write_seccomp_fd(c->sync_fd, fd, NULL);
	return NULL;
}

void courier_start(struct courier *c, int sync_fd)
{
	const size_t stack = 64U << 10;
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	if (pipe2(c->number_fds, O_CLOEXEC) < 0)
		return;
	c->sync_fd = sync_fd;
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, MAX(stack, (size_t)PTHREAD_STACK_MIN));
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attributes, run, c);
	(void)pthread_attr_destroy(&attributes);
	if (r == 0)
		return;
	close_fd(&c->number_fds[0]);
	close_fd(&c->number_fds[1]);
}

int courier_deliver(const struct courier *c, int listener_fd, struct err *err)
{
	int r = 0;

	if (c->number_fds[1] < 0)
		r = handshake_write_seccomp_fd(c->sync_fd, listener_fd, err);
	else if (write(c->number_fds[1], &listener_fd, sizeof(listener_fd)) < 0)
		r = err_sys(err, -errno, "send the seccomp listener");
	return r < 0 ? r : handshake_expect(c->sync_fd, HANDSHAKE_SECCOMP_DONE, -1, NULL, err);
}
