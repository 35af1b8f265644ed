/* SPDX-License-Identifier: Apache-2.0 */
/* A new container's record. */
#pragma once

#include "engine/container.h"

/* What only creation wants to know. */
struct create_params {
	bool has_entrypoint; /* the user gave one, maybe an empty one, so that the image's command is not used */
	/* Of what the image and the defaults say; config->env is not touched. */
	bool unset_all_env;
	const struct strvec *unset_env; /* borrowed; NULL: none */
	const struct strvec
		*merge_env; /* NAME=VALUE with $NAMEs of those, set last; borrowed, or NULL */
	const char *image_volume; /* anonymous (also NULL), tmpfs, ignore */
	bool seccomp_of_image; /* the profile is the one in a label of the image, if it has one */
};

/*
 * Complete a configuration (id, name, defaults, ids of containers that it names, anonymous volumes, what the
 * image says), check it, and write the record. *config is taken over, on
 * failure too. ERR_EXISTS for a name that is taken; ERR_INVALID, ERR_NOT_FOUND.
 */
int container_create(struct container *ret, struct engine *e, struct container_config *config,
		     const struct create_params *params, struct err *err);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]* */
bool container_name_is_valid(const char *name);
/* Whether it can be a host name to the kernel, and a word in /etc/hosts. */
bool container_hostname_is_valid(const char *name);
