/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sys/prctl.h>

#include "test.h"

#define N 100

/* Each with its own name, signal mask, thread-local data and thread id. */
static __thread uint64_t local[64];
static pthread_barrier_t barrier;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t restored = PTHREAD_COND_INITIALIZER;
static bool is_over;
static pthread_key_t key;

static void *thread(void *argument)
{
	size_t number = (size_t)(uintptr_t)argument;
	char name[32];
	char now[32] = "";
	pid_t tid = gettid();
	sigset_t set;

	format(name, sizeof(name), "thread-%zu", number);
	must(prctl(PR_SET_NAME, name));
	fill(local, sizeof(local), number);
	must0(pthread_setspecific(key, argument));
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGRTMIN + (int)(number % 20));
	must0(pthread_sigmask(SIG_SETMASK, &set, NULL));
	(void)pthread_barrier_wait(&barrier);

	must0(pthread_mutex_lock(&mutex));
	while (!is_over)
		must0(pthread_cond_wait(&restored, &mutex));
	must0(pthread_mutex_unlock(&mutex));

	check(is_filled(local, sizeof(local), number), "thread %zu has lost its data", number);
	check(pthread_getspecific(key) == argument, "thread %zu has lost its value", number);
	must(prctl(PR_GET_NAME, now));
	check(strcmp(name, now) == 0, "the name of thread %zu is '%s'", number, now);
	must0(pthread_sigmask(SIG_SETMASK, NULL, &set));
	check(sigismember(&set, SIGRTMIN + (int)(number % 20)) == 1 &&
		      sigismember(&set, SIGHUP) == 0,
	      "the signal mask of thread %zu has changed", number);
	check(gettid() == tid, "the id of thread %zu is %d instead of %d", number, gettid(), tid);
	return argument;
}

static void run(void)
{
	static pthread_t threads[N];
	void *value;

	must0(pthread_key_create(&key, NULL));
	must0(pthread_barrier_init(&barrier, NULL, N + 1));
	for (size_t i = 0; i < N; i++)
		must0(pthread_create(&threads[i], NULL, thread, (void *)(uintptr_t)(i + 1)));
	(void)pthread_barrier_wait(&barrier);
	wait_for_restore();
	must0(pthread_mutex_lock(&mutex));
	is_over = true;
	must0(pthread_cond_broadcast(&restored));
	must0(pthread_mutex_unlock(&mutex));
	for (size_t i = 0; i < N; i++) {
		must0(pthread_join(threads[i], &value));
		check(value == (void *)(uintptr_t)(i + 1), "thread %zu returns something else", i);
	}
}
PROGRAM(thread_many, run,
	.subject = "a hundred threads: names, ids, signal masks, thread-local data")
