/* SPDX-License-Identifier: Apache-2.0 */
/* What images, containers and volumes take of the disk, and what of it could be had back. */
#pragma once

#include "engine/container.h"
#include "engine/volume.h"
#include "image/image.h"

struct usage_image {
	uint64_t shared; /* bytes of layers that another image has too */
	uint64_t unique;
	size_t containers; /* made from it */
};

struct usage_container {
	struct container container;
	uint64_t written; /* bytes on top of the image */
	size_t volumes;
};

struct usage_volume {
	uint64_t size; /* bytes of its files, hard links once */
	size_t containers;
};

struct disk_usage {
	struct images images;
	struct usage_image *image; /* of images.v[i] */
	uint64_t layers; /* bytes of all layers of images, each once */
	struct usage_container *containers;
	size_t n_containers;
	struct volumes volumes;
	struct usage_volume *volume; /* of volumes.v[i] */
};

int disk_usage_load(struct disk_usage *ret, struct engine *e, struct err *err);
void disk_usage_done(struct disk_usage *usage);
/*
 * Bytes that a container wrote, and of all it sees with the image's. Of --rootfs, where nobody knows what was there before,
 * everything counts as written and *ret_total is 0 (podman's answer too).
 */
int disk_usage_container(const struct container *c, uint64_t *ret_written, uint64_t *ret_total,
			 struct err *err);

DEFINE_AUTO_VAL(disk_usage, struct disk_usage, disk_usage_done)
#define auto_disk_usage auto_cleanup(disk_usage_cleanup_val)
