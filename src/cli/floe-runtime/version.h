/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/floe-runtime/commands.h"

/* What --version prints: lines that go-runc and podman read ("commit: ", "spec: "). */
int version_print(const struct runtime_context *context, struct err *err);
