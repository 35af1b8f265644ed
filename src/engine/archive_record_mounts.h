/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes and mounts of a container that comes from an archive. */
#pragma once

#include "engine/archive_record.h"

/*
 * Those that the container's user asked for; what every container has, and what engines make anew at a start, is left
 * out. ret: with read_only and read_write_tmpfs; gets the mounts, also when it fails. ERR_INVALID, ERR_UNSUPPORTED.
 */
int archive_record_mounts(struct container_config *ret, const struct archive_config *a,
			  const struct runtime_spec *spec, struct err *err);
