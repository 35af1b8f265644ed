/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace/network_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fd.h"
#include "in_child.h"

static bool is_own_network(int fd)
{
	struct stat own;
	struct stat st;

	return stat("/proc/self/ns/net", &own) == 0 && fstat(fd, &st) == 0 &&
	       own.st_ino == st.st_ino;
}

static bool has_loopback_up(void)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
}

/* A helper that nobody has asked yet, too. */
static bool has_no_child(void)
{
	return waitpid(-1, NULL, WNOHANG | (int)__WALL) < 0 && errno == ECHILD;
}

static int make(void)
{
	struct network_maker m = { 0 };
	int fd;

	network_maker_done(&m);
	if (network_maker_start(&m) < 0)
		return 1;
	fd = network_maker_finish(&m);
	if (fd < 0 || !has_no_child())
		return 2;
	if (is_own_network(fd))
		return 3;
	if (network_maker_finish(&m) != fd)
		return 4;
	if (setns(fd, CLONE_NEWNET) < 0 || !is_own_network(fd))
		return 5;
	if (!has_loopback_up())
		return 6;
	network_maker_done(&m);
	return fcntl(fd, F_GETFD) < 0 ? 0 : 7;
}

static int abandon(void)
{
	struct network_maker m;
	int lowest = dup(0);
	int after;

	(void)close(lowest);
	if (network_maker_start(&m) < 0)
		return 1;
	network_maker_done(&m);
	if (!has_no_child())
		return 2;
	/* Its descriptor is closed as well. */
	after = dup(0);
	return after == lowest ? 0 : 3;
}

/* What the helper may not do is told, and can be tried again by somebody else. */
static int be_refused(void)
{
	struct network_maker m;
	int r;

	if (setresuid(65534, 65534, 65534) < 0)
		return 1;
	if (network_maker_start(&m) < 0)
		return 2;
	r = network_maker_finish(&m);
	network_maker_done(&m);
	return r < 0 && has_no_child() ? 0 : 3;
}

static void test_make(void **state)
{
	(void)state;
	run_as_root(make);
}

static void test_abandon(void **state)
{
	(void)state;
	run_as_root(abandon);
}

static void test_refusal(void **state)
{
	(void)state;
	run_as_root(be_refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
