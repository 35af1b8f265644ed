/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <sys/rseq.h>

#include "test.h"

/* The C library registers restartable sequences for each thread; the kernel keeps the CPU's number there. */
static void run(void)
{
	const struct rseq *area;
	uint32_t cpu;

	if (__rseq_size == 0)
		skip("the C library does not use restartable sequences here");
	area = (const void *)((const char *)__builtin_thread_pointer() + __rseq_offset);
	wait_for_restore();
	for (int i = 0; i < 100; i++) {
		cpu = __atomic_load_n(&area->cpu_id, __ATOMIC_RELAXED);
		if ((int)cpu == sched_getcpu())
			return;
	}
	fail("the kernel does not write the CPU's number any more: %u", cpu);
}
PROGRAM(process_rseq, run, .subject = "restartable sequences (rseq)")
