/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "test.h"

static void run(void)
{
	pid_t pid = spawn_idle();

	must(ptrace(PTRACE_SEIZE, pid, 0, 0));
	wait_for_restore();
	must(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	must(waitpid(pid, NULL, 0));
	must(ptrace(PTRACE_DETACH, pid, 0, 0));
	kill_child(pid);
}
PROGRAM(process_traced, run, .subject = "processes under a debugger",
	.refused = "it is traced by process")
