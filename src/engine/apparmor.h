/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor's part of a container: which profile it runs under, and the profile that it has by default. */
#pragma once

#include "core/strbuf.h"
#include "engine/config.h"

#define APPARMOR_PROFILE_DEFAULT "floe-default"

/* Whether the kernel has the profile, and whether the default one could be loaded. */
bool apparmor_is_loaded(const char *name);
bool apparmor_can_load(void);
/*
 * The name of the profile that the container has here, borrowed: what its configuration says ("unconfined" too), or
 * the default one on a machine with AppArmor, unless it is privileged; NULL: none.
 */
const char *apparmor_profile_of(const struct container_config *config);
/*
 * The profile that the runtime is to set, owned by the caller; NULL: none. That is what the configuration names, or
 * on a machine with AppArmor, unless the container is privileged, the default one, which is loaded when the kernel does
 * not have it. ERR_UNSUPPORTED when a profile is asked for and the machine has no AppArmor; ERR_NOT_FOUND when the
 * kernel does not have it.
 */
int apparmor_choose(const struct container_config *config, char **ret, struct err *err);
/*
 * For processes that come back with a profile: where it is the default one, have it loaded, which after a start of the
 * machine, or on another one, it need not be. What others are, and NULL, is for the runtime to judge.
 */
int apparmor_prepare_restore(const char *profile, struct err *err);
/* The text of the default profile under a name, as apparmor_parser(8) takes it. Pure. */
void apparmor_profile_text(const char *name, struct strbuf *ret);
