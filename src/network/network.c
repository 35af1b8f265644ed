/* SPDX-License-Identifier: Apache-2.0 */
#include "network/network.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/lock.h"
#include "core/log.h"
#include "network/ipam.h"

/* Two of netavark at once would trip over each other's firewall chains. */
#define LOCK_NAME "setup.lock"

struct work {
	const struct network_env *env;
	const struct network_request *request;
	struct netavark netavark;
	int lock_fd;
};

static void work_done(struct work *w)
{
	netavark_done(&w->netavark);
	close_fd(&w->lock_fd);
}
DEFINE_AUTO_VAL(work, struct work, work_done)
#define auto_work auto_cleanup(work_cleanup_val)

static int find_netavark(const struct network_env *env, struct netavark *ret, struct err *err)
{
	int r = netavark_find(ret, env->netavark, err);

	ret->plugin_dirs = env->netavark_plugin_dirs;
	ret->n_plugin_dirs = env->n_netavark_plugin_dirs;
	return r;
}

static int load_networks(const struct network_env *env, struct network_request *request,
			 struct err *err)
{
	for (size_t i = request->n_networks; i < request->n_attachments; i++) {
		struct network network = NETWORK_INIT;
		int r = network_find(&network, &env->dir, request->attachments[i].network, err);

		if (r < 0)
			return r;
		*array_push(request->networks, request->n_networks) = network;
	}
	return 0;
}

static int take_lock(struct work *w, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	int r = fs_mkdir_all(AT_FDCWD, w->env->run_dir, 0755, 0700);

	if (r == 0)
		r = dir_fd = fd_open_at(AT_FDCWD, w->env->run_dir, O_RDONLY | O_DIRECTORY, 0);
	if (r >= 0)
		r = w->lock_fd = lock_open(dir_fd, LOCK_NAME, LOCK_MODE_EXCLUSIVE, -1);
	return r < 0 ? err_sys(err, r, "lock the networks in '%s'", w->env->run_dir) : 0;
}

/* Addresses of the first n attachments. */
static int release_addresses(const struct network_env *env, const struct network_request *request,
			     size_t n, struct err *err)
{
	int first = 0;

	for (size_t i = 0; i < n; i++) {
		int r = ipam_release(env->run_dir, request->attachments[i].network,
				     request->container_id, first ? NULL : err);

		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

int network_release(const struct network_env *env, const struct network_request *request,
		    struct err *err)
{
	return env->backend == NETWORK_CNI ?
		       0 :
		       release_addresses(env, request, request->n_attachments, err);
}

static int allocate_one(const struct work *w, size_t i, struct network_attachment *a,
			struct err *err)
{
	auto_strvec struct strvec wanted = STRVEC_INIT;
	auto_strvec struct strvec given = STRVEC_INIT;
	int r;

	strvec_add_all(&wanted, a->static_ips, a->n_static_ips);
	r = ipam_allocate(w->env->run_dir, &w->request->networks[i], w->request->container_id,
			  &wanted, &given, err);
	if (r < 0)
		return r;
	for (size_t k = 0; k < a->n_static_ips; k++)
		free(a->static_ips[k]);
	free(a->static_ips);
	a->static_ips = NULL;
	a->n_static_ips = 0;
	for (size_t k = 0; k < given.n; k++)
		json_strings_add(&a->static_ips, &a->n_static_ips, given.v[k]);
	return 0;
}

static int allocate_addresses(const struct work *w, struct network_request *request,
			      struct err *err)
{
	for (size_t i = 0; i < request->n_attachments; i++) {
		int r = allocate_one(w, i, &request->attachments[i], err);

		if (r < 0) {
			(void)release_addresses(w->env, request, i, NULL);
			return r;
		}
	}
	return 0;
}

int network_allocate(const struct network_env *env, struct network_request *request,
		     struct err *err)
{
	auto_work struct work w = { .env = env, .request = request, .lock_fd = -EBADF };
	int r;

	network_request_name_interfaces(request);
	r = network_ports_choose(&request->ports, err);
	if (r == 0 && env->backend == NETWORK_NETAVARK) {
		r = load_networks(env, request, err);
		if (r == 0)
			r = allocate_addresses(&w, request, err);
	}
	return r < 0 ? err_wrap(err, r, "set up the network") : 0;
}

static int setup_by_netavark(struct work *w, const char *netns_path, struct network_status *ret,
			     struct err *err)
{
	int r = find_netavark(w->env, &w->netavark, err);

	if (r == 0)
		r = take_lock(w, err);
	if (r < 0)
		return r;
	r = netavark_setup(&w->netavark, w->request, w->request->networks, netns_path, ret, err);
	/* It may have come half way. */
	if (r < 0)
		(void)netavark_teardown(&w->netavark, w->request, w->request->networks, netns_path,
					NULL);
	return r;
}

int network_setup(const struct network_env *env, const struct network_request *request,
		  const char *netns_path, struct network_status *ret, struct err *err)
{
	auto_work struct work w = { .env = env, .request = request, .lock_fd = -EBADF };
	int r = env->backend == NETWORK_CNI ? cni_setup(&env->cni, request, netns_path, ret, err) :
					      setup_by_netavark(&w, netns_path, ret, err);

	return r < 0 ? err_wrap(err, r, "set up the network") : 0;
}

int network_teardown(const struct network_env *env, const struct network_request *request,
		     const char *netns_path, struct err *err)
{
	auto_work struct work w = { .env = env, .request = request, .lock_fd = -EBADF };
	struct err later = ERR_INIT;
	int last;
	int r;

	if (env->backend == NETWORK_CNI) {
		r = cni_teardown(&env->cni, request, netns_path, err);
		return r < 0 ? err_wrap(err, r, "take down the network") : 0;
	}
	r = request->n_networks < request->n_attachments ?
		    err_set(err, ERR_STATE, "it is not known what was set up") :
		    find_netavark(env, &w.netavark, err);
	if (r == 0)
		r = take_lock(&w, err);
	if (r == 0)
		r = netavark_teardown(&w.netavark, request, request->networks, netns_path, err);
	last = release_addresses(env, request, request->n_attachments, &later);
	if (r == 0 && last < 0) {
		r = last;
		if (err)
			*err = later;
	}
	return r < 0 ? err_wrap(err, r, "take down the network") : 0;
}
