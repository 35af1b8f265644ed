/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are removed at once, while their space is given back behind our back.
 *
 * Removing the last name of a file gives its blocks back, which takes long for gigabytes of memory images: the kernel goes
 * through all pages, and waits for those that it is just writing to the disk. So the large ones are opened, their names removed,
 * and a process of ours with nothing else open has them until the kernel has let them go. However that process ends, nothing is left.
 */
#pragma once

#include <stddef.h>

/* More large files than this are removed in the ordinary way. */
#define DISCARD_FILES 16

struct discard {
	int fds[DISCARD_FILES];
	size_t n;
};

/* Remember the large files of a directory that is about to be removed. Zeroed at first. */
void discard_hold(struct discard *discard, const char *directory);
/* When it is removed: let them go. */
void discard_release(struct discard *discard);
