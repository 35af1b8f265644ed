/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define DEPTH 60
#define WIDTH 100

/* A chain of processes, each the child of the one before, and a hundred brothers. */
static struct {
	volatile int ready;
	volatile int answers;
} * shared;

static struct gate deepest;
static struct gate all;

static void descend(void *argument)
{
	int depth = *(const int *)argument + 1;
	int code;

	if (depth == DEPTH) {
		__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
		gate_wait(&deepest);
		_exit(DEPTH);
	}
	code = DEPTH;
	must_end(spawn(descend, &depth), code);
	__atomic_add_fetch(&shared->answers, 1, __ATOMIC_SEQ_CST);
	_exit(DEPTH);
}

static void brother(void *argument)
{
	int number = *(const int *)argument;
	pid_t pid = getpid();

	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	gate_wait(&all);
	check(getpid() == pid, "brother %d has become process %d", number, getpid());
	__atomic_add_fetch(&shared->answers, 1, __ATOMIC_SEQ_CST);
	_exit(number);
}

static void run(void)
{
	pid_t pids[WIDTH];
	pid_t chain;

	shared = map_anonymous(sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED);
	gate_init(&deepest);
	gate_init(&all);
	chain = spawn(descend, &(int){ 0 });
	for (int i = 0; i < WIDTH; i++)
		pids[i] = spawn(brother, &i);
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < WIDTH + 1)
		sleep_ms(5);
	wait_for_restore();
	for (int i = 0; i < WIDTH; i++)
		gate_open(&all);
	for (int i = 0; i < WIDTH; i++)
		must_end(pids[i], i);
	check(shared->answers == WIDTH, "%d of %d brothers have answered", shared->answers, WIDTH);
	gate_open(&deepest);
	must_end(chain, DEPTH);
	check(shared->answers == WIDTH + DEPTH - 1, "the chain of processes is broken");
}
PROGRAM(process_tree, run, .subject = "a deep tree of processes, and a hundred brothers")
