/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a container gets from us over those of its image: hosts, resolv.conf, hostname, .containerenv, passwd, group,
 * the time zone, secrets. They are written to its directory for this run and become binds of the facts.
 */
#pragma once

#include "core/rooted.h"
#include "engine/container.h"
#include "engine/specgen.h"
#include "network/status.h"

/* All of them, and /dev/shm. f has host name and user; root: the root file system. */
int generated_files_write(struct container *c, struct spec_facts *f, const struct rooted *root,
			  struct err *err);
/* Which file of the host --tz means, which the caller owns; "local" is the host's own. ERR_INVALID: there is no such zone. */
int generated_files_find_timezone(const char *zone, char **ret, struct err *err);
/* hosts and resolv.conf, by the networks that the container is in; hosts is empty while those are not known yet. Again when they
 * are: then f is of no use but for the host name, since the files are mounted already and are written in place. */
int generated_files_write_network(struct container *c, struct spec_facts *f,
				  const struct rooted *root, struct err *err);
/* Networks have come or gone while it runs: in hosts, lines of addresses that are gone go, new ones come last; in resolv.conf
 * the same with name servers, but new ones come first. What others have written there stays. before: what there was of
 * networks. */
int generated_files_change_network(struct container *c, const struct network_status *before,
				   struct err *err);
