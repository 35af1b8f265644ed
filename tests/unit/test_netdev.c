/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces between two network namespaces of the test's own; ip(8) makes and shows them. */
#include "runtime/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/io.h"
#include "core/proc.h"
#include "core/strvec.h"
#include "kernel/netlink.h"

/* ip with these words; its output is added to *ret_output when not NULL. */
static int ip(const char *words, struct strbuf *ret_output)
{
	auto_strvec struct strvec args = STRVEC_INIT;
	struct proc_spawn_opts opts = { .path = "/sbin/ip", .stdio = { -1, -1, 2 } };
	auto_proc struct proc proc = PROC_INIT;
	int status = -1;
	int ends[2];

	strvec_add(&args, "ip");
	strvec_split(&args, words, ' ', false);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	opts.argv = args.v;
	opts.stdio[1] = ends[1];
	if (proc_spawn(&proc, &opts) < 0)
		return -1;
	close(ends[1]);
	if (ret_output && io_read_all(ends[0], 65536, ret_output) < 0)
		return -1;
	close(ends[0]);
	return proc_wait(&proc, -1, &status) < 0 ? -1 : status;
}

struct test_case {
	const char *set_up; /* commands for ip in the "host", with ; between them */
	const char *host_name;
	const char *container_name; /* NULL: the same */
	const char *show; /* what ip is asked in the container */
	const char *want[4]; /* texts in its answer */
	const char *want_not;
	const char *error; /* NULL: it must work */
	bool same_namespace;
};

/* The "container": a process in a network namespace of its own that ends with the pipe. */
static pid_t start_container(bool same_namespace, int *ret_hold)
{
	int hold[2];
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(hold) < 0 || pipe(ready) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(hold[1]);
		if (!same_namespace && unshare(CLONE_NEWNET) < 0)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		(void)!read(hold[0], &byte, 1);
		_exit(0);
	}
	close(hold[0]);
	close(ready[1]);
	(void)!read(ready[0], &byte, 1);
	close(ready[0]);
	*ret_hold = hold[1];
	return pid;
}

static int check_container(const struct test_case *t, pid_t pid)
{
	auto_strbuf struct strbuf shown = STRBUF_INIT;
	char path[64];
	int host;
	int fd;

	/* A namespace that nobody is in ends, its end of the pair with it, and so the other end. */
	host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (host < 0 || fd < 0 || setns(fd, CLONE_NEWNET) < 0 || ip(t->show, &shown) != 0)
		return 5;
	for (size_t i = 0; i < ARRAY_SIZE(t->want) && t->want[i]; i++) {
		if (!strstr(shown.buf, t->want[i])) {
			(void)fprintf(stderr, "no '%s' in:\n%s", t->want[i], shown.buf);
			return 6;
		}
	}
	if (t->want_not && strstr(shown.buf, t->want_not)) {
		(void)fprintf(stderr, "'%s' is in:\n%s", t->want_not, shown.buf);
		return 7;
	}
	return 0;
}

static int run_case(const struct test_case *t)
{
	struct oci_net_device device = { (char *)(uintptr_t)t->host_name,
					 (char *)(uintptr_t)t->container_name };
	struct oci_linux linux_ = { .net_devices = &device, .n_net_devices = 1 };
	struct runtime_spec spec = { .linux_ = &linux_ };
	auto_strvec struct strvec commands = STRVEC_INIT;
	struct err err = ERR_INIT;
	int hold = -1;
	pid_t pid;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return 77;
	strvec_split(&commands, t->set_up, ';', false);
	for (size_t i = 0; i < commands.n; i++)
		if (ip(commands.v[i], NULL) != 0)
			return i == 0 ? 77 : 1; /* no veth here */
	pid = start_container(t->same_namespace, &hold);
	r = netdev_move_all(&spec, pid, &err);
	if (t->error && (r >= 0 || strcmp(err.msg, t->error) != 0)) {
		(void)fprintf(stderr, "'%s', not '%s'\n", err.msg, t->error);
		r = 2;
	} else if (!t->error && r < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		r = 3;
	} else {
		r = t->show ? check_container(t, pid) : 0;
	}
	close(hold);
	(void)waitpid(pid, NULL, 0);
	return r;
}

static void check(const struct test_case *t)
{
	int status;
	pid_t pid;

	if (geteuid() != 0 || access("/sbin/ip", X_OK) < 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run_case(t));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define PAIR "link add host0 type veth peer name host1"

static void test_move(void **state UNUSED)
{
	check(&(struct test_case){
		.set_up = PAIR ";addr add 192.0.2.7/24 brd + dev host0;"
			       "addr add 2001:db8::7/64 nodad dev host0;"
			       "addr add 192.0.2.9/24 dev host0 valid_lft 100 preferred_lft 100;"
			       "addr add 169.254.3.3/16 scope link dev host0;link set host0 up",
		.host_name = "host0",
		.show = "addr show",
		.want = { "inet 192.0.2.7/24 brd 192.0.2.255 scope global", "inet6 2001:db8::7/64",
			  ",UP", "host0" },
		.want_not = "192.0.2.9",
	});
	check(&(struct test_case){
		.set_up = PAIR ";addr add 169.254.3.3/16 scope link dev host0",
		.host_name = "host0",
		.show = "addr show dev host0",
		.want = { "host0" },
		.want_not = "169.254",
	});
}

static void test_rename(void **state UNUSED)
{
	check(&(struct test_case){
		.set_up = PAIR ";addr add 192.0.2.7/24 dev host0;link set host0 up",
		.host_name = "host0",
		.container_name = "eth0",
		.show = "addr show dev eth0",
		.want = { "192.0.2.7/24", "UP" },
	});
	check(&(struct test_case){
		.set_up = PAIR ";addr add 192.0.2.7/24 dev host1",
		.host_name = "host1",
		.container_name = "net%d",
		.show = "addr show dev net0",
		.want = { "192.0.2.7/24" },
	});
}

static void test_errors(void **state UNUSED)
{
	check(&(struct test_case){
		.set_up = PAIR,
		.host_name = "other",
		.error = "linux.netDevices: there is no network interface 'other'",
	});
	check(&(struct test_case){
		.set_up = PAIR,
		.host_name = "host0",
		.container_name = "lo",
		.error = "move network interface 'host0' into the container: the name 'lo' is "
			 "taken there",
	});
	check(&(struct test_case){
		.set_up = PAIR,
		.host_name = "host0",
		.same_namespace = true,
		.error = "linux.netDevices: the container shares our network namespace; give it "
			 "one of its own in linux.namespaces",
	});
}

static int loopback(void)
{
	auto_netlink struct netlink nl = NETLINK_INIT;
	struct netlink_link link;
	struct err err = ERR_INIT;

	if (unshare(CLONE_NEWNET) < 0)
		return 77;
	if (netlink_open(&nl) < 0 || netlink_get_link(&nl, "lo", &link) < 0 ||
	    (link.flags & IFF_UP))
		return 1;
	if (netdev_bring_up_loopback(&err) < 0 || netlink_get_link(&nl, "lo", &link) < 0 ||
	    !(link.flags & IFF_UP) || strcmp(link.name, "lo") != 0)
		return 2;
	if (netlink_get_link(&nl, "nonexistent", &link) != -ENODEV ||
	    netlink_get_link(&nl, "a-name-that-is-too-long", &link) != -ENODEV)
		return 3;
	return 0;
}

static void test_loopback(void **state UNUSED)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(loopback());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
