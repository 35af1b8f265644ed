/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/eventfd.h>

#include "test.h"

static void run(void)
{
	int semaphore = (int)must(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
	eventfd_t value;

	wait_for_restore();
	for (int i = 0; i < 3; i++) {
		must(eventfd_read(semaphore, &value));
		check(value == 1, "the semaphore gives %llu", (unsigned long long)value);
	}
	must_fail(eventfd_read(semaphore, &value), EAGAIN);
}
PROGRAM(eventfd_semaphore, run, .subject = "eventfd semaphores (`EFD_SEMAPHORE`)",
	.lost = "becomes a counter: one read returns the whole value")
