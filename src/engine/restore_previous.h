/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pre-checkpoint that a checkpoint was built upon, from an archive of its own. CRIU would take the memory of any other for
 * it without a word, so it is told apart before: by the container that both name, by what floe writes down of it in the
 * checkpoint's archive, and by CRIU's page maps.
 */
#pragma once

#include "engine/restore_content.h"

struct json_object;

/* For config.dump: a name of the pre-checkpoint that checkpoint/ is built upon, added to an object; nothing without one. */
void restore_previous_describe(const struct container *c, struct json_object *o);

/*
 * Unpack x->import->previous to where checkpoint/ looks for it; nothing when there is none. Both directories are in the static
 * directory. ERR_INVALID, ERR_CORRUPT when it is another one.
 */
int restore_previous_unpack(const struct restore_content *x, const struct container *c,
			    struct err *err);
