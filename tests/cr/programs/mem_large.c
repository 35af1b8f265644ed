/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* More than what an engine may leave in an archive until CRIU reads it (engine/restore_memory.c). */
#define PAGES 4352

static unsigned char *memory;
static unsigned char *shared;
static size_t page;
static struct gate gate;

static void look(const char *who, size_t own, uint64_t seed)
{
	for (size_t i = 0; i < PAGES; i++) {
		check(is_filled(memory + i * page, page, i % 3 == own ? seed + i : i),
		      "page %zu of the %s has changed", i, who);
		check(is_filled(shared + i * page, page, 9000 + i),
		      "shared page %zu has changed for the %s", i, who);
	}
}

static void write_own(size_t own, uint64_t seed)
{
	for (size_t i = own; i < PAGES; i += 3)
		fill(memory + i * page, page, seed + i);
}

static void child(void *argument)
{
	struct gate *ready = argument;

	write_own(1, 20000);
	gate_open(ready);
	gate_wait(&gate);
	look("child", 1, 20000);
}

static void run(void)
{
	struct gate ready;
	pid_t pid;

	page = page_size();
	memory = map_anonymous(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	shared = map_anonymous(PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	for (size_t i = 0; i < PAGES; i++) {
		fill(memory + i * page, page, i);
		fill(shared + i * page, page, 9000 + i);
	}
	gate_init(&gate);
	gate_init(&ready);
	pid = spawn(child, &ready);
	gate_wait(&ready);
	write_own(2, 30000);
	wait_for_restore();
	look("parent", 2, 30000);
	gate_open(&gate);
	must_end(pid, 0);
}
PROGRAM(mem_large, run, .subject = "large memory of a parent and its child, private and shared")
