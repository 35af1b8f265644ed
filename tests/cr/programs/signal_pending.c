/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>
#include <sys/syscall.h>

/* Blocked signals of the process and of the thread, with their values and in their order. */
static sigset_t blocked;

static void queue(int number, int value)
{
	must(sigqueue(getpid(), number, (union sigval){ .sival_int = value }));
}

static void take(int number, int value, int code)
{
	struct timespec no_time = { 0 };
	siginfo_t info;
	sigset_t one;

	(void)sigemptyset(&one);
	(void)sigaddset(&one, number);
	/* Not glibc's, which calls SI_TKILL SI_USER. */
	check(syscall(SYS_rt_sigtimedwait, &one, &info, &no_time, 8) == number, "signal %d is lost",
	      number);
	check(info.si_code == code, "signal %d has code %d instead of %d", number, info.si_code,
	      code);
	check(code != SI_QUEUE || info.si_value.sival_int == value,
	      "signal %d has value %d instead of %d", number, info.si_value.sival_int, value);
	check(info.si_pid == getpid(), "signal %d has sender %d", number, info.si_pid);
}

static void run(void)
{
	sigset_t pending;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGUSR1);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGHUP);
	(void)sigaddset(&blocked, SIGRTMIN);
	(void)sigaddset(&blocked, SIGRTMIN + 5);
	must(sigprocmask(SIG_BLOCK, &blocked, NULL));
	must(kill(getpid(), SIGTERM));
	must(syscall(SYS_tgkill, getpid(), getpid(), SIGHUP));
	queue(SIGUSR1, 7);
	for (int i = 0; i < 20; i++)
		queue(SIGRTMIN, 100 + i);
	queue(SIGRTMIN + 5, 1);
	wait_for_restore();
	must(sigpending(&pending));
	check(sigismember(&pending, SIGTERM) == 1, "SIGTERM is not pending any more");
	check(sigismember(&pending, SIGINT) == 0, "SIGINT is pending");
	take(SIGTERM, 0, SI_USER);
	take(SIGHUP, 0, SI_TKILL);
	take(SIGUSR1, 7, SI_QUEUE);
	for (int i = 0; i < 20; i++)
		take(SIGRTMIN, 100 + i, SI_QUEUE);
	take(SIGRTMIN + 5, 1, SI_QUEUE);
	must(sigpending(&pending));
	check(sigisemptyset(&pending), "there are more signals pending than were sent");
}
PROGRAM(signal_pending, run, .subject = "pending signals, real-time ones with their values")
