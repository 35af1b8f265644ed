/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a network namespace that goes away with the container's processes.
 *
 * CRIU locks the network of what it dumps by rules of the packet filter, and leaves them. But the kernel
 * takes a namespace's rules away before its interfaces (cleanup_net(): the pre_exit calls come first),
 * and for some milliseconds in between a packet for a dumped connection finds no socket and is answered
 * by a reset: the other end loses a connection that could have been restored. So the namespace is held
 * until its interfaces are down.
 */
#pragma once

#include <sys/types.h>

#include "kernel/netlink.h"
#include "spec/runtime_spec.h"

struct network_end {
	struct netlink
		netlink; /* in the namespace, which lives as long as it; closed: nothing to do */
};

#define NETWORK_END_INIT                                                                           \
	{                                                                                          \
		.netlink = NETLINK_INIT                                                            \
	}

/* While the processes live; pid is one of them. Nothing where the namespace is not the container's own. */
void network_end_hold(struct network_end *end, const struct runtime_spec *spec, pid_t pid);
/* When they are gone: set all interfaces but loopback down, and let go. Those of the host come back to
 * it in that state, as they do from any namespace that ends. */
void network_end_silence(struct network_end *end);
void network_end_done(struct network_end *end);
