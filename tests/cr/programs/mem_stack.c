/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* Deep in a recursion while frozen, and deeper afterwards; every frame has its own pattern. */
#define DEPTH 400

static int deepest;

static __attribute__((noinline)) int descend(int depth, int to, bool waits)
{
	unsigned char frame[1024];
	int below = 0;

	fill(frame, sizeof(frame), (uint64_t)depth);
	if (depth < to)
		below = descend(depth + 1, to, waits);
	else if (waits)
		wait_for_restore();
	check(is_filled(frame, sizeof(frame), (uint64_t)depth), "frame %d of the stack has changed",
	      depth);
	deepest = depth > deepest ? depth : deepest;
	return below + 1;
}

static void run(void)
{
	volatile unsigned char *grows;

	grows = map_anonymous(2 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
	grows[page_size()] = 1;
	check(descend(0, DEPTH, true) == DEPTH + 1, "the recursion returns too early");
	check(descend(0, 4 * DEPTH, false) == 4 * DEPTH + 1, "the stack does not grow");
	check(has_vm_flag((const void *)(uintptr_t)grows, "gd"), "MAP_GROWSDOWN is lost");
	check(grows[page_size()] == 1, "the content of the growing area has changed");
}
PROGRAM(mem_stack, run, .subject = "the stack and other growing memory")
