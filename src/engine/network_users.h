/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers are attached to which networks, by their configuration. */
#pragma once

#include "engine/container.h"
#include "network/config.h"
#include "network/status.h"

struct network_user {
	char *id;
	char *name;
	char *network;
	struct network_status
		status; /* of all its networks, as they are now; empty while it does not run */
};

struct network_users {
	struct network_user *v;
	size_t n;
};

#define NETWORK_USERS_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

/* Every attachment of every container, oldest container first. */
int network_users_load(struct network_users *ret, struct engine *e, struct err *err);
void network_users_done(struct network_users *users);
bool network_is_used(const struct network_users *users, const char *network);

DEFINE_AUTO_VAL(network_users, struct network_users, network_users_done)
#define auto_network_users auto_cleanup(network_users_cleanup_val)
