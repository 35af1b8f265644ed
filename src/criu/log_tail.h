/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading CRIU's log (dump.log, restore.log) after a failure. The file is read from its beginning
 * whatever its size, in little memory: the first real error is the cause, what follows are mostly its
 * consequences.
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"
#include "core/strvec.h"
#include "criu/log_rules.h"

/*
 * What a line of the log says, without the time stamp, the process number, "Error (file.c:123): " or
 * "Warn  (...): ", and the end of line. The caller owns it.
 */
char *criu_log_strip(const char *line) MUST_CHECK;
/* Whether an error line is one of those that CRIU writes also when it goes on and succeeds. */
bool criu_log_is_noise(const char *line);

/* What went wrong. All strings are owned; NULL when there is nothing to say. */
struct criu_log_finding {
	char *line; /* the log's own words, stripped */
	char *cause; /* one sentence; NULL: no rule fits the line */
	char *option; /* option of CRIU that lifts it, maybe with a value: "ghost-limit 2097152" */
	const char *remedy; /* static */
};

#define CRIU_LOG_FINDING_INIT                                                                      \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Find the cause: the first error line that a rule explains, else the first error line that is
 * neither noise nor only says that something else failed, else the last one.
 * Return: 1 found, 0 the log has no error, -ENOENT and other errno when it cannot be read.
 */
int criu_log_explain(int dir_fd, const char *name, struct criu_log_finding *ret);
/* The same for one line from elsewhere: 1, or 0 when no rule fits; ret->line is set in both. */
int criu_log_explain_line(const char *line, struct criu_log_finding *ret);
void criu_log_finding_done(struct criu_log_finding *finding);

/*
 * Quote the log as runc does: each line with "Error" that is not noise and up to 5 lines before it as "NUMBER:TEXT",
 * "..." where lines are left out in between. At most CRIU_LOG_QUOTE_MAX lines, the last ones. Nothing
 * is added when there is no error. 0, or a negative errno.
 */
#define CRIU_LOG_QUOTE_MAX 200
int criu_log_quote(int dir_fd, const char *name, struct strvec *ret);

DEFINE_AUTO_VAL(criu_log_finding, struct criu_log_finding, criu_log_finding_done)
#define auto_criu_log_finding auto_cleanup(criu_log_finding_cleanup_val)
