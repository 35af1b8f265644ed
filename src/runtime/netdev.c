/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/netdev.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "kernel/netlink.h"

int netdev_bring_up_loopback(struct err *err)
{
	int r = netlink_bring_up_loopback();

	return r < 0 ? err_sys(err, r, "bring up network interface 'lo'") : 0;
}

int netdev_call_in(pid_t pid, int (*function)(void *context, struct err *err), void *context,
		   struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/ns/net", pid);
	auto_close int theirs = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	auto_close int ours = fd_open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
	int r;

	if (theirs < 0 || ours < 0)
		return err_sys(err, theirs < 0 ? theirs : ours, "open network namespace '%s'",
			       path);
	if (setns(theirs, CLONE_NEWNET) < 0)
		return err_sys(err, -errno, "enter network namespace '%s'", path);
	r = function(context, err);
	/* Going back cannot be refused to who has just been allowed to leave. */
	if (setns(ours, CLONE_NEWNET) < 0 && r == 0)
		r = err_sys(err, -errno, "go back to the runtime's network namespace");
	return r;
}

/* The two ends of a move. */
struct netdev_move {
	struct netlink host;
	struct netlink container;
	int netns_fd;
};

static void netdev_move_done(struct netdev_move *move)
{
	netlink_close(&move->host);
	netlink_close(&move->container);
	close_fd(&move->netns_fd);
}

DEFINE_AUTO_VAL(netdev_move, struct netdev_move, netdev_move_done)

static int netdev_move_open(struct netdev_move *move, pid_t pid, struct err *err)
{
	char path[64];
	struct stat ours;
	struct stat theirs;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	move->netns_fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	if (move->netns_fd < 0)
		return err_sys(err, move->netns_fd, "open network namespace of the container");
	if (fstat(move->netns_fd, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0)
		return err_sys(err, -errno, "compare network namespaces");
	if (fs_is_same_file(&ours, &theirs))
		return err_set(err, ERR_INVALID,
			       "linux.netDevices: the container shares our network namespace; give "
			       "it one of its own in linux.namespaces");
	r = netlink_open(&move->host);
	if (r == 0)
		r = netlink_open_in(&move->container, move->netns_fd);
	return r < 0 ? err_sys(err, r, "open netlink sockets for linux.netDevices") : 0;
}

static bool has_index(const struct netlink_link *links, size_t n, int index)
{
	for (size_t i = 0; i < n; i++)
		if (links[i].index == index)
			return true;
	return false;
}

/*
 * The interface that has come to the container: by name, or, when the kernel chose the name ("eth%d"),
 * the one that was not there before.
 */
static int find_moved(struct netlink *nl, const char *name, const struct netlink_link *before,
		      size_t n_before, struct netlink_link *ret)
{
	auto_free struct netlink_link *now = NULL;
	size_t n = 0;
	int r;

	if (!strchr(name, '%'))
		return netlink_get_link(nl, name, ret);
	r = netlink_list_links(nl, &now, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!has_index(before, n_before, now[i].index)) {
			*ret = now[i];
			return 0;
		}
	}
	return r < 0 ? r : -ENODEV;
}

static int restore_addresses(struct netlink *nl, const struct netlink_link *link,
			     const struct netlink_address *addresses, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		/* Others are the host's own affair, or are configured anew by the kernel. */
		if (addresses[i].scope != RT_SCOPE_UNIVERSE ||
		    !(addresses[i].flags & IFA_F_PERMANENT))
			continue;
		r = netlink_add_address(nl, link->index, &addresses[i]);
		if (r < 0 && r != -EEXIST)
			return err_sys(err, r,
				       "add address to network interface '%s' of the container",
				       link->name);
	}
	return 0;
}

/* Down first: a name can only be changed then, and nothing on the host goes on using it meanwhile. */
static int transfer(struct netdev_move *move, const struct netlink_link *link, const char *name,
		    struct err *err)
{
	int r = netlink_set_link_up(&move->host, link->index, false);

	if (r < 0)
		return err_sys(err, r, "set network interface '%s' down", link->name);
	r = netlink_move_link(&move->host, link->index, move->netns_fd, name);
	if (r == 0)
		return 0;
	if (link->flags & IFF_UP)
		(void)netlink_set_link_up(&move->host, link->index, true);
	if (r == -EEXIST)
		return err_set(err, ERR_EXISTS,
			       "move network interface '%s' into the container: the name '%s' is "
			       "taken there",
			       link->name, name);
	return err_sys(err, r, "move network interface '%s' into the container as '%s'", link->name,
		       name);
}

static int move_one(struct netdev_move *move, const struct oci_net_device *device, struct err *err)
{
	const char *name = str_is_empty(device->name) ? device->key : device->name;
	auto_free struct netlink_address *addresses = NULL;
	auto_free struct netlink_link *before = NULL;
	struct netlink_link link = { 0 };
	size_t n_addresses = 0;
	size_t n_before = 0;
	int r;

	r = netlink_get_link(&move->host, device->key, &link);
	if (r == -ENODEV)
		return err_set(err, ERR_NOT_FOUND,
			       "linux.netDevices: there is no network interface '%s'", device->key);
	if (r == 0)
		r = netlink_list_addresses(&move->host, link.index, &addresses, &n_addresses);
	if (r == 0)
		r = netlink_list_links(&move->container, &before, &n_before);
	if (r < 0)
		return err_sys(err, r, "read network interface '%s'", device->key);
	r = transfer(move, &link, name, err);
	if (r < 0)
		return r;
	r = find_moved(&move->container, name, before, n_before, &link);
	if (r < 0)
		return err_sys(err, r, "find network interface '%s' in the container", name);
	r = restore_addresses(&move->container, &link, addresses, n_addresses, err);
	if (r < 0)
		return r;
	r = netlink_set_link_up(&move->container, link.index, true);
	return r < 0 ? err_sys(err, r, "set network interface '%s' of the container up",
			       link.name) :
		       0;
}

int netdev_move_all(const struct runtime_spec *spec, pid_t pid, struct err *err)
{
	const struct oci_linux *linux_ = spec->linux_;
	auto_cleanup(netdev_move_cleanup_val) struct netdev_move move = {
		.host = NETLINK_INIT,
		.container = NETLINK_INIT,
		.netns_fd = -EBADF,
	};
	int r;

	if (linux_->n_net_devices == 0)
		return 0;
	r = netdev_move_open(&move, pid, err);
	for (size_t i = 0; r == 0 && i < linux_->n_net_devices; i++)
		r = move_one(&move, &linux_->net_devices[i], err);
	return r;
}
