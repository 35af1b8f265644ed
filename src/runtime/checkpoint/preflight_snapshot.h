/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen of a container: plain data, which preflight_collect.h fills, the checks judge, and
 * tests write by hand. Everything is owned unless it says otherwise.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/strvec.h"
#include "kernel/mountinfo.h"
#include "kernel/procfs.h"
#include "kernel/sock_diag.h"
#include "runtime/checkpoint/options.h"
#include "runtime/checkpoint/socket_place.h"

/* Those that CRIU cares about, as /proc/PID/ns names them. */
enum preflight_namespace {
	PREFLIGHT_NS_USER,
	PREFLIGHT_NS_PID,
	PREFLIGHT_NS_MNT,
	PREFLIGHT_NS_NET,
	PREFLIGHT_NS_IPC,
	PREFLIGHT_NS_UTS,
	PREFLIGHT_NS_CGROUP,
	PREFLIGHT_NS_TIME,
	PREFLIGHT_NS_TIME_FOR_CHILDREN,
	PREFLIGHT_NS_COUNT_,
};

extern const char *const preflight_namespace_names[PREFLIGHT_NS_COUNT_];

struct preflight_process {
	pid_t pid;
	pid_t ppid;
	pid_t pgrp;
	pid_t session;
	char comm[PROCFS_COMM_MAX];
	char state; /* of the leader: R S D Z T t ... */
	bool is_stuck; /* a thread was in state D whenever it was looked at */
	bool is_in_tree; /* init, or a descendant of it: what CRIU takes */
	bool is_in_cgroup;
	pid_t tracer; /* 0: none */
	uint32_t threads;
	uint32_t descriptors;
	uint64_t ns[PREFLIGHT_NS_COUNT_]; /* inodes; 0: not known */
	bool shares_memory; /* with its parent (CLONE_VM) */
	bool shares_fs; /* root, cwd and umask with its parent (CLONE_FS) */
	bool has_leader_timer; /* a POSIX timer that signals the thread group's leader as thread */
	bool has_uprobes;
	bool limits_are_denied; /* we, and so CRIU, may not read its resource limits */
	uint64_t memory_bytes;
	char *security_label; /* NULL: unconfined */
};

enum preflight_name {
	PREFLIGHT_NAME_UNKNOWN, /* not looked for */
	PREFLIGHT_NAME_SAME, /* the name leads to this file */
	PREFLIGHT_NAME_GONE, /* nothing has that name any more */
	PREFLIGHT_NAME_OTHER, /* another file has it */
};

/* A watch of inotify or fanotify. */
struct preflight_watch {
	bool is_lost; /* CRIU will not find what it is on */
	const char *fs_type; /* borrowed from the mounts; NULL: on none of them */
	char *path; /* when it was found by searching; NULL */
};

/* Something open, mapped, or executed, once however many processes have it. */
struct preflight_file {
	char *path; /* "/data/f", "/x (deleted)", "pipe:[7]", "anon_inode:[eventpoll]" */
	mode_t mode;
	unsigned int dev_major; /* of the file system */
	unsigned int dev_minor;
	uint64_t ino;
	unsigned int rdev_major; /* of a device */
	unsigned int rdev_minor;
	uint32_t links;
	uint64_t size;
	uint64_t stored_bytes; /* allocated */
	int mnt_id; /* -1: not known */
	const struct mountinfo_entry *mount; /* of the container; NULL: none; borrowed */
	bool is_internal; /* on a mount of the kernel's own: memfd, shared memory, pipes, sockets */
	uint64_t fs_magic; /* statfs(2); 0 unless it is on no mount of the container */
	enum preflight_name name;
	/* Sockets. */
	char *protocol; /* the kernel's name, "TCP"; NULL: not asked for */
	uint64_t netns; /* namespace, when it is not the container's; else 0 */
	bool passes_credentials; /* SO_PASSCRED, looked at only when data waits */
	enum socket_place place; /* of unix sockets, looked at only when it is in doubt */
	char *socket_path; /* as socket_find_place() says; NULL */
	/* inotify and fanotify. */
	struct preflight_watch *watches;
	size_t n_watches;
};

/* In place of a descriptor. */
#define PREFLIGHT_MAPPED (-1)
#define PREFLIGHT_PROGRAM (-2)
#define PREFLIGHT_CWD (-3)
#define PREFLIGHT_ROOT (-4)

/* One process's hold on one file. */
struct preflight_use {
	size_t process; /* index */
	size_t file; /* index */
	int descriptor; /* or one of the above */
	bool has_info; /* the following is known */
	unsigned int flags; /* O_... */
	char *lock; /* first lock held through it: "POSIX ADVISORY WRITE"; NULL */
	pid_t pidfd_pid; /* target of a pidfd: -1 ended or no pidfd, 0 not visible to us */
	char *tun_device; /* NULL: not attached */
};

struct preflight_mounts {
	uint64_t ns; /* inode of the mount namespace */
	struct mountinfo mounts;
};

