/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlay mounts (kernel documentation, filesystems/overlayfs). Layers are given one by one with
 * fsconfig(2) "lowerdir+" (Linux 6.7); before that as one "lowerdir=" of short names relative to the
 * directory of layers, which mount(2) limits to one page, about 200 layers.
 */
#pragma once

#include "core/err.h"
#include "core/strvec.h"

struct overlay_mount {
	const char *layers_dir; /* where the short names are relative to */
	const struct strvec *lowers; /* absolute paths, highest first */
	const struct strvec *short_names; /* the same, relative to layers_dir */
	const char *upper; /* NULL: read-only */
	const char *work;
	const char *target;
};

/* ERR_SYSTEM with the kernel's own words. The mount is private. */
int overlay_mount(const struct overlay_mount *mount, struct err *err);
/* Whether overlay with an upper directory below dir works for us: tried, by mounting one detached. */
bool overlay_works(const char *dir);
