/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/eventfd.h>

#include "test.h"

static void run(void)
{
	int counter = (int)must(eventfd(0, EFD_NONBLOCK));
	int semaphore = (int)must(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
	eventfd_t value;

	must(eventfd_write(counter, 1000000007));
	wait_for_restore();
	must(eventfd_read(counter, &value));
	check(value == 1000000007, "the counter is %llu", (unsigned long long)value);
	must_fail(eventfd_read(counter, &value), EAGAIN);
	/* CRIU 4.2 loses EFD_SEMAPHORE. */
	must(eventfd_read(semaphore, &value));
	check(value == 1 || value == 3, "the semaphore gives %llu", (unsigned long long)value);
	for (; value < 3; value++)
		must(eventfd_read(semaphore, &(eventfd_t){ 0 }));
	must_fail(eventfd_read(semaphore, &value), EAGAIN);
}
PROGRAM(eventfd_counter, run, .subject = "eventfd counters",
	.note = "`EFD_SEMAPHORE` is lost: a read then returns the whole value")
