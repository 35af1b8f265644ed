/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network_users.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "engine/records.h"

static int add(void *context, struct container_config *config, struct container_status *status,
	       struct err *err UNUSED)
{
	struct network_users *users = context;
	const char *text =
		status->network ?
			json_object_to_json_string_ext(status->network, JSON_C_TO_STRING_PLAIN) :
			NULL;

	for (size_t i = 0; i < config->n_networks; i++) {
		struct network_user *user = array_push(users->v, users->n);

		user->id = xstrdup(config->id);
		user->name = xstrdup(config->name);
		user->network = xstrdup(config->networks[i].network);
		if (text)
			(void)network_status_parse(&user->status, text, strlen(text),
						   "record of the network", NULL);
	}
	return 0;
}

int network_users_load(struct network_users *ret, struct engine *e, struct err *err)
{
	auto_network_users struct network_users users = NETWORK_USERS_INIT;
	int r = record_each(e, add, &users, err);

	if (r < 0)
		return r;
	*ret = users;
	users = (struct network_users)NETWORK_USERS_INIT;
	return 0;
}

void network_users_done(struct network_users *users)
{
	for (size_t i = 0; i < users->n; i++) {
		free(users->v[i].id);
		free(users->v[i].name);
		free(users->v[i].network);
		network_status_done(&users->v[i].status);
	}
	free(users->v);
	*users = (struct network_users)NETWORK_USERS_INIT;
}

bool network_is_used(const struct network_users *users, const char *network)
{
	for (size_t i = 0; i < users->n; i++)
		if (str_eq(users->v[i].network, network))
			return true;
	return false;
}
