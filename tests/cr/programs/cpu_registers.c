/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <fenv.h>

/* Computing with floating point and vectors while frozen; all of it must come out as without. */
typedef double vector __attribute__((vector_size(32)));

static int rounds(bool until_restored, vector *ret_v, double *ret_d)
{
	vector v = { 1, 2, 3, 4 };
	const vector f = { 1.0000001, 0.9999999, 1.0000002, 0.9999998 };
	double d = 1;
	int n = 0;

	/* Both runs end after the same number of rounds, which the first one finds out. */
	static int wanted;

	for (; until_restored ? !is_restored() : n < wanted; n++) {
		for (int i = 0; i < 20000; i++) {
			v = v * f + f;
			d = d / 3 + 1 / (d + 1);
		}
	}
	wanted = n;
	*ret_v = v;
	*ret_d = d;
	return n;
}

static void run(void)
{
	vector v[2];
	double d[2];
	char byte;

	must(fesetround(FE_UPWARD));
	report_ready();
	(void)rounds(true, &v[0], &d[0]);
	check(read_all(0, &byte, 1) == 1, "no word from process 1");
	check(fegetround() == FE_UPWARD, "the rounding mode has changed");
	(void)rounds(false, &v[1], &d[1]);
	check(memcmp(&v[0], &v[1], sizeof(v[0])) == 0, "vector registers have changed");
	check(memcmp(&d[0], &d[1], sizeof(d[0])) == 0, "floating point registers have changed");
}
PROGRAM(cpu_registers, run, .subject = "floating point and vector registers of a busy process")