/* What one look at a mount found. */
struct preflight_mount_state {
	const struct mountinfo_entry *mount; /* borrowed */
	bool has_content; /* of mqueue and pstore: files are in it */
	uint64_t used_bytes; /* of tmpfs */
};

enum preflight_option {
	PREFLIGHT_NO_OPTION,
	PREFLIGHT_TCP_ESTABLISHED,
	PREFLIGHT_TCP_SKIP_IN_FLIGHT,
	PREFLIGHT_LINK_REMAP,
	PREFLIGHT_EXT_UNIX_SK,
	PREFLIGHT_SHELL_JOB,
	PREFLIGHT_FILE_LOCKS,
	PREFLIGHT_ALLOW_UPROBES,
	PREFLIGHT_EXTERNAL_MASTERS,
	PREFLIGHT_OPTION_COUNT_,
};

struct preflight_option_info {
	const char *name; /* as CRIU's configuration file has it */
	const char *cli; /* of `checkpoint`; NULL: only by the configuration file */
};

extern const struct preflight_option_info preflight_option_infos[PREFLIGHT_OPTION_COUNT_];

/* The options in force: those of the caller and those of CRIU's configuration files. */
struct preflight_options {
	char *by[PREFLIGHT_OPTION_COUNT_]; /* what gives it: "--file-locks", "file-locks in
					    * '/etc/criu/floe.conf'"; NULL: not given */
	uint64_t ghost_limit; /* bytes */
	struct strvec scan_paths; /* irmap-scan-path */
	struct strvec file_systems; /* enable-fs */
	bool mntns_compat_mode; /* CRIU's older way to make mounts */
	bool pre_dump;
	bool has_parent;
	bool lazy_pages;
	enum checkpoint_network_lock network_lock;
};

#define PREFLIGHT_GHOST_LIMIT ((uint64_t)1 << 20) /* CRIU's default */

struct preflight_host {
	bool is_privileged;
	bool lacks_memory_tracking; /* looked at only when it is needed, as the others */
	bool lacks_userfaultfd;
	bool libbpf_is_linked; /* CRIU can keep maps of bpf */
	char *criu_error; /* why there is no CRIU; NULL: there is */
	char *page_server_error; /* why it cannot serve pages; NULL: it can, or need not */
	struct strvec missing_programs;
	bool has_disk_free;
	uint64_t disk_free_bytes;
	char *image_path;
	/* Namespaces of our own, which CRIU is in as well. */
	uint64_t ns[PREFLIGHT_NS_COUNT_];
	bool freezer_is_v1;
	bool is_frozen; /* the container is paused */
};

struct preflight_snapshot {
	char *id;
	struct preflight_process *processes; /* [0] is the container's init */
	size_t n_processes;
	/* Of init: owned by another user namespace than init's own. */
	bool ns_is_foreign[PREFLIGHT_NS_COUNT_];
	/* Init is not dumpable, so that only the root of the user namespace that its memory was made in may
	 * look at it: its own, until a restore makes it anew from without. */
	bool init_is_hidden; /* from its own */
	bool init_will_be_hidden; /* by the next restore */
	struct preflight_file *files;
	size_t n_files;
	struct preflight_use *uses;
	size_t n_uses;
	struct preflight_mounts *mount_namespaces; /* [0] is init's */
	size_t n_mount_namespaces;
	struct preflight_mount_state *mount_states;
	size_t n_mount_states;
	struct strvec externals; /* mount points that CRIU takes as given */
	struct sock_diag_list sockets; /* of init's network namespace */
	/* Paths of unix sockets outside that the container's are connected to, and that do not lead
	 * there from the container's root. */
	struct strvec unreachable_sockets;
	bool has_seccomp_listener; /* the configuration sends notifications */
	struct preflight_options options;
	struct preflight_host host;
	struct strvec unseen; /* what could not be looked at, a sentence each */
};

#define PREFLIGHT_SNAPSHOT_INIT                                                                    \
	{                                                                                          \
		0                                                                                  \
	}

void preflight_snapshot_done(struct preflight_snapshot *s);

/* Whether CRIU takes the mount at this mount point as given. */
bool preflight_is_external(const struct preflight_snapshot *s, const char *mount_point);
/* Whether a process that CRIU takes has this pid. */
bool preflight_is_in_tree(const struct preflight_snapshot *s, pid_t pid);
/* Whether a socket with this inode is open in the container. */
bool preflight_has_socket(const struct preflight_snapshot *s, uint32_t ino);
static inline const struct preflight_process *
preflight_process_of(const struct preflight_snapshot *s, const struct preflight_use *use)
{
	return &s->processes[use->process];
}

static inline const struct preflight_file *preflight_file_of(const struct preflight_snapshot *s,
							     const struct preflight_use *use)
{
	return &s->files[use->file];
}

DEFINE_AUTO_VAL(preflight_snapshot, struct preflight_snapshot, preflight_snapshot_done)
#define auto_preflight_snapshot auto_cleanup(preflight_snapshot_cleanup_val)
