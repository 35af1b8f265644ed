/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/syscall.h>

#include "test.h"

/* ioprio_set(2): class 2, best effort, level 7; the process itself */
#define BEST_EFFORT_7 (2 << 13 | 7)

static void run(void)
{
	must(syscall(SYS_ioprio_set, 1, 0, BEST_EFFORT_7));
	wait_for_restore();
	check(syscall(SYS_ioprio_get, 1, 0) == BEST_EFFORT_7, "the I/O priority is %#lx",
	      (unsigned long)syscall(SYS_ioprio_get, 1, 0));
}
PROGRAM(process_ioprio, run, .subject = "I/O priority", .lost = "it is the default again")
