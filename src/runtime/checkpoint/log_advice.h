/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cause that was found in CRIU's log means to someone who uses our commands: CRIU's options
 * are partly options of `checkpoint` and `restore`, the others go into its configuration file.
 */
#pragma once

#include "core/err.h"
#include "criu/log_tail.h"

/*
 * Make *err, which criu_client_run() has filled, say it: "a process holds file locks; use
 * --file-locks" (ERR_REMOTE). When no rule explains the log, its own words replace CRIU's bare "criu
 * failed" and are appended to anything else, as that CRIU was killed. A finding without a line leaves
 * *err alone. Returns err->code.
 */
int log_advice_tell(const struct criu_log_finding *finding, struct err *err);
