/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp profile that is built in. */
#pragma once

#include <stdint.h>

#include "spec/runtime_spec.h"

/* For a container that has these capabilities (bit N: capability N); the caller's. */
struct oci_seccomp *seccomp_default(uint64_t caps);
