/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes of the container's process: what the configuration's process object asks for, first
 * worked out (in the parent, where bad input is refused before anything exists), then applied by the
 * init child, one small function each.
 *
 * The order, and who calls (runtime-spec; runc's order):
 *
 *   parent  process_plan_make()
 *   child   process_set_oom_score_adj()   early: while /proc is the host's; by the parent where the
 *                                         child is in a new user namespace
 *           ... namespaces, mounts, pivot_root, hostname, sysctl ...
 *           umask(plan.umask)
 *           process_set_no_new_privs()
 *           scheduling_apply(&plan.scheduling)
 *   parent  process_set_rlimits(plan, pid of the child)    needs CAP_SYS_RESOURCE of the host
 *   child   LSM exec label, seccomp unless no_new_privs
 *           child_close_host_descriptors()
 *           process_take_identity()       bounding, user, cwd, capabilities
 *           exec_path_find()              as the container's user
 *           seccomp if no_new_privs; start gate; startContainer hooks; execve
 *
 * The plan is plain data and borrows strings and lists from the process object, which must outlive it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/strvec.h"
#include "kernel/caps.h"
#include "kernel/rlimits.h"
#include "runtime/init/scheduling.h"
#include "spec/runtime_spec.h"

struct process_rlimit {
	int resource;
	uint64_t soft;
	uint64_t hard;
};

struct process_plan {
	uint32_t uid;
	uint32_t gid;
	const uint32_t *gids; /* borrowed */
	size_t n_gids;
	uint32_t umask; /* 0022 when the configuration has none */
	const char *cwd; /* borrowed */
	bool has_caps; /* false: leave all sets alone */
	struct caps_sets caps; /* those that the kernel has; what we hold is seen when applied */
	struct process_rlimit rlimits[RLIMITS_MAX];
	size_t n_rlimits;
	bool no_new_privs;
	struct opt_i64 oom_score_adj;
	struct scheduling_plan scheduling;
};

/*
 * linux_ gives personality and memory policy; NULL: none. Capability names that this kernel does not
 * have are left out, with a line in *ret_warnings (may be NULL), as every runtime does. A
 * rlimit that is unknown, double or has soft > hard is ERR_INVALID, and so is what scheduling_plan_make() refuses.
 */
int process_plan_make(struct process_plan *ret, const struct oci_process *process,
		      const struct oci_linux *linux_, struct strvec *ret_warnings, struct err *err);

/* Write the value, if any, to /proc/PID/oom_score_adj of the host's procfs (pid 0: our own); failure is
 * an error. Lowering needs CAP_SYS_RESOURCE of the host's user namespace, so not in another one. */
int process_set_oom_score_adj(const struct process_plan *plan, pid_t pid, struct err *err);
/* prlimit(2) on pid; 0: the calling process. */
int process_set_rlimits(const struct process_plan *plan, pid_t pid, struct err *err);
int process_set_no_new_privs(const struct process_plan *plan, struct err *err);

struct process_facts {
	bool in_user_namespace; /* not the host's: setgroups(2) may be denied */
	bool keep_groups; /* run.oci.keep_original_groups: no setgroups(2) at all */
};

/*
 * Become the container's user: chdir (also tried as the user when denied now), drop the bounding
 * set, owner of stdio, groups, gid, uid, check that the current directory is inside the container,
 * capabilities, ambient set. Capabilities that we do not hold are left out (debug log).
 *
 * Afterwards the process is not dumpable and /proc/self is root's.
 */
int process_take_identity(const struct process_plan *plan, const struct process_facts *facts,
			  struct err *err);

/* The pieces of process_take_identity(), for tests. */

/* Refuse a current directory that is outside of the root of our mount namespace, which is how a
 * descriptor of the host that leaked into us would show (CVE-2024-21626). */
int process_check_cwd(struct err *err);
/*
 * Give stdin, stdout and stderr to uid (not the group), unless they are its own or /dev/null.
 * EPERM, EROFS and EINVAL are ignored: a user namespace may not own them.
 */
int process_own_stdio(uint32_t uid, struct err *err);
/* setgroups, setresgid, setresuid. Keeps capabilities (PR_SET_KEEPCAPS) when plan->has_caps. */
int process_switch_user(const struct process_plan *plan, const struct process_facts *facts,
			struct err *err);
