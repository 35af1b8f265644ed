/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/wait.h>

#include "test.h"

static void leave(void *argument)
{
	(void)argument;
	_exit(200);
}

static void run(void)
{
	pid_t pid = spawn(leave, NULL);
	siginfo_t info;

	must(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	wait_for_restore();
	must_end(pid, 200);
}
PROGRAM(process_zombie_code, run,
	.subject = "exit codes of 128 and more, of ended processes that nobody has waited for",
	.lost = "the highest bit is lost: 200 becomes 72")
