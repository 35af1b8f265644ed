/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Frozen in the handler of a signal that has interrupted the handler of another. */
static volatile sig_atomic_t depth;
static volatile sig_atomic_t deepest;

static void inner(int number)
{
	(void)number;
	depth++;
	deepest = depth;
	wait_for_restore();
	depth--;
}

static void outer(int number)
{
	unsigned char frame[256];

	(void)number;
	fill(frame, sizeof(frame), 5);
	depth++;
	must(raise(SIGUSR2));
	check(depth == 1, "the inner handler was not called");
	check(is_filled(frame, sizeof(frame), 5), "the outer handler's frame has changed");
	depth--;
}

static void run(void)
{
	volatile double d = 1.0 / 3;
	double same = d;

	(void)signal(SIGUSR1, outer);
	(void)signal(SIGUSR2, inner);
	must(raise(SIGUSR1));
	check(depth == 0 && deepest == 2, "the handlers have not all returned");
	check(memcmp(&same, (const void *)(uintptr_t)&d, sizeof(same)) == 0,
	      "registers have changed");
}
PROGRAM(signal_frame, run, .subject = "processes in a signal handler")
