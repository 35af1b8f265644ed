/* SPDX-License-Identifier: Apache-2.0 */
/* The session keyring of a container (keyrings(7)). */
#pragma once

#include "core/err.h"

/*
 * Join the session keyring "_ses.<id>", which is made when it does not exist, so that the container
 * does not see the caller's keys; exec joins the same one. As runc: let others in a user namespace,
 * or the owner otherwise, search it. A kernel without keyrings is no error.
 */
int keyring_join_session(const char *id, bool in_user_namespace, struct err *err);
