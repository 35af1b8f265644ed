/* SPDX-License-Identifier: Apache-2.0 */
/* All containers of a state root, as `list` shows them. */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "runtime/runtime.h"
#include "spec/runtime_state.h"

struct container_states {
	struct container_state *v;
	size_t n;
};

/*
 * States of all containers, sorted by id, with their owners. One that cannot be read is left out
 * with a warning, so that it does not hide the others; one that vanishes meanwhile is left out. An
 * empty list when the root does not exist (rt->root_fd negative).
 */
int container_list_states(const struct runtime *rt, struct container_states *ret, struct err *err);
void container_states_done(struct container_states *states);

DEFINE_AUTO_VAL(container_states, struct container_states, container_states_done)
#define auto_container_states auto_cleanup(container_states_cleanup_val)
