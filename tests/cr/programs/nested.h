/* SPDX-License-Identifier: Apache-2.0 */
/* A process of the container that is in a namespace of its own, which CRIU cannot keep. */
#pragma once

#include <sched.h>

#include "test.h"

static struct gate gate;

static void child(void *flag)
{
	must(unshare((int)(intptr_t)flag));
	gate_open(&gate);
	for (;;)
		(void)pause();
}

static inline void run_nested(int flag)
{
	pid_t pid;

	gate_init(&gate);
	pid = spawn(child, (void *)(intptr_t)flag);
	gate_wait(&gate);
	wait_for_restore();
	kill_child(pid);
}
