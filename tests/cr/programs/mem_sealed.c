/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/syscall.h>

#include "test.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

/* Linux 6.10: memory whose mapping may not change any more. */
static void run(void)
{
	void *p = map_anonymous(page_size(), PROT_READ, MAP_PRIVATE);

	if (syscall(SYS_mseal, p, page_size(), 0) < 0)
		skip("memory cannot be sealed here: %s", strerror(errno));
	wait_for_restore();
	must_fail(mprotect(p, page_size(), PROT_READ | PROT_WRITE), EPERM);
}
PROGRAM(mem_sealed, run, .subject = "sealed memory (mseal)", .lost = "it is not sealed any more")
