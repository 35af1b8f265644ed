/* SPDX-License-Identifier: Apache-2.0 */
/* What would make a restore fail, or never end, in CRIU's hands, looked at before it is asked. */
#pragma once

#include "runtime/checkpoint/options.h"
#include "spec/runtime_spec.h"

/* CRIU 4.2, and probably every other, hangs for ever on a profile that is not there: processes that fail
 * so late die traced, and it waits for init before it lets go of the others. */
int restore_check_profile(const struct restore_options *opts, const struct runtime_spec *spec,
			  struct err *err);
/* That the images are whole, and here, and that the container's limit of memory is not less than one process needs. */
int restore_check_images(const struct restore_options *opts, const struct runtime_spec *spec,
			 int images_fd, struct err *err);
