/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime asks of systemd, over D-Bus by libsystemd's sd-bus. The library is loaded when the
 * first connection is made, so that nobody else pays for it at start; a build without its headers has
 * sdbus_none.c instead, where connecting is ERR_UNSUPPORTED.
 *
 * Errors of all calls: ERR_EXISTS (the unit is there already), ERR_NOT_FOUND (it is not), ERR_DENIED,
 * ERR_TIMEOUT, ERR_REMOTE (whatever else systemd says).
 */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "systemd/systemd_plan.h"

struct sdbus;

/* Whether this build can. */
bool sdbus_is_built(void);

/*
 * Connect to the system's systemd or, with `user`, to the user's. The result is the caller's, to be
 * closed with sdbus_close(), which takes NULL too. ERR_UNSUPPORTED, in one sentence with what to do: no
 * libsystemd, no bus, nobody there.
 */
int sdbus_open(struct sdbus **ret, bool user, struct err *err);
void sdbus_close(struct sdbus *bus);
/* In a forked child: the connection is the parent's. Nothing else may be done with it afterwards. */
void sdbus_release_in_child(struct sdbus *bus);

/* 252 */
unsigned int sdbus_version(const struct sdbus *bus);
/* The cgroup below which the manager has its units: "" for the system's, as a rule, the path of
 * user@1000.service for a user's. Borrowed. */
const char *sdbus_control_group(const struct sdbus *bus);
/* Whether process numbers mean the same for systemd as for us: it is in our pid namespace. */
bool sdbus_shares_pids(const struct sdbus *bus);

/* Ask for a new transient unit; it is there when sdbus_wait_job() returns. One that failed earlier and
 * has the name still is forgotten first. */
int sdbus_start_unit(struct sdbus *bus, const char *unit, const struct systemd_plan *properties,
		     struct err *err);
/* Wait (up to 30 s) for the job of the call before. A result other than "done" is ERR_REMOTE. */
int sdbus_wait_job(struct sdbus *bus, const char *unit, struct err *err);
/* Stop the unit and wait; ERR_NOT_FOUND when there is none. */
int sdbus_stop_unit(struct sdbus *bus, const char *unit, struct err *err);
/* Have systemd forget that the unit failed, whereupon it goes; best effort. */
void sdbus_reset_failed(struct sdbus *bus, const char *unit);
int sdbus_set_properties(struct sdbus *bus, const char *unit, const struct systemd_plan *properties,
			 struct err *err);
/* Move a process into the unit's cgroup, or one below ("/sub"; "" for the unit's own), with the
 * manager's privileges (systemd 238). ERR_UNSUPPORTED where it has numbers of its own for processes. */
int sdbus_attach_process(struct sdbus *bus, const char *unit, const char *subgroup, pid_t pid,
			 struct err *err);
