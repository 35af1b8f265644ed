/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's networks: addresses, interfaces, ports and names, made and taken away again.
 *
 *	config.h	the networks that there are
 *	create.h	a new one from what the user asked for
 *	attachment.h	what a container wants of each
 *	ipam.h		addresses
 *	netns.h		the namespace
 *	netavark.h	the program that does the work
 *	cni.h		or the programs of the older kind
 *	status.h	what it made
 */
#pragma once

#include "core/err.h"
#include "network/attachment.h"
#include "network/cni.h"
#include "network/config.h"
#include "network/netavark.h"
#include "network/status.h"

enum network_backend { NETWORK_NETAVARK, NETWORK_CNI };

struct network_env {
	enum network_backend backend;
	struct network_dir dir;
	const char *run_dir; /* addresses and locks, gone after a boot */
	const char *netavark; /* NULL: looked for */
	char *const *netavark_plugin_dirs;
	size_t n_netavark_plugin_dirs;
	struct cni
		cni; /* where NETWORK_CNI is the backend: its files, and nothing of the two directories above */
};

/*
 * Complete the request: interface names, host ports, and with netavark one static address for each subnet, which
 * belong to the container from now on. What the caller writes down before it goes on is all that network_teardown()
 * wants, so that nothing is lost by a crash. On failure nothing has been taken.
 */
int network_allocate(const struct network_env *env, struct network_request *request,
		     struct err *err);
/* Attach the namespace to all networks of a completed request. On failure nothing but the allocation is left. */
int network_setup(const struct network_env *env, const struct network_request *request,
		  const char *netns_path, struct network_status *ret, struct err *err);
/* Give back what network_allocate() took, where the set-up has failed or was never tried. */
int network_release(const struct network_env *env, const struct network_request *request,
		    struct err *err);
/*
 * Take everything away, also after a set-up that was cut short, or of which only the completed request is known.
 * Addresses are given back whatever fails; the first error is returned after all else is done.
 */
int network_teardown(const struct network_env *env, const struct network_request *request,
		     const char *netns_path, struct err *err);
