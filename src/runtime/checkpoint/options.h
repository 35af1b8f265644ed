/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller may ask of a checkpoint and of a restore: the options of runc and crun together.
 * Plain structs whose strings are borrowed; all zero is the default of every option. Which values
 * make sense together is checked by request.h.
 */
#pragma once

#include "core/json_table.h"
#include "core/strvec.h"

/* --manage-cgroups-mode: what CRIU does with the cgroups below the container's. */
enum checkpoint_cgroups_mode {
	CHECKPOINT_CGROUPS_DEFAULT, /* CRIU's: soft */
	CHECKPOINT_CGROUPS_SOFT, /* restore properties of those that CRIU has to make */
	CHECKPOINT_CGROUPS_FULL, /* of all */
	CHECKPOINT_CGROUPS_STRICT, /* fail when one exists already */
	CHECKPOINT_CGROUPS_IGNORE, /* do not deal with cgroups */
};

/* --network-lock: how CRIU keeps packets away from frozen connections. Restore uses the method of
 * the dump, which is in the image. */
enum checkpoint_network_lock {
	CHECKPOINT_NETWORK_LOCK_DEFAULT, /* as CRIU was built: iptables or nftables */
	CHECKPOINT_NETWORK_LOCK_IPTABLES,
	CHECKPOINT_NETWORK_LOCK_NFTABLES, /* CRIU 3.16 */
	CHECKPOINT_NETWORK_LOCK_SKIP, /* CRIU 3.19 */
};

struct checkpoint_options {
	const char *image_path; /* NULL: "checkpoint" below the current directory */
	const char *work_path; /* for CRIU's log and statistics; NULL: the image directory */
	const char *parent_path; /* image of a pre-dump, relative to image_path; NULL: none */
	bool leave_running;
	bool tcp_established;
	bool tcp_skip_in_flight;
	bool link_remap;
	bool ext_unix_sk;
	bool shell_job;
	bool file_locks;
	bool pre_dump;
	bool auto_dedup;
	bool lazy_pages;
	struct opt_i64 status_fd; /* gets one NUL byte when the lazy page server listens */
	const char *page_server; /* "ADDRESS:PORT"; NULL: none */
	struct strvec empty_ns; /* names; only "network" exists, and it is always in force */
	enum checkpoint_cgroups_mode cgroups_mode;
	enum checkpoint_network_lock network_lock;
};

struct restore_options {
	const char *image_path; /* as above */
	const char *work_path;
	bool tcp_established;
	bool tcp_close; /* connections are closed instead of restored */
	bool ext_unix_sk;
	bool shell_job;
	bool file_locks;
	bool auto_dedup;
	bool lazy_pages; /* a lazy-pages daemon serves the work directory */
	struct strvec empty_ns;
	enum checkpoint_cgroups_mode cgroups_mode;
	enum checkpoint_network_lock network_lock;
	const char *lsm_profile; /* "TYPE:NAME"; NULL: that of the dump */
	const char *
		lsm_mount_context; /* replaces context= of restored mounts; NULL: that of the dump */
	/* containerd repeats the options of the checkpoint; the image itself knows its parent. */
	const char *parent_path;
};

#define CHECKPOINT_DEFAULT_DIRECTORY "checkpoint"
#define CHECKPOINT_DUMP_LOG "dump.log"
#define CHECKPOINT_RESTORE_LOG "restore.log"
