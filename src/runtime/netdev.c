/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/netdev.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/auto.h"

int netdev_bring_up_loopback(struct err *err)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	/* compat: a kernel without IPv4 has no loopback to bring up this way. */
	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : err_sys(err, -errno, "make a socket for 'lo'");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(err, -errno, "bring up network interface 'lo'");
	return 0;
}

int netdev_move_all(const struct runtime_spec *spec, pid_t pid UNUSED, struct err *err)
{
	if (spec->linux_->n_net_devices == 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED, "linux.netDevices is not supported by this version");
}
