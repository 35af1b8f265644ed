/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define PAGES 256

static unsigned char *memory;
static size_t page;
static struct gate gate;

/* Pages that both processes still share, and pages that one of them has written to. */
static void look(const char *who, size_t own, uint64_t seed)
{
	for (size_t i = 0; i < PAGES; i++)
		check(is_filled(memory + i * page, page, i % 3 == own ? seed + i : i),
		      "page %zu of the %s has changed", i, who);
}

static void write_own(size_t own, uint64_t seed)
{
	for (size_t i = own; i < PAGES; i += 3)
		fill(memory + i * page, page, seed + i);
}

static void child(void *argument)
{
	struct gate *ready = argument;

	write_own(1, 2000);
	gate_open(ready);
	gate_wait(&gate);
	look("child", 1, 2000);
	memset(memory, 0, PAGES * page);
}

static void run(void)
{
	struct gate ready;
	pid_t pid;

	page = page_size();
	memory = map_anonymous(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (size_t i = 0; i < PAGES; i++)
		fill(memory + i * page, page, i);
	gate_init(&gate);
	gate_init(&ready);
	pid = spawn(child, &ready);
	gate_wait(&ready);
	write_own(2, 3000);
	wait_for_restore();
	look("parent", 2, 3000);
	gate_open(&gate);
	must_end(pid, 0);
	look("parent", 2, 3000);
}
PROGRAM(mem_cow_fork, run, .subject = "memory that a parent and its child share until one writes")
