/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images as the root of a container's user namespace may read them. CRIU's tasks read most of
 * their images when they are in that namespace already, where they are nobody to the host: an image
 * directory of mode 0700, as `checkpoint` and podman make it, is closed to them, though the files in
 * it are readable for all. (As their owner they would read others too early: giving the directory
 * to the container's root is no way.)
 *
 * So CRIU gets an overlay that nobody else can reach, of the image directory below an empty one of
 * mode 0711; the mode that counts is the upper one's. Nothing is changed, and nothing is written
 * through it.
 */
#pragma once

#include "core/err.h"

/* Whether others may not search the directory. */
bool image_view_is_needed(int images_fd);
/*
 * state_dir_fd: where the empty directory is made, on a file system that overlay takes as a layer.
 * Returns a descriptor of the overlay's root, a mount that is attached nowhere.
 */
int image_view_open(int images_fd, int state_dir_fd, struct err *err);
/* Remove the empty directory, after the descriptor is closed. */
void image_view_remove(int state_dir_fd);
