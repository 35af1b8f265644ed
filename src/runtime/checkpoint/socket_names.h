/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets whose file was renamed since it was made keep it through a checkpoint (socket_place.h says
 * why CRIU alone would lose it): the image gets the present name in place of the first. The program sees
 * one difference, getsockname(2) says the present name after a restore.
 *
 * Done when CRIU has written the images and the processes are still stopped, so that no name changes any
 * more. What it costs a container without sockets at paths is to read one image.
 */
#pragma once

#include "core/err.h"
#include "runtime/cgroup/backend.h"

/* Warns of names that will be lost. A failure leaves the image as it was. */
int socket_names_keep(int images_fd, pid_t init, struct cgroup *cg, struct err *err);
