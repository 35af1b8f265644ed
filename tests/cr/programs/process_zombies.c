/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/wait.h>

#include "test.h"

static void leave(void *argument)
{
	_exit(*(const int *)argument);
}

static void die(void *argument)
{
	must(kill(getpid(), *(const int *)argument));
}

static void run(void)
{
	static const int codes[] = { 0, 7, 127 };
	static const int numbers[] = { SIGKILL, SIGTERM };
	pid_t pids[5];

	for (int i = 0; i < 3; i++)
		pids[i] = spawn(leave, (void *)(uintptr_t)&codes[i]);
	for (int i = 0; i < 2; i++)
		pids[3 + i] = spawn(die, (void *)(uintptr_t)&numbers[i]);
	for (int i = 0; i < 5; i++) {
		siginfo_t info;

		must(waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT));
	}
	wait_for_restore();
	for (int i = 0; i < 3; i++)
		must_end(pids[i], codes[i]);
	for (int i = 0; i < 2; i++)
		must_end(pids[3 + i], -numbers[i]);
	must_fail(waitpid(-1, NULL, 0), ECHILD);
}
PROGRAM(process_zombies, run, .subject = "ended processes that nobody has waited for")
