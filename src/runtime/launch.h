/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that setting up one container needs: worked out by the parent (create.c, run.c), read by
 * the child (init/child.c), which has it as copy of the parent's memory. Both sides meet in the
 * handshake (init/handshake.h).
 */
#pragma once

#include "core/strvec.h"
#include "runtime/bundle.h"
#include "runtime/cgroup/backend.h"
#include "runtime/container.h"
#include "runtime/device/host.h"
#include "runtime/device/plan.h"
#include "runtime/hooks.h"
#include "runtime/init/process.h"
#include "runtime/mount/exec.h"
#include "runtime/mount/plan.h"
#include "runtime/namespace/network_maker.h"
#include "runtime/namespace/plan.h"
#include "runtime/notify.h"
#include "runtime/operations.h"
#include "runtime/resctrl.h"
#include "runtime/seccomp/compile.h"

struct launch {
	struct runtime *rt; /* borrowed */
	const struct create_options *opts; /* borrowed */
	bool start_now; /* run: no exec.fifo, go on at once */

	struct bundle bundle;
	struct container container; /* its spec is bundle.spec, borrowed while the launch lasts */
	char *pid_file; /* absolute */

	/* Plans: pure, made before anything exists. */
	struct namespace_plan namespaces;
	struct mount_plan mounts;
	struct device_plan devices;
	struct process_plan process;
	struct seccomp_filter seccomp;
	struct strvec env;
	uint32_t listen_fds;
	uint32_t
		n_preserved_fds; /* numbers from 3 on that may be the container's, LISTEN_FDS and all */
	struct hooks_output hooks_output; /* for the hooks that init runs */
	bool has_pre_pivot_hooks; /* the child must wait for prestart and createRuntime */

	struct network_maker network;
	struct cgroup cgroup;
	struct mount_cgroup_hierarchy cgroup_v1[CGROUP_HIERARCHIES_MAX];
	struct mount_cgroup_facts cgroup_facts;
	struct strvec cgroup_texts; /* some of what the two above borrow */
	int *source_fds; /* from mount_open_sources(), owned */
	bool init_has_failed; /* and said why: that has been received */
	int *device_fds; /* from device_make_host_nodes(), owned */
	struct resctrl_plan resctrl;
	struct notify_socket notify;
	int root_fd; /* exec in a container without a mount namespace: its root file system */
	int wait_fifo_fd; /* exec: O_PATH of the fifo whose reader it waits for; -EBADF: of none */

	int console_socket_fd; /* connected; the child sends the pty master through it */
	int console_fd; /* foreground run with a terminal: the master, received */
	int console_pair_fd; /* our end of the pair that stands for a console socket */

	/* What the child runs: init_child_main(), exec_child_main(). Never returns. */
	void (*child_main)(struct launch *l);
	int sync_fd; /* the parent's end */
	int child_sync_fd; /* the child's end */
	bool is_privileged; /* we are root here (maybe of a user namespace) */
	bool is_rootless; /* runtime_is_rootless() */
	pid_t init_pid; /* 0 while none */
	bool init_in_unified; /* born in the v2 cgroup; valid on both sides */
	bool directory_is_ours;
	bool record_is_prepared; /* by launch_prepare_record() */
	bool starts_ahead; /* START comes before READY: init does what else the parent would do then */
	bool had_hooks; /* init was there, so hooks may have run: poststop must */
};

#define LAUNCH_INIT                                                                                \
	{                                                                                          \
		.bundle = BUNDLE_INIT, .container = CONTAINER_INIT,                                \
		.namespaces = NAMESPACE_PLAN_INIT, .notify = NOTIFY_SOCKET_INIT,                   \
		.console_socket_fd = -EBADF, .console_fd = -EBADF, .console_pair_fd = -EBADF,      \
		.sync_fd = -EBADF, .child_sync_fd = -EBADF, .root_fd = -EBADF,                     \
		.wait_fifo_fd = -EBADF, .hooks_output = HOOKS_OUTPUT_INIT                          \
	}

/*
 * The stages that create and restore have in common (core/stage.h); context is the struct launch.
 * After launch_plan_mounts() everything that mounting needs is known; launch_save() wants init_pid.
 */
int launch_load(void *context, struct err *err);
int launch_reserve_directory(void *context, struct err *err);
void launch_release_directory(void *context);
int launch_open_cgroup(void *context, struct err *err);
void launch_remove_cgroup(void *context);
int launch_plan_mounts(void *context, struct err *err);
/* While init is at work: write what will be its record, but where that cannot be known yet. */
int launch_prepare_record(void *context, struct err *err);
int launch_save(void *context, struct err *err);
/* The pid file, and the pidfd to the pidfd socket with the text `kind` ("standard", "setns"). */
int launch_write_pid_file(const struct launch *l, const char *kind, struct err *err);
void launch_forget_pid_file(void *context);
/* linux.seccomp, or the annotation that takes its place. */
int launch_plan_seccomp(struct launch *l, struct err *err);
/* The process of l->bundle.spec: plan, environment, descriptors to pass on. */
int launch_plan_process(struct launch *l, struct err *err);

/*
 * All of create up to the point where init either waits for `start` (start_now false) or has become
 * the container's program. On failure nothing is left.
 */
int launch_run(struct launch *l, struct err *err);
void launch_done(struct launch *l);

DEFINE_AUTO_VAL(launch, struct launch, launch_done)
#define auto_launch auto_cleanup(launch_cleanup_val)
