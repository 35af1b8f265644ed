/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier checkpoint left in an image directory. CRIU overwrites what has the same name and
 * leaves the rest: page maps of processes that are gone by now, which name memory files that the new
 * checkpoint gives to others, and memory that nobody needs; and the beginnings of an image of our own.
 */
#pragma once

/*
 * Remove the page maps in the directory and the memory files that they name, and such beginnings;
 * nothing that is no image. Return: 0, or a negative errno when something stays.
 */
int criu_images_discard_memory(int dir_fd);
