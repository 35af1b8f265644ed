/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other backend: CNI (specification 1.1, "Container Network Interface"). A network is a list of plugins, programs
 * that each do one part; every one gets its part of the list with what the one before it made on stdin, and says what
 * there is then on stdout. Deletion goes the other way round, with the list and the result of the addition, which are
 * kept where libcni keeps them: what has become of the file does not matter.
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/strvec.h"
#include "network/attachment.h"
#include "network/config.h"
#include "network/status.h"

#define CNI_CONFIG_DIR "/etc/cni/net.d"
#define CNI_CACHE_DIR "/var/lib/cni/cache"

struct cni {
	const char *config_dir; /* borrowed, all of these */
	const char *cache_dir;
	const char *
		plugin_path; /* directories with colons between; NULL: where distributions put them */
	const struct network_dir
		*defaults; /* the network that is there without a file; NULL: none */
};

struct json_object;

/* One network: NAME.conflist, or a single plugin's NAME.conf or .json. */
struct cni_network {
	char *name;
	char *version; /* cniVersion */
	struct json_object *plugins; /* array, owned */
	struct json_object *args; /* what is in it for others; owned; NULL: nothing */
};

#define CNI_NETWORK_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

void cni_network_done(struct cni_network *network);
/* The text of a file. ERR_INVALID: it is none. */
int cni_network_parse(struct cni_network *ret, const char *text, struct err *err);
/* Whether a file of this name may have a network. */
bool cni_is_config(const char *name);
/* Whether there is such a plugin; path as in struct cni. */
bool cni_has_plugin(const char *path, const char *type);
/* Add the attachments one after the other; on failure what was added is deleted again. */
int cni_setup(const struct cni *cni, const struct network_request *request, const char *netns_path,
	      struct network_status *ret, struct err *err);
/* All of it, whatever fails; the first error. netns_path may be gone already. */
int cni_teardown(const struct cni *cni, const struct network_request *request,
		 const char *netns_path, struct err *err);

DEFINE_AUTO_VAL(cni_network, struct cni_network, cni_network_done)
#define auto_cni_network auto_cleanup(cni_network_cleanup_val)
