/* SPDX-License-Identifier: Apache-2.0 */
/* What a container from an archive is to be called and to have here, other than what the archive says. */
#pragma once

#include "engine/container.h"
#include "spec/runtime_spec.h"

/* What the container is to be called and where it is to be, each for itself; NULL and 0: as in the archive. */
struct restore_identity {
	const char *name; /* then it gets a new id as well, and addresses of its own */
	const char *hostname;
	const char *ip;
	const char *mac;
	/* Mounts in the place of the archive's, networks, ports, limits: what is there counts. Borrowed. */
	const struct container_config *given;
	bool has_ports;
};

/* The addresses that are wished for in its only network; nothing where there are none. */
void restore_identity_addresses(const struct restore_identity *i, struct container_config *g);
/*
 * Change the record and the configuration that the archive of that name (for errors) has. ERR_INVALID where its processes
 * cannot be given what is wanted, or the outcome would be no container.
 */
int restore_identity_apply(const struct restore_identity *i, struct container_config *g,
			   struct runtime_spec *spec, const char *source, struct err *err);
