/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "test.h"

static void run(void)
{
	must(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	must(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0));
	wait_for_restore();
	must(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	must(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0));
}
PROGRAM(process_membarrier, run, .subject = "registrations for memory barriers (membarrier)")
