/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup of one container, in every hierarchy that this host has: one node per v1 hierarchy, one
 * in the v2 tree (of a hybrid host too, as runc does), all with the same meaning.
 *
 * Life of a container:
 *
 *	cgroup_open()             paths only; touches nothing
 *	cgroup_create_unified()   the v2 directory, which clone needs
 *	   clone3(CLONE_INTO_CGROUP, cgroup_clone_fd())
 *	cgroup_create()           the other directories; may run while the child sets up its mounts
 *	cgroup_entry_open()       descriptors by which the init enters, sent to it
 *	   child: cgroup_enter_self(), then unshare(CLONE_NEWCGROUP)
 *	cgroup_apply()            limits and device rules
 *	cgroup_save_paths()       into the state file
 *
 *	cgroup_open_saved()       any later command; no discovery, no system call
 *	cgroup_freeze() ... cgroup_kill() cgroup_destroy()
 *
 * Why the init attaches itself (measured with nine v1 hierarchies and the v2 tree): a pid written to
 * any cgroup.procs takes the kernel's global threadgroup lock for writing and thereby waits for an
 * RCU grace period, 7 to 10 ms on an idle machine. A process that writes "0" to a v1 `tasks` file
 * moves only the writing thread and skips that lock (cgroup_procs_write_start() in
 * kernel/cgroup/cgroup.c), and CLONE_INTO_CGROUP never takes it: together 0.1 ms.
 *
 * CLONE_NEWCGROUP must not be among the flags of that clone: the new namespace would be rooted at
 * the parent's cgroup (copy_cgroup_ns() runs before the child is attached). The child unshares it
 * after cgroup_enter_self().
 *
 * A node that is not there because the host lacks the controller is skipped; asking for one of its
 * limits is an error that names controller and limit.
 *
 * With the systemd driver the cgroup is that of a scope, which systemd makes around a process and puts
 * it into: nothing can be made before the clone, cgroup_create_unified() does nothing, and
 * cgroup_create() is told the init's pid. What systemd has left to do is in the entry as above.
 */
#pragma once

#include <sys/types.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"
#include "runtime/runtime.h"
#include "spec/runtime_linux.h"

/*
 * The drivers are those of runtime.h. CGROUP_DRIVER_SYSTEMD: systemd.c; ERR_UNSUPPORTED where systemd
 * cannot be reached. CGROUP_DRIVER_DISABLED: no cgroup at all; every operation succeeds and does
 * nothing, but freezing and statistics are ERR_UNSUPPORTED, and limits give a warning.
 */

#define CGROUP_HIERARCHIES_MAX 24

/* The container's cgroup in one hierarchy. */
struct cgroup_node {
	char *controllers; /* "cpu,cpuacct", "name=systemd"; "" for the v2 tree; owned */
	char *path; /* whole path of the directory: "/sys/fs/cgroup/memory/web"; owned */
	size_t mount_len; /* path + mount_len is the path below the mount point ("/web"); 0: unknown */
	bool unified; /* the v2 tree */
	bool absent; /* could not be created, which a rootless caller accepts */
	int dir_fd; /* O_PATH of the directory while open, else -EBADF */
	bool ready; /* cgroup_create() has been through with it */
	bool has_program; /* cgroup_apply() has attached device rules to it */
	size_t made_from; /* what follows this slash of path was made by cgroup_create(); 0: nothing */
	bool joined; /* systemd has put the process into it */
};

struct cgroup_backend;
struct cgroup_systemd;

/* Read the members through the functions below, apart from node[] and n_nodes, which may be listed. */
struct cgroup {
	const struct cgroup_backend *backend; /* NULL: not open; cgroup_close() accepts it */
	struct cgroup_node *node;
	size_t n_nodes;
	bool is_v2; /* pure v2: the only node is the unified one */
	bool rootless;
	bool tolerate_denied; /* rootless without a cgroupsPath: no permission is no error */
	bool wants_domain; /* limits of controllers that a threaded v2 cgroup cannot have */
	bool wants_process; /* can only be made around a process, by cgroup_create() */
	bool has_device_rules; /* cgroup_apply_before_entry() has; the next cgroup_apply() need not */
	bool has_written; /* cgroup_update() has something to take back */
	struct cgroup_systemd *systemd; /* what the systemd driver knows; owned, may be NULL */
};

#define CGROUP_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

