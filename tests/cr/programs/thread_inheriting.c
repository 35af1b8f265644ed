/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "test.h"

static pthread_mutex_t mutex;
static volatile int waiting;
static volatile int has_it;

static void *wait_for_it(void *argument)
{
	waiting = 1;
	must0(pthread_mutex_lock(&mutex));
	has_it = 1;
	must0(pthread_mutex_unlock(&mutex));
	return argument;
}

static void run(void)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;

	must0(pthread_mutexattr_init(&attributes));
	must0(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
	must0(pthread_mutex_init(&mutex, &attributes));
	must0(pthread_mutex_lock(&mutex));
	must0(pthread_create(&thread, NULL, wait_for_it, NULL));
	check(becomes_true(&waiting), "the thread does not start");
	sleep_ms(20);
	wait_for_restore();
	check(!has_it, "the waiter has got a lock that is held");
	must0(pthread_mutex_unlock(&mutex));
	must0(pthread_join(thread, NULL));
	check(has_it, "the waiter has not got the lock");
}
/* futex(2) gives EFAULT where it would have to write to memory that userfaultfd is to bring. */
PROGRAM(thread_inheriting, run, .subject = "threads that wait for priority-inheriting mutexes",
	.note = "not with lazy pages, where the C library may abort", .not_in = "lazy page-server",
	.why_not = "the kernel does not lock a priority-inheriting mutex in memory that has not "
		   "been loaded yet")
