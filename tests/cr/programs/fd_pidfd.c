/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/pidfd.h>

#include "test.h"

static void run(void)
{
	pid_t pid = spawn_idle();
	struct pollfd pfd = { .fd = (int)must(pidfd_open(pid, 0)), .events = POLLIN };

	wait_for_restore();
	check(poll(&pfd, 1, 0) == 0, "the process has ended");
	must(pidfd_send_signal(pfd.fd, SIGTERM, NULL, 0));
	check(poll(&pfd, 1, 10000) == 1, "the end of the process is not seen");
	must_end(pid, -SIGTERM);
}
PROGRAM(fd_pidfd, run, .subject = "process descriptors (pidfd)")
