/* SPDX-License-Identifier: Apache-2.0 */
#include "nested.h"

static void run(void)
{
	run_nested(CLONE_NEWUTS);
}
PROGRAM(nested_uts, run, .subject = "a uts namespace within the container",
	.refused = "is in a uts namespace of its own, and CRIU cannot keep more than one")
