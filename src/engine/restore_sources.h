/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories and files of the host that a container from an archive has mounted. CRI-O says in bind.mounts of what kind they
 * were (checkpoint-restore in Kubernetes brings them along empty); those that are missing here are made so. Who allows the
 * archive its mounts has allowed this.
 */
#pragma once

#include "archive/metadata.h"
#include "core/strvec.h"
#include "engine/config.h"

/* Whether the source of a mount would be made, were it missing. */
bool restore_sources_can_make(const struct archive_bind_mounts *known,
			      const struct container_mount *m);
/*
 * ret_made: what was made, parents before what is in them, also when it fails. ERR_NOT_FOUND when one is missing that the
 * archive says nothing of.
 */
int restore_sources_make(const struct archive_bind_mounts *known,
			 const struct container_config *record, struct strvec *ret_made,
			 struct err *err);
/* Remove what was made and is empty still. */
void restore_sources_remove(const struct strvec *made);
