/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/signalfd.h>

#include "test.h"

static void run(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGRTMIN + 4);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = (int)must(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	must(sigqueue(getpid(), SIGRTMIN + 4, (union sigval){ .sival_int = 99 }));
	wait_for_restore();
	check(read(fd, &info, sizeof(info)) == sizeof(info), "a signal that was pending is lost");
	check(info.ssi_signo == (uint32_t)(SIGRTMIN + 4) && info.ssi_int == 99,
	      "it is signal %u with value %d", info.ssi_signo, info.ssi_int);
	must_fail(read(fd, &info, sizeof(info)), EAGAIN);
	must(raise(SIGUSR1));
	check(read(fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR1,
	      "the descriptor gives no signals any more");
}
PROGRAM(signal_fd, run, .subject = "signal descriptors (signalfd)")
