/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/list.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/strvec.h"
#include "runtime/container.h"

/* The user who owns the state directory: by name, or "#uid" where the id has none. */
static char *owner_of(const struct container *c)
{
	const struct passwd *pw;
	struct stat st;

	if (fstat(c->dir_fd, &st) < 0)
		return xstrdup("");
	if (st.st_uid == 0)
		return xstrdup("root");
	pw = getpwuid(st.st_uid);
	return pw ? xstrdup(pw->pw_name) : xasprintf("#%u", st.st_uid);
}

static int add_state(const struct runtime *rt, const char *id, struct container_states *states,
		     struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	struct container_state *state;
	int r = container_open(&c, rt, id, false, err);

	if (r < 0)
		return r;
	state = array_push(states->v, states->n);
	container_state_fill(&c, container_status(&c), state);
	replace_ptr(state->owner, owner_of(&c));
	return 0;
}

int container_list_states(const struct runtime *rt, struct container_states *ret, struct err *err)
{
	auto_container_states struct container_states states = { 0 };
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = container_list_ids(rt, &ids, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ids.n; i++) {
		struct err one = ERR_INIT;

		if (add_state(rt, ids.v[i], &states, &one) < 0 && one.kind != ERR_NOT_FOUND)
			log_warning("list container '%s': %s", ids.v[i], one.msg);
	}
	*ret = states;
	states = (struct container_states){ 0 };
	return 0;
}

void container_states_done(struct container_states *states)
{
	for (size_t i = 0; i < states->n; i++)
		json_done(&container_state_desc, &states->v[i]);
	free(states->v);
	*states = (struct container_states){ 0 };
}
