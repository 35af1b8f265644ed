/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle: the directory with config.json and, usually, the root file system. */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "runtime/mount/exec.h"
#include "spec/runtime_spec.h"

struct bundle {
	char *path; /* absolute, cleaned */
	int dir_fd;
	struct runtime_spec spec; /* decoded and validated */
	char *config_text; /* the document as it was read, for the stored copy */
	size_t config_len;
	char *rootfs; /* absolute, cleaned */
	struct mount_root_id rootfs_id; /* what was there when it was checked */
};

#define BUNDLE_INIT                                                                                \
	{                                                                                          \
		.dir_fd = -EBADF                                                                   \
	}

/* path NULL: the current directory; config NULL: config.json in it. The root file system must be a
 * directory and no symlink; relative sources of binds are made absolute against the bundle. */
int bundle_load(struct bundle *ret, const char *path, const char *config, struct err *err);
void bundle_done(struct bundle *b);

DEFINE_AUTO_VAL(bundle, struct bundle, bundle_done)
#define auto_bundle auto_cleanup(bundle_cleanup_val)
