/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>

#include "test.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static sigjmp_buf env;

static void on_fault(int number)
{
	siglongjmp(env, number);
}

/* Linux 6.13: pages within an area that fault, without an area of their own. */
static void run(void)
{
	size_t page = page_size();
	volatile unsigned char *p = map_anonymous(8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	p[0] = 1;
	p[7 * page] = 7;
	if (madvise((void *)(uintptr_t)(p + 3 * page), page, MADV_GUARD_INSTALL) < 0)
		skip("there are no guard pages here: %s", strerror(errno));
	(void)signal(SIGSEGV, on_fault);
	wait_for_restore();
	check(p[0] == 1 && p[7 * page] == 7, "the memory has changed");
	if (sigsetjmp(env, 1) == 0) {
		p[3 * page] = 1;
		fail("a guard page is none any more");
	}
}
PROGRAM(mem_guard, run, .subject = "guard pages (MADV_GUARD_INSTALL)")
