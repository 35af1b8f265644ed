/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether images of a pre-dump can be those that a checkpoint was built upon. CRIU finds what a page map leaves to the parent
 * by its address alone: in the images of another pre-dump it would find other memory, and restore that.
 */
#pragma once

#include "core/err.h"

/*
 * dir_fd: the checkpoint; parent_fd: the pre-dump. ERR_CORRUPT when the checkpoint leaves memory to it that it does not have,
 * which CRIU sees to at the dump.
 */
int criu_images_check_parent(int dir_fd, int parent_fd, struct err *err);
