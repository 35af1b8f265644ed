/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/*
 * A session whose leader has ended, with two process groups, one without its leader; and a session within
 * it. Each process says what it is when it is asked.
 */
struct identity {
	pid_t pid;
	pid_t parent;
	pid_t group;
	pid_t session;
};

static struct {
	volatile struct identity before[4];
	volatile int ready;
	volatile int done;
} * shared;

static struct gate gates[4];

static void look(int who)
{
	struct identity now;

	shared->before[who] = (struct identity){ getpid(), getppid(), getpgrp(), getsid(0) };
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	gate_wait(&gates[who]);
	now = (struct identity){ getpid(), getppid(), getpgrp(), getsid(0) };
	check(memcmp((const void *)(uintptr_t)&shared->before[who], &now, sizeof(now)) == 0,
	      "process %d of group %d, session %d, parent %d has become %d of %d, %d, %d",
	      shared->before[who].pid, shared->before[who].group, shared->before[who].session,
	      shared->before[who].parent, now.pid, now.group, now.session, now.parent);
	__atomic_add_fetch(&shared->done, 1, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void wait_ready(int n)
{
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < n)
		sleep_ms(2);
}

static void nested_session(void *argument)
{
	(void)argument;
	must(setsid());
	look(3);
}

static void group_leader(void *argument)
{
	const struct gate *started = argument;

	must(setpgid(0, 0));
	if (fork() == 0)
		look(1);
	wait_ready(1);
	gate_open((struct gate *)(uintptr_t)started);
	_exit(0);
}

static void leader(void *argument)
{
	struct gate started;
	pid_t pid;

	(void)argument;
	must(setsid());
	gate_init(&started);
	/* A group whose leader ends and leaves a member behind. */
	pid = spawn(group_leader, &started);
	gate_wait(&started);
	must_end(pid, 0);
	if (fork() == 0)
		look(2);
	wait_ready(2);
	(void)spawn(nested_session, NULL);
	wait_ready(3);
	_exit(0);
}

static void run(void)
{
	pid_t pid;

	shared = map_anonymous(sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED);
	for (int i = 0; i < 4; i++)
		gate_init(&gates[i]);
	pid = spawn(leader, NULL);
	must_end(pid, 0);
	/* Until they are orphans. */
	sleep_ms(50);
	for (int i = 1; i < 4; i++)
		shared->before[i].parent = 1;
	wait_for_restore();
	for (int i = 1; i < 4; i++)
		gate_open(&gates[i]);
	for (int i = 0; i < 1000 && shared->done < 3; i++)
		sleep_ms(5);
	check(shared->done == 3, "%d of 3 processes have answered", shared->done);
}
PROGRAM(process_groups, run,
	.subject = "sessions and process groups, those whose leader has ended too")
