/* SPDX-License-Identifier: Apache-2.0 */
#include "nested.h"

static void run(void)
{
	run_nested(CLONE_NEWIPC);
}
PROGRAM(nested_ipc, run, .subject = "an ipc namespace within the container",
	.refused = "is in a ipc namespace of its own, and CRIU cannot keep more than one")
