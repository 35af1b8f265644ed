/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/personality.h>

#include "test.h"

static void run(void)
{
	must(personality(ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS));
	wait_for_restore();
	check(personality(0xffffffff) == (ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS), "it is %#x",
	      (unsigned)personality(0xffffffff));
}
PROGRAM(process_personality, run, .subject = "the execution domain (personality)",
	.lost = "it is the default again")
