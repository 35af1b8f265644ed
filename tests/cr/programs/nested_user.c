/* SPDX-License-Identifier: Apache-2.0 */
#include "nested.h"

static void run(void)
{
	run_nested(CLONE_NEWUSER);
}
PROGRAM(nested_user, run, .subject = "a user namespace within the container",
	.refused = "is in a user namespace of its own, and CRIU cannot keep more than one")
