/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with CRIU.
 *
 * Theory of operation. `criu swrk 3` is started with one end of a SEQPACKET socket pair as its
 * descriptor 3; our copy of that end is closed at once, so that the death of CRIU is the end of the
 * conversation. One protobuf message is one datagram. We ask, CRIU answers:
 *
 *	us                               criu
 *	VERSION, keep_open          -->
 *	                            <--  VERSION
 *	FEATURE_CHECK, keep_open    -->
 *	                            <--  FEATURE_CHECK
 *	DUMP (RESTORE, ...)         -->
 *	                            <--  NOTIFY "pre-dump"
 *	NOTIFY, notify_success      -->
 *	                            <--  NOTIFY "network-lock", and so on
 *	                                 ...
 *	                            <--  DUMP, success or not
 *	shutdown(SHUT_WR)           -->
 *	waitpid()                   <--  exit status 0
 *
 * The questions and the work share one process: starting a second one costs more than all the rest
 * of a small dump. A CRIU that ends the conversation after a question although it was asked to keep
 * it open gets a new process for each request; nobody but the caller's clock notices.
 *
 * CRIU opens the descriptors images_dir_fd, work_dir_fd and status_fd of a request as /proc/PID/fd/N,
 * where PID is the process that made the socket pair: whoever calls criu_client_open() must be the
 * process that has these descriptors, and must stay alive. inherit_fd and ps.fd on the other hand are
 * descriptors of the criu process itself: 0, 1, 2 are opts.stdio, 4 and up are opts.extra_fds.
 *
 * With rst_sibling the restored root process becomes our child. CRIU is not killed when we die: it
 * sees the end of the conversation, cures the processes that it holds and lets them run.
 */
#pragma once

#include <sys/types.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/macro.h"
#include "core/proc.h"
#include "core/strvec.h"
#include "criu/message.h"

/* The first of opts.extra_fds is this descriptor in the criu process. */
#define CRIU_FIRST_EXTRA_FD 4

/* Everything is borrowed for the client's life. */
struct criu_client_opts {
	const char *program; /* path of criu; see find.h */
	int stdio[3]; /* of criu, which a restored process may inherit; negative: /dev/null */
	const int *extra_fds;
	size_t n_extra_fds;
	/* As of struct proc_spawn_opts, for where criu is to run. */
	int (*setup)(void *context);
	void *setup_context;
	const int *cgroup_fd;
	int timeout_ms; /* for each answer; negative: for ever */
	const char *log_path; /* where CRIU's log will be, for messages; may be NULL */
};

#define CRIU_CLIENT_OPTS_INIT                                                                      \
	{                                                                                          \
		.stdio = { -EBADF, -EBADF, -EBADF }, .timeout_ms = -1                              \
	}

struct criu_client {
	struct criu_client_opts opts;
	struct proc proc;
	int socket; /* -EBADF while there is no process */
	int pidfd;
	bool keeps_open; /* false once this CRIU was found not to */
	CriuReqType done; /* the work that this process has completed; EMPTY: none */
};

#define CRIU_CLIENT_INIT                                                                           \
	{                                                                                          \
		.socket = -EBADF, .pidfd = -EBADF                                                  \
	}

/* Start criu. Errors: ERR_SYSTEM when it cannot be executed. */
int criu_client_open(struct criu_client *ret, const struct criu_client_opts *opts, struct err *err);
/* The process that will do the next request, for who must place it into a cgroup beforehand. */
int criu_client_pid(struct criu_client *client, pid_t *ret, struct err *err);

/* major * 10000 + minor * 100 + sublevel; a build from git counts as the next minor release. */
int criu_client_version(struct criu_client *client, int *ret, struct err *err);

struct criu_features {
	bool mem_track; /* soft-dirty bits: pre-dump, parent images */
	bool lazy_pages; /* userfaultfd */
	bool pidfd_store;
};
/* Which of the wanted features this CRIU has on this kernel; those not wanted come back false. CRIU
 * has to probe the kernel for it (35 ms where it cannot keep its cache on /run). */
int criu_client_features(struct criu_client *client, const struct criu_features *want,
			 struct criu_features *ret, struct err *err);
/* ERR_UNSUPPORTED "criu is missing features: [MemTrack]: ..." unless all wanted ones are there. */
int criu_client_need_features(struct criu_client *client, const struct criu_features *want,
			      struct err *err);

/* What CRIU says on its way; it waits for the answer. */
struct criu_notification {
	const char *script; /* "pre-dump", "post-restore", ... */
	pid_t pid; /* of the root task as the host sees it; 0 where CRIU does not say it */
	int *fds; /* descriptors that came along; take_fd() what you keep, the rest is closed */
	size_t n_fds;
	struct strvec *external; /* for query-ext-files: further entries for opts.external */
};

struct criu_notify_ops {
	/*
	 * Called for each notification. Unknown scripts must be answered with 0. A failure is told to
	 * CRIU, which gives the whole operation up, except at its last stages (network-unlock,
	 * pre-resume, post-resume), where it goes on.
	 */
	int (*notify)(void *context, struct criu_notification *notification, struct err *err);
	/* Called once, when the first answer of any kind has come: CRIU has opened the descriptors of
	 * the request by then. May be NULL. */
	void (*answered)(void *context);
	/* Called once, when the request is sent and CRIU is busy with it. May be NULL. */
	void (*sent)(void *context);
};

struct criu_result {
	bool success; /* CRIU's own word */
	int cr_errno; /* 0 when CRIU did not say */
	pid_t pid; /* root task of a restore, also of one that failed; 0: none was made */
	int32_t page_server_port; /* of PAGE_SERVER; 0: none */
	char message[512]; /* CRIU's first error, without its decoration; "" when it did not say */
};

/*
 * Let CRIU do the work of req and serve its notifications (ops may be NULL: all are acknowledged).
 * *ret is always filled, also on failure: as far as the conversation went.
 * Return: 0 when CRIU reports success and no notification failed; otherwise the error of the first
 * notification that failed, or ERR_REMOTE ("criu failed: type DUMP errno 3: ..."), or what was wrong
 * with the conversation.
 */
int criu_client_run(struct criu_client *client, const CriuReq *req,
		    const struct criu_notify_ops *ops, void *context, struct criu_result *ret,
		    struct err *err);

/* End the conversation and reap criu. An exit status other than 0 after successful work is an error
 * (but after a pre-dump, where CRIU expects more work). Nothing when it is closed already. */
int criu_client_close(struct criu_client *client, struct err *err);
/* The same for clean-up: never kills, but waits until CRIU has put everything back. */
void criu_client_done(struct criu_client *client);

DEFINE_AUTO_VAL(criu_client, struct criu_client, criu_client_done)
#define auto_criu_client auto_cleanup(criu_client_cleanup_val)
