/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>

#include "test.h"

static void run(void)
{
	must(prctl(PR_SET_TIMERSLACK, 123456));
	wait_for_restore();
	check(prctl(PR_GET_TIMERSLACK) == 123456, "it is %d ns", prctl(PR_GET_TIMERSLACK));
}
PROGRAM(process_timer_slack, run, .subject = "timer slack", .lost = "it is the default again")
