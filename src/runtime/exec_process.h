/* SPDX-License-Identifier: Apache-2.0 */
/* The process object of an exec: from --process, or the container's own with the options on top. */
#pragma once

#include "core/err.h"
#include "runtime/operations.h"
#include "spec/runtime_spec.h"

/* Replaces spec->process. ERR_INVALID for what is not valid in the file or the options. */
int exec_process_make(struct runtime_spec *spec, const struct exec_options *opts, struct err *err);
