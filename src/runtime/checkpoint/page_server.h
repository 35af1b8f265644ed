/* SPDX-License-Identifier: Apache-2.0 */
/* CRIU's page server, which gives the memory of a frozen container to a `criu lazy-pages` elsewhere. */
#pragma once

#include "core/err.h"

/*
 * Whether CRIU can serve pages here. It makes a pipe for 819 pages, and where that is refused it goes on with
 * a descriptor that it has not opened: the container is frozen, and the transfer fails at the first page that is
 * asked for ("page-pipe: splice: Bad file descriptor", CRIU 3.x to 4.2). pipe(7): larger pipes than
 * fs.pipe-max-size, 1 MiB unless somebody has changed it, are for CAP_SYS_RESOURCE.
 *
 * ERR_UNSUPPORTED with what lifts it. A pipe is made to find out.
 */
int page_server_check(struct err *err);
