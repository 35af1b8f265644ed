/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <semaphore.h>

#include "test.h"

/* A thread waits for each kind of lock while it is frozen, and gets it afterwards. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static pthread_barrier_t barrier;
static volatile int started;
static volatile int got[4];

static void *wait_mutex(void *argument)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	must0(pthread_mutex_lock(&mutex));
	got[0] = 1;
	must0(pthread_mutex_unlock(&mutex));
	return argument;
}

static void *wait_rwlock(void *argument)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	must0(pthread_rwlock_wrlock(&rwlock));
	got[1] = 1;
	must0(pthread_rwlock_unlock(&rwlock));
	return argument;
}

static void *wait_semaphore(void *argument)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	while (sem_wait(&semaphore) < 0)
		check(errno == EINTR, "sem_wait: %s", strerror(errno));
	got[2] = 1;
	return argument;
}

static void *wait_barrier(void *argument)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	(void)pthread_barrier_wait(&barrier);
	got[3] = 1;
	return argument;
}

static void run(void)
{
	static void *(*const functions[])(void *) = { wait_mutex, wait_rwlock, wait_semaphore,
						      wait_barrier };
	pthread_t threads[4];

	must(sem_init(&semaphore, 0, 0));
	must0(pthread_barrier_init(&barrier, NULL, 2));
	must0(pthread_mutex_lock(&mutex));
	must0(pthread_rwlock_rdlock(&rwlock));
	for (size_t i = 0; i < 4; i++)
		must0(pthread_create(&threads[i], NULL, functions[i], NULL));
	while (started < 4)
		sleep_ms(5);
	sleep_ms(20);
	wait_for_restore();
	for (size_t i = 0; i < 4; i++)
		check(got[i] == 0, "waiter %zu has got a lock that is held", i);
	must0(pthread_mutex_unlock(&mutex));
	must0(pthread_rwlock_unlock(&rwlock));
	must(sem_post(&semaphore));
	(void)pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < 4; i++) {
		must0(pthread_join(threads[i], NULL));
		check(got[i] == 1, "waiter %zu has not got its lock", i);
	}
}
PROGRAM(thread_waiters, run, .subject = "threads that wait for mutexes, semaphores, barriers")
