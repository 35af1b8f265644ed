/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of a configuration that are of no effect here: those of other platforms, which a Linux runtime
 * has to pass over (config.md of the runtime specification, "Platform-specific configuration"), and
 * those that the specification dropped. Each is said in a warning.
 */
#pragma once

#include "spec/runtime_spec.h"

void warn_of_passed_over(const struct runtime_spec *spec);
