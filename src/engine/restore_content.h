/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a checkpoint archive holds besides its documents, put to where a container has it: the changes of the root file
 * system, shared memory, volumes, the images, the log. In one pass, since it may come from a pipe.
 */
#pragma once

#include "core/rooted.h"
#include "core/strvec.h"
#include "engine/archive_record.h"
#include "engine/restore_import.h"
#include "engine/restore_memory.h"

/* All borrowed. */
struct restore_content {
	const struct restore_import *import;
	struct archive_reader *reader;
	const struct archive_config *config;
	const struct runtime_spec *spec;
	const struct strvec
		*volumes; /* that were made for it, and take what the archive has of them */
	uint32_t allowed; /* classes of engine/restore_policy.h */
	bool own; /* its archives are ours (engine/own_archives.h) */
	bool keep; /* the checkpoint is restored again later, in place */
	struct restore_memory *memory; /* that large memory images are left to; NULL: unpack them */
};

/*
 * For struct prepare_restore: context is a struct restore_content, which the archive is unpacked for, and its images are
 * judged. On failure the files stay with the container, which is given up.
 */
int restore_content_fill(void *context, struct container *c, const struct rooted *root,
			 struct err *err);
/* For struct restore_source. */
const char *restore_content_images(void *context);
