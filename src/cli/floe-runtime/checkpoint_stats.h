/* SPDX-License-Identifier: Apache-2.0 */
/* `checkpoint --print-stats` */
#pragma once

#include "core/err.h"
#include "runtime/checkpoint/options.h"

/* Print what CRIU measured during the checkpoint that these options have just made, as one JSON object
 * with the names that podman uses. */
int checkpoint_print_stats(const struct checkpoint_options *opts, struct err *err);
