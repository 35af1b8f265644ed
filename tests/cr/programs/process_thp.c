/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>

#include "test.h"

static void run(void)
{
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	wait_for_restore();
	check(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "they are allowed again");
}
PROGRAM(process_thp, run, .subject = "denial of transparent huge pages (PR_SET_THP_DISABLE)")
