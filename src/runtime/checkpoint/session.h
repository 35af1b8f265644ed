/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dump and a restore share: the image and work directories, the conversation with CRIU, and
 * telling what went wrong in one sentence.
 */
#pragma once

#include "criu/client.h"
#include "criu/find.h"
#include "runtime/checkpoint/criu_home.h"
#include "runtime/runtime.h"

struct criu_session {
	char *images_path; /* absolute */
	int images_fd;
	char *work_path; /* absolute; that of the images when none was given */
	int work_fd; /* -EBADF: none was given */
	char *log_path; /* absolute; until CRIU runs, where it would be but for CRIU's configuration */
	struct criu_location location;
	struct criu_client client;
	struct criu_home home;
	/* The caller's, while its work is under way. */
	int (*setup)(void *context);
	void *setup_context;
	const struct criu_notify_ops *ops;
	void *ops_context;
	int version;
};

#define CRIU_SESSION_INIT                                                                          \
	{                                                                                          \
		.images_fd = -EBADF, .work_fd = -EBADF, .client = CRIU_CLIENT_INIT,                \
		.home = CRIU_HOME_INIT                                                             \
	}

struct criu_session_opts {
	const char *image_path; /* NULL: "checkpoint" below the current directory */
	const char *work_path; /* NULL: the image directory */
	const char *log_name;
	bool create_images; /* dump: made when missing (0700) */
};

/* Directories, then where CRIU is. CRIU is not started yet. */
int criu_session_open(struct criu_session *ret, const struct runtime *rt,
		      const struct criu_session_opts *opts, struct err *err);
/* Start CRIU and ask its version. stdio and extra_fds as of struct criu_client_opts. */
int criu_session_start(struct criu_session *s, const struct criu_client_opts *opts,
		       struct err *err);
/* criu_client_run() with CRIU in its home. */
int criu_session_run(struct criu_session *s, const CriuReq *req, const struct criu_notify_ops *ops,
		     void *context, struct criu_result *ret, struct err *err);
/*
 * Replace the text of an error of criu_client_run() by the cause that CRIU's log names, in one
 * sentence with the log's path; lines around the errors go to the debug log. Returns err->code.
 * *ret_known (may be NULL): whether the cause is known, and not only CRIU's own words for it.
 */
int criu_session_explain(const struct criu_session *s, const struct criu_result *result,
			 bool *ret_known, struct err *err);
/* What nobody could explain: quote the log as runc does, as warnings. */
void criu_session_quote(const struct criu_session *s);
void criu_session_close(struct criu_session *s);

DEFINE_AUTO_VAL(criu_session, struct criu_session, criu_session_close)
#define auto_criu_session auto_cleanup(criu_session_cleanup_val)
