/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Processes come and go all the time while they are frozen; none may get lost. */
static volatile struct {
	int stop;
	int forked;
	int ended;
} * shared;

static void forker(void *argument)
{
	(void)argument;
	while (!shared->stop) {
		pid_t pid = (pid_t)must(fork());

		if (pid == 0) {
			sleep_ms(3);
			_exit(3);
		}
		__atomic_add_fetch(&shared->forked, 1, __ATOMIC_SEQ_CST);
		must_end(pid, 3);
		__atomic_add_fetch(&shared->ended, 1, __ATOMIC_SEQ_CST);
	}
}

static void run(void)
{
	pid_t pids[3];
	int before;

	shared = map_anonymous(sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED);
	for (int i = 0; i < 3; i++)
		pids[i] = spawn(forker, NULL);
	while (shared->ended < 10)
		sleep_ms(5);
	wait_for_restore();
	before = shared->ended;
	for (int i = 0; i < 1000 && shared->ended < before + 10; i++)
		sleep_ms(5);
	shared->stop = 1;
	for (int i = 0; i < 3; i++)
		must_end(pids[i], 0);
	check(shared->ended >= before + 10, "no process is made any more");
	check(shared->forked == shared->ended, "%d processes were made and %d ended",
	      shared->forked, shared->ended);
}
PROGRAM(process_fork, run, .subject = "processes that start others all the time")
