/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>

#include "test.h"

static void run(void)
{
	int before;

	if (prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE, 0, 0) < 0)
		skip("speculation cannot be controlled here: %s", strerror(errno));
	before = prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0);
	wait_for_restore();
	check(prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) == before, "it is %#x",
	      (unsigned)prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0));
}
PROGRAM(process_speculation, run, .subject = "denial of speculation (PR_SET_SPECULATION_CTRL)",
	.lost = "it is allowed again")
