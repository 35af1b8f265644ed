/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --sdnotify (sd_notify(3)): who tells the service manager that started us, by the socket in $NOTIFY_SOCKET, that the
 * service is up. "container": what the container says goes through conmon, which has a socket of its own mounted inside;
 * "conmon": it is up when conmon and the container run; "ignore": nobody.
 */
#pragma once

#include "engine/container.h"

/* The socket that conmon passes the container's words on to; NULL: none. Borrowed from the environment. */
const char *sdnotify_proxied(const struct container_config *config);
/* Our environment as conmon and runtimes get it: without the socket, which runtimes would serve as well, and without what
 * an outer conmon has said. Appended to *ret, which ends with NULL as any list. */
void sdnotify_clean_environment(struct strvec *ret);
/* Say which process is to be watched, and where that is conmon's affair, that all is ready. Failures are logged. */
void sdnotify_started(const struct container *c);
