/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static volatile sig_atomic_t count;
static volatile sig_atomic_t was_blocked;

static void on_signal(int number, siginfo_t *info, void *context)
{
	sigset_t now;

	(void)context;
	(void)sigprocmask(SIG_SETMASK, NULL, &now);
	was_blocked = sigismember(&now, SIGUSR2);
	count += number == SIGUSR1 && info->si_signo == SIGUSR1;
}

static void run(void)
{
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER };
	struct sigaction once = { .sa_sigaction = on_signal,
				  .sa_flags = SA_SIGINFO | (int)SA_RESETHAND };
	struct sigaction now;
	sigset_t mask;
	sigset_t now_masked;

	(void)sigemptyset(&action.sa_mask);
	(void)sigaddset(&action.sa_mask, SIGUSR2);
	(void)sigemptyset(&once.sa_mask);
	must(sigaction(SIGUSR1, &action, NULL));
	must(sigaction(SIGHUP, &once, NULL));
	(void)signal(SIGTERM, SIG_IGN);
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGWINCH);
	(void)sigaddset(&mask, SIGRTMAX);
	must(sigprocmask(SIG_BLOCK, &mask, NULL));
	wait_for_restore();
	must(sigprocmask(SIG_SETMASK, NULL, &now_masked));
	check(memcmp(&mask, &now_masked, sizeof(uint64_t)) == 0, "the signal mask has changed");
	must(sigaction(SIGUSR1, NULL, &now));
	check(now.sa_sigaction == on_signal && (now.sa_flags & ~0x04000000) == action.sa_flags,
	      "the action of SIGUSR1 has changed (flags %#x)", (unsigned)now.sa_flags);
	must(raise(SIGUSR1));
	check(count == 1 && was_blocked == 1, "the handler of SIGUSR1 was not called as before");
	must(raise(SIGTERM));
	must(raise(SIGHUP));
	must(sigaction(SIGHUP, NULL, &now));
	check(now.sa_handler == SIG_DFL, "SA_RESETHAND is lost");
	must(sigaction(SIGINT, NULL, &now));
	check(now.sa_handler == SIG_DFL, "SIGINT is not at its default any more");
}
PROGRAM(signal_handler, run, .subject = "signal handlers, their flags, the signal mask")
