/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor's part of a container: which profile it runs under, and the profile that it has by default. */
#pragma once

#include "core/strbuf.h"
#include "engine/config.h"

#define APPARMOR_PROFILE_DEFAULT "floe-default"

/*
 * The profile that the runtime is to set, owned by the caller; NULL: none. That is what the configuration names, or
 * on a machine with AppArmor, unless the container is privileged, the default one, which is loaded when the kernel does
 * not have it. ERR_UNSUPPORTED when a profile is asked for and the machine has no AppArmor; ERR_NOT_FOUND when the
 * kernel does not have it.
 */
int apparmor_choose(const struct container_config *config, char **ret, struct err *err);
/* The text of the default profile under a name, as apparmor_parser(8) takes it. Pure. */
void apparmor_profile_text(const char *name, struct strbuf *ret);
