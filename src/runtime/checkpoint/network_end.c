/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/network_end.h"

#include <fcntl.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "runtime/namespace/plan.h"

static bool has_own_network(const struct runtime_spec *spec)
{
	struct namespace_plan plan = NAMESPACE_PLAN_INIT;

	return namespace_plan_make(&plan, spec, NULL) == 0 &&
	       namespace_plan_creates(&plan, NAMESPACE_NETWORK);
}

/* Without it the checkpoint is as good; only connections from outside are in danger. */
void network_end_hold(struct network_end *end, const struct runtime_spec *spec, pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/ns/net", pid);
	auto_close int fd = -EBADF;
	int r;

	if (!has_own_network(spec))
		return;
	fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	r = fd < 0 ? fd : netlink_open_in(&end->netlink, fd);
	if (r < 0)
		log_debug("hold network namespace '%s': %s", path, errno_text(r));
}

void network_end_silence(struct network_end *end)
{
	auto_free struct netlink_link *links = NULL;
	size_t n = 0;
	int r;

	if (end->netlink.fd < 0)
		return;
	r = netlink_list_links(&end->netlink, &links, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if ((links[i].flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP)
			r = netlink_set_link_up(&end->netlink, links[i].index, false);
	if (r < 0)
		log_debug("set the interfaces of the container down: %s", errno_text(r));
	network_end_done(end);
}

void network_end_done(struct network_end *end)
{
	netlink_close(&end->netlink);
}
