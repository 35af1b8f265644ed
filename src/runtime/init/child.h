/* SPDX-License-Identifier: Apache-2.0 */
/* The container's init, from clone(2) to execve(2). */
#pragma once

#include "runtime/launch.h"

/* Never returns: becomes the container's program, or reports through the handshake and exits 1. */
NORETURN void init_child_main(struct launch *l);