struct cgroup_opts {
	enum runtime_cgroup_driver driver;
	const char *cgroups_path; /* linux.cgroupsPath as given; NULL or "": the runtime's choice */
	const char *id; /* container id */
	const struct oci_resources
		*resources; /* only looked at, during cgroup_open(); may be NULL */
	const struct json_string_map *annotations; /* likewise */
	/* cgroupfs: without a cgroupsPath, a denied mkdir is not an error. systemd: the user's. */
	bool rootless;
	const char *prefix; /* tests: proc and the mount points are looked up below it */
};

/*
 * Find the hierarchies and compute the container's path in each (path.h has the rules). Nothing is
 * touched. *ret is the caller's, to be closed with cgroup_close(), also after a failure.
 * Errors: ERR_INVALID (a path with "..", the root cgroup, an annotation), ERR_UNSUPPORTED (no cgroups
 * mounted, no systemd).
 */
int cgroup_open(struct cgroup *ret, const struct cgroup_opts *opts, struct err *err);
/*
 * The same from the map that cgroup_save_paths() made (runc's cgroup_paths: controller -> whole
 * path, "" for v2). An empty map gives the disabled backend. No system call. ERR_CORRUPT: a path that
 * is not absolute and clean. The systemd driver finds the unit by the paths, and the user's systemd if
 * the caller sets ->rootless afterwards.
 */
int cgroup_open_saved(struct cgroup *ret, enum runtime_cgroup_driver driver,
		      const struct json_string_map *paths, struct err *err);
/* Append controller -> path pairs: one for each controller of merged hierarchies. */
void cgroup_save_paths(const struct cgroup *cg, struct json_string_map *paths);
/* Descriptors and memory only; the cgroup stays. */
void cgroup_close(struct cgroup *cg);

/*
 * Make the directories (0755), parents included. An existing one is accepted when no process is in
 * it or below and it is not frozen (ERR_STATE: "container's cgroup is not empty: 2 process(es)
 * found", "container's cgroup unexpectedly frozen").
 * v1: empty cpuset.cpus and cpuset.mems are inherited from above. v2: every available controller is
 * passed down, the cgroup.type of each level is checked.
 * On failure nothing that this call made is left. Nodes that exist already by
 * cgroup_create_unified() are passed over.
 * pid: of a process that the systemd driver puts into the cgroup; it must be ours and not go on before it
 * has been told so. The other drivers do not look at it.
 */
int cgroup_create(struct cgroup *cg, pid_t pid, struct err *err);
/* The part of cgroup_create() that CLONE_INTO_CGROUP needs: the v2 node alone (all there is, on a v2
 * host). Nothing on a v1 host. */
int cgroup_create_unified(struct cgroup *cg, struct err *err);
/* Remove what cgroup_create() of this very struct made, parents included where they are empty; for
 * the undo of a failed create. Cannot fail; waits a bounded time for processes to go. */
void cgroup_undo_create(struct cgroup *cg);
/*
 * Write the limits of res and, on a v2 host, attach the device program; the default device rules of
 * the runtime are always appended, also when res is NULL. Call after cgroup_create() and before the
 * container's program starts. Errors name the limit, file and value.
 */
int cgroup_apply(struct cgroup *cg, const struct oci_resources *res, struct err *err);
/*
 * The part of cgroup_apply() for which nobody may be inside: version 1's device rules begin by denying
 * everything, and who opens /dev/null just then, does not get it. Between cgroup_create() and the entry
 * of a process; may be left out where that does not use devices yet.
 */
int cgroup_apply_before_entry(struct cgroup *cg, const struct oci_resources *res, struct err *err);
/*
 * For `update`: write what is set in res; device rules are left alone. When a write fails and old is
 * not NULL, old is written again (errors of that are only logged), and the first error is returned.
 */
int cgroup_update(struct cgroup *cg, const struct oci_resources *res,
		  const struct oci_resources *old, struct err *err);
/* The ownership rule of the runtime-spec: a v2 directory and its delegatable files
 * (/sys/kernel/cgroup/delegate) to this host uid; the group stays. Nothing on v1. */
int cgroup_chown(struct cgroup *cg, uid_t uid, struct err *err);

/* In a forked child, which shall not have the connection to systemd. */
void cgroup_release_in_child(struct cgroup *cg);
/* Whether this build has the systemd driver. */
bool cgroup_has_systemd(void);

/* The v2 directory for clone_args.cgroup with CLONE_INTO_CGROUP, once it is created (or of an
 * existing cgroup); borrowed. -ENOENT: there is no v2 tree, or it is denied to a rootless caller. */
int cgroup_clone_fd(struct cgroup *cg);

