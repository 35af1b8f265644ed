/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux labels of a container: one for its processes, one for its files, with two categories that no other container
 * has, so that containers are kept apart. Where SELinux is not enabled there are none, whatever --security-opt says.
 */
#pragma once

#include "core/strbuf.h"
#include "engine/config.h"
#include "engine/engine.h"

bool selinux_is_enabled(void);

/* What --security-opt label=... says; borrowed strings, NULL: not said. */
struct selinux_options {
	bool disable;
	const char *user;
	const char *role;
	const char *type;
	const char *level;
	const char *filetype;
};
/* One such word, "type:spc_t". -EINVAL for one that there is none of. */
int selinux_option_parse(struct selinux_options *ret, const char *text);

/*
 * The labels (user:role:type:level) that follow from the policy's own for containers, with the options applied; level:
 * "s0:c1,c2". Pure. The caller owns them; -EINVAL when the policy's are no labels.
 */
int selinux_labels(const char *process, const char *file, const struct selinux_options *o,
		   const char *level, char **ret_process, char **ret_file);

/* Choose config->selinux_process and selinux_mount from config->security_opts; nothing without SELinux. */
int selinux_resolve(struct engine *e, struct container_config *config, struct err *err);
/*
 * Give a file or a tree of the host (links not followed) the container's label (Z), or with `shared` (z) that of all
 * containers. Nothing where the container has none. ERR_INVALID for directories of the system.
 */
int selinux_relabel(const struct container_config *config, const char *path, bool shared,
		    struct err *err);
