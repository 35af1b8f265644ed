/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "test.h"

#define SIZE 100000

struct message {
	long type;
	char text[32];
};

static volatile int *got;

static void waiter(void *argument)
{
	const int *id = argument;
	struct sembuf take = { .sem_num = 0, .sem_op = -5 };

	while (semop(*id, &take, 1) < 0)
		check(errno == EINTR, "semop: %s", strerror(errno));
	*got = 1;
}

static void check_messages(int id)
{
	struct message message;

	check(msgrcv(id, &message, sizeof(message.text), 2, IPC_NOWAIT) == 6 &&
		      memcmp(message.text, "second", 6) == 0,
	      "the message of type 2 is lost");
	check(msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT) == 5 && message.type == 1 &&
		      memcmp(message.text, "first", 5) == 0,
	      "the message of type 1 is lost");
	must_fail(msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT), ENOMSG);
	must(msgctl(id, IPC_RMID, NULL));
}

static void check_memory(int id, int detached, const void *memory)
{
	struct shmid_ds status;
	const void *other;

	check(is_filled(memory, SIZE, 1), "the shared memory has changed");
	must(shmctl(id, IPC_STAT, &status));
	check(status.shm_nattch == 1 && status.shm_segsz == SIZE,
	      "it is attached %lu times, %zu bytes", (unsigned long)status.shm_nattch,
	      status.shm_segsz);
	check((status.shm_perm.mode & 0777) == 0640, "its mode is %o",
	      status.shm_perm.mode & 0777u);
	must(shmdt(memory));
	other = shmat(detached, NULL, SHM_RDONLY);
	check(other != (void *)-1 && is_filled(other, SIZE, 2),
	      "memory that nobody had attached has changed");
	must(shmctl(id, IPC_RMID, NULL));
	must(shmctl(detached, IPC_RMID, NULL));
}

static void run(void)
{
	const key_t key = 0x7e570001;
	int shm = (int)must(shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0640));
	int detached = (int)must(shmget(key + 1, SIZE, IPC_CREAT | IPC_EXCL | 0600));
	int sem = (int)must(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
	int msg = (int)must(msgget(key, IPC_CREAT | IPC_EXCL | 0600));
	void *memory = shmat(shm, NULL, 0);
	void *other = shmat(detached, NULL, 0);
	pid_t pid;

	check(memory != (void *)-1 && other != (void *)-1, "shmat: %s", strerror(errno));
	got = map_shared(int);
	fill(memory, SIZE, 1);
	fill(other, SIZE, 2);
	must(shmdt(other));
	must(semctl(sem, 0, SETVAL, 3));
	must(semctl(sem, 1, SETVAL, 4));
	must(msgsnd(msg, &(struct message){ 1, "first" }, 5, 0));
	must(msgsnd(msg, &(struct message){ 2, "second" }, 6, 0));
	pid = spawn(waiter, &sem);
	must_sleep(pid);
	wait_for_restore();
	check(shmget(key, 0, 0) == shm && semget(key, 0, 0) == sem && msgget(key, 0) == msg,
	      "the ids have changed");
	check(!*got && semctl(sem, 0, GETVAL) == 3 && semctl(sem, 1, GETVAL) == 4 &&
		      semctl(sem, 2, GETVAL) == 0,
	      "the semaphores have changed");
	must(semop(sem, &(struct sembuf){ .sem_num = 0, .sem_op = 2 }, 1));
	must_end(pid, 0);
	check(*got, "a waiter has not got the semaphore");
	must(semctl(sem, 0, IPC_RMID));
	check_messages(msg);
	check_memory(shm, detached, memory);
}
PROGRAM(sysv_ipc, run, .subject = "System V shared memory, semaphores and message queues")