/* Descriptors for the way in: plain data, to be inherited or sent. */
struct cgroup_entry {
	size_t n;
	int fd[CGROUP_HIERARCHIES_MAX]; /* v1 `tasks` files, and the v2 cgroup.procs where needed */
	const char
		*name[CGROUP_HIERARCHIES_MAX]; /* for messages; borrowed from the struct cgroup */
};

#define CGROUP_ENTRY_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* in_unified: the process is born with CLONE_INTO_CGROUP, so that it need not enter the v2 tree,
 * which is the slow way. All close-on-exec. After cgroup_create() or cgroup_open_saved() (exec). */
int cgroup_entry_open(struct cgroup *cg, bool in_unified, struct cgroup_entry *ret,
		      struct err *err);
/* Take over received descriptors; cg, of the same container, gives the names. */
void cgroup_entry_from_fds(struct cgroup_entry *ret, const struct cgroup *cg, const int *fds,
			   size_t n);
void cgroup_entry_close(struct cgroup_entry *entry);
/*
 * The calling process, which must have a single thread, enters. Async-signal-safe, no memory; in any
 * pid, user or mount namespace (permission is that of whoever opened the files).
 */
int cgroup_enter_self(const struct cgroup_entry *entry, struct err *err);
/*
 * For a process that is about to enter an existing cgroup (exec): have systemd move it in the v2 tree
 * where only systemd may. True: done, and left out of the entry that is opened next. False: it has to
 * enter by itself.
 */
bool cgroup_place(struct cgroup *cg, pid_t pid);
/* Another process, all its threads: 7 to 10 ms where v1 is in use; prefer cgroup_enter_self() between
 * fork and exec. */
int cgroup_attach_pid(struct cgroup *cg, pid_t pid, struct err *err);

/* Freeze and wait until it is so. On failure (also time-out, 10 s) the cgroup is thawed again. */
int cgroup_freeze(struct cgroup *cg, struct err *err);
/* A cgroup that is gone has nobody to thaw. */
int cgroup_thaw(struct cgroup *cg, struct err *err);
/* Whether the container is frozen by its own freezer. A cgroup that is gone, or no freezer: false. */
int cgroup_is_frozen(struct cgroup *cg, bool *ret, struct err *err);
/* Directory of the freezer for CRIU's freeze_cgroup: v1 freezer, else the v2 directory; NULL when
 * there is none. Borrowed. */
const char *cgroup_freezer_path(const struct cgroup *cg);

struct cgroup_pids {
	pid_t *v; /* in our pid namespace, each once */
	size_t n;
};
/* All processes of the cgroup and its children; none when the cgroup is gone. */
int cgroup_pids(struct cgroup *cg, struct cgroup_pids *ret, struct err *err);
void cgroup_pids_done(struct cgroup_pids *pids);
/*
 * SIGKILL to every process, none can escape by forking: cgroup.kill (Linux 5.14), else frozen first.
 * A frozen cgroup is thawed so that they die. Does not wait for their end.
 */
int cgroup_kill(struct cgroup *cg, struct err *err);
/* Another signal to every process there is at this moment (kill --all). */
int cgroup_signal(struct cgroup *cg, int sig, struct err *err);

/*
 * Remove the container's directories and what is below them. Processes that are about to end are
 * waited for (up to 2 s in all, first retry after 1 ms); then ERR_STATE naming directory and count.
 * Directories that are gone are no error. Parents stay.
 */
int cgroup_destroy(struct cgroup *cg, struct err *err);
/*
 * The same where all processes should have ended: the kernel removes no directory that has any, so
 * there is nothing to look for, let alone to freeze and kill. False: there are some, or cgroups below,
 * or systemd has to be asked; then it takes cgroup_kill() and cgroup_destroy().
 */
bool cgroup_destroy_unused(struct cgroup *cg);
/* Whether any of the directories is there. */
bool cgroup_exists(const struct cgroup *cg);

/* The node of a controller ("memory"; "" for the v2 tree); on a v2 host every controller but the
 * named hierarchies gives the v2 node. NULL when there is none. */
const struct cgroup_node *cgroup_node_of(const struct cgroup *cg, const char *controller);

DEFINE_AUTO_VAL(cgroup, struct cgroup, cgroup_close)
#define auto_cgroup auto_cleanup(cgroup_cleanup_val)
DEFINE_AUTO_VAL(cgroup_entry, struct cgroup_entry, cgroup_entry_close)
#define auto_cgroup_entry auto_cleanup(cgroup_entry_cleanup_val)
DEFINE_AUTO_VAL(cgroup_pids, struct cgroup_pids, cgroup_pids_done)
#define auto_cgroup_pids auto_cleanup(cgroup_pids_cleanup_val)
