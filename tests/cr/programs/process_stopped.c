/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/wait.h>

#include "test.h"

static volatile int *counter;

static void count(void *argument)
{
	(void)argument;
	for (;;) {
		(*counter)++;
		sleep_ms(2);
	}
}

static void run(void)
{
	int status;
	int before;
	pid_t pid;

	counter = map_shared(int);
	pid = spawn(count, NULL);
	while (*counter == 0)
		sleep_ms(2);
	must(kill(pid, SIGSTOP));
	check(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status),
	      "the child has not stopped");
	before = *counter;
	wait_for_restore();
	sleep_ms(50);
	check(*counter == before, "a stopped process has gone on");
	/* CRIU stops it anew. */
	(void)waitpid(pid, &status, WUNTRACED | WNOHANG);
	must(kill(pid, SIGCONT));
	for (int i = 0; i < 1000 && *counter == before; i++)
		sleep_ms(5);
	check(*counter > before, "a stopped process does not continue");
	must(kill(pid, SIGSTOP));
	check(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
		      WSTOPSIG(status) == SIGSTOP,
	      "a new stop is not reported");
	kill_child(pid);
}
PROGRAM(process_stopped, run, .subject = "stopped processes (SIGSTOP)",
	.note = "the stop is reported to the parent once more")
