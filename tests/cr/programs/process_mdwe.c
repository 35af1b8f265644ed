/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>

#include "test.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

/* Linux 6.3: memory can be writable or executable, never both, nor the one after the other. */
static void run(void)
{
	if (prctl(PR_SET_MDWE, 1, 0, 0, 0) < 0)
		skip("there is no PR_SET_MDWE here: %s", strerror(errno));
	wait_for_restore();
	check(prctl(PR_GET_MDWE, 0, 0, 0, 0) == 1, "it is %d", prctl(PR_GET_MDWE, 0, 0, 0, 0));
}
PROGRAM(process_mdwe, run,
	.subject = "denial of memory that is writable and executable (PR_SET_MDWE)",
	.lost = "it is allowed again")
