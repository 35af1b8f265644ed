/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What power CRIU's images give the processes that come out of them. CRIU takes credentials, namespaces, seccomp
 * filters and mounts from the images and from nowhere else, so that whoever wrote the images decides, whatever the
 * documents beside them say.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/strvec.h"

struct criu_access {
	uint64_t capabilities; /* in any set of any thread */
	size_t n_threads;
	size_t n_unfiltered; /* threads without a seccomp filter */
	int allowed_call; /* a call that no container may make and some thread's filter lets through; -1: none */
	struct strvec host_namespaces; /* "pid": the first process would be in the host's */
	struct strvec lsm_profiles; /* of threads, each once */
	struct strvec
		mounts; /* that CRIU would make of what is no container's: "devtmpfs on /mnt" */
	struct strvec cgroups; /* what it would write outside of the container's cgroups */
	bool root_is_shared; /* the root's mount is to belong to a peer group of the host's, or to get its mounts */
	bool has_apparmor_policy; /* that would be loaded into the kernel */
};
#define CRIU_ACCESS_INIT                                                                           \
	{                                                                                          \
		.allowed_call = -1                                                                 \
	}

void criu_access_done(struct criu_access *access);
DEFINE_AUTO_VAL(criu_access, struct criu_access, criu_access_done)
#define auto_criu_access auto_cleanup(criu_access_cleanup_val)

/* guarded: system calls to try on each filter. ERR_CORRUPT for images that cannot be read. */
int criu_images_access(struct criu_access *ret, int dir_fd, const int *guarded, size_t n_guarded,
		       struct err *err);
