/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "test.h"

/* A signal of one thread stays its own; each thread has a stack for signals. */
static pthread_barrier_t ready;
static pthread_barrier_t over;

static void take(int value)
{
	struct timespec no_time = { 0 };
	siginfo_t info;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGRTMIN + 2);
	check(sigtimedwait(&set, &info, &no_time) > 0, "the signal of a thread is lost");
	check(info.si_value.sival_int == value, "a thread has got the signal of another");
	check(sigtimedwait(&set, &info, &no_time) < 0, "a thread has got a second signal");
}

static void *thread(void *argument)
{
	int value = (int)(intptr_t)argument;
	size_t size = 65536;
	stack_t stack = { .ss_sp = malloc(size), .ss_size = size };
	stack_t now;

	must(sigaltstack(&stack, NULL));
	must0(pthread_sigqueue(pthread_self(), SIGRTMIN + 2, (union sigval){ .sival_int = value }));
	(void)pthread_barrier_wait(&ready);
	(void)pthread_barrier_wait(&over);
	take(value);
	must(sigaltstack(NULL, &now));
	check(now.ss_sp == stack.ss_sp && now.ss_size == size, "the stack for signals has changed");
	return NULL;
}

static void run(void)
{
	pthread_t threads[4];
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGRTMIN + 2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	must0(pthread_barrier_init(&ready, NULL, 5));
	must0(pthread_barrier_init(&over, NULL, 5));
	for (int i = 0; i < 4; i++)
		must0(pthread_create(&threads[i], NULL, thread, (void *)(intptr_t)(i + 1)));
	(void)pthread_barrier_wait(&ready);
	wait_for_restore();
	(void)pthread_barrier_wait(&over);
	for (int i = 0; i < 4; i++)
		must0(pthread_join(threads[i], NULL));
}
PROGRAM(thread_signals, run, .subject = "signals and signal stacks of single threads")
