/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Frozen while waiting for a signal, in each way that there is. */
static struct {
	volatile int waiting;
	volatile int woken[3];
} * shared;

static void on_signal(int number)
{
	(void)number;
}

static void in_sigsuspend(void *argument)
{
	sigset_t most;

	(void)argument;
	(void)signal(SIGUSR1, on_signal);
	(void)sigfillset(&most);
	must(sigprocmask(SIG_BLOCK, &most, NULL));
	(void)sigdelset(&most, SIGUSR1);
	shared->waiting++;
	must_fail(sigsuspend(&most), EINTR);
	must(sigprocmask(SIG_BLOCK, NULL, &most));
	check(sigismember(&most, SIGUSR1) == 1, "the signal mask has become sigsuspend()'s");
	shared->woken[0] = 1;
}

static void in_sigwait(void *argument)
{
	siginfo_t info;
	sigset_t one;

	(void)argument;
	(void)sigemptyset(&one);
	(void)sigaddset(&one, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &one, NULL));
	__atomic_add_fetch(&shared->waiting, 1, __ATOMIC_SEQ_CST);
	while (sigwaitinfo(&one, &info) < 0)
		check(errno == EINTR, "sigwaitinfo: %s", strerror(errno));
	check(info.si_pid == getppid(), "the signal comes from process %d", info.si_pid);
	shared->woken[1] = 1;
}

static void in_pause(void *argument)
{
	(void)argument;
	(void)signal(SIGUSR1, on_signal);
	__atomic_add_fetch(&shared->waiting, 1, __ATOMIC_SEQ_CST);
	must_fail(pause(), EINTR);
	shared->woken[2] = 1;
}

static void run(void)
{
	static void (*const functions[])(void *) = { in_sigsuspend, in_sigwait, in_pause };
	pid_t pids[3];

	shared = map_anonymous(sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED);
	for (int i = 0; i < 3; i++) {
		pids[i] = spawn(functions[i], NULL);
		while (shared->waiting < i + 1)
			sleep_ms(5);
		must_sleep(pids[i]);
	}
	wait_for_restore();
	for (int i = 0; i < 3; i++) {
		check(shared->woken[i] == 0, "waiter %d was woken without a signal", i);
		must(kill(pids[i], SIGUSR1));
		must_end(pids[i], 0);
		check(shared->woken[i] == 1, "waiter %d was not woken", i);
	}
}
PROGRAM(signal_waiting, run, .subject = "processes that wait for signals")
