/* SPDX-License-Identifier: Apache-2.0 */
#include "nested.h"

static void run(void)
{
	run_nested(CLONE_NEWCGROUP);
}
PROGRAM(nested_cgroup, run, .subject = "a cgroup namespace within the container",
	.refused = "is in a cgroup namespace of its own, and CRIU cannot keep more than one")
