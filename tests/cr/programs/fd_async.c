/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "test.h"

/* A descriptor's owner, to whom a signal goes when data arrive. */
static volatile sig_atomic_t got;
static volatile sig_atomic_t got_fd;

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	got = number;
	got_fd = info->si_fd;
}

static void run(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct f_owner_ex owner = { 0 };
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	must(sigaction(SIGRTMIN + 6, &action, NULL));
	must(fcntl(fds[0], F_SETOWN, getpid()));
	must(fcntl(fds[0], F_SETSIG, SIGRTMIN + 6));
	must(fcntl(fds[0], F_SETFL, O_ASYNC));
	wait_for_restore();
	must(fcntl(fds[0], F_GETOWN_EX, &owner));
	check(owner.type == F_OWNER_PID && owner.pid == getpid(), "the owner is %d", owner.pid);
	check(fcntl(fds[0], F_GETSIG) == SIGRTMIN + 6, "the signal is %d", fcntl(fds[0], F_GETSIG));
	check((fcntl(fds[0], F_GETFL) & O_ASYNC) != 0, "O_ASYNC is lost");
	must(write(fds[1], "x", 1));
	for (int i = 0; i < 500 && !got; i++)
		sleep_ms(10);
	check(got == SIGRTMIN + 6 && got_fd == fds[0], "no signal comes when data arrive");
}
PROGRAM(fd_async, run, .subject = "owners of descriptors, signals about their data (O_ASYNC)")
