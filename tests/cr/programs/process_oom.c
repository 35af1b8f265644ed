/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	char text[32];

	write_file("/proc/self/oom_score_adj", "345");
	wait_for_restore();
	(void)read_file("/proc/self/oom_score_adj", text, sizeof(text));
	check(strcmp(text, "345\n") == 0, "it is %s", text);
}
PROGRAM(process_oom, run, .subject = "the score for the OOM killer")
