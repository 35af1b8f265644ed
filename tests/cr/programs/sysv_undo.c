/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/ipc.h>
#include <sys/sem.h>

#include "test.h"

static void holder(void *argument)
{
	const int *id = argument;

	must(semop(*id, &(struct sembuf){ .sem_op = -1, .sem_flg = SEM_UNDO }, 1));
	for (;;)
		(void)pause();
}

static void run(void)
{
	int id = (int)must(semget(IPC_PRIVATE, 1, 0600));
	pid_t pid;

	must(semctl(id, 0, SETVAL, 1));
	pid = spawn(holder, &id);
	for (int i = 0; i < 500 && semctl(id, 0, GETVAL) != 0; i++)
		sleep_ms(5);
	wait_for_restore();
	kill_child(pid);
	check(semctl(id, 0, GETVAL) == 1, "the value is %d after the end of the holder",
	      semctl(id, 0, GETVAL));
	must(semctl(id, 0, IPC_RMID));
}
PROGRAM(sysv_undo, run, .subject = "undoing of semaphore operations (`SEM_UNDO`)",
	.lost = "nothing is undone when the process ends")
