/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "test.h"

/* In shared memory: a mutex whose owner dies after the restore, one that a waiter in another process is
 * to get then, and a condition between processes. */
struct shared {
	pthread_mutex_t robust;
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	volatile int value;
	volatile int waiting;
	volatile int result;
};

static struct shared *shared;

static void owner(void *argument)
{
	(void)argument;
	must0(pthread_mutex_lock(&shared->robust));
	shared->waiting++;
	for (;;)
		(void)pause();
}

static void waiter(void *argument)
{
	(void)argument;
	__atomic_add_fetch(&shared->waiting, 1, __ATOMIC_SEQ_CST);
	shared->result = pthread_mutex_lock(&shared->robust);
}

static void listener(void *argument)
{
	(void)argument;
	must0(pthread_mutex_lock(&shared->mutex));
	__atomic_add_fetch(&shared->waiting, 1, __ATOMIC_SEQ_CST);
	while (shared->value == 0)
		must0(pthread_cond_wait(&shared->condition, &shared->mutex));
	must0(pthread_mutex_unlock(&shared->mutex));
}

static void init_shared(void)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t condition;

	shared = map_shared(struct shared);
	must0(pthread_mutexattr_init(&mutex));
	must0(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED));
	must0(pthread_mutex_init(&shared->mutex, &mutex));
	must0(pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST));
	must0(pthread_mutex_init(&shared->robust, &mutex));
	must0(pthread_condattr_init(&condition));
	must0(pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED));
	must0(pthread_cond_init(&shared->condition, &condition));
}

static void run(void)
{
	pid_t pids[3];

	init_shared();
	pids[0] = spawn(owner, NULL);
	while (shared->waiting < 1)
		sleep_ms(5);
	pids[1] = spawn(waiter, NULL);
	pids[2] = spawn(listener, NULL);
	while (shared->waiting < 3)
		sleep_ms(5);
	for (int i = 0; i < 3; i++)
		must_sleep(pids[i]);
	wait_for_restore();
	kill_child(pids[0]);
	must_end(pids[1], 0);
	check(shared->result == EOWNERDEAD, "the waiter is told %d instead of EOWNERDEAD",
	      shared->result);
	must0(pthread_mutex_lock(&shared->mutex));
	shared->value = 1;
	must0(pthread_cond_signal(&shared->condition));
	must0(pthread_mutex_unlock(&shared->mutex));
	must_end(pids[2], 0);
}
PROGRAM(thread_robust, run, .subject = "locks shared by processes, robust ones whose owner dies")
