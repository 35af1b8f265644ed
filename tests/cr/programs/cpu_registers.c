/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <fenv.h>

/*
 * Computing with floating point and vectors while frozen; all of it must come out as without. Everything is computed
 * twice, a little at a time: however long the program is kept running, little is left to do when it is asked.
 */
#define ROUNDS 500000

typedef double vector __attribute__((vector_size(32)));

struct numbers {
	vector v;
	double d;
};

static __attribute__((noinline)) void compute(struct numbers *numbers)
{
	const vector f = { 1.0000001, 0.9999999, 1.0000002, 0.9999998 };
	vector v = numbers->v;
	double d = numbers->d;

	for (int i = 0; i < ROUNDS; i++) {
		v = v * f + f;
		d = d / 3 + 1 / (d + 1);
	}
	numbers->v = v;
	numbers->d = d;
	__asm__ volatile("" ::: "memory");
}

static void run(void)
{
	const struct numbers start = { { 1, 2, 3, 4 }, 1 };
	struct numbers once = start;
	struct numbers twice = start;
	char byte;

	must(fesetround(FE_UPWARD));
	report_ready();
	do {
		/* They grow, and infinity would hide what is wrong. */
		if (once.v[0] > 1e100)
			once = twice = start;
		compute(&once);
		compute(&twice);
		check(memcmp(&once.v, &twice.v, sizeof(once.v)) == 0,
		      "vector registers have changed");
		check(memcmp(&once.d, &twice.d, sizeof(once.d)) == 0,
		      "floating point registers have changed");
	} while (!is_restored());
	check(read_all(0, &byte, 1) == 1, "no word from process 1");
	check(fegetround() == FE_UPWARD, "the rounding mode has changed");
}
PROGRAM(cpu_registers, run, .subject = "floating point and vector registers of a busy process")
