/* SPDX-License-Identifier: Apache-2.0 */
/* The process of an exec, from clone(2) to execve(2) in the container. */
#pragma once

#include "runtime/launch.h"

/* Never returns; as init_child_main(), without building anything and without a gate. */
NORETURN void exec_child_main(struct launch *l);
