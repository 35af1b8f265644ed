/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU is asked to do, computed from options, configuration and facts: pure, so that requests
 * are tested as text (criu_message_to_text()). The behaviour is runc's, plus crun's --network-lock
 * and --tcp-close. The procedures that collect the facts and act on the result are dump.c and
 * restore.c:
 *
 *	dump                                       restore
 *	checkpoint_options_check()                 restore_options_check()
 *	                                           restore_namespaces(): files to open as extra_fds
 *	criu_client_open()                         criu_client_open()
 *	criu_client_version()                      criu_client_version()
 *	externals_make(), resolve                  externals_make(), resolve
 *	checkpoint_request_make()                  restore_request_make()
 *	criu_client_need_features(need)
 *	                                           place criu into the cgroup
 *	                                           restore_request_add_cgroups()
 *	criu_client_run(message)                   criu_client_run(message)
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/strvec.h"
#include "criu/client.h"
#include "kernel/procfs.h"
#include "runtime/checkpoint/descriptors.h"
#include "runtime/checkpoint/externals.h"
#include "runtime/checkpoint/options.h"
#include "spec/runtime_spec.h"

/* Without an annotation, the first of these that exists is CRIU's configuration file. */
#define CHECKPOINT_CONFIG_FILES "/etc/criu/floe.conf", "/etc/criu/runc.conf"
#define CHECKPOINT_CONFIG_ANNOTATION "org.criu.config"

/* Versions of CRIU as criu_client_version() gives them. */
#define CRIU_VERSION_MIN 30000 /* the first that tells its version */
#define CRIU_VERSION_NET_NS 31100 /* external network namespaces, configuration files */
#define CRIU_VERSION_FREEZER_V2 31400 /* and time namespaces */
#define CRIU_VERSION_PID_NS 31500 /* external pid namespaces; status-ready */
#define CRIU_VERSION_LSM 31600 /* and nftables */
#define CRIU_VERSION_MOUNTS_V2 31700 /* mounts made apart and moved to their places */
#define CRIU_VERSION_LOCK_SKIP 31900
#define CRIU_VERSION_USERNS 40300 /* cgroup namespaces in user namespaces without the overflow id */

struct checkpoint_request {
	CriuReq *message; /* owned */
	/* Features to be asked for before the message is sent. */
	struct criu_features need;
	/* This CRIU has no status-ready notification: it got the status fd itself (which the caller
	 * closes at the first answer). Otherwise the caller serves the notification. */
	bool status_fd_is_passed;
};

#define CHECKPOINT_REQUEST_INIT                                                                    \
	{                                                                                          \
		0                                                                                  \
	}

void checkpoint_request_done(struct checkpoint_request *request);

/*
 * What can be said of the options alone: ERR_USAGE for values that are wrong or exclude each other.
 * That a parent image exists, and that the status fd is open for writing, is the caller's to check.
 */
int checkpoint_options_check(const struct checkpoint_options *opts, struct err *err);
int restore_options_check(const struct restore_options *opts, struct err *err);

/* Everything is borrowed. */
struct checkpoint_facts {
	int criu_version;
	pid_t init_pid;
	int images_dir_fd;
	int work_dir_fd; /* -1: the image directory */
	const char *rootfs; /* absolute path on the host */
	const char *config_file; /* used when the configuration has no annotation; NULL: none */
	const char *freezer_path; /* cgroup_freezer_path(); NULL: CRIU freezes by ptrace */
	bool freezer_is_v2;
	uint64_t
		network_ns_inode; /* of the namespace that the configuration names by path; 0: none */
	uint64_t pid_ns_inode;
	const struct externals *externals;
	const char
		*cgroup_yard; /* directory with all hierarchies by name, spares CRIU from mounting
				  * them; NULL: none */
	const struct strvec
		*watch_paths; /* where CRIU finds what is watched; NULL: nothing to say */
	int log_level; /* 0: 4, debug */
};

/*
 * ERR_UNSUPPORTED when this CRIU is too old for what is asked; ERR_USAGE as above. The caller owns
 * *ret. leave_running of a pre-dump is CRIU's own affair.
 */
int checkpoint_request_make(struct checkpoint_request *ret, const struct checkpoint_options *opts,
			    const struct runtime_spec *spec, const struct checkpoint_facts *facts,
			    struct err *err);

#define RESTORE_NAMESPACES_MAX 2

/* A namespace file that the criu process must inherit: element i as CRIU_FIRST_EXTRA_FD + i. */
struct restore_namespace {
	const char *path; /* borrowed from the configuration */
	const char *key; /* static: "extRootNetNS" */
};

/* The network and pid namespaces that are joined by path, in the order of the configuration. */
size_t restore_namespaces(const struct runtime_spec *spec,
			  struct restore_namespace ret[RESTORE_NAMESPACES_MAX]);

/* Everything is borrowed. */
struct restore_facts {
	int criu_version;
	int images_dir_fd;
	int work_dir_fd; /* -1: the image directory */
	const char *root; /* the mount of the rootfs that CRIU builds on (criu-root) */
	const char *config_file;
	const struct externals *externals;
	const struct descriptors *descriptors;
	const char *cgroup_yard;
	int log_level; /* 0: 4, debug */
};

int restore_request_make(struct checkpoint_request *ret, const struct restore_options *opts,
			 const struct runtime_spec *spec, const struct restore_facts *facts,
			 struct err *err);
/* Restored tasks go into the cgroups that criu is in. cgroups is that of the criu process. */
void restore_request_add_cgroups(struct checkpoint_request *request,
				 const struct procfs_cgroups *cgroups);

DEFINE_AUTO_VAL(checkpoint_request, struct checkpoint_request, checkpoint_request_done)
#define auto_checkpoint_request auto_cleanup(checkpoint_request_cleanup_val)
