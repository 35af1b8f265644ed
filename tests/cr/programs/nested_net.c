/* SPDX-License-Identifier: Apache-2.0 */
#include "nested.h"

static void run(void)
{
	run_nested(CLONE_NEWNET);
}
PROGRAM(nested_net, run, .subject = "a net namespace within the container",
	.refused = "it is in a net namespace of its own, and CRIU cannot keep more than one")
