/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/eventfd.h>

#include "test.h"

static void run(void)
{
	int counter = (int)must(eventfd(0, EFD_NONBLOCK));
	eventfd_t value;

	must(eventfd_write(counter, 1000000007));
	wait_for_restore();
	must(eventfd_read(counter, &value));
	check(value == 1000000007, "the counter is %llu", (unsigned long long)value);
	must_fail(eventfd_read(counter, &value), EAGAIN);
}
PROGRAM(eventfd_counter, run, .subject = "eventfd counters")
