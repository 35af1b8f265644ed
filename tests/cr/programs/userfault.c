/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/syscall.h>

#include "test.h"

static void run(void)
{
	if (syscall(SYS_userfaultfd, O_CLOEXEC) < 0)
		skip("userfaultfd is not allowed here: %s", strerror(errno));
	wait_for_restore();
}
PROGRAM(userfault, run, .subject = "userfaultfd",
	.refused = "of a kind that CRIU cannot keep (anon anon_inode:[userfaultfd])")
