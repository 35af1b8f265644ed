/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all commands of the runtime share: the state root and the global options. A plain struct that
 * main fills and every operation takes; there are no globals.
 */
#pragma once

#include "core/err.h"
#include "core/strvec.h"

enum runtime_cgroup_driver {
	CGROUP_DRIVER_CGROUPFS,
	CGROUP_DRIVER_SYSTEMD,
	CGROUP_DRIVER_DISABLED,
};

enum runtime_rootless { ROOTLESS_AUTO, ROOTLESS_TRUE, ROOTLESS_FALSE };

struct runtime {
	char *root; /* absolute path of the state root, /run/floe-runtime by default; owned */
	int root_fd; /* O_PATH directory, -EBADF until runtime_open_root(); owned */
	enum runtime_cgroup_driver cgroup_driver;
	enum runtime_rootless rootless;
	char *criu_path; /* --criu or configuration; NULL: built-in search; owned */
	bool debug;
};

#define RUNTIME_INIT                                                                               \
	{                                                                                          \
		.root_fd = -EBADF                                                                  \
	}

/*
 * Open the state root rt->root. With `create` it is made when missing (0700; below a rootless
 * XDG_RUNTIME_DIR with the sticky bit, so that it is not pruned). Without, -ENOENT (ERR_NOT_FOUND)
 * when it is missing.
 */
int runtime_open_root(struct runtime *rt, bool create, struct err *err);
void runtime_done(struct runtime *rt);
/* The state root when --root is not given: /run/floe-runtime, or $XDG_RUNTIME_DIR/floe-runtime for a
 * user that is not root (and for root of a user namespace whose $USER is not root). Caller owns. */
char *runtime_default_root(void);
/* Whether cgroup permission errors are to be tolerated, by rt->rootless and who we are. */
bool runtime_is_rootless(const struct runtime *rt);

DEFINE_AUTO_VAL(runtime, struct runtime, runtime_done)
#define auto_runtime auto_cleanup(runtime_cleanup_val)
