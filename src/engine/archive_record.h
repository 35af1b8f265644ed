/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's record and podman's config.dump, each made from the other. The way back takes as much from the
 * runtime configuration (spec.dump) as it says: that is what has been compared with what is allowed
 * (engine/restore_policy.h), and what the processes run with. Pure.
 */
#pragma once

#include "archive/metadata.h"
#include "engine/container.h"
#include "spec/runtime_spec.h"

/* What podman needs to restore this container. *ret is archive_config_done()'s. */
void archive_record_format(const struct container *c, const struct runtime_spec *spec,
			   struct archive_config *ret);
/* The record of a container that goes on from the archive: id and name as there. *ret is container_config_done()'s.
 * ERR_INVALID for documents that fit no container, ERR_UNSUPPORTED for one of a pod. */
int archive_record_parse(struct container_config *ret, const struct archive_config *config,
			 const struct runtime_spec *spec, struct err *err);
